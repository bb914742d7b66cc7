"""The body of an HTTP message as it was meant: chunks joined, content codings undone.

Archives lie about codings: many tools store the decoded body with the headers of the coded one.  A
body that does not begin as its chunks or its gzip must begin is therefore taken as it is.

Sources: RFC 9112 (HTTP/1.1, chunked transfer), section 7.1; RFC 9110 (HTTP), section 8.4.
"""

import re
import zlib

import pyarrow as pa

CODINGS = 4  # one over the other; no server means more
MEMBERS = 10_000  # of a gzip
PIECE = 16_384  # bytes that are unpacked at once

_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)


class CodingError(ValueError):
    """A body that cannot be decoded; the message is short and fixed."""


def decode(body: bytes, transfer: str, content: str, limit: int) -> bytes:
    """Undo the codings of a body.

    Args:
        body: as it was sent.
        transfer: the header Transfer-Encoding, or "".
        content: the header Content-Encoding, or "".
        limit: bytes that it may unpack to.

    Raises:
        CodingError: "broken chunks", "broken encoding", "unknown encoding" or "too large".
    """
    codings = [c for c in re.split(r"[,\s]+", f"{content},{transfer}".lower()) if c]
    if len(codings) > CODINGS:
        raise CodingError("unknown encoding")
    for coding in reversed(codings):
        if coding == "chunked":
            body = unchunk(body)
        elif coding in ("gzip", "x-gzip"):
            body = _inflate(body, 31, limit) if body.startswith(b"\x1f\x8b") else body
        elif coding == "deflate":
            body = _deflate(body, limit)
        elif coding in ("br", "zstd"):
            body = _unpack(body, "brotli" if coding == "br" else "zstd", limit)
        elif coding not in ("identity", "none", "binary", "8bit"):
            raise CodingError("unknown encoding")
    return body


def content_type(declared: str | None) -> tuple[str, str | None]:
    """Of a header Content-Type the media type, in lower case, and the charset if it names one."""
    declared = declared or ""
    charset = _CHARSET.search(declared)
    return declared.partition(";")[0].strip().lower(), charset and charset[1]


def unchunk(body: bytes) -> bytes:
    """Join chunks; a body that does not begin with one is returned as it is.

    Raises:
        CodingError: "broken chunks".
    """
    size = _CHUNK.match(body)
    if not size:
        return body
    chunks: list[bytes] = []
    while size:
        length, at = int(size[1], 16), size.end()
        if not length:
            return b"".join(chunks)
        chunks.append(body[at : at + length])
        end = _LINE_END.match(body, at + length)
        size = _CHUNK.match(body, end.end()) if end else None
    raise CodingError("broken chunks")


def _inflate(body: bytes, wbits: int, limit: int) -> bytes:
    """Unpack gzip, member by member, or one zlib or raw stream; of many members it is a bomb."""
    out, size, at = [], 0, 0
    for _ in range(MEMBERS if body else 0):
        inflate = zlib.decompressobj(wbits=wbits)
        while not inflate.eof:
            piece = body[at : at + PIECE]  # what follows a member is copied
            try:
                out.append(inflate.decompress(piece, limit + 1 - size))
            except zlib.error as error:
                raise CodingError("broken encoding") from error
            size += len(out[-1])
            if size > limit:
                raise CodingError("too large")
            if not piece:
                raise CodingError("broken encoding")
            at += len(piece) - len(inflate.unused_data)
        if not body.startswith(b"\x1f\x8b", at):
            return b"".join(out)
    if body:
        raise CodingError("broken encoding")
    return body


def _deflate(body: bytes, limit: int) -> bytes:
    """What is called deflate is zlib by the book, and in the wild as often without its header."""
    try:
        return _inflate(body, 15, limit)
    except CodingError as error:
        if str(error) == "too large":
            raise
        return _inflate(body, -15, limit)


def _unpack(body: bytes, codec: str, limit: int) -> bytes:
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
            out = stream.read_buffer(limit + 1)  # what `read` takes is lost where it fails
    except OSError as error:
        raise CodingError("broken encoding") from error
    if out.size > limit:
        raise CodingError("too large")
    return bytes(out)
