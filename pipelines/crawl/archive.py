"""WARC files of a fetching task, and the log beside them that says what became of each URL.

A record is written before the line of the log that tells of it, both at once to the system; so
whatever moment a task is killed at, what the log tells of is there.  Whoever goes on cuts off the
rest and does not fetch again what was logged.

Source: ISO 28500:2017, WARC file format 1.1; revisit profiles, section 6.7.
"""

import base64
import fcntl
import hashlib
import io
import os
import re
import uuid
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from fastwarc import ArchiveIterator

from pipelines.crawl.client import Answer
from pipelines.crawl.outcome import Row
from pipelines.readers.consents import FIELD

FILE = 256_000_000  # bytes of a WARC file, about
LEVEL = 4  # of gzip: 6 takes twice the time for 3 % less
WRITTEN = os.O_CREAT | os.O_NOFOLLOW  # a link in the place of our files would lead elsewhere
PROFILES = {
    "not modified": "http://netpreserve.org/warc/1.1/revisit/server-not-modified",
    "same": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
}
_RENAMED = re.compile(rb"\s*transfer-encoding\s*(:|$)", re.IGNORECASE)
"""A header that no longer holds of the body as it is kept; Common Crawl renames it so too."""


class Place(NamedTuple):
    """Where a record stands."""

    file: int
    offset: int
    length: int


