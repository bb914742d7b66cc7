"""WARC files: web pages as they were served, and the texts of WET files.

``response`` and ``resource`` records of HTML or plain text become documents, and so do
``conversion`` records of plain text.  Every other record is skipped by its kind.

Source: ISO 28500:2017, WARC file format 1.1.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

from fastwarc import ArchiveIterator

from filters import extract
from filters.consent import HEADERS
from pipelines.readers import Dead, Document, Skipped, Source, http, packed
from pipelines.readers.consents import FIELD
from pipelines.readers.frames import HEAD, RECORD, Frame, frames
from pipelines.readers.pages import HTML, Fault, Page, brief, items, page_of

PLAIN = "text/plain"
PAGES = ("response", "resource", "conversion")
OTHERS = ("warcinfo", "request", "metadata", "revisit", "continuation")
KIND = 80  # characters of a skipped record's kind


class Payload(NamedTuple):
    """What a record holds, not yet read."""

    record: Any
    media_type: str  # in lower case, without parameters
    charset: str | None

    def values(self, header: str) -> list[str]:
        """What a header of HTTP says; nothing where there is none."""
        return self.record.http_headers.get_multiple(header) if self.record.is_http else []

    def body(self) -> bytes:
        """What it holds, with its codings undone.

        Raises:
            CodingError: if they cannot be.
        """
        transfer, content = map(self.values, ("Transfer-Encoding", "Content-Encoding"))
        body = self.record.reader.read()
        return http.decode(body, ", ".join(transfer), ", ".join(content), RECORD)


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The records of a WARC or WET file, plain or gzip.

    Args:
        file: seekable.
        name: of the file; not used.
        source: its `extract` names the extractor for HTML.

    Raises:
        ValueError: there is no extractor of that name.
    """
    extract.resolve(source.extract)
    for item in frames(packed.File(file)):
        if isinstance(item, Frame):
            yield from _items(item, source.extract)
        else:
            yield Dead(item.offset, item.reason, f"{item.unread:,} bytes", item.unread)


def _items(frame: Frame, extractor: str) -> Iterator[Document | Dead | Skipped]:
    try:
        record = record_in(frame)
        kind = str(record.record_type) if record else ""
        if kind not in PAGES:
            yield Skipped(kind if kind in OTHERS else "unknown")
            return
        payload = _wanted(record, kind)
    except OSError as error:
        yield Dead(frame.offset, "broken header", brief(str(error)))
        return
    if isinstance(payload, Skipped):
        yield payload
        return
    url, date = url_of(record), _date(record)
    page = _page(payload, extractor, url) if frame.whole else Fault("too large", "")
    row = Document("", frame.offset, frame.length, url, url, date, payload.media_type)
    is_asked = kind != "conversion"  # which holds neither the header nor the page
    yield from items(page, row, record.headers.get(FIELD), is_asked)


def record_in(frame: Frame) -> Any:
    """The record in a frame, or None.

    Raises:
        OSError: its header is broken.
    """
    stream = io.BytesIO(frame.record)
    found = ArchiveIterator(stream, parse_http=False, quirks_mode=True, max_header_len=HEAD)
    return next(found, None)


def page_at(file: BinaryIO, offset: int, length: int) -> tuple[bytes, str | None] | None:
    """The page of a record, and the charset that it was declared with; None: another is there.

    Args:
        file: seekable.
        offset: of the record, as its document tells.
        length: of the record.
    """
    for item in frames(packed.File(file)):
        if isinstance(item, Frame) and (item.offset, item.length) == (offset, length):
            record = record_in(item)
            payload = record and _wanted(record, str(record.record_type))
            return (payload.body(), payload.charset) if isinstance(payload, Payload) else None
    return None


def url_of(record: Any) -> str | None:
    """What a record is of."""
    url = (record.headers.get("WARC-Target-URI") or "").strip()
    return url.removeprefix("<").removesuffix(">") or None


def _date(record: Any) -> datetime | None:
    """When a record was made, in UTC; None if it does not say so, or the years do not reach."""
    try:
        return record.record_date and record.record_date.astimezone(UTC)
    except OverflowError:
        return None


def payload_of(record: Any) -> Payload | Skipped:
    """The payload of a record, if it is an answer that counts.

    Raises:
        OSError: the HTTP header is too long.
    """
    headers = record.headers
    if record.is_http:
        record.parse_http(auto_decode="none", quirks_mode=True, max_header_len=HEAD)
        headers = record.http_headers
        if headers.status_code != 200:
            known = isinstance(headers.status_code, int)
            return Skipped(f"status {headers.status_code}" if known else "no status")
    return Payload(record, *http.content_type(headers.get("Content-Type")))


def _wanted(record: Any, kind: str) -> Payload | Skipped:
    """The payload, if it is meant to become a document."""
    found = payload_of(record)
    if isinstance(found, Skipped) or found.media_type == PLAIN:
        return found
    if found.media_type in HTML and kind != "conversion":
        return found
    return Skipped(brief(found.media_type[:KIND]) or "no media type")


def _page(payload: Payload, extractor: str, url: str | None) -> Page | Fault:
    try:
        body = payload.body()
    except http.CodingError as error:
        return Fault(str(error), "")
    said = [(name, value) for name in HEADERS for value in payload.values(name)]
    return page_of(body, payload.charset, payload.media_type, extractor, url, said)
