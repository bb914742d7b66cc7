"""Records taken out of the WARC files of a run; blanks of the same length stand in their place.

So no other record moves, and each place that somebody noted (documents, logs, indexes of other
tools) stays true, also where the work is cut off between this file and those.  A blank is a record
without a body and without a name: it has the id and the date of the one that stood there, and its
gzip member is as long, by a comment of spaces.

Sources: ISO 28500:2017, WARC file format 1.1, annex D: one member a record; P. Deutsch, RFC 1952
(gzip), 1996: comments.
"""

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pipelines.errors import DamagedError, RunError
from pipelines.readers import packed
from pipelines.readers.frames import HEAD
from pipelines.runs import Part, Run
from pipelines.runs.refusals import Refusals
from pipelines.runs.stores import is_remote
from pipelines.runs.tables import WARC

BLANK = "application/x-forgotten"
PIECE = 1 << 20  # bytes that are copied at a time
_REFERS = ("warc-concurrent-to", "warc-refers-to")
_END = re.compile(rb"\r?\n\r?\n")


class Record(NamedTuple):
    """A record in a gzip member of its own: where it stands, and its header's fields."""

    start: int
    end: int
    fields: tuple[tuple[str, str], ...]  # names in lower case

    def all(self, name: str) -> list[str]:
        """The values of a field, without angle brackets."""
        values = (value for key, value in self.fields if key == name)
        return [value.removeprefix("<").removesuffix(">") for value in values]

    def get(self, name: str) -> str:
        """The first value of a field; "" if there is none."""
        return next(iter(self.all(name)), "")

    @property
    def is_blank(self) -> bool:
        """Whether it stands where another one stood."""
        return self.get("content-type") == BLANK


def search(run: Run, known: Refusals) -> dict[int, list[Record]]:
    """What is refused, and what refers to it, by the number of the file; none: all was done before.

    Raises:
        DamagedError: if a file is not what the crawl writes: then nobody knows what is in it.
    """
    ids = set[str]()
    while True:  # a record may refer to one that stands behind it
        before = len(ids)
        found: dict[int, list[Record]] = {}
        for index in range(len(run.table(WARC).parts)):
            for record in records(*_opened(run, index)):
                if _refused(record, known, ids):
                    ids.add(record.get("warc-record-id"))
                    mine = found.setdefault(index, [])
                    if not record.is_blank:
                        mine.append(record)
        if len(ids) == before:
            return found


def _refused(record: Record, known: Refusals, ids: set[str]) -> bool:
    if record.is_blank or any(ids.intersection(record.all(name)) for name in _REFERS):
        return True
    names = (record.get(f"warc-{name}target-uri") for name in ("", "refers-to-"))
    return any(known.refused(url, None) for url in names)


def _opened(run: Run, index: int) -> tuple[packed.File, str]:
    part = run.table(WARC).parts[index]
    name = f"{WARC}/{part.name}"
    away = is_remote(run.folder.path)
    file = io.BytesIO(run.folder.read(name)) if away else run.folder.open(name)
    return packed.File(file), run.folder.at(name)


def records(file: packed.File, where: str) -> Iterator[Record]:
    """The records of a file, in order.

    Raises:
        DamagedError: if a member is damaged, or does not hold one record.
    """
    at = 0
    while at < file.size:
        member = packed.Member(file, at)
        head, size = bytearray(), 0
        for piece in member:
            head += piece[: max(HEAD - len(head), 0)]
            size += len(piece)
        end = _END.search(head)
        fields = tuple(_fields(bytes(head[: end.start()]))) if end else ()
        length = dict(fields).get("content-length", "")
        body = size - end.end() if end else 0
        whole = length.isdecimal() and int(length) <= body <= int(length) + 4
        if member.fault or not whole:
            raise DamagedError(
                f"{where}: is no record in a gzip member of its own at byte {at:,}; "
                "restore the file from a copy, or delete it and crawl again"
            )
        yield Record(at, member.at, fields)
        at = member.at


def _fields(head: bytes) -> Iterator[tuple[str, str]]:
    for line in re.sub(rb"\r?\n[ \t]+", b" ", head).split(b"\n")[1:]:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        yield name.strip().lower(), value.strip()


def rewritten(run: Run, index: int, gone: list[Record]) -> Part:
    """One file with blanks in place of some records: whole under its name, or as it was."""
    part = run.table(WARC).parts[index]
    if not gone:  # all was done before, and perhaps not sealed
        body = run.folder.read(f"{WARC}/{part.name}")
        return replace(part, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    file, _ = _opened(run, index)
    with run.folder.create(f"{WARC}/{part.name}") as out:
        at = 0
        for record in gone:
            for start in range(at, record.start, PIECE):
                out.write(file.exactly(start, min(PIECE, record.start - start)))
            out.write(blank(record))
            at = record.end
        for start in range(at, file.size, PIECE):
            out.write(file.exactly(start, PIECE))
    return replace(part, size=out.size, sha256=out.sha256)


def blank(record: Record) -> bytes:
    """A gzip member as long as that of a record, which tells of it no more than id and date."""
    body = (
        "WARC/1.1\r\nWARC-Type: metadata\r\n"
        f"WARC-Record-ID: <{record.get('warc-record-id')}>\r\n"
        f"WARC-Date: {record.get('warc-date')}\r\n"
        f"Content-Type: {BLANK}\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    ).encode()
    deflate = zlib.compressobj(9, wbits=-15)
    packed_ = deflate.compress(body) + deflate.flush()
    ends = struct.pack("<II", zlib.crc32(body), len(body))
    room = record.end - record.start - 10 - 1 - len(packed_) - len(ends)
    if room < 0:
        raise RunError(f"a record of {record.end - record.start} bytes is too short to be blanked")
    return b"\x1f\x8b\x08\x10" + bytes(5) + b"\xff" + b" " * room + b"\0" + packed_ + ends
