"""Parquet, and Arrow IPC files and streams: row by row, a bounded number of them in memory.

An IPC file is read as the stream that it contains, so that a file without its end gives all rows
before the cut.  A Parquet file without its end gives none: what stands where is said there.

Sources: Apache Parquet format 2.11; Arrow columnar format 1.5, "Serialization and Interprocess
Communication".
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.readers import Dead, Item, Source, batches
from pipelines.readers.packed import CUT, DAMAGED, tripped
from pipelines.readers.pages import Fault, brief

PARQUET = b"PAR1"
FILE = b"ARROW1\0\0"
STREAM = b"\xff\xff\xff\xff"
END = STREAM + bytes(4)  # of a stream
BATCH = 8_000_000  # bytes of a batch as the file states them, about
BATCH_ROWS = 1024  # rows in one, at most
BUFFER = 1 << 20  # bytes of a column chunk read at a time


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Item]:
    """The rows of a Parquet file, an Arrow IPC file or an Arrow IPC stream.

    A document's offset is the number of its row, its length the bytes of its text.

    Args:
        file: seekable.
        name: of the file; not used.
        source: names the columns that hold text, id and URL, in structs by names joined by dots.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(len(FILE))
    if head.startswith(PARQUET):
        yield from _parquet(file, size, source)
    elif head == FILE or head.startswith(STREAM):
        yield from _arrow(file, size, source, head == FILE)
    else:
        yield Dead(0, "not Parquet or Arrow", f"begins with {head!r}", size)


def _parquet(file: BinaryIO, size: int, source: Source) -> Iterator[Item]:
    file.seek(max(size - len(PARQUET), 0))
    if size < 12 or file.read() != PARQUET:
        yield Dead(0, CUT, f"a Parquet file of {size:,} bytes without its end", size)
        return
    opened = _attempt(_opened, file, source)
    if isinstance(opened, str):
        yield Dead(0, DAMAGED, brief(opened), size)
    elif fault := _check(opened.file.schema_arrow, source):
        yield Dead(0, fault.reason, fault.detail, size)
    else:
        row = size // max(1, sum(group.num_rows for group in opened.groups))
        first = 0
        for number, group in enumerate(opened.groups):
            yield from _group(opened, number, first, source, row)
            first += group.num_rows


class _Opened(NamedTuple):
    file: pq.ParquetFile
    groups: list[pq.RowGroupMetaData]
    wanted: list[str]  # leaves that are read


def _opened(file: BinaryIO, source: Source) -> _Opened:
    """The file; of its leaves those are read that are not bytes, and the text in any case."""
    parquet = pq.ParquetFile(
        file,
        buffer_size=BUFFER,
        pre_buffer=False,  # else whole row groups are read
        page_checksum_verification=True,
    )
    leaves = [parquet.schema.column(i) for i in range(len(parquet.schema.names))]
    wanted = [
        leaf.path
        for leaf in leaves
        if leaf.path == source.text
        or leaf.physical_type not in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
        or leaf.logical_type.type != "NONE"
    ]
    groups = [parquet.metadata.row_group(i) for i in range(parquet.num_row_groups)]
    return _Opened(parquet, groups, wanted)


def _group(opened: _Opened, number: int, first: int, source: Source, row: int) -> Iterator[Item]:
    """The rows of one row group; what is damaged in it loses the rest of it, and no other.

    What is lost is told from the bytes of the file that hold a `row`, about, and not by asking the
    columns' own metadata: where those are damaged, pyarrow 25 ends the process.
    """
    group = opened.groups[number]
    rows = min(BATCH_ROWS, max(1, group.num_rows * BATCH // max(group.total_byte_size, 1)))
    read = opened.file.iter_batches(rows, [number], opened.wanted, use_threads=False)
    done = 0
    while isinstance(batch := _attempt(next, read, None), pa.RecordBatch):
        yield from batches.documents(batch, first + done, source, row * batch.num_rows)
        done += batch.num_rows
    if done < group.num_rows:
        detail = f"row group {number}: {batch or 'fewer rows than stated'}"
        yield Dead(first + done, DAMAGED, brief(detail), row * (group.num_rows - done))


def _arrow(file: BinaryIO, size: int, source: Source, is_file: bool) -> Iterator[Item]:
    """Streams one after the other, up to the end or the footer of a file."""
    file.seek(len(FILE) if is_file else 0)
    first = 0
    while (at := file.tell()) < size:
        stream = _attempt(pa.ipc.open_stream, pa.PythonFile(file, "r"))
        if isinstance(stream, str):
            yield _broken(file, size, first, stream, size - at)
            return
        if fault := _check(stream.schema, source):
            yield Dead(first, fault.reason, fault.detail, size - at)
            return
        while isinstance(batch := _attempt(next, stream, None), pa.RecordBatch):
            before, at = at, file.tell()
            yield from batches.documents(batch, first, source, at - before)
            first += batch.num_rows
        if batch is not None:
            yield _broken(file, size, first, batch, size - at)
            return
        if is_file:
            break
        _pass_ends(file)
    yield from _without_end(file, size, is_file, first)


def _pass_ends(file: BinaryIO) -> None:
    """Pass marks of an end that follow one another: a writer that is closed twice writes two."""
    at = file.tell()
    while file.read(len(END)) == END:
        at = file.tell()
    file.seek(at)


def _broken(file: BinaryIO, size: int, first: int, detail: str, unread: int) -> Dead:
    return Dead(first, CUT if file.tell() >= size else DAMAGED, brief(detail), unread)


def _without_end(file: BinaryIO, size: int, is_file: bool, first: int) -> Iterator[Dead]:
    """A dead letter if what marks the end is not there: rows may have followed."""
    end = FILE[:6] if is_file else END
    file.seek(max(size - len(end), 0))
    if file.read() != end:
        yield Dead(first, CUT, "without its end: rows may be missing")


def _check(schema: pa.Schema, source: Source) -> Fault | None:
    fault = _attempt(batches.check, schema, source)
    return Fault(DAMAGED, brief(fault)) if isinstance(fault, str) else fault


def _attempt(do: Callable[..., Any], *arguments: object, **options: object) -> Any:
    """What it gives; or in words what Arrow tripped over."""
    try:
        return do(*arguments, **options)
    except Exception as error:
        return tripped(error)
