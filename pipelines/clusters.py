"""Clusters: confirmed pairs joined in one place, and who of each cluster stays.

Memory goes with the duplicated rows alone, about `NODE` bytes each; beyond `ROWS` of them the step
refuses to join and says what to set.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import table as bytes_of
from filters.clusters import agreements, forest, led
from filters.lsh import similarity
from pipelines import parts
from pipelines.errors import RunError
from pipelines.measures import selected
from pipelines.recipe import Dedup
from pipelines.schema import DUPLICATES
from pipelines.steps import Batches, Done, Job

TABLE = "columns/documents/duplicates"
ROWS = 50_000_000  # duplicated rows that one process joins, at most
NODE = 300  # bytes that each takes there
WIDTH = 32  # members of a cluster that are compared for its diameter, at most

Rows = NDArray[np.int64]
ANSWERS = pa.schema([("row", pa.int32()), *DUPLICATES])


def by_key(table: pa.Table, key: Rows) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of a table, each to its key."""
    order = np.argsort(key, kind="stable")
    start = 0
    ends = np.flatnonzero(np.append(np.diff(key[order]) != 0, len(key) > 0)) + 1
    for end in ends.tolist():
        rows = table.take(pa.array(order[start:end])).combine_chunks()
        for batch in rows.to_batches():
            yield int(key[order[start]]), batch
        start = end


def part_of(address: NDArray[np.uint64]) -> Rows:
    """The part that an address stands in."""
    return (address >> np.uint64(32)).astype(np.int64)


def row_of(address: NDArray[np.uint64]) -> Rows:
    """The row in it."""
    return (address & np.uint64(0xFFFFFFFF)).astype(np.int64)


def known_schema(job: Job) -> pa.Schema:
    """Of a row: signature, text hash, id, and the columns that decide who stays."""
    scan, dedup = selected(job.recipe), cast(Dedup, job.recipe.dedup)
    slots = scan.measures["minhash"].columns.field("minhash").type
    keep = [
        (f"keep_{i}", scan.schema([column]).field(0).type)
        for i, (column, _) in enumerate(dedup.order)
    ]
    return pa.schema([("signature", slots), ("text", pa.binary(16)), ("key", pa.string()), *keep])


def known(job: Job, part: int) -> pa.Table:
    """The same of every row of one part."""
    keep = [column for column, _ in cast(Dedup, job.recipe.dedup).order]
    homes = selected(job.recipe).homes(dict.fromkeys(["minhash", "text_hash", "id", *keep]))
    read = job.run.columns(part, homes)
    names = ["minhash", "text_hash", "id", *keep]
    return pa.table([read[name] for name in names], known_schema(job))


