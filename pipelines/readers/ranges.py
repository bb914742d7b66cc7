"""Bytes of files by range, below a folder or on a web server.

A server is asked again, with a pause that doubles, while it says that it is busy or does not
answer.  What it cannot give is a `RangeError`: a reason for a dead letter.

Source: RFC 9110, HTTP Semantics, section 14 (ranges) and 10.2.3 (Retry-After).
"""

import errno
import os
import re
import time
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import quote

import pycurl

TRIES = 6  # of one request
PAUSE = 1.0  # seconds before the second
LONGEST = 60  # seconds between two, whatever the server asks for
CONNECT = 30  # seconds until there is a connection
SLOW = 1_000  # bytes a second, below which for
SILENT = 60  # seconds a request is given up
EXCUSE = 65_536  # bytes of an answer that is no range, at most
AHEAD = 8_000_000  # bytes of a whole file that are asked for at a time

BUSY = (429, 500, 502, 503, 504)
SAID = {
    **{200: "range ignored", 206: "wrong range", 416: "cut off"},
    **{401: "forbidden", 403: "forbidden", 404: "not found", 410: "not found"},
}
"""What the answers of a server mean for a file."""

_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RangeError(OSError):
    """Bytes that are not to be had.

    Attributes:
        reason: short and fixed: "not found", "forbidden", "cut off", "no answer", …
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(errno.EIO, detail)
        self.reason, self.detail = reason, detail


class Root(Protocol):
    """What names of files are relative to."""

    def read(self, name: str, start: int, size: int) -> bytes:
        """So many bytes of a file.

        Raises:
            RangeError: if it has none of them, or fewer.
        """


def is_remote(root: str) -> bool:
    """Whether a root is a web server."""
    return bool(_REMOTE.match(root))


def opened(root: str) -> Root:
    """A folder, or a URL of a web server."""
    return Server(root) if is_remote(root) else Folder(root)


def checked(name: str) -> str:
    """A name, if it is one below the root.

    Raises:
        RangeError: if it is not.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise RangeError("not below the root", name)
    return name


class Folder:
    """A folder of this machine."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, name: str, start: int, size: int) -> bytes:
        """See `Root`."""
        path = Path(self.root, checked(name))
        try:
            with path.open("rb") as file:
                file.seek(start)
                found = file.read(size)
        except OSError as error:
            reason = "not found" if error.errno == errno.ENOENT else "cannot be opened"
            raise RangeError(reason, os.strerror(error.errno or 0)) from error
        if len(found) < size:
            raise RangeError("cut off", f"{start + len(found):,} bytes, {start + size:,} wanted")
        return found


class Server:
    """A web server, over connections that are kept."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self._curl = pycurl.Curl()

    def read(self, name: str, start: int, size: int) -> bytes:
        """See `Root`."""
        found, whole = self.some(name, start, size)
        if len(found) < size:
            raise RangeError("cut off", f"{whole:,} bytes, {start + size:,} wanted")
        return found

    def some(self, name: str, start: int, size: int) -> tuple[bytes, int]:
        """Up to so many bytes of a file, fewer at its end alone; and the size of the file.

        Raises:
            RangeError: if it cannot be had.
        """
        url, pause = f"{self.root}/{quote(checked(name))}", PAUSE
        for left in reversed(range(TRIES)):
            answer = _Answer(start, size)
            fault = answer.of(self._curl, url)
            if answer.is_whole:
                return bytes(answer.body), answer.total
            said = f"status {answer.status}"
            if answer.status not in (0, *BUSY) and not (answer.status == 206 and fault):
                raise RangeError(SAID.get(answer.status, said), said)
            if left:
                time.sleep(min(max(pause, answer.wait), LONGEST))
                pause *= 2
        reason = said if answer.status in BUSY else "no answer"
        raise RangeError(reason, f"{fault or reason}, {TRIES} times")


class _Answer:
    """One answer to a request for a range; of a body that is not asked for nothing is read.

    Attributes:
        status: 0: there was none.
        total: bytes of the file.
        wait: seconds that the server asks for.
    """

    def __init__(self, start: int, size: int) -> None:
        self.start, self.size = start, size
        self.status = self.total = self.wait = 0
        self.first, self.last = -1, -2
        self.body = bytearray()

    @property
    def is_whole(self) -> bool:
        """Whether all of the range came that the file has."""
        ends = min(self.start + self.size, self.total) - 1
        asked = (self.first, self.last) == (self.start, ends)
        return self.status == 206 and asked and len(self.body) == ends + 1 - self.start

    def of(self, curl: pycurl.Curl, url: str) -> str:
        """Ask; returns what went wrong on the way, "" if nothing."""
        options = {
            pycurl.URL: url,
            pycurl.RANGE: f"{self.start}-{self.start + self.size - 1}",
            pycurl.USERAGENT: "karez",
            pycurl.FOLLOWLOCATION: True,
            pycurl.MAXREDIRS: 5,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.REDIR_PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.CONNECTTIMEOUT: CONNECT,
            pycurl.LOW_SPEED_LIMIT: SLOW,
            pycurl.LOW_SPEED_TIME: SILENT,
            pycurl.NOSIGNAL: True,
            pycurl.HEADERFUNCTION: self._header,
            pycurl.WRITEFUNCTION: self._write,
        }
        for option, value in options.items():
            curl.setopt(option, value)
        try:
            curl.perform()
        except pycurl.error as error:
            return str(error.args[-1])
        return ""

    def _header(self, line: bytes) -> None:
        said = line.decode("latin-1").strip()
        name, _, value = said.partition(":")
        if found := _STATUS.match(said):  # of what a redirect leads to, after the redirect's
            self.status, self.first = int(found[1]), -1
        elif name.lower() == "content-range" and (found := _RANGE.match(value.strip())):
            self.first, self.last, self.total = map(int, found.groups())
        elif name.lower() == "retry-after" and value.strip().isdecimal():
            self.wait = int(value)

    def _write(self, piece: bytes) -> int:
        self.body += piece
        most = {206: self.size, 200: 0}.get(self.status, EXCUSE)
        return len(piece) if len(self.body) <= most else -1  # ends the transfer


class Remote:
    """A whole file of a server, to seek and read in."""

    def __init__(self, server: Server, name: str) -> None:
        """Ask for its beginning.

        Raises:
            RangeError: if it cannot be had.
        """
        self._server, self._name = server, name
        self._begin, self._at = 0, 0
        self._block, self.size = server.some(name, 0, AHEAD)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset from the beginning (0), or from the end (2)."""
        self._at = offset + (self.size if whence == 2 else 0)
        return self._at

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end.

        Raises:
            RangeError: if they cannot be had.
        """
        end = min(self._at + size, self.size)
        if self._at >= end:
            return b""
        if not self._begin <= self._at <= end <= self._begin + len(self._block):
            self._block = self._server.some(self._name, self._at, max(AHEAD, size))[0]
            self._begin = self._at
        found = self._block[self._at - self._begin : end - self._begin]
        self._at = end
        return found
