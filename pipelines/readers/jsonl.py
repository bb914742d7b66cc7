"""JSON lines: one JSON object a line, plain or packed as gzip or zstd."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pipelines.readers import Dead, Document, Skipped, Source, packed, rows

LINE = 64_000_000  # bytes of a line; a longer one is skipped up to its newline
ADVICE = 'rows are read one a line: `jq -c ".[]" FILE > FILE.jsonl` writes them so'
BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its newline."""

    offset: int  # bytes into the unpacked file
    length: int  # bytes, with its newline
    content: bytes  # none of a line of more than `LINE` bytes
    ended: bool  # by a newline, rather than by the end of what could be read


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The rows of a file of JSON lines; see `rows.document` for what becomes of one.

    Args:
        file: seekable; its first bytes tell how it is packed.
        name: of the file; a ``.json`` that begins with a bracket holds no rows, but an array.
        source: names the fields that hold text, id and URL.
    """
    begun = False
    for line in filled(file):
        if isinstance(line, Dead):
            yield line
        elif not begun and not is_lines(name) and line.content.lstrip().startswith(b"["):
            yield Dead(line.offset, "one JSON array", ADVICE, file.seek(0, 2))
            return
        else:
            begun = True
            yield _row(line, source)


def filled(file: BinaryIO) -> Iterator[Line | Dead]:
    """The lines of a file that are not blank; a dead letter for what is no line or is damaged."""
    whole = packed.File(file)
    pieces = packed.unpacker(whole)
    end = 0
    for line in lines(pieces):
        if not line.ended and pieces.fault:
            break  # a part of a line
        end = line.offset + line.length
        if line.length > LINE:
            yield Dead(line.offset, "too large", f"a line of {line.length:,} bytes")
        elif line.content.strip():
            yield line
    if pieces.fault:
        detail = f"after {pieces.at:,} of {whole.size:,} bytes"
        yield Dead(end, pieces.fault, detail, max(whole.size - pieces.at, 0))


def lines(pieces: packed.Unpacker) -> Iterator[Line]:
    """The lines of what is unpacked, never more than one of them and one piece in memory."""
    held: list[bytes] = []  # of the line that is under way; nothing of one that is too long
    start = length = 0
    for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            length += len(end) + 1
            yield Line(start, length, _content(held, end, length, start), True)
            start += length
            length = 0
            held.clear()
        length += len(rest)
        if length > LINE:
            held.clear()
        elif rest:
            held.append(rest)
    if length:
        yield Line(start, length, _content(held, b"", length, start), False)


def _content(held: list[bytes], end: bytes, length: int, start: int) -> bytes:
    if length > LINE:
        return b""
    line = b"".join([*held, end]) if held else end
    return line if start else line.removeprefix(BOM)


def is_lines(name: str) -> bool:
    """Whether a file's name says that each line is a value, and not all of it one."""
    return ".jsonl" in name.lower() or ".ndjson" in name.lower()


def _row(line: Line, source: Source) -> Document | Dead:
    row = rows.parse(line.content, line.offset)
    if isinstance(row, Dead):
        return row
    text = rows.pop(row, source.text, rows.MISSING)
    return rows.document(text, row, line.offset, line.length, source)
