"""Reading and writing the parts of tables: Parquet, batch by batch."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.runs import Part, Run
from pipelines.schema import DEAD

PART = 128_000_000  # bytes of text in a part of documents, at most
PART_ROWS = 250_000  # rows in one, at most: short texts must not make wide columns
BATCH = 8_000_000  # bytes of text in a batch, at most
BATCH_ROWS = 4096
REPEATED = {"media_type", "source", "language", "domain", "group", "reason", "split", "cluster"}
"""Columns whose values repeat; to look for repetition in the others, texts above all, costs."""


def write_columns(run: Run, table: str, index: int, columns: pa.Table) -> Part:
    """Write one part of a columns table, row for row beside documents part `index`."""
    documents = run.table("documents").parts[index]
    if columns.num_rows != documents.rows:
        raise AssertionError(f"{table}: {columns.num_rows} rows for {documents.rows} documents")
    marks = {b"karez.part": documents.sha256, b"karez.rows": str(documents.rows)}
    marked = columns.replace_schema_metadata({**(columns.schema.metadata or {}), **marks})
    with Writer(run, table, documents.name, marked.schema) as writer:
        writer.write(marked)
    return writer.part


class Writer:
    """One Parquet file of a table, sealed when the block ends well."""

    def __init__(self, run: Run, table: str, name: str, schema: pa.Schema) -> None:
        self.name, self.rows = name, 0
        with ExitStack() as stack:
            self._sink = stack.enter_context(run.folder.create(f"{table}/{name}"))
            self._file = pq.ParquetWriter(
                self._sink,
                schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=[f.name for f in schema if f.name in REPEATED],
                write_page_checksum=True,
            )
            stack.push(self._ended)
            self._stack = stack.pop_all()

    def write(self, rows: pa.Table | pa.RecordBatch) -> None:
        """One row group, or none for no rows."""
        if rows.num_rows:
            whole = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
            self._file.write_table(whole, row_group_size=whole.num_rows)
            self.rows += rows.num_rows

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def _ended(self, kind: type[BaseException] | None, *rest: object) -> None:
        """The footer is written if all went well; if it cannot be, the sink hears of it."""
        if kind is None:
            self._file.close()

    @property
    def part(self) -> Part:
        """What was written."""
        return Part(self.name, self.rows, self._sink.size, self._sink.sha256)


def batches(run: Run, table: str, index: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of one part in order, in batches of at most `BATCH_ROWS` rows and `BATCH` bytes."""
    file = run.open_part(table, index)
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group, list(columns)).combine_chunks()
        for batch in rows.to_batches():
            yield from bounded(batch)


def beside(
    run: Run, index: int, names: Sequence[str], columns: pa.Table
) -> Iterator[pa.RecordBatch]:
    """Columns of the documents of one part, in batches, and beside them others about all of it."""
    start = 0
    for batch in batches(run, "documents", index, names):
        here = slice(start, start + batch.num_rows)
        start = here.stop
        for name, column in zip(columns.column_names, columns.columns, strict=True):
            batch = batch.append_column(name, column[here].combine_chunks())
        yield batch


def picked(
    run: Run, table: str, index: int, columns: Sequence[str], rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], pa.RecordBatch]]:
    """Some rows of one part, in batches, each with which rows it holds; the others are not kept.

    Rows are told by their numbers in the part, sorted, each once.
    """
    file = run.open_part(table, index)
    start = 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        here = rows[slice(*np.searchsorted(rows, [start, end]))]
        if len(here):
            some = file.read_row_group(group, list(columns)).take(pa.array(here - start))
            at = 0
            for whole in some.combine_chunks().to_batches():
                for batch in bounded(whole):
                    yield here[at : at + batch.num_rows], batch
                    at += batch.num_rows
        start = end


def bounded(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces of at most `BATCH_ROWS` rows and `BATCH` bytes, or of one row."""
    if batch.num_rows <= BATCH_ROWS and batch.nbytes <= BATCH:
        yield batch
        return
    sizes = pc.binary_length(batch["text"]).to_numpy() if "text" in batch.schema.names else None
    start, size = 0, 0
    for row in range(batch.num_rows):
        size += int(sizes[row]) if sizes is not None else 0
        if row > start and (row - start == BATCH_ROWS or size > BATCH):
            yield batch.slice(start, row - start)
            start, size = row, int(sizes[row]) if sizes is not None else 0
    yield batch.slice(start)


def write_dead(run: Run, table: str, key: int, rows: list[tuple[Any, ...]]) -> list[Part]:
    """Write the dead letters of a task; no letters, no file."""
    if not rows:
        return []
    arrays = [pa.array(list(c), f.type) for c, f in zip(zip(*rows, strict=True), DEAD, strict=True)]
    with Writer(run, table, f"part-{key:05d}.parquet", DEAD) as writer:
        writer.write(pa.record_batch(arrays, schema=DEAD))
    return [writer.part]
