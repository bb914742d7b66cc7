"""JSON lines: one JSON object a line, plain or packed as gzip or zstd."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import orjson

from pipelines.readers import LIMIT, Dead, Document, Skipped, Source, packed
from pipelines.readers.pages import brief

LINE = 64_000_000  # bytes of a line; a longer one is skipped up to its newline
BOM = b"\xef\xbb\xbf"

_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


class Line(NamedTuple):
    """A line without its newline."""

    offset: int  # bytes into the unpacked file
    length: int  # bytes, with its newline
    content: bytes | None  # None: more than `LINE` bytes
    ended: bool  # by a newline, rather than by the end of what could be read


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The rows of a file of JSON lines.

    A row's text is a string; its id is a string or an integer, its URL a string; an id or URL of
    another type counts as missing.  Whatever becomes neither is kept as metadata.

    Args:
        file: seekable; its first bytes tell how it is packed.
        name: of the file; not used.
        source: names the fields that hold text, id and URL.
    """
    whole = packed.File(file)
    pieces = packed.unpacker(whole)
    end = 0
    for line in lines(pieces):
        if not line.ended and pieces.fault:
            break  # a part of a line
        end = line.offset + line.length
        if line.content is None:
            yield Dead(line.offset, "too large", f"a line of {line.length:,} bytes")
        elif line.content.strip():
            yield _row(line, source)
    if pieces.fault:
        detail = f"after {pieces.at:,} of {whole.size:,} bytes"
        yield Dead(end, pieces.fault, detail, max(whole.size - pieces.at, 0))


def lines(pieces: packed.Unpacker) -> Iterator[Line]:
    """The lines of what is unpacked, never more than one of them and one piece in memory."""
    window = bytearray()
    start = dropped = 0  # offset of the line, and bytes of it that were dropped
    for piece in pieces:
        searched = len(window)
        window += piece
        while (at := window.find(b"\n", searched)) >= 0:
            length = dropped + at + 1
            yield Line(start, length, _content(window[:at], length, start), True)
            del window[: at + 1]
            start += length
            searched = dropped = 0
        if dropped or len(window) > LINE:
            dropped += len(window)
            window.clear()
    if dropped or window:
        length = dropped + len(window)
        yield Line(start, length, _content(window, length, start), False)


def _content(line: bytearray, length: int, start: int) -> bytes | None:
    if length > LINE:
        return None
    return bytes(line if start else line.removeprefix(BOM))


def _row(line: Line, source: Source) -> Document | Dead:
    try:
        row = orjson.loads(line.content or b"")
    except orjson.JSONDecodeError as error:
        return Dead(line.offset, "not JSON", brief(str(error)))
    if not isinstance(row, dict):
        return Dead(line.offset, "not an object", brief(type(row).__name__))
    text = row.pop(source.text, None)
    if not isinstance(text, str):
        reason = "no text" if text is None else f"text is {_KINDS[type(text)]}"
        return Dead(line.offset, reason, brief(f"field {source.text}"))
    size = len(text) if text.isascii() else len(text.encode())
    if size > LIMIT:
        return Dead(line.offset, "too large", f"{size:,} bytes of text")
    key, url = _take(row, source.id, (str, int)), _take(row, source.url, (str,))
    try:
        metadata = orjson.dumps(row).decode() if row else None
    except orjson.JSONEncodeError as error:
        return Dead(line.offset, "too deep", brief(str(error)))
    return Document(text, line.offset, line.length, key or url, url, None, None, metadata)


def _take(row: dict[str, Any], field: str, kinds: tuple[type, ...]) -> str | None:
    """Take a field out of a row, if it is of one of the kinds; a boolean is no integer."""
    if type(row.get(field)) in kinds:
        return str(row.pop(field))
    return None