def paired(nodes: pa.Table, left: Rows, right: Rows) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Pairs, and once each the rows that they name, to the one place that joins them.

    Args:
        nodes: `address`, and what is known of each row.
        left: rows of `nodes`.
        right: the other rows of the pairs.
    """
    named = nodes.take(pa.array(np.unique(np.concatenate([left, right]))))
    named = named.append_column("other", pa.nulls(named.num_rows, pa.uint64()))
    address = nodes["address"].to_numpy()
    pairs = {"address": address[left], "other": address[right]}
    columns = [
        pa.array(pairs[f.name]) if f.name in pairs else pa.nulls(len(left), f.type)
        for f in named.schema
    ]
    for table in (named, pa.table(columns, named.schema)):
        for batch in table.combine_chunks().to_batches():
            yield 0, batch


def join(job: Job, key: int, batches: Batches) -> Done:
    """All pairs of the run: their clusters, and of each the row that is kept.

    Raises:
        RunError: if there are more duplicated rows than one process should join.
    """
    if not batches:
        return Done()
    table = pa.Table.from_batches(batches)
    nodes = table.filter(pc.is_valid(table["key"]))
    address, first = np.unique(nodes["address"].to_numpy(), return_index=True)
    if len(address) > ROWS:
        raise RunError(
            f"dedup: {len(address):,} rows resemble others; one process joins {ROWS:,} in "
            f"{ROWS * NODE / 1e9:.0f} GB: raise [dedup] threshold, or run the sources one by one"
        )
    nodes = nodes.take(pa.array(first))
    pairs = table.filter(pc.is_valid(table["other"]))
    left, right = (np.searchsorted(address, pairs[c].to_numpy()) for c in ("address", "other"))
    dedup = cast(Dedup, job.recipe.dedup)
    rank = _rank(nodes, dedup)
    if dedup.link == "leader":
        kept = led(rank, left, right)
    else:
        kept = _first(forest(len(address), left, right), rank)
    sizes = np.bincount(kept, minlength=len(kept))
    twins = sizes[kept] > 1
    answers = _answers(nodes, kept, sizes).filter(pa.array(twins))
    done = Done(out=by_key(answers, part_of(address[twins])))
    done.counts.update({"clusters": int((sizes > 1).sum()), "duplicates": int((sizes == 0).sum())})
    return done


def _rank(nodes: pa.Table, dedup: Dedup) -> Rows:
    """Place of each row in the order of the keep policy; no value comes last; ties by id."""
    keys = [(f"keep_{i}", order) for i, (_, order) in enumerate(dedup.order)]
    keys += [("key", "ascending"), ("address", "ascending")]
    rank = np.empty(nodes.num_rows, np.int64)
    order = pc.sort_indices(nodes, keys).to_numpy()
    rank[order.astype(np.int64)] = np.arange(len(rank))
    return rank


def _first(root: Rows, rank: Rows) -> Rows:
    """For each row the row of its component that comes first."""
    order = np.lexsort((rank, root))
    new = np.append(True, np.diff(root[order]) != 0)
    kept = np.empty(len(root), np.int64)
    kept[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return kept


def _answers(nodes: pa.Table, kept: Rows, sizes: Rows) -> pa.Table:
    """What is said of each row."""
    every = np.arange(len(kept))
    low = bytes_of(nodes["signature"].combine_chunks())
    similar = similarity(agreements(low, every, kept), low.shape[1])
    text, take = nodes["text"].combine_chunks(), pa.array(kept)
    columns = [
        pa.array(row_of(nodes["address"].to_numpy()).astype(np.int32)),
        pa.array(kept != every),
        nodes["key"].take(take),
        pa.array(sizes[kept]),
        pa.array(similar.astype(np.float32)),
        pc.equal(text, text.take(take)),
        pa.array(_diameters(low, kept)),
    ]
    return pa.table(columns, ANSWERS)


def _diameters(low: NDArray[np.uint8], kept: Rows) -> NDArray[np.float32]:
    """Of each row's cluster: 1 less the least similarity of any two of its first members."""
    order = np.argsort(kept, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(kept[order]) != 0))
    within = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    left: list[Rows] = []
    right: list[Rows] = []
    for step in range(1, WIDTH):  # each member with the one that stands so many places before it
        later = np.flatnonzero((within >= step) & (within < WIDTH))
        left.append(order[later])
        right.append(order[later - step])
    one, other = np.concatenate(left), np.concatenate(right)
    least = np.ones(len(kept))
    np.minimum.at(least, kept[one], similarity(agreements(low, one, other), low.shape[1]))
    return (1 - least[kept]).astype(np.float32)


def answer(job: Job, key: int, batches: Batches) -> Done:
    """The duplicates of one part, row for row."""
    rows = job.run.table("documents").parts[key].rows
    table = pa.Table.from_batches(batches, ANSWERS)
    place = np.full(rows, -1, np.int64)
    place[table["row"].to_numpy()] = np.arange(table.num_rows)
    take = pa.array(place, mask=place < 0)
    columns = pa.table([table[name].take(take) for name in DUPLICATES.names], DUPLICATES)
    return Done({TABLE: [parts.write_columns(job.run, TABLE, key, columns)]})
