"""Rows whose texts are pages: their main text is taken where a source names an extractor."""

from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from pipelines.readers import Document, Documents, Item
from pipelines.readers.pages import items, page_of

KINDS = ("jsonl", "parquet", "hf", "webdataset")
"""Kinds of sources that are rows."""

LIKELY = "texts that begin as a page does"
"""What ingest counts of rows that were taken as they are."""

BEGINS = (
    r"^\s*<(!doctype\s+html|html|head|body|main|article|section|header|nav|div|p|span|ul|ol|table"
    r"|h[1-6])[\s>]"
)


def extracted(rows: Iterable[Item], extractor: str) -> Iterator[Item]:
    """The same items, with the main text of a page in place of each text.

    Args:
        rows: of a reader of rows.
        extractor: see `filters.extract.resolve`.
    """
    for item in rows:
        if isinstance(item, Documents):
            for document in item.each():
                yield from _page(document, extractor)
        elif isinstance(item, Document):
            yield from _page(item, extractor)
        else:
            yield item


def _page(row: Document, extractor: str) -> Iterator[Item]:
    page = page_of(row.text.encode(), "utf-8", "text/html", extractor, row.url)
    yield from items(page, row)


def likely(found: Documents) -> int:
    """How many texts of rows begin as a page does: of what has a media type none is counted."""
    kinds = found.columns["media_type"]
    if not kinds.null_count:
        return 0
    texts = found.columns["text"].filter(pc.is_null(kinds))
    begins = pc.match_substring_regex(texts, BEGINS, ignore_case=True)
    return int(pc.sum(begins).as_py() or 0)
