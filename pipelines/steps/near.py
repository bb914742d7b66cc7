"""Near train: held-out documents that resemble a document of the train split.

A copy that is not near enough to be a duplicate can still give an answer away.  Documents that are
kept so far meet by bands of `ROWS` slots: with 28 of them two documents with Jaccard similarity 0.5
meet with probability 0.84, with 0.6 with 0.98 and with 0.7 with 0.9995.  Of each held-out document
the nearest train document is kept here; `decide` drops it from a similarity on.

Sources: A. Broder, "On the resemblance and containment of documents", 1997; P. Indyk and R.
Motwani, "Approximate nearest neighbors", 1998 (bands).
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import begins, within
from filters.buffers import table as bytes_of
from filters.clusters import agreements
from filters.lsh import similarity
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.runs import Run, latest
from pipelines.runs.folders import fingerprint
from pipelines.schema import NEAR, id_heads, mixed
from pipelines.steps import cap, meeting, split
from pipelines.steps.across import again
from pipelines.steps.dedup import clusters
from pipelines.steps.dedup.step import TRAVELS
from pipelines.steps.meeting import KEYS, ROW, U64, home

TABLE = "columns/documents/near"
VERSION = 1
ROWS = 4  # slots a band: their low bytes, 32 bits
TRAIN = 64  # train documents of a bucket that each held-out one is compared with, at most
PAIRS = 1 << 20  # compared at a time, about

ONE = np.uint64(1)


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The nearest train documents, by signatures, splits, and who is kept so far."""
    seen = run.marks(t for t in _reads(recipe) if t != "documents")
    seen += again.mark(run, recipe)
    return {TABLE: fingerprint(VERSION, recipe.publish.train, seen)}


def _reads(recipe: Recipe) -> dict[str, list[str]]:
    return {"documents": ["id"], table_of("minhash"): ["minhash"], **kept(recipe)}


def kept(recipe: Recipe) -> dict[str, list[str]]:
    """Tables and columns that say who is kept so far, and in which split."""
    reads = {**clusters.judges(recipe), split.TABLE: ["split"]}
    if recipe.cap is not None:
        reads[cap.TABLE] = ["over_cap"]
    return reads


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts, buckets, parts, buckets, parts."""
    slots = selected(recipe).measures["minhash"].columns.field("minhash").type.byte_width
    met, count = meeting.partitions(corpus.documents, slots // ROWS), corpus.parts
    return [count, met, count, met, count]


def band_keys(job: Job, key: int, _: Batches) -> Done:
    """The buckets of the documents of one part that are kept so far."""
    columns = latest.columns(job.run, key, _reads(job.recipe))
    return Done(out=_spread(columns, key, job.recipe.publish.train, job.plan.keys[0]))


def _spread(
    columns: pa.Table, key: int, trained: str, count: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    for start in range(0, columns.num_rows, meeting.ROWS):
        some = columns.slice(start, meeting.ROWS)
        mine = pc.and_(clusters.stays(some), pc.is_valid(some["minhash"]))
        rows = np.flatnonzero(mine.to_numpy())
        kept = some.take(pa.array(rows))
        held = pc.not_equal(kept["split"], trained).to_numpy()
        address = meeting.address_of(key, rows + start)
        buckets = _buckets(bytes_of(kept["minhash"].combine_chunks()), held)
        said = pa.table({"id": id_heads(kept["id"].combine_chunks()), "address": address})
        yield from meeting.spread(buckets, said, count)


def _buckets(signatures: NDArray[np.uint8], held: NDArray[np.bool_]) -> U64:
    """Bands as buckets, in pairs: one for train, and the next one for what is held out.

    Returns:
        shape (rows, bands).
    """
    bands = signatures.shape[1] // ROWS
    low = np.ascontiguousarray(signatures[:, : bands * ROWS]).view("<u4").astype(np.uint64)
    number = np.arange(bands, dtype=np.uint64) << np.uint64(32)
    return cast(U64, mixed(low | number) & ~ONE | held[:, None].astype(np.uint64))


def meet(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one partition that met across the splits, each to its part."""
    table = pa.Table.from_batches(batches)
    bucket, ids, address = (table[name].to_numpy() for name in KEYS.names)
    both = np.intersect1d(bucket[bucket & ONE == 1] ^ ONE, bucket[bucket & ONE == 0])
    mine = np.flatnonzero(np.isin(bucket & ~ONE, both))
    mine = mine[np.lexsort((address[mine], ids[mine], bucket[mine]))]
    beyond = (within(bucket[mine]) >= TRAIN) & (bucket[mine] & ONE == 0)
    done = Done(out=meeting.ask(key, table.take(pa.array(mine[~beyond]))))
    done.counts["beyond"] = int(beyond.sum())
    return done


def fetch(job: Job, key: int, batches: Batches) -> Done:
    """Signatures and ids of the rows of one part that were asked for."""
    reads = {table_of("minhash"): ["minhash"], "documents": ["id"]}
    known = latest.columns(job.run, key, reads)
    return Done(out=meeting.answer(pa.Table.from_batches(batches), known))


def compare(job: Job, key: int, batches: Batches) -> Done:
    """The nearest train document of each held-out row of one partition, to the row's part."""
    keys, known = meeting.met(batches)
    bucket, address = keys["bucket"].to_numpy(), keys["address"].to_numpy()
    place = np.searchsorted(known["address"].to_numpy(), address)
    order = np.lexsort((place, bucket))
    bucket, place = bucket[order], place[order]
    held = np.flatnonzero(bucket & ONE == 1)
    start = np.searchsorted(bucket, bucket[held] ^ ONE, "left")
    count = np.searchsorted(bucket, bucket[held] ^ ONE, "right") - start
    signatures = bytes_of(known["minhash"].combine_chunks())
    rank = np.argsort(pc.sort_indices(known["id"]).to_numpy())  # ties go by id
    row = near = agree = np.empty(0, np.int64)  # the nearest of each row so far
    for some in np.array_split(np.arange(len(held)), 1 + int(count.sum()) // PAIRS):
        pairs = np.repeat(some, count[some])
        one, other = place[held[pairs]], place[start[pairs] + within(pairs)]
        agree = np.append(agree, agreements(signatures, one, other))
        row, near = np.append(row, one), np.append(near, other)
        order = np.lexsort((rank[near], -agree, row))
        first = order[begins(row[order])]
        row, near, agree = row[first], near[first], agree[first]
    similar = similarity(agree, signatures.shape[1]).astype(np.float32)
    said = pa.table([pa.array(similar), known["id"].take(pa.array(near))], NEAR)
    return Done(out=home(known["address"].to_numpy()[row], said))


def answer(job: Job, key: int, batches: Batches) -> Done:
    """The nearest train document of each held-out document of one part, row for row."""
    order = [("row", "ascending"), ("near_train", "descending"), ("near_id", "ascending")]
    said = pa.Table.from_batches(batches, pa.schema([ROW, *NEAR])).sort_by(order)
    nearest = said.filter(pa.array(begins(said["row"].to_numpy())))
    return meeting.write(job, TABLE, key, nearest)


STEP = Step(
    "near",
    "held out near train",
    tables,
    (band_keys, meet, fetch, compare, answer),
    wanted=lambda recipe: recipe.checks_held_out,
    sizes=sizes,
    exchanges=TRAVELS,
    every=True,
)
