"""The truth about pairs of documents: their texts, their shingles, their Jaccard similarity."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from filters.lsh import similarity
from filters.probes import jaccard, shingle_sets
from filters.shingles import Hashes
from filters.words import words
from pipelines.engine.step import Batches, Done, Job
from pipelines.recipe.measures import selected, table_of
from pipelines.runs import parts
from pipelines.schema import CHECK
from pipelines.steps import scan
from pipelines.steps.dedup import against, clusters
from pipelines.steps.meeting import Rows, row_of, to_all

TABLE = "check/pairs"
PAIRS = pa.schema(
    [
        ("probe", pa.int32()),  # which
        ("address", pa.uint64()),  # of a row that resembles it
        ("draw", pa.uint64()),
        ("removed", pa.bool_()),
        ("agreements", pa.int32()),  # slots; null: the row is the probe itself
    ]
)

Row = dict[str, Any]


def fetch(job: Job, key: int, batches: Batches) -> Done:
    """What dedup said of the named rows of one part, and the shingles of each, once."""
    asked = pa.Table.from_batches(batches, PAIRS)
    row = row_of(asked["address"].to_numpy())
    unique, first = np.unique(row, return_index=True)
    sets = dict(zip(first.tolist(), _sets(job, key, unique), strict=True))
    lists = [sets.get(at) for at in range(len(row))]
    said = _said(job, key).take(pa.array(row))
    for name in said.column_names:
        asked = asked.append_column(name, said[name])
    told = asked.append_column("shingles", pa.array(lists, pa.large_list(pa.uint64())))
    return Done(out=to_all(told, 1))


def _said(job: Job, key: int) -> pa.Table:
    """Of every row of one part: id, text hash, and the cluster that it was found to be in."""
    run, at, earlier = against.place(job, key)
    reads = {"documents": ["id"], table_of("exact"): ["text_hash"]}
    if not earlier:
        return run.columns(at, {**reads, clusters.TABLE: ["cluster"]})
    columns = run.columns(at, reads)
    return columns.append_column("cluster", columns["id"])  # what is said of its new copies


def _sets(job: Job, key: int, rows: Rows) -> Iterator[Hashes]:
    """The shingles of some rows of one part, as dedup saw their texts; rows rise."""
    run, at, _ = against.place(job, key)
    size = selected(job.recipe).measures["minhash"].shingle  # type: ignore[attr-defined]
    for _, text in scan.texts(run, at, rows):
        yield from shingle_sets(text.append_column("words", words(text["text"])), size)


def measure(job: Job, key: int, batches: Batches) -> Done:
    """The true similarity of every pair, and what dedup made of it."""
    sets: dict[int, Hashes] = {}
    rows: list[Row] = []
    for batch in batches:
        rows += batch.drop_columns(["shingles"]).to_pylist()
        lists, address = batch["shingles"], batch["address"].to_numpy()
        for at in np.flatnonzero(lists.is_valid().to_numpy(zero_copy_only=False)).tolist():
            sets[int(address[at])] = lists[at].values.to_numpy()
    slots = selected(job.recipe).measures["minhash"].columns.field("minhash").type.byte_width
    table = pa.Table.from_pylist(list(_pairs(rows, sets, slots)), CHECK)
    table = table.sort_by([(name, "ascending") for name in CHECK.names])
    with parts.Writer(job.run, TABLE, "part-00000.parquet", CHECK) as writer:
        writer.write(table)
    return Done({TABLE: [writer.part]})


def _pairs(rows: list[Row], sets: dict[int, Hashes], slots: int) -> Iterator[Row]:
    """What there is to say of each pair; of two that are the same one, the later is marked."""
    selves = {row["probe"]: row for row in rows if row["agreements"] is None}
    pairs = [row for row in rows if row["agreements"] is not None]
    numbers = {row["address"]: number for number, row in selves.items()}
    there = {(row["probe"], row["address"]) for row in pairs}
    for other in pairs:
        probe = selves[other["probe"]]
        twin = numbers.get(other["address"], other["probe"])
        yield {
            "probe": probe["id"],
            "other": other["id"],
            "jaccard": jaccard(sets[probe["address"]], sets[other["address"]]),
            "estimate": float(similarity(np.array(other["agreements"]), slots)),
            "equal": probe["text_hash"] == other["text_hash"],
            "together": probe["cluster"] is not None and probe["cluster"] == other["cluster"],
            "probe_removed": probe["removed"],
            "other_removed": other["removed"],
            "again": twin < other["probe"] and (twin, probe["address"]) in there,
        }
