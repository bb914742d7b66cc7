"""Framing: the records of a WARC file, and the stretches of it that hold none.

fastwarc gives up at the first fault and takes a record that was cut for a whole one, so the framing
is done here and each record is handed to it by itself.  After a fault reading goes on at the next
line ``WARC/1.`` of what is being unpacked, or else at the next gzip member that unpacks to it.

A record is whole when its declared length ends before another record, before the end of a gzip
member whose checksum holds, or before the end of a plain file.  In a file packed as one member the
checksum comes last, so there a flipped bit can pass into the records before it.

Source: ISO 28500:2017, WARC file format 1.1, and its annex D on gzip, one member a record.
"""

import re
import zlib
from collections.abc import Generator, Iterator
from typing import NamedTuple

from pipelines.readers import packed
from pipelines.readers.packed import Stream

HEAD = 65_536  # bytes in which a record's header must end
RECORD = 64_000_000  # bytes of a record that are held; of a larger one, its first HEAD
STRAY = 1_000_000_000  # unpacked bytes of one gzip member in which the next record is looked for
REREAD = 1_000_000  # bytes of a broken gzip member that are searched for the member after it
PROBE = 1_024  # bytes of a gzip member that must suffice to unpack `MAGIC`

MAGIC = b"WARC/1."
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

NOT_WARC = "not WARC"
WRONG = "wrong length"
STRAYED = "too large"


class Frame(NamedTuple):
    """One record, or the beginning of one that is larger than `RECORD`."""

    offset: int  # in the file, of its gzip member; plus where it begins in what that unpacks to
    length: int  # bytes of the file, where it has its member to itself; else unpacked bytes
    record: bytes
    whole: bool


class Lost(NamedTuple):
    """A stretch of the file without a readable record."""

    offset: int  # as in `Frame`
    unread: int  # bytes of the file
    reason: str


def frames(file: packed.File) -> Iterator[Frame | Lost]:
    """All that is in a WARC file, plain or gzip, in order: every byte is in one item or between."""
    at = 0
    if file.exactly(0, 2) != packed.GZIP:
        yield from _records(file, Stream(packed.Plain(file)))
        return
    while at < file.size:
        at = yield from _records(file, Stream(packed.Member(file, at)))


def _records(file: packed.File, stream: Stream) -> Generator[Frame | Lost, None, int]:
    """The items of one stream; returns the offset in the file where to go on."""
    lost: Lost | None = None
    used = stream.base
    while stream.more():
        if lost:
            yield lost
            lost, used = None, stream.used
        item = _record(stream)
        if isinstance(item, Lost):
            lost = item._replace(unread=stream.used - used)
        else:
            yield item
            used = stream.used
    fault = stream.pieces.fault
    if fault is None and lost is None:
        return stream.pieces.at
    at = stream.pieces.at
    goes_on = _next_member(file, max(stream.base + 1, at - REREAD) if fault else at)
    lost = lost or Lost(stream.base, 0, "")
    yield Lost(lost.offset, max(goes_on - used, 0), fault or lost.reason)
    return goes_on


def _record(stream: Stream) -> Frame | Lost:
    """The record at the window's beginning; the stream is left at the next, or at its end."""
    offset = stream.base + stream.passed
    head = _head(stream)
    declared = _LENGTH.search(stream.window, 0, head)
    if not declared:
        return _lost(stream, offset, WRONG if head else _headless(stream))
    size = head + int(declared[1])
    if size > RECORD:
        return _large(stream, offset, size)
    if not (stream.fill(size) and _closes(stream, size)):
        return _lost(stream, offset, WRONG if stream.fill(size) else _short(stream))
    record = bytes(stream.window[:size])
    stream.drop(size)
    alone = not stream.more() and offset == stream.base
    length = stream.pieces.at - offset if alone else stream.base + stream.passed - offset
    return Frame(offset, length, record, whole=True)


def _head(stream: Stream) -> int:
    """Bytes of the record's header with its blank line; 0 if there is no header."""
    stream.fill(HEAD)
    blank = _BLANK_LINE.search(stream.window, 0, HEAD)
    return blank.end() if blank and stream.window.startswith(MAGIC) else 0


def _closes(stream: Stream, size: int) -> bool:
    """Whether what follows a record of `size` bytes can follow a record."""
    stream.fill(size + 16)
    after = bytes(stream.window[size : size + 16])
    if stream.fault:  # the last record before the fault is suspect
        return after.lstrip(b"\r\n").startswith(MAGIC)
    return after.startswith((b"\r\n\r\n", b"\n\n")) or MAGIC.startswith(
        after.lstrip(b"\r\n")[: len(MAGIC)]
    )


def _lost(stream: Stream, offset: int, reason: str) -> Lost:
    found = _to_next(stream)
    return Lost(offset, 0, WRONG if found and reason == packed.CUT else reason)


def _large(stream: Stream, offset: int, size: int) -> Frame | Lost:
    """A record over `RECORD`.  Its length is believed only if the next record is not before it."""
    begins = bytes(stream.window[:HEAD])
    found = _to_next(stream)
    length = stream.base + stream.passed - offset
    if length >= size or stream.pieces.fault == STRAYED:
        return Frame(offset, length, begins, whole=False)
    return Lost(offset, 0, WRONG if found else _short(stream))


def _to_next(stream: Stream) -> bool:
    """Drop all before the next line ``WARC/1.``; False if there is none, or none near."""
    limit = stream.passed + STRAY
    while stream.fill(len(MAGIC) + 1):
        found = stream.window.find(b"\n" + MAGIC)
        if found >= 0:
            stream.drop(found + 1)
            return True
        stream.drop(len(stream.window) - len(MAGIC))
        if stream.passed > limit and isinstance(stream.pieces, packed.Member):
            stream.pieces.fault, stream.ended = STRAYED, True
    stream.drop(len(stream.window))
    return False


def _headless(stream: Stream) -> str:
    seen = bytes(stream.window[: len(MAGIC)])
    return _short(stream) if stream.ended and MAGIC.startswith(seen) else NOT_WARC


def _short(stream: Stream) -> str:
    """What to say of a record that declares more than there is: a sound member was never cut."""
    return packed.CUT if isinstance(stream.pieces, packed.Plain) else WRONG


def _next_member(file: packed.File, at: int) -> int:
    """Offset of the next gzip member that unpacks to `MAGIC`, or the file's size."""
    while at < file.size:
        block = file.exactly(at, packed.PIECE)
        found = block.find(packed.GZIP + b"\x08")
        if found < 0:
            at += max(len(block) - 2, 1)
        elif _unpacks_to_magic(file.exactly(at + found, PROBE)):
            return at + found
        else:
            at += found + 1
    return file.size


def _unpacks_to_magic(member: bytes) -> bool:
    try:
        return zlib.decompressobj(wbits=31).decompress(member, len(MAGIC)) == MAGIC
    except zlib.error:
        return False
