"""Dedup: near-duplicates among the documents that passed the rules; one of each cluster is kept.

What is exchanged is narrow.  Band keys meet in buckets; rows that are alone there go no further.
For the others signatures are fetched, and each row is compared with the leaders of its bucket.
Confirmed pairs are joined into clusters in one place, which sees addresses alone; who of a cluster
stays is decided where its rows meet once more.  Equal texts share a bucket of their own, so they
are found whatever their length and however crowded their other buckets are.

Sources: A. Broder, "On the resemblance and containment of documents", 1997; P. Indyk and R.
Motwani, "Approximate nearest neighbors", 1998 (bands).
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.buffers import table as bytes_of
from filters.clusters import compact, forest, leaders
from filters.lsh import needed
from pipelines import against, clusters, meeting, rules
from pipelines.clusters import TABLE
from pipelines.folders import fingerprint
from pipelines.measures import selected, table_of
from pipelines.meeting import KEYS, U64, Rows, part_of
from pipelines.recipe import Dedup, Recipe
from pipelines.runs import Run
from pipelines.schema import id_bytes
from pipelines.steps import Batches, Done, Job, Plan, Step

VERSION = 2
LEADERS = 8  # of a bucket, that each of its rows is compared with


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The duplicates, by signatures, text hashes, who passed, and how pairs are confirmed."""
    dedup = recipe.dedup
    if dedup is None:
        return {}
    keep = selected(recipe).homes(dict.fromkeys(column for column, _ in dedup.order))
    reads = [table_of("minhash"), table_of("exact"), rules.TABLE, *keep]
    seen = [run.table(t).fingerprint for t in dict.fromkeys(reads)]
    how = [dedup.threshold, dedup.keep, dedup.link, [against.mark(r) for r in against.runs(recipe)]]
    return {TABLE: fingerprint("minhash", VERSION, how, seen)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """Parts (and those of earlier runs), buckets, parts, buckets; one place, parts, clusters."""
    earlier = against.runs(recipe)
    own = len(run.table("documents").parts)
    every = own + sum(against.count(r) for r in earlier)
    rows = run.table("documents").rows + sum(r.table("documents").rows for r in earlier)
    width = selected(recipe).measures["minhash"].columns.field("bands").type.byte_width
    met, apart = meeting.partitions(rows, width // 8 + 1), clusters.partitions(rows)
    facts = {"against": [[r.folder.path, against.mark(r)] for r in earlier]}
    return Plan(list(range(every)), [met, every, met, 1, every, apart, own], facts)


def band_keys(job: Job, key: int, _: Batches) -> Done:
    """The buckets of the rows of one part that have a say: one a band, one for the text."""
    run, part, earlier = against.place(job, key)
    reads = {
        table_of("minhash"): ["bands"],
        table_of("exact"): ["text_hash"],
        **({against.DECISIONS: ["kept"]} if earlier else {rules.TABLE: ["reason"]}),
        "documents": ["id"],
    }
    return Done(out=_spread(run.columns(part, reads), key, job.plan.keys[0]))


def _spread(columns: pa.Table, key: int, count: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    for start in range(0, columns.num_rows, meeting.ROWS):
        some = columns.slice(start, meeting.ROWS)
        mine = some["kept"] if "kept" in some.column_names else pc.is_null(some["reason"])
        whole = pc.and_(pc.is_valid(some["bands"]), pc.is_valid(some["text_hash"]))
        rows = np.flatnonzero(pc.and_(mine, whole).to_numpy())
        kept = some.take(pa.array(rows))
        ids = id_bytes(kept["id"].combine_chunks())[:, :8].copy().view(">u8").ravel()
        text = _numbers(kept["text_hash"])[:, :1]
        buckets = np.concatenate([_numbers(kept["bands"]), text], axis=1)
        address = (rows + start).astype(np.uint64) | np.uint64(key << 32)
        yield from meeting.spread(buckets, ids.astype(np.uint64), address, count)


def _numbers(column: pa.ChunkedArray) -> U64:
    """Fixed-size bytes as rows of 64-bit numbers."""
    return cast(U64, np.ascontiguousarray(bytes_of(column.combine_chunks())).view("<u8"))


def buckets(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one partition that are not alone in their bucket, each to its part."""
    if not batches:
        return Done()
    table = pa.Table.from_batches(batches)
    rows = meeting.shared(table["bucket"].to_numpy())
    return Done(out=meeting.ask(key, table.take(pa.array(rows))))


def fetch(job: Job, key: int, batches: Batches) -> Done:
    """The signatures of the rows of one part that were asked for."""
    if not batches:
        return Done()
    run, part, _ = against.place(job, key)
    signatures = run.columns(part, {table_of("minhash"): ["minhash"]})
    return Done(out=meeting.answer(pa.Table.from_batches(batches), signatures))


def confirm(job: Job, key: int, batches: Batches) -> Done:
    """The pairs of one partition whose signatures agree, no more than join their rows."""
    if not batches:
        return Done()
    dedup, own = cast(Dedup, job.recipe.dedup), against.count(job.run)
    keys, known = meeting.met(batches)
    nodes, signatures = known["address"].to_numpy(), bytes_of(known["minhash"].combine_chunks())
    bucket, ids, address = (keys[name].to_numpy() for name in KEYS.names)
    order = np.lexsort((address, ids, part_of(address) < own, bucket))  # earlier runs lead
    starts = np.flatnonzero(np.append(True, bucket[order][1:] != bucket[order][:-1]))
    place = np.searchsorted(nodes, address[order])
    least = needed(dedup.threshold, signatures.shape[1])
    links = leaders(np.append(starts, len(order)), place, signatures, least, LEADERS)
    new = part_of(nodes) < own
    mine = new[links.rows] | new[links.leaders]  # earlier runs keep what they kept
    left, right = links.rows[mine], links.leaders[mine]
    if dedup.link == "component":
        left, right = _spanning(left, right)
    pairs = pa.table({"address": nodes[left], "other": nodes[right]})
    done = Done(out=[(0, batch) for batch in pairs.to_batches()])
    done.counts.update({"pairs": len(left), "beyond the leaders": links.unled})
    return done


def _spanning(left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """As few pairs as join the same rows."""
    rows, index = compact(np.concatenate([left, right]).astype(np.uint64))
    root = forest(len(rows), index[: len(left)], index[len(left) :])
    inner = np.flatnonzero(root != np.arange(len(rows)))
    found = rows.astype(np.int64)
    return found[inner], found[root[inner]]


STAGES = (band_keys, buckets, fetch, confirm, *clusters.STAGES)
STEP = Step("dedup", tables, plan, STAGES)
