"""Records of WARC files: plain ones, and as a crawl writes them, packed and with ids."""

import gzip
import uuid
from collections.abc import Mapping

DATE = "2026-05-03T10:20:30Z"
WORDS = b"A page of the manual says a few words about the matter at hand, and no more. " * 5


def http(body: bytes, kind: str = "text/html; charset=utf-8", *headers: str) -> bytes:
    """An answer of a server."""
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def record(
    url: str,
    block: bytes,
    kind: str = "response",
    media_type: str = "application/http; msgtype=response",
) -> bytes:
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {url}",
        "WARC-Date: 2024-01-02T03:04:05Z",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + block + b"\r\n\r\n"


def page(i: int) -> bytes:
    return b"<html><body><p>Page %d. " % i + WORDS + b"</p></body></html>"


def url(i: int) -> str:
    return f"http://example.org/{i}"


def name(number: int) -> str:
    """The id of the record of that number."""
    return f"<urn:uuid:{uuid.UUID(int=number << 64 | 0x5EED)}>"


def member(
    number: int, kind: str, fields: Mapping[str, str], block: bytes = b"", level: int = 4
) -> bytes:
    """A record in a gzip member of its own."""
    head = {
        "WARC-Type": kind,
        "WARC-Record-ID": name(number),
        "WARC-Date": DATE,
        **fields,
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
    return gzip.compress(
        b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n", level, mtime=0
    )


def response(number: int, url: str, body: str, status: str = "200 OK") -> bytes:
    """A page as it was served."""
    block = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}".encode()
    fields = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=response"}
    return member(number, "response", fields, block)


def request(number: int, url: str, of: int) -> bytes:
    """What was asked for, beside the answer."""
    block = f"GET {url} HTTP/1.1\r\nUser-Agent: karez\r\n\r\n".encode()
    fields = {
        "WARC-Target-URI": url,
        "WARC-Concurrent-To": name(of),
        "Content-Type": "application/http; msgtype=request",
    }
    return member(number, "request", fields, block)


def metadata(number: int, of: int, said: str) -> bytes:
    """What was found out about a record, which alone it names."""
    fields = {"WARC-Refers-To": name(of), "Content-Type": "application/warc-fields"}
    return member(number, "metadata", fields, f"{said}\r\n".encode())


def revisit(number: int, url: str, of: int, of_url: str) -> bytes:
    """A page that had not changed."""
    fields = {
        "WARC-Target-URI": url,
        "WARC-Refers-To": name(of),
        "WARC-Refers-To-Target-URI": of_url,
        "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        "Content-Type": "application/http; msgtype=response",
    }
    return member(number, "revisit", fields, b"HTTP/1.1 200 OK\r\n\r\n")
