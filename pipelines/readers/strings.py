"""Every string of every row, whatever the fields are called: how given texts are read.

A row is a line of JSON lines, an element of a JSON list, or a row of a table; its strings may lie
in objects and lists at any depth.
"""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from pipelines.readers import Dead, jsonl, packed
from pipelines.readers.pages import brief

BATCH = 1024  # rows in memory at a time

Row = list[str]
"""The strings of a row, in order."""


def json(file: BinaryIO, name: str) -> Iterator[Row | Dead]:
    """JSON lines, or in a file whose name says ``.json`` one value; plain, gzip or zstd.

    Args:
        file: seekable.
        name: of the file.
    """
    whole = None if jsonl.is_lines(name) else _whole(file)
    if whole is None:
        for line in jsonl.filled(file):
            yield line if isinstance(line, Dead) else _row(line.content, line.offset)
    else:
        yield from map(strings, whole if isinstance(whole, list) else [whole])


def _whole(file: BinaryIO) -> Any:
    """The one value that a file holds; None if it holds none, or several."""
    try:
        return orjson.loads(b"".join(packed.unpacker(packed.File(file))).removeprefix(jsonl.BOM))
    except orjson.JSONDecodeError:
        return None


def _row(content: bytes, offset: int) -> Row | Dead:
    try:
        return strings(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        return Dead(offset, "not JSON", brief(str(error)))


def table(file: BinaryIO, name: str) -> Iterator[Row | Dead]:
    """Parquet, or an Arrow IPC file or stream.

    Args:
        file: seekable.
        name: of the file; not used.
    """
    try:
        for batch in _batches(file):
            batch.validate(full=True)
            wanted = [f.name for f in batch.schema if _is_worded(f.type)]
            yield from map(strings, batch.select(wanted).to_pylist())
    except Exception as error:
        yield Dead(0, packed.DAMAGED, brief(packed.tripped(error)))


def _batches(file: BinaryIO) -> Iterable[pa.RecordBatch]:
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"PAR1"):
        opened = pq.ParquetFile(file, pre_buffer=False)
        wanted = [f.name for f in opened.schema_arrow if _is_worded(f.type)]
        return opened.iter_batches(BATCH, columns=wanted, use_threads=False)
    if head == b"ARROW1":
        opened = pa.ipc.open_file(file)
        return (opened.get_batch(i) for i in range(opened.num_record_batches))
    return pa.ipc.open_stream(file)


def _is_worded(kind: pa.DataType) -> bool:
    """Whether values of a type hold strings."""
    if isinstance(kind, pa.BaseExtensionType):
        return _is_worded(kind.storage_type)
    if pt.is_dictionary(kind):
        return _is_worded(kind.value_type)
    if pt.is_nested(kind):
        return any(_is_worded(kind.field(i).type) for i in range(kind.num_fields))
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def strings(value: Any) -> Row:
    """All strings in a value made of objects and lists, in order; keys are none."""
    found, left = Row(), [value]
    while left:  # no recursion: JSON nests deeper than Python calls
        value = left.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            left += reversed(value.values())
        elif isinstance(value, (list, tuple)):
            left += reversed(value)
    return found
