"""A corpus of 25 languages, each document labelled: GNOME's user documentation.

Writes ``FOLDER/languages25`` (Parquet: id, url, text, language) from the pages of gnome-user-docs,
which are about the same things in every language.  Paragraphs that stand in the English pages as
well are left out of the others: nobody has translated them yet.  Languages differ in size as they
do in a crawl: English has all its pages, the others fewer and fewer, in the order below.
"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pyarrow as pa

from tests.bench import pool_sources as sources
from tests.bench.pool import written
from tests.bench.pool_sources import draw

LANGUAGES = """C de fr es ru ja it pt_BR pl zh_CN nl cs uk sv ko hu fi da el gl id gu ca sl
    hr"""
CODES = {"C": "en", "pt_BR": "pt", "zh_CN": "zh"}
LEAST = 300  # bytes of a page
RAREST = 12  # pages of the last language; of the first all, in between ever fewer


def paragraphs(path: Path) -> list[str]:
    """The titles, paragraphs and items of a page in Mallard."""
    found = re.findall(r"<(title|p|desc)\b[^>]*>(.*?)</\1>", path.read_text(), re.DOTALL)
    plain = (unescape(re.sub(r"<[^>]+>", "", text)) for _, text in found)
    return [" ".join(text.split()) for text in plain if text.strip()]


def pages(folder: str) -> Iterator[tuple[str, list[str]]]:
    """The name and the paragraphs of each page of a language, in a drawn order."""
    some = sources.paths("gnome-user-docs", f"usr/share/help/{folder}/*/*.page")
    for path in sorted(some, key=lambda p: draw(f"{folder} {p.name}")):
        yield f"{path.parent.name}/{path.name}", paragraphs(path)


def rows() -> Iterator[dict[str, str]]:
    """Id, url, text and language, in uneven numbers."""
    english = {text for _, some in pages("C") for text in some}
    for rank, folder in enumerate(LANGUAGES.split()):
        own = [(name, [t for t in some if folder == "C" or t not in english])
               for name, some in pages(folder)]  # fmt: skip
        whole = [(name, "\n".join(some)) for name, some in own]
        whole = [(name, text) for name, text in whole if len(text.encode()) >= LEAST]
        share = (RAREST / len(whole)) ** (rank / (len(LANGUAGES.split()) - 1)) if whole else 0
        language = CODES.get(folder, folder)
        for name, text in whole[: round(share * len(whole))]:
            url = f"https://{language}.help.example/{name}"
            yield {"id": draw(url)[:32], "url": url, "text": text, "language": language}


def write(folder: Path) -> None:
    """Make the corpus, once."""
    if not (folder / "languages25").exists():
        made = pa.Table.from_pylist(sorted(rows(), key=lambda row: row["id"]))
        written(folder / "languages25", made)
