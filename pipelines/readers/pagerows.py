"""Rows whose texts are pages: their main text is taken where a source names an extractor."""

from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from pipelines.readers import Dead, Document, Documents, Item
from pipelines.readers.consents import consents
from pipelines.readers.pages import REST, Fault, brief, page_of

KINDS = ("jsonl", "parquet", "hf", "webdataset")
"""Kinds of sources that are rows."""

LIKELY = "texts that begin as a page does"
"""What ingest counts of rows that were taken as they are."""

BEGINS = (
    r"^\s*<(!doctype\s+html|html|head|body|main|article|section|header|nav|div|p|span|ul|ol|table"
    r"|h[1-6])[\s>]"
)


def extracted(items: Iterable[Item], extractor: str) -> Iterator[Item]:
    """The same items, with the main text of a page in place of each text.

    Args:
        items: of a reader of rows.
        extractor: see `filters.extract.resolve`.
    """
    for item in items:
        if isinstance(item, Documents):
            for document in item.each():
                yield from _page(document, extractor)
        elif isinstance(item, Document):
            yield from _page(item, extractor)
        else:
            yield item


def _page(row: Document, extractor: str) -> Iterator[Item]:
    page = page_of(row.text.encode(), "utf-8", "text/html", extractor, row.url)
    if isinstance(page, Fault):
        yield Dead(row.offset, page.reason, brief(f"{row.source_key or ''} {page.detail}".strip()))
        return
    told = {**page.head._asdict(), **consents(None, page.consent, None)._asdict()}
    yield row._replace(text=page.text, **told)
    if page.cut:
        yield REST


def likely(d: Documents) -> int:
    """How many texts of rows begin as a page does: of what has a media type none is counted."""
    if not d.media_type.null_count:
        return 0
    texts = d.text.filter(pc.is_null(d.media_type))
    found = pc.match_substring_regex(texts, BEGINS, ignore_case=True)
    return int(pc.sum(found).as_py() or 0)
