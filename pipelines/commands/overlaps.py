"""Which of the given files a document overlaps with: told when it is asked, and kept nowhere."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pipelines.errors import RecipeError
from pipelines.recipe.measures import Scan
from pipelines.recipe.texts import Texts


def holders(scan: Scan, columns: Mapping[str, Any]) -> list[str]:
    """The files that hold the passage of a document which was found.

    Args:
        scan: with the measure, and its files as they are now.
        columns: of the measure, for the document.

    Returns:
        names as the recipe's folder sees them; none where no passage was found, or files are gone.
    """
    passage = columns.get("overlap_passage")
    if passage is None:
        return []
    from filters.overlap import Overlap
    from filters.words import words

    measure = scan.measures.get("overlap")
    if not isinstance(measure, Overlap) or not isinstance(measure.files, Texts):
        return []
    text = pa.array([passage])
    batch = pa.record_batch({"text": text, "words": words(text)})
    try:
        alone = {name: replace(measure, files=file) for name, file in measure.files.each().items()}
        return [name for name, one in alone.items() if one.measure(batch)["overlap"][0].as_py()]
    except RecipeError:
        return []
