"""Many requests at once through libcurl, each within limits of time, size and address.

Bodies stay as they were sent, with their content coding; chunks are joined by libcurl.  Redirects
are not followed: where they lead is asked for like any other URL.  The address is checked when the
connection is made, so a name that resolves to another one meanwhile changes nothing.

Source: RFC 9110 (HTTP semantics), RFC 9112 (HTTP/1.1).
"""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any

import pycurl

from pipelines.readers.http import content_type

CODINGS = "gzip, deflate, br, zstd"  # that `pipelines.readers.http` undoes
CONNECT = 20  # seconds until a connection stands, at most
IDLE = 20  # seconds in which at least `SLOW` bytes must come in every second
SLOW = 10
HANDLES = 256  # requests at the same time
CHUNK = 65_536  # bytes that libcurl reads at once
HEAD = 262_144  # bytes of the heads of an answer, at most; libcurl takes little more

TOO_LARGE = 100  # libcurl's CURLE_TOO_LARGE: of one line of a head

FAULTS = {
    TOO_LARGE: "headers too large",
    pycurl.E_COULDNT_RESOLVE_HOST: "no such host",
    pycurl.E_COULDNT_CONNECT: "no connection",
    pycurl.E_OPERATION_TIMEDOUT: "too slow",
    pycurl.E_PARTIAL_FILE: "cut off",
    pycurl.E_GOT_NOTHING: "cut off",
    pycurl.E_SEND_ERROR: "cut off",
    pycurl.E_RECV_ERROR: "cut off",
    pycurl.E_SSL_CONNECT_ERROR: "no secure connection",
    pycurl.E_PEER_FAILED_VERIFICATION: "certificate not trusted",
    pycurl.E_WRITE_ERROR: "media type",
}
"""Why an answer did not come, by libcurl's code; others: "broken answer"."""

REFUSED = "address refused"
PUBLIC = ipaddress.IPv6Network("2000::/3")  # all that is given out of IPv6
_STATUS = re.compile(rb"HTTP/[\d.]+ (\d{3})")
_CRLF = re.compile(r"[\r\n]+")


@dataclass
class Answer:
    """What a server said, or why it said nothing."""

    fault: str | None = None  # None if the answer is whole
    detail: str = ""  # libcurl's words
    status: int = 0  # 0 if there was none
    headers: list[bytes] = field(default_factory=list)  # as they were sent, the status line first
    body: bytes = b""  # with its content coding; what came of it, where there is a fault
    address: str = ""  # the server's IP address
    seconds: float = 0.0  # from the request to the end

    def header(self, name: str) -> str:
        """The values of a header, joined by commas; "" if there is none."""
        return ", ".join(self._fields.get(name.lower(), ()))

    @cached_property
    def _fields(self) -> dict[str, list[str]]:
        """Values by name, in lower case; read once, when the first is asked for."""
        found: dict[str, list[str]] = {}
        for line in self.headers:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                found.setdefault(name.lower(), []).append(value.strip())
        return found

    @property
    def media_type(self) -> str:
        """In lower case, without parameters; "" if none is declared."""
        return content_type(self.header("Content-Type"))[0]


@dataclass
class Request:
    """What is asked for."""

    url: str
    about: Any  # the asker's own
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 16_000_000  # bytes of the body, at most
    partial: bool = False  # whether the first so many bytes of a longer one are of use
    wants: Callable[[str], bool] = lambda media_type: True  # asked before the body is taken


class _Transfer:
    """A request under way."""

    def __init__(self, request: Request) -> None:
        self.request, self.answer = request, Answer()
        self.body, self.refused, self.head = BytesIO(), "", 0
        self.sockets: list[socket.socket] = []
        self.full = False

    def header(self, line: bytes) -> int | None:
        """One line of the head; of several heads (100 Continue) the last stays."""
        self.head += len(line)
        if self.head > HEAD:
            return -1
        if line.startswith(b"HTTP/"):
            self.answer.headers = []
        if line.strip():
            self.answer.headers.append(line.rstrip(b"\r\n"))
        return None

    def close(self) -> None:
        """Let go of what libcurl has copies of."""
        for each in self.sockets:
            each.close()

    def write(self, data: bytes) -> int:
        """A piece of the body; it ends where the media type is not wanted, or the body too long."""
        room = self.request.size - self.body.tell()
        if not self.body.tell():
            is_good = self.answer.headers[:1] and b" 200" in self.answer.headers[0][:16]
            if is_good and not self.request.wants(self.answer.media_type):
                return 0
            declared = self.answer.header("Content-Length")
            if declared.isdecimal() and int(declared[:18]) > room and not self.request.partial:
                room = 0
        self.full = len(data) > room
        self.body.write(data[:room])
        return 0 if self.full else len(data)


