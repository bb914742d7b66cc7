"""Tar files read in order, never extracted: a name like ``../../etc/passwd`` is a name and no more.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
"""

import re
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from pipelines.readers import Dead
from pipelines.readers.packed import CUT, DAMAGED, Stream
from pipelines.readers.pages import brief

BLOCK = 512  # bytes: all of a tar file is made of such
LONG = 1_000_000  # bytes of a member's extended header, at most

_RECORD = re.compile(rb"(\d{1,7}) ([^=\n]+)=")  # of a pax header: its length, a name


_EXTENDED = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)


class Member(NamedTuple):
    """Something in a tar file."""

    name: str
    offset: int  # of its first header, in the unpacked file
    size: int  # bytes of what it holds
    is_file: bool


def members(stream: Stream) -> Iterator[Member | Dead]:
    """The members, of each of which as much may be taken as it holds; a fault is the last item.

    Zeros, which end a tar file, are passed over: another file may follow.
    """
    start, ended = stream.passed, False
    longer: dict[bytes, bytes] = {}  # what extended headers say of the member that follows
    while header := stream.take(BLOCK):
        ended = not header.strip(b"\0")
        if not ended:
            info = _info(header, longer)
            if info is None:
                reason = CUT if len(header) < BLOCK else DAMAGED
                yield Dead(start, stream.fault or reason, "no header of a tar file")
                return
            end = stream.passed + -(-_held(info) // BLOCK) * BLOCK
            if info.type in _EXTENDED:
                longer |= _longer(info, stream.take(min(info.size, LONG)))
            else:
                yield Member(info.name, start, info.size, info.isreg())
                longer = {}
            if stream.passed + stream.skip(end - stream.passed) < end:
                yield Dead(start, stream.fault or CUT, brief(f"in {info.name}"))
                return
        start = start if longer else stream.passed
    if stream.fault or not ended:
        yield Dead(start, stream.fault or CUT, "without its end: members may be missing")


def _info(header: bytes, longer: dict[bytes, bytes]) -> tarfile.TarInfo | None:
    """What a header says, or an extended header in its place."""
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "backslashreplace")
        if info.type not in _EXTENDED:
            info.size = int(longer.get(b"size", info.size))
    except (tarfile.HeaderError, ValueError):
        return None
    if b"path" in longer:
        info.name = longer[b"path"].decode("utf-8", "backslashreplace")
    return info if info.size >= 0 and not info.issparse() else None


def _held(info: tarfile.TarInfo) -> int:
    """Bytes that follow the header: links and folders have none, whatever size they state."""
    known = info.isreg() or info.type not in tarfile.SUPPORTED_TYPES
    return info.size if known or info.type in _EXTENDED else 0


def _longer(info: tarfile.TarInfo, body: bytes) -> dict[bytes, bytes]:
    """What an extended header says of the next member."""
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {b"path": body.rstrip(b"\0")}
    fields: dict[bytes, bytes] = {}
    at = 0
    while info.type == tarfile.XHDTYPE and (record := _RECORD.match(body, at)):
        at += max(int(record[1]), len(record[0]) + 1)
        fields[record[2]] = body[record.end() : at - 1]
    return fields
