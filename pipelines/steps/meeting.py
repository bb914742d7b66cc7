"""How rows meet: each goes to its key, and what is said of it comes home to its part.

Those of dedup and of the check of held-out documents meet in buckets, in three stages.  A row goes
to the partition of each of its buckets; of those that are not alone there, the partition asks each
row's part for its signature; the part answers, once a row and partition.  Keys are narrow, 24 bytes
each, and a partition holds about `PARTITION` of them, so memory goes neither with the rows nor with
the length of their texts.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import begins
from pipelines.engine.step import Batches, Done, Job
from pipelines.runs import parts
from pipelines.schema import hashed

PARTITION = 2_000_000  # keys that meet in one partition, about
ROWS = 65_536  # whose keys should be spread at a time

U64 = NDArray[np.uint64]
Rows = NDArray[np.int64]

KEYS = pa.schema([("bucket", pa.uint64()), ("id", pa.uint64()), ("address", pa.uint64())])
"""A row in a bucket: the first 8 bytes of its id break ties; address = part << 32 | row."""

ROW = pa.field("row", pa.int32())
"""The number of a row in its part, where something is said of it."""


def partitions(rows: int, each: int) -> int:
    """How many partitions there are for so many rows with so many buckets each."""
    return 1 + rows * each // PARTITION


def part_of(address: U64) -> Rows:
    """The part that an address stands in."""
    return (address >> np.uint64(32)).astype(np.int64)


def row_of(address: U64) -> Rows:
    """The row in it."""
    return (address & np.uint64(0xFFFFFFFF)).astype(np.int64)


def address_of(part: int, rows: Rows) -> U64:
    """The addresses of rows of a part: the inverse of `part_of` and `row_of`."""
    return rows.astype(np.uint64) | np.uint64(part << 32)


def by_key(table: pa.Table, key: Rows) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of a table, each to its key, in their order."""
    if (key[1:] < key[:-1]).any():  # else nothing is copied
        order = np.argsort(key, kind="stable")
        table, key = table.take(pa.array(order)), key[order]
    starts = np.flatnonzero(begins(key))
    for start, end in pairwise([*starts.tolist(), len(key)]):
        for batch in table.slice(start, end - start).combine_chunks().to_batches():
            yield int(key[start]), batch


def by_name(names: pa.ChunkedArray, count: int) -> Rows:
    """The partition of each name, by a hash; equal ones meet in one of so many."""
    codes = names.combine_chunks().dictionary_encode()
    partition = (hashed(codes.dictionary) % np.uint64(count)).astype(np.int64)
    return partition[codes.indices.to_numpy()]


def home(address: U64, said: pa.Table) -> Iterator[tuple[int, pa.RecordBatch]]:
    """What is said of rows, each to its part, behind its `ROW`."""
    row = pa.array(row_of(address).astype(np.int32))
    return by_key(said.add_column(0, ROW, row), part_of(address))


def write(job: Job, table: str, key: int, said: pa.Table) -> Done:
    """Write what is said of some rows of one part as columns of all of them; else null.

    Args:
        job: whose documents they are.
        table: to write.
        key: of the part.
        said: `ROW`, each once, and the columns.
    """
    place = np.full(job.run.table("documents").parts[key].rows, -1, np.int64)
    place[said["row"].to_numpy()] = np.arange(said.num_rows)
    columns = said.drop_columns("row").take(pa.array(place, mask=place < 0))
    return Done({table: [parts.write_columns(job.run, table, key, columns)]})


def to_all(table: pa.Table, count: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The same rows to each of so many keys."""
    batches = table.combine_chunks().to_batches()
    return ((key, batch) for key in range(count) for batch in batches)


def spread(buckets: U64, rows: pa.Table, count: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each row to the partitions of its buckets.

    Args:
        buckets: shape (rows, each).
        rows: what is said of each row: id, address and more.
        count: partitions.
    """
    each, flat = buckets.shape[1], buckets.ravel()
    to = (flat % np.uint64(count)).astype(np.uint16 if count <= 1 << 16 else np.int64)
    order = np.argsort(to, kind="stable")  # in linear time for 16 bits
    ends = np.cumsum(np.bincount(to, minlength=count))
    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    for partition, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        mine = order[start:end]
        if len(mine):
            said = {name: values[mine // each] for name, values in columns.items()}
            yield partition, pa.record_batch({"bucket": flat[mine], **said})


def shared(buckets: U64) -> Rows:
    """The places of buckets that stand there more than once, in the order of the buckets."""
    order = np.argsort(buckets)
    first = begins(buckets[order])
    last = np.append(first[1:], True)[: len(order)]
    return order[~(first & last)]


def ask(key: int, met: pa.Table) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows that met in partition `key`, each to its part."""
    asked = met.append_column("to", pa.repeat(pa.scalar(key, pa.int32()), met.num_rows))
    return by_key(asked, part_of(asked["address"].to_numpy()))


def answer(asked: pa.Table, known: pa.Table) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows that were asked for, back to their partitions, and beside them what is known of each.

    Args:
        asked: `KEYS`, and the partition to answer `to`.
        known: of every row of the part; goes once a row and partition.
    """
    to = asked["to"].to_numpy().astype(np.int64)
    row = row_of(asked["address"].to_numpy())
    order = np.argsort(to << 32 | row, kind="stable")
    first = order[begins((to << 32 | row)[order])]
    yield from by_key(asked.select(KEYS.names), to)
    said = known.take(pa.array(row[first]))
    said = said.add_column(0, "address", asked["address"].take(pa.array(first)))
    yield from by_key(said, to[first])


def those(batches: Batches, schema: pa.Schema) -> pa.Table:
    """The batches with the columns of this schema."""
    return pa.Table.from_batches([b for b in batches if b.schema.names == schema.names], schema)


def met(batches: Batches) -> tuple[pa.Table, pa.Table]:
    """What came back to one partition: the rows in their buckets, and what is known of each.

    Returns:
        `KEYS`; and `address` with what is known, in the order of the addresses, each once.
    """
    known = pa.Table.from_batches([b for b in batches if "minhash" in b.schema.names])
    order = pc.sort_indices(known["address"])
    return those(batches, KEYS), known.take(order).combine_chunks()
