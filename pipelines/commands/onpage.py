"""What the extractor saw on a document's page: its blocks, how likely main text, and its images.

The page is read again from the source, so it must still stand where it was read.
"""

from pathlib import Path
from typing import Any

import numpy as np

from filters import charset
from filters.extract import KAREZ
from pipelines.errors import RecipeError, RunError
from pipelines.readers import html, warc
from pipelines.readers.pages import HTML
from pipelines.recipe import Recipe, Source
from pipelines.runs import Run
from pipelines.steps import sources

TURNED = {"warc": warc.page_at, "html": html.page_at}


def seen(run: Run, recipe: Recipe, document: dict[str, Any]) -> dict[str, Any]:
    """The blocks and images of a page in order, ready for JSON; see `judged`.

    Raises:
        RunError: if the document is no page that our own extractor read, or its file is gone.
    """
    name = str(document["source"])
    source, path = _found(run, recipe, name)
    if source.extract not in KAREZ or (document["media_type"] or "").lower() not in HTML:
        raise RunError(f"{name}: is no page that karez itself took the text of")
    try:
        with path.open("rb") as file:
            found = TURNED[source.kind](file, document["offset"], document["length"])
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    if found is None:
        raise RunError(f"{path}: holds another page at {document['offset']:,} now")
    return judged(charset.utf8(*found), KAREZ[source.extract][0], document["url"])


def _found(run: Run, recipe: Recipe, name: str) -> tuple[Source, Path]:
    """The source of pages with a file of that name, and where it is."""
    for source in sources.of(run, recipe):
        if source.kind in TURNED:
            try:
                each = {file.name: file.path for file in sources.files(source, recipe.base)}
            except RecipeError:
                continue
            if name in each:
                return source, Path(each[name])
    raise RunError(f"{name}: is no file of pages of this recipe, or is no longer there")


def judged(page: bytes, mode: str, url: str | None) -> dict[str, Any]:
    """The blocks and images of a page.

    Args:
        page: UTF-8.
        mode: of `filters.html.maintext.MODES`.
        url: its own, if it is known.

    Returns:
        `blocks`, of each `start` and `end`, bytes of the page, its `text`, its `chance` of being
        main text, whether it is a reader's `comment`, and whether it was `kept`; `images` of the
        main text, see `filters.html.images`.
    """
    from filters.html.blocks import FIRST, LAST, OWNER
    from filters.html.head import base_of
    from filters.html.images import images
    from filters.html.maintext import chosen, read
    from filters.html.markup import FROM, TO
    from filters.html.tags import COMMENT
    from filters.html.text import texts

    main = read(np.frombuffer(page, np.uint8))
    keep = chosen(main.page, main.chances, mode)
    segments, ours = main.page.segments, main.page.blocks
    made = [
        {
            "start": int(segments[ours[i, FIRST], FROM]),
            "end": int(segments[ours[i, LAST] - 1, TO]),
            "text": said.strip(),
            "chance": round(float(main.chances[i]), 4),
            "comment": bool(main.page.flags[ours[i, OWNER]] & COMMENT),
            "kept": bool(keep[i]),
        }
        for i, said in enumerate(texts(main.page))
    ]
    pictures = images(main.page, keep, base_of(page, url))
    return {"blocks": made, "images": [each._asdict() for each in pictures]}
