"""HTML files: one page, one document."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from filters import extract
from pipelines.readers import Dead, Document, Skipped, Source
from pipelines.readers.consents import consents
from pipelines.readers.pages import REST, Fault, brief, page_of

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
    if isinstance(page, Fault):
        yield Dead(0, page.reason, brief(f"{name} {page.detail}"))
    else:
        about = (name, None, None, "text/html", None)
        told: tuple[Any, ...] = (*page.head, *consents(None, page.consent, None))
        yield Document(page.text, 0, len(body), *about, *told)
        if page.cut:
            yield REST


def page_at(file: BinaryIO, offset: int, length: int) -> tuple[bytes, str | None] | None:
    """The page that was read, and the charset that it was declared with; None: another is there."""
    body = file.read(BYTES + 1)
    return (body, None) if len(body) == length else None
