"""The images of a WARC file: what its pages say of them, and those that it holds."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from filters import charset, consent, urls
from filters.html.images import Image
from filters.html.mainimages import images_of
from filters.pictures import Picture, look
from pipelines.readers import http, packed
from pipelines.readers.frames import HEAD, RECORD, Frame, frames
from pipelines.readers.pages import HTML
from pipelines.readers.warc import CHARSET, joined, record_in


class Mention(NamedTuple):
    """An image in the main text of a page."""

    offset: int  # of the page's record
    url: str  # of the image, canonical
    said: Image


class Found(NamedTuple):
    """An image that a record holds."""

    url: str  # canonical
    offset: int
    length: int
    body: bytes
    picture: Picture
    noai: bool  # its header asks not to be used so
    noimageai: bool


def read(file: BinaryIO, mode: str) -> Iterator[Mention | Found]:
    """What a file holds of images; what cannot be read is told of when pages are read.

    Args:
        file: seekable.
        mode: of `filters.html.maintext.MODES`, which says what the main text is.
    """
    for item in frames(packed.File(file)):
        if isinstance(item, Frame) and item.whole:
            try:
                yield from _of(item, mode)
            except (OSError, http.CodingError):
                continue


def _of(frame: Frame, mode: str) -> Iterator[Mention | Found]:
    record = record_in(frame)
    if record is None:
        return
    url = (record.headers.get("WARC-Target-URI") or "").strip().strip("<>") or None
    headers = _headers(record)
    if headers is None:
        return
    declared = headers.get("Content-Type") or ""
    media_type = declared.partition(";")[0].strip().lower()
    if media_type in HTML:
        label = CHARSET.search(declared)
        page = charset.utf8(_body(record, headers), label and label[1])
        for image in images_of(page, url, mode):
            if named := urls.canonical(image.url):
                yield Mention(frame.offset, named, image)
    elif media_type.startswith("image/") and url and (named := urls.canonical(url)):
        body = _body(record, headers)
        if (picture := look(body)) is not None:
            tags = [("X-Robots-Tag", each) for each in headers.get_multiple("X-Robots-Tag")]
            said = consent.of_page(tags, None)
            where = named, frame.offset, frame.length
            yield Found(*where, body, picture, said.noai, said.noimageai)


def _headers(record: Any) -> Any:
    """What is said of a payload that counts; None: another record."""
    if str(record.record_type) not in ("response", "resource"):
        return None
    if not record.is_http:
        return record.headers
    record.parse_http(auto_decode="none", quirks_mode=True, max_header_len=HEAD)
    return record.http_headers if record.http_headers.status_code == 200 else None


def _body(record: Any, headers: Any) -> bytes:
    codings = joined(headers, "Transfer-Encoding"), joined(headers, "Content-Encoding")
    return http.decode(record.reader.read(), *codings, RECORD)
