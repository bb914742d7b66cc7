"""A web server on raw sockets: it does what none should, and remembers what it was asked.

Its hosts are names below ``.localhost``, which libcurl resolves to this machine by itself.
"""

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
PIECE = 65_536


class HungError(Exception):
    """The connection is over."""


@dataclass
class Seen:
    """A request, as the server saw it."""

    host: str  # without its port
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    connection: int
    began: float  # monotonic seconds
    ended: float = field(default=float("inf"))


class Talk:
    """A request, and the ways to answer it."""

    def __init__(self, web: "Web", to: socket.socket, seen: Seen) -> None:
        self.web, self.socket, self.seen = web, to, seen

    @property
    def path(self) -> str:
        return self.seen.path

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, data: bytes, every: float) -> None:
        """Byte by byte, until the client or the server gives up."""
        for byte in data:
            self.send(bytes([byte]))
            if self.web.ended.wait(every):
                break

    def hang(self) -> None:
        """Say nothing more."""
        self.web.ended.wait()
        raise HungError

    def close(self) -> None:
        raise HungError

    def reset(self) -> None:
        """Close as a machine does that knows nothing of the connection."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise HungError


Answer = bytes | Callable[[Talk], None]
Site = Mapping[str, Answer] | Callable[[str], Answer | None]
"""What a host says for a path with its query; what it does not know is not found."""


def message(
    body: bytes | str = b"", status: str = "200 OK", kind: str = "text/html", **headers: object
) -> bytes:
    """A whole answer; ``Content_Length`` and others can be told otherwise."""
    sent = body.encode() if isinstance(body, str) else body
    fields: dict[str, object] = {"Content-Type": kind, "Content-Length": len(sent)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{n}: {v}\r\n" for n, v in fields.items() if v is not None)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + sent


def moved(to: str, status: str = "302 Found") -> bytes:
    return message(status=status, Location=to)


def html(*links: str, text: str = "A page.") -> str:
    """A page with links."""
    anchors = "".join(f'<a href="{link}">x</a> ' for link in links)
    return f"<html><body><p>{text}</p>{anchors}"


def page(*links: str, text: str = "A page.") -> bytes:
    return message(html(*links, text=text))


class Web:
    """The server.

    Args:
        sites: by the host's name, without ``.localhost``.
        certificate: with its key, for TLS.
        host: address that it listens on.

    Attributes:
        seen: requests, in order.
        watch: is told of each request before it is answered.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        certificate: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.sites, self.seen, self.ended = sites, list[Seen](), threading.Event()
        self.watch: Callable[[Seen], None] = lambda seen: None
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._listener = socket.create_server((host, port), backlog=1024)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, host: str, path: str = "/") -> str:
        return f"http{'s' if self._tls else ''}://{host}.localhost:{self.port}{path}"

    def asked(self, host: str) -> list[str]:
        """The paths of a host that were asked for, its words to machines left out."""
        return [s.path for s in self.seen if s.host == host and s.path not in FIRST]

    def stop(self) -> None:
        self.ended.set()
        self._listener.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        number = 0
        while not self.ended.is_set():
            try:
                if not select.select([self._listener], [], [], 0.2)[0]:
                    continue
                connection, _ = self._listener.accept()
            except (OSError, ValueError):  # it was closed
                return
            number += 1
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, raw: socket.socket, number: int) -> None:
        connection = raw
        try:
            self._open.add(raw)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._open.discard(raw)
                connection = self._tls.wrap_socket(raw, server_side=True)
                self._open.add(connection)
            while self._answer(connection, number):
                pass
        except (OSError, HungError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, number: int) -> bool:
        head = _head(connection)
        if head is None:
            return False
        path = head.split(" ", 2)[1]
        lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in lines}
        host = headers.get("host", "").partition(":")[0].removesuffix(".localhost")
        seen = Seen(host, path, headers, number, time.monotonic())
        self.seen.append(seen)
        self.watch(seen)
        site = self.sites.get(host, {})
        answer = site(path) if callable(site) else site.get(path)
        try:
            if callable(answer):
                answer(Talk(self, connection, seen))
            else:
                connection.sendall(NOTHING if answer is None else answer)
        finally:
            seen.ended = time.monotonic()
        return True


FIRST = ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")
"""What a host is asked before its pages."""


def _head(connection: socket.socket) -> str | None:
    """The head of a request; None: the client is gone."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if head[:1] == b"\x16":  # it begins TLS
            return None
        more = connection.recv(PIECE)
        if not more:
            return None
        head += more
    return head.decode("latin-1")


@contextmanager
def served(sites: Mapping[str, Site], certificate: Path | None = None) -> Iterator[Web]:
    """A server that runs while the block does."""
    web = Web(sites, certificate)
    try:
        yield web
    finally:
        web.stop()
