"""WARC files: web pages as they were served, and the texts of WET files.

``response`` and ``resource`` records of HTML or plain text become documents, and so do
``conversion`` records of plain text.  Every other record is skipped by its kind.

Source: ISO 28500:2017, WARC file format 1.1.
"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

from fastwarc import ArchiveIterator

from filters import extract
from filters.consent import HEADERS
from pipelines.readers import Dead, Document, Skipped, Source, http, packed
from pipelines.readers.consents import FIELD, UNKNOWN, consents
from pipelines.readers.frames import HEAD, RECORD, Frame, frames
from pipelines.readers.pages import HTML, REST, Fault, Page, brief, page_of

PLAIN = "text/plain"
PAGES = ("response", "resource", "conversion")
OTHERS = ("warcinfo", "request", "metadata", "revisit", "continuation")
KIND = 80  # characters of a skipped record's kind

CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)


class Payload(NamedTuple):
    """What a record holds, as it was sent."""

    body: bytes
    media_type: str  # in lower case, without parameters
    charset: str | None
    transfer: str  # codings, as declared
    content: str
    said: list[tuple[str, str]]  # the HTTP headers that `filters.consent` asks about


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
        payload = _payload(record, kind)
    except OSError as error:
        yield Dead(frame.offset, "broken header", brief(str(error)))
        return
    if isinstance(payload, Skipped):
        yield payload
        return
    url = (record.headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">")
    fault = Fault("too large", "") if not frame.whole else None
    key = url or None
    page = fault or _page(payload, extractor, key)
    if isinstance(page, Fault):
        yield Dead(frame.offset, page.reason, brief(f"{url} {page.detail}".strip()))
        return
    date = _utc(record.record_date)
    about = (key, key, date, payload.media_type, None)
    asked = kind != "conversion"  # which holds neither the header nor the page
    said = consents(record.headers.get(FIELD), page.consent, date) if asked else UNKNOWN
    told: tuple[Any, ...] = (*about, *page.head, *said)
    yield Document(page.text, frame.offset, frame.length, *told)
    if page.cut:
        yield REST


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
            payload = record and _payload(record, str(record.record_type))
            if not isinstance(payload, Payload):
                return None
            body = http.decode(payload.body, payload.transfer, payload.content, RECORD)
            return body, payload.charset
    return None


def _payload(record: Any, kind: str) -> Payload | Skipped:
    """The payload, if it is meant to become a document.

    Raises:
        OSError: the HTTP header is too long.
    """
    codings, said = ("", ""), []
    headers = record.headers
    if record.is_http:
        record.parse_http(auto_decode="none", quirks_mode=True, max_header_len=HEAD)
        headers = record.http_headers
        if headers.status_code != 200:
            known = isinstance(headers.status_code, int)
            return Skipped(f"status {headers.status_code}" if known else "no status")
        codings = (joined(headers, "Transfer-Encoding"), joined(headers, "Content-Encoding"))
        said = [(name, value) for name in HEADERS for value in headers.get_multiple(name)]
    declared = headers.get("Content-Type") or ""
    media_type = declared.partition(";")[0].strip().lower()
    wanted = media_type in HTML and kind != "conversion"
    if not wanted and media_type != PLAIN:
        return Skipped(brief(media_type[:KIND]) or "no media type")
    charset = CHARSET.search(declared)
    return Payload(record.reader.read(), media_type, charset and charset[1], *codings, said)


def _page(payload: Payload, extractor: str, url: str | None) -> Page | Fault:
    try:
        body = http.decode(payload.body, payload.transfer, payload.content, RECORD)
    except http.CodingError as error:
        return Fault(str(error), "")
    return page_of(body, payload.charset, payload.media_type, extractor, url, payload.said)


def joined(headers: Any, name: str) -> str:
    """The values of a header, as one; "" if there is none."""
    return ", ".join(headers.get_multiple(name))


def _utc(date: datetime | None) -> datetime | None:
    return date.astimezone(UTC) if date else None
