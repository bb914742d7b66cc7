"""Dedup: near-duplicates among the documents that passed the rules; one of each cluster is kept.

What is exchanged is narrow.  Band keys meet in buckets; rows that are alone there go no further.
For the others signatures are fetched, once a row and partition, and each row is compared with the
leaders of its bucket.  Confirmed pairs are joined into clusters in one place.  Equal texts share a
bucket of their own, so they are found whatever their length.

Sources: A. Broder, "On the resemblance and containment of documents", 1997; P. Indyk and R.
Motwani, "Approximate nearest neighbors", 1998 (bands).
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import table as bytes_of
from filters.clusters import compact, forest, leaders
from filters.lsh import needed
from pipelines import clusters, rules
from pipelines.clusters import TABLE, Rows, by_key, part_of, row_of
from pipelines.folders import fingerprint
from pipelines.measures import selected, table_of
from pipelines.recipe import Dedup, Recipe
from pipelines.runs import Run
from pipelines.schema import id_bytes
from pipelines.steps import Batches, Done, Job, Plan, Step

VERSION = 1
PARTITION = 16_000_000  # band keys that meet in one partition, about: 24 bytes each
LEADERS = 8  # of a bucket, that each of its rows is compared with

U64 = NDArray[np.uint64]
KEYS = pa.schema([("bucket", pa.uint64()), ("id", pa.uint64()), ("address", pa.uint64())])
"""A row in a bucket: the first 8 bytes of its id break ties; address = part << 32 | row."""


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The duplicates, by signatures, text hashes, who passed, and how pairs are confirmed."""
    dedup = recipe.dedup
    if dedup is None:
        return {}
    keep = selected(recipe).homes(dict.fromkeys(column for column, _ in dedup.order))
    reads = [table_of("minhash"), table_of("exact"), rules.TABLE, *keep]
    seen = [run.table(t).fingerprint for t in dict.fromkeys(reads)]
    return {TABLE: fingerprint("minhash", VERSION, dedup.threshold, dedup.keep, dedup.link, seen)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """Parts, bucket partitions, parts, bucket partitions, one place, parts."""
    documents = run.table("documents")
    count = len(documents.parts)
    width = selected(recipe).measures["minhash"].columns.field("bands").type.byte_width
    partitions = 1 + documents.rows * (width // 8 + 1) // PARTITION
    return Plan(list(range(count)), [partitions, count, partitions, 1, count])


def band_keys(job: Job, key: int, _: Batches) -> Done:
    """The buckets of the rows of one part that passed the rules: one a band, one for the text."""
    reads = {
        table_of("minhash"): ["bands"],
        table_of("exact"): ["text_hash"],
        rules.TABLE: ["reason"],
        "documents": ["id"],
    }
    columns = job.run.columns(key, reads)
    some = pc.and_(pc.is_valid(columns["bands"]), pc.is_valid(columns["text_hash"]))
    mine = np.flatnonzero(pc.and_(pc.is_null(columns["reason"]), some).to_numpy())
    kept = columns.take(pa.array(mine))
    ids = id_bytes(kept["id"].combine_chunks())[:, :8].copy().view(">u8").ravel()
    buckets = np.concatenate([_numbers(kept["bands"]), _numbers(kept["text_hash"])[:, :1]], axis=1)
    address = mine.astype(np.uint64) | np.uint64(key << 32)
    return Done(out=_spread(buckets, ids.astype(np.uint64), address, job.plan.keys[0]))


def _numbers(column: pa.ChunkedArray) -> U64:
    """Fixed-size bytes as rows of 64-bit numbers."""
    return cast(U64, np.ascontiguousarray(bytes_of(column.combine_chunks())).view("<u8"))


def _spread(
    buckets: U64, ids: U64, address: U64, partitions: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    flat, each = buckets.ravel(), buckets.shape[1]
    to = (flat % np.uint64(partitions)).astype(np.int64)
    order = np.argsort(to, kind="stable")
    ends = np.cumsum(np.bincount(to, minlength=partitions))
    for partition, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        mine = order[start:end]
        if len(mine):
            columns = (flat[mine], ids[mine // each], address[mine // each])
            yield partition, pa.record_batch([*map(pa.array, columns)], schema=KEYS)


def buckets(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one partition that are not alone in their bucket, each to its part."""
    if not batches:
        return Done()
    table = pa.Table.from_batches(batches)
    bucket, ids, address = (table[name].to_numpy() for name in KEYS.names)
    order = np.lexsort((address, ids, bucket))
    same = bucket[order[1:]] == bucket[order[:-1]]
    shared = order[np.append(same, False) | np.append(False, same)]
    asked = table.take(pa.array(shared))
    asked = asked.append_column("to", pa.repeat(pa.scalar(key, pa.int32()), len(shared)))
    return Done(out=by_key(asked, part_of(address[shared])))


def fetch(job: Job, key: int, batches: Batches) -> Done:
    """What is known of the rows of one part that were asked for.

    It goes with the first of a row's buckets in each partition; the others name the row alone.
    """
    if not batches:
        return Done()
    asked = pa.Table.from_batches(batches)
    to, row = asked["to"].to_numpy().astype(np.int64), row_of(asked["address"].to_numpy())
    _, first = np.unique(np.stack([to, row]), axis=1, return_index=True)
    place = np.full(len(row), -1, np.int64)
    place[first] = row[first]
    columns = clusters.known(job, key).take(pa.array(place, mask=place < 0))
    for name in reversed(KEYS.names):
        columns = columns.add_column(0, name, asked[name])
    return Done(out=by_key(columns, to))


def confirm(job: Job, key: int, batches: Batches) -> Done:
    """The pairs of one partition whose signatures agree, no more than join their rows."""
    if not batches:
        return Done()
    dedup = cast(Dedup, job.recipe.dedup)
    table = pa.Table.from_batches(batches)
    nodes = table.filter(pc.is_valid(table["signature"])).sort_by("address")
    signatures = bytes_of(nodes["signature"].combine_chunks())
    bucket, ids, address = (table[name].to_numpy() for name in KEYS.names)
    order = np.lexsort((address, ids, bucket))
    starts = np.flatnonzero(np.append(True, bucket[order][1:] != bucket[order][:-1]))
    place = np.searchsorted(nodes["address"].to_numpy(), address[order])
    least = needed(dedup.threshold, signatures.shape[1])
    links = leaders(np.append(starts, len(order)), place, signatures, least, LEADERS)
    left, right = links.rows, links.leaders
    if dedup.link == "component":
        left, right = _spanning(left, right)
    done = Done(out=clusters.paired(nodes.drop_columns(["bucket", "id"]), left, right))
    done.counts.update({"pairs": len(left), "beyond the leaders": links.unled})
    return done


def _spanning(left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """As few pairs as join the same rows."""
    rows, index = compact(np.concatenate([left, right]).astype(np.uint64))
    root = forest(len(rows), index[: len(left)], index[len(left) :])
    inner = np.flatnonzero(root != np.arange(len(rows)))
    found = rows.astype(np.int64)
    return found[inner], found[root[inner]]


STEP = Step(
    "dedup", tables, plan, (band_keys, buckets, fetch, confirm, clusters.join, clusters.answer)
)
