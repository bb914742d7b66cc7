"""The images of a WARC file: what its pages say of them, and those that it holds."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from filters import charset, consent, urls
from filters.html.images import Image
from filters.html.mainimages import images_of
from filters.pictures import Picture, look
from pipelines.readers import Skipped, http, packed
from pipelines.readers.frames import Frame, frames
from pipelines.readers.pages import HTML
from pipelines.readers.warc import payload_of, record_in, url_of


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
    if record is None or str(record.record_type) not in ("response", "resource"):
        return
    url, payload = url_of(record), payload_of(record)
    if isinstance(payload, Skipped):
        return
    if payload.media_type in HTML:
        page = charset.utf8(payload.body(), payload.charset)
        for image in images_of(page, url, mode):
            if named := urls.canonical(image.url):
                yield Mention(frame.offset, named, image)
    elif payload.media_type.startswith("image/") and url and (named := urls.canonical(url)):
        body = payload.body()
        if (picture := look(body)) is not None:
            tags = [("X-Robots-Tag", each) for each in payload.values("X-Robots-Tag")]
            said = consent.of_page(tags, None)
            where = named, frame.offset, frame.length
            yield Found(*where, body, picture, said.noai, said.noimageai)