def digest(body: bytes) -> str:
    """SHA-1 in base 32, as archives write it."""
    return base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def stamp(seconds: float) -> str:
    """A time as WARC-Date writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Archive:
    """The files of one task, opened anew or where it was cut off.

    Args:
        folder: of the WARC files.
        name: that they begin with.
        about: fields of the record that says who wrote them: operator, software.

    Attributes:
        logged: what the log tells of, in order.
    """

    def __init__(self, folder: Path, name: str, about: Mapping[str, str]) -> None:
        self.folder, self.name, self.about = folder, name, about
        folder.mkdir(parents=True, exist_ok=True)
        self._log = os.open(folder / f"{name}.log", WRITTEN | os.O_RDWR | os.O_APPEND, 0o644)
        fcntl.flock(self._log, fcntl.LOCK_EX)  # a runner may do a task twice at the same time
        self.logged = self._read()
        self._number = max((line["file"] for line in self.logged if "file" in line), default=0)
        self._warcinfo = ""
        self._open()

    def path(self, number: int) -> Path:
        """Of a WARC file."""
        return self.folder / f"{self.name}-{number:03d}.warc.gz"

    def files(self) -> list[Path]:
        """The WARC files that are there, in order."""
        return [self.path(n) for n in range(self._number + 1) if self.path(n).exists()]

    def response(
        self, url: str, answer: Answer, when: float, consent: Mapping[str, object]
    ) -> tuple[Place, str]:
        """Write an answer; gives its place and the id of its record."""
        head = _head(answer)
        fields = {
            "WARC-Payload-Digest": f"sha1:{digest(answer.body)}",
            FIELD: orjson.dumps(dict(consent)).decode(),
        }
        return self._http("response", url, answer, when, fields, head + answer.body)

    def revisit(self, row: Row, answer: Answer, when: float, profile: str) -> Place:
        """Write that an answer is the one that the record of its URL holds.

        Args:
            row: that was asked for, and has a record.
            answer: its head is kept.
            when: seconds since 1970.
            profile: one of `PROFILES`.
        """
        fields = {
            "WARC-Profile": PROFILES[profile],
            "WARC-Refers-To": f"<urn:uuid:{row.record}>",
            "WARC-Refers-To-Target-URI": row.url,
            "WARC-Refers-To-Date": stamp(row.fetched or 0),
            "WARC-Payload-Digest": f"sha1:{row.digest}",
        }
        return self._http("revisit", row.url, answer, when, fields, _head(answer))[0]

    def log(self, line: Mapping[str, Any]) -> None:
        """Tell what became of a URL."""
        _write(self._log, orjson.dumps(dict(line)) + b"\n")

    def answer(self, line: Mapping[str, Any]) -> Answer:
        """The answer that a line of the log tells of, as its record holds it."""
        with self.path(line["file"]).open("rb") as file:
            file.seek(line["offset"])
            record = next(ArchiveIterator(io.BytesIO(file.read(line["length"])), parse_http=False))
            head, _, body = record.reader.read().partition(b"\r\n\r\n")
        return Answer(None, "", line["status"], head.split(b"\r\n"), body)

    def close(self) -> None:
        """See that all is on disk."""
        for file in (self._warc, self._log):
            os.fsync(file)
            os.close(file)
        if self._at == self._begun:  # it holds nothing but who wrote it
            self.path(self._number).unlink()

    def _read(self) -> list[dict[str, Any]]:
        """The lines of the log that are whole, up to one whose record is not."""
        raw = (self.folder / f"{self.name}.log").read_bytes()
        lines, good = [], 0
        for each in raw.splitlines(keepends=True):
            line = _line(each)
            if line is None or not self._holds(line):
                break
            lines.append(line)
            good += len(each)
        os.ftruncate(self._log, good)
        return lines

    def _holds(self, line: Mapping[str, Any]) -> bool:
        """Whether the record that a line tells of is there, if it tells of one."""
        if not line.keys() & set(Place._fields):
            return True
        place = Place(*(line.get(name, -1) for name in Place._fields))
        if not all(type(number) is int and number >= 0 for number in place):
            return False
        path = self.path(place.file)
        return path.is_file() and path.stat().st_size >= place.offset + place.length

    def _open(self) -> None:
        """The last WARC file, cut off after the last record that was logged."""
        ends = [
            line["offset"] + line["length"]
            for line in self.logged
            if line.get("file") == self._number
        ]
        self._warc = os.open(self.path(self._number), WRITTEN | os.O_WRONLY, 0o644)
        self._at = max(ends, default=0)
        os.ftruncate(self._warc, self._at)
        os.lseek(self._warc, self._at, os.SEEK_SET)
        self._begun = -1
        if not self._at:
            self._write(self._info())
            self._begun = self._at

    def _info(self) -> bytes:
        fields = {"software": f"karez/{version('karez')}", "format": "WARC File Format 1.1"}
        body = "".join(f"{n}: {v}\r\n" for n, v in {**fields, **self.about}.items()).encode()
        head = {
            "WARC-Filename": self.path(self._number).name,
            "Content-Type": "application/warc-fields",
        }
        record, self._warcinfo = _record("warcinfo", datetime.now(UTC).timestamp(), head, body)
        return record

    def _http(
        self,
        kind: str,
        url: str,
        answer: Answer,
        when: float,
        fields: Mapping[str, str],
        block: bytes,
    ) -> tuple[Place, str]:
        if self._at >= FILE:
            os.fsync(self._warc)
            os.close(self._warc)
            self._number += 1
            self._open()
        every = {
            "WARC-Target-URI": url,
            "WARC-IP-Address": answer.address,
            "WARC-Protocol": "h2" if answer.headers[0].startswith(b"HTTP/2") else "http/1.1",
            **({"WARC-Warcinfo-ID": f"<urn:uuid:{self._warcinfo}>"} if self._warcinfo else {}),
            "Content-Type": "application/http; msgtype=response",
            **fields,
        }
        record, name = _record(kind, when, every, block)
        offset, length = self._write(record)
        return Place(self._number, offset, length), name

    def _write(self, record: bytes) -> tuple[int, int]:
        """Append a record, packed; gives its offset and length."""
        pack = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
        packed, at = pack.compress(record) + pack.flush(), self._at
        _write(self._warc, packed)
        self._at += len(packed)
        return at, len(packed)


def _write(file: int, data: bytes) -> None:
    """Write all of it; where the disk is full, a part of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _line(written: bytes) -> dict[str, Any] | None:
    """A line of the log; None if it is not whole."""
    try:
        line = orjson.loads(written) if written.endswith(b"\n") else None
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None


def _record(kind: str, when: float, fields: Mapping[str, str], block: bytes) -> tuple[bytes, str]:
    """A record of WARC 1.1, and its id."""
    name = str(uuid.uuid4())
    head = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{name}>",
        "WARC-Date": stamp(when),
        **fields,
        "WARC-Block-Digest": f"sha1:{digest(block)}",
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{n}: {v}\r\n" for n, v in head.items() if v)
    return b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n", name


def _head(answer: Answer) -> bytes:
    """The head of an answer as HTTP/1.1 has it, for a body without chunks."""
    first, *rest = answer.headers
    if first.startswith(b"HTTP/2"):
        first = b"HTTP/1.1" + first[6:]
    lines = [b"X-Crawler-" + line if _RENAMED.match(line) else line for line in rest]
    return b"\r\n".join([first, *lines, b"", b""])