class Client:
    """Requests at the same time, in one thread.

    Args:
        agent: the header User-Agent.
        timeout: seconds for one answer.
        private: whether private and loopback addresses may be asked.
        certificates: a file of authorities to trust; None: those of this machine.
    """

    def __init__(
        self, agent: str, timeout: float, private: bool = False, certificates: str | None = None
    ) -> None:
        self.agent, self.timeout, self.private = agent, timeout, private
        self.certificates = certificates or ssl.get_default_verify_paths().cafile
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, HANDLES)
        self._idle: list[Any] = []
        self._busy: dict[Any, _Transfer] = {}

    def __len__(self) -> int:
        """How many requests are under way."""
        return len(self._busy)

    def send(self, request: Request) -> None:
        """Begin a request."""
        handle = self._idle.pop() if self._idle else pycurl.Curl()
        transfer = _Transfer(request)
        self._set(handle, transfer)
        self._busy[handle] = transfer
        self._multi.add_handle(handle)

    def wait(self, seconds: float) -> Iterator[tuple[Request, Answer]]:
        """What was answered until now; waits for it, at most so long."""
        if self._busy:
            self._multi.perform()
            done = list(self._done())
            if not done:
                if self._multi.select(max(0.001, seconds)) < 0:  # nothing to look at yet
                    time.sleep(0.005)
                self._multi.perform()
                done = list(self._done())
            yield from done

    def close(self) -> None:
        """Give up what is under way."""
        for handle, transfer in self._busy.items():
            transfer.close()
            self._multi.remove_handle(handle)
            handle.close()
        for handle in self._idle:
            handle.close()
        self._busy, self._idle = {}, []
        self._multi.close()

    def _set(self, handle: Any, transfer: _Transfer) -> None:
        request = transfer.request
        fields = {"Accept-Encoding": CODINGS, "Accept": "text/html,*/*;q=0.5", **request.headers}
        for option, value in (
            (pycurl.URL, request.url.encode("utf-8", "replace")),
            (pycurl.USERAGENT, self.agent),
            (pycurl.HTTPHEADER, [_line(n, v) for n, v in fields.items()]),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.FOLLOWLOCATION, False),
            (pycurl.NOPROXY, "*"),
            (pycurl.NOSIGNAL, True),
            (pycurl.PATH_AS_IS, True),
            (pycurl.CONNECTTIMEOUT, CONNECT),
            (pycurl.TIMEOUT_MS, int(1000 * self.timeout)),
            (pycurl.LOW_SPEED_LIMIT, SLOW),
            (pycurl.LOW_SPEED_TIME, IDLE),
            (pycurl.BUFFERSIZE, CHUNK),
            (pycurl.HEADERFUNCTION, transfer.header),
            (pycurl.WRITEFUNCTION, transfer.write),
            (pycurl.OPENSOCKETFUNCTION, lambda purpose, to: self._open(transfer, to)),
        ):
            handle.setopt(option, value)
        if self.certificates is not None:
            handle.setopt(pycurl.CAINFO, self.certificates)

    def _open(self, transfer: _Transfer, to: Any) -> Any:
        """A socket for an address that may be asked."""
        family, kind, protocol, where = to
        host = where[0].decode() if isinstance(where[0], bytes) else where[0]
        if not self.private and is_private(host):
            transfer.refused = host
            return pycurl.SOCKET_BAD
        transfer.sockets.append(socket.socket(family, kind, protocol))  # pycurl takes a copy
        return transfer.sockets[-1]

    def _done(self) -> Iterator[tuple[Request, Answer]]:
        _, good, bad = self._multi.info_read()
        for handle in good:
            yield self._ended(handle, 0, "")
        for handle, code, said in bad:
            yield self._ended(handle, code, said)

    def _ended(self, handle: Any, code: int, said: str) -> tuple[Request, Answer]:
        transfer = self._busy.pop(handle)
        transfer.close()
        answer = transfer.answer
        answer.seconds = handle.getinfo(pycurl.TOTAL_TIME)
        answer.address = handle.getinfo(pycurl.PRIMARY_IP)
        status = _STATUS.match(answer.headers[0]) if answer.headers else None
        answer.status = int(status[1]) if status else 0
        answer.body = transfer.body.getvalue()
        if transfer.refused:
            answer.fault, answer.detail = REFUSED, transfer.refused
        elif transfer.head > HEAD:
            answer.fault, answer.detail = FAULTS[TOO_LARGE], f"over {HEAD:,} bytes"
        elif transfer.full:
            answer.fault, answer.detail = "too large", f"over {transfer.request.size:,} bytes"
        elif code:
            answer.fault, answer.detail = FAULTS.get(code, "broken answer"), said
        elif not status:
            answer.fault, answer.detail = "broken answer", "no HTTP/1 or HTTP/2"
        self._multi.remove_handle(handle)
        handle.reset()
        self._idle.append(handle)
        return transfer.request, answer


def _line(name: str, value: str) -> bytes:
    """A header; what a server said comes back in its own bytes."""
    return f"{name}: {_CRLF.sub(' ', value)}".encode("latin-1", "replace")


def is_private(address: str) -> bool:
    """Whether an address is none of the public Internet: loopback, private, link-local, reserved.

    Args:
        address: IPv4 or IPv6; an IPv4 address within one of IPv6 counts as itself.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or _nat64(found)
        if inner is not None:
            return is_private(str(inner))
        if found not in PUBLIC:
            return True
    return not found.is_global or found.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address behind a translator of RFC 6052."""
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
