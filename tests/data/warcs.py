"""WARC 1.1 records, each a gzip member of its own, the same bytes every time they are made.

Source: ISO 28500:2017; the record ids are hashes of what the record says, not random.
"""

import base64
import hashlib
import struct
import uuid
import zlib

DATE = "2023-06-01T12:00:00Z"
CRLF = b"\r\n"


def digest(data: bytes) -> str:
    """As WARC headers spell it: SHA-1 in base32."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def lines(first: str, fields: dict[str, str]) -> bytes:
    """A status line and header fields, with the empty line that ends them."""
    text = [first, *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(text).encode()


def record(kind: str, block: bytes, fields: dict[str, str], *, lie: int = 0) -> tuple[str, bytes]:
    """One record, not yet compressed.

    Args:
        kind: WARC-Type.
        block: all that follows the header.
        fields: further header fields; they stand before the digest and the length.
        lie: bytes to add to the true Content-Length.

    Returns:
        its id, and its bytes.
    """
    fields = {"WARC-Date": DATE} | fields | {"WARC-Block-Digest": digest(block)}
    name = uuid.uuid5(uuid.NAMESPACE_URL, repr((kind, sorted(fields.items()))))
    identity = f"<urn:uuid:{name}>"
    head = {"WARC-Type": kind, "WARC-Record-ID": identity} | fields
    head["Content-Length"] = str(len(block) + lie)
    return identity, lines("WARC/1.1", head) + block + CRLF + CRLF


def gzip(data: bytes) -> bytes:
    """One gzip member without time, name or operating system."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return (
        bytes.fromhex("1f8b08000000000002ff")
        + body
        + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)
    )


def warcinfo(name: str, description: str) -> bytes:
    """The record that a file begins with."""
    text = lines("software: karez tests/data/make_sample.py", {"description": description})
    fields = {"WARC-Filename": name, "Content-Type": "application/warc-fields"}
    return record("warcinfo", text[:-2], fields)[1]


def response(
    url: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    status: str = "200 OK",
    fields: dict[str, str] | None = None,
    lie: int = 0,
) -> tuple[str, bytes]:
    """A page as a server sent it.

    Args:
        url: absolute.
        body: the payload, encoded as `headers` say.
        headers: of HTTP; those not named are an ordinary server's.
        status: code and words.
        fields: of WARC, besides the usual ones.
        lie: see `record`.
    """
    usual = {"Date": "Thu, 01 Jun 2023 12:00:00 GMT", "Server": "nginx"}
    usual |= {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    sent = {k: v for k, v in (usual | (headers or {})).items() if v}
    block = lines(f"HTTP/1.1 {status}", sent) + body
    about = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=response"}
    about["WARC-Payload-Digest"] = digest(body)
    return record("response", block, about | (fields or {}), lie=lie)


def request(url: str, answer: str) -> bytes:
    """What was asked of the server.

    Args:
        url: absolute.
        answer: id of the response record.
    """
    host, path = url.removeprefix("https://").split("/", 1)
    asked = {"Host": host, "User-Agent": "karez", "Accept": "text/html"}
    about = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=request"}
    about["WARC-Concurrent-To"] = answer
    return record("request", lines(f"GET /{path} HTTP/1.1", asked), about)[1]
