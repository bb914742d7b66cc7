"""Dedup: documents of equal text among those that passed the rules; one of each is kept.

Text hashes are exchanged, narrow: hash, id, address.  Within a partition equal hashes meet; the
document with the least id is kept, ties by address.  The answer goes back to the parts.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines import parts, rules
from pipelines.measures import table_of
from pipelines.recipe import Recipe
from pipelines.runs import Run, fingerprint
from pipelines.schema import DUPLICATES
from pipelines.steps import Batches, Done, Job, Plan, Step

TABLE = "columns/documents/duplicates"
PARTITION = 4_000_000  # documents that meet in one partition, about

HASHES = pa.schema(
    [("hash", pa.binary(16)), ("id", pa.string()), ("part", pa.int32()), ("row", pa.int32())]
)
ANSWERS = pa.schema([("row", pa.int32()), *DUPLICATES])


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The duplicates, by the text hashes and who passed the rules."""
    if recipe.dedup is None:
        return {}
    seen = [run.table(t).fingerprint for t in (table_of("exact"), rules.TABLE)]
    return {TABLE: fingerprint("exact", seen)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a part, and as many partitions as the documents ask for."""
    documents = run.table("documents")
    partitions = 1 + documents.rows // PARTITION
    return Plan(list(range(len(documents.parts))), [partitions, len(documents.parts)])


def hashes(job: Job, key: int, _: Batches) -> Done:
    """The text hashes of one part, by partition."""
    reads = {table_of("exact"): ["text_hash"], rules.TABLE: ["reason"], "documents": ["id"]}
    columns = job.run.columns(key, reads)
    row = pa.array(np.arange(columns.num_rows, dtype=np.int32))
    table = pa.table(
        [columns["text_hash"], columns["id"], pa.nulls(len(row), pa.int32()), row], HASHES
    )
    table = table.set_column(2, "part", pa.repeat(pa.scalar(key, pa.int32()), len(row)))
    passed = pc.and_(pc.is_null(columns["reason"]), pc.is_valid(columns["text_hash"]))
    return Done(out=partitioned(table.filter(passed), job.plan.keys[0]))


def partitioned(table: pa.Table, partitions: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows by the first eight bytes of their hash."""
    flat = table.combine_chunks()
    if not flat.num_rows:
        return
    body = np.frombuffer(flat["hash"].chunk(0).buffers()[1], np.uint8)
    first = body[flat["hash"].chunk(0).offset * 16 :].reshape(-1, 16)[: flat.num_rows, :8]
    key = first.copy().view(">u8").ravel() % np.uint64(partitions)
    for k in np.unique(key):
        for batch in flat.filter(pa.array(key == k)).to_batches():
            yield int(k), batch


def meet(job: Job, key: int, batches: Batches) -> Done:
    """Equal hashes of one partition; who is not alone hears of it."""
    if not batches:
        return Done()
    table = pa.Table.from_batches(batches).sort_by(
        [("hash", "ascending"), ("id", "ascending"), ("part", "ascending"), ("row", "ascending")]
    )
    hashes = table["hash"].combine_chunks()
    new = np.ones(len(hashes), bool)
    new[1:] = pc.not_equal(hashes[1:], hashes[:-1]).to_numpy(zero_copy_only=False)
    group = np.cumsum(new) - 1
    sizes = np.bincount(group)[group]
    kept = table["id"].take(pa.array(np.flatnonzero(new)[group]))
    columns = [table["row"], pa.array(~new), kept, pa.array(sizes, pa.int64())]
    answers = pa.table(columns, ANSWERS)
    part, twin = table["part"].to_numpy(), sizes > 1
    done = Done(out=_by_part(answers.filter(pa.array(twin)), part[twin]))
    done.counts.update(
        {"clusters": int((new & twin).sum()), "duplicates": int((twin & ~new).sum())}
    )
    return done


def _by_part(answers: pa.Table, part: NDArray[np.int32]) -> Iterator[tuple[int, pa.RecordBatch]]:
    for p in np.unique(part):
        for batch in answers.filter(pa.array(part == p)).combine_chunks().to_batches():
            yield int(p), batch


def answer(job: Job, key: int, batches: Batches) -> Done:
    """The duplicates of one part, row for row."""
    rows = job.run.table("documents").parts[key].rows
    table = pa.Table.from_batches(batches, ANSWERS)
    place = np.full(rows, -1, np.int64)
    place[table["row"].to_numpy()] = np.arange(table.num_rows)
    take = pa.array(place, mask=place < 0)
    columns = pa.table([table[name].take(take) for name in DUPLICATES.names], DUPLICATES)
    return Done({TABLE: [parts.write_columns(job.run, TABLE, key, columns)]})


STEP = Step("dedup", tables, plan, (hashes, meet, answer))
