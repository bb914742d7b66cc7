"""HTML files: one page, one document."""

from collections.abc import Iterator
from typing import BinaryIO

from filters import extract
from pipelines.readers import Dead, Document, Skipped, Source
from pipelines.readers.pages import brief, items, page_of

BYTES = 64_000_000  # of a file; a page of more is not even looked at


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The page that a file holds.

    Args:
        file: read from where it stands.
        name: becomes the source key.
        source: its `extract` names the extractor.

    Raises:
        ValueError: there is no extractor of that name.
    """
    extract.resolve(source.extract)
    body = file.read(BYTES + 1)
    if len(body) > BYTES:
        yield Dead(0, "too large", brief(name))
        return
    page = page_of(body, None, "text/html", source.extract, None)
    yield from items(page, Document("", 0, len(body), name, None, None, "text/html"))


def page_at(file: BinaryIO, offset: int, length: int) -> tuple[bytes, str | None] | None:
    """The page that was read, and the charset that it was declared with; None: another is there."""
    body = file.read(BYTES + 1)
    return (body, None) if len(body) == length else None
