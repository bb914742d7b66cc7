"""Check: what dedup missed, measured on a few documents by brute force.

Probes are drawn by id among the documents that passed the rules.  The signature of each is compared
with that of every other such document; of those that may resemble it the texts are read, and the
Jaccard similarity is computed from the shingles themselves.  So recall and precision are measured
against the truth, not against the estimate that dedup itself goes by.

A pair of similarity 0.5 escapes the comparison of signatures once in 47 times, one of 0.55 once in
1,000, one of 0.6 once in 60,000 (112 slots; the tails of a binomial distribution).
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.buffers import begins, within
from filters.buffers import table as bytes_of
from filters.lsh import needed
from filters.probes import near
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Dedup, Recipe
from pipelines.recipe.measures import table_of
from pipelines.runs import Run
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import DECISIONS_TABLE, EDITS_TABLE
from pipelines.schema import drawn
from pipelines.steps import rules
from pipelines.steps.dedup import against, clusters, truth
from pipelines.steps.meeting import Rows, address_of, by_key, part_of, to_all

VERSION = 1
LEAST = 0.5  # similarity from which on pairs are looked for, or the recipe's threshold if lower
FOLD = 100_000  # rows that come into one place and are held there, about
MANY = 64  # others a probe that are compared in truth, drawn among those that resemble it

ROW = pa.schema([("address", pa.uint64()), ("draw", pa.uint64()), ("removed", pa.bool_())])
FIRST = [(name, "ascending") for name in ("draw", "removed", "address")]


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The pairs, by the duplicates, the texts and who is drawn."""
    dedup = cast(Dedup, recipe.dedup)
    reads = (clusters.TABLE, EDITS_TABLE, "documents")
    seen = run.marks(reads)
    return {truth.TABLE: fingerprint("check", VERSION, dedup.probes, recipe.seed, seen)}


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts, one place, parts (and those of earlier runs), one place, the same parts, one place."""
    return [corpus.parts, 1, corpus.every_part, 1, corpus.every_part, 1]


def candidates(job: Job, key: int, _: Batches) -> Done:
    """The rows of one part that are drawn first."""
    first = _drawn_first(_passed(job, key), _dedup(job).probes)
    return Done(out=to_all(first, 1))


def choose(job: Job, key: int, batches: Batches) -> Done:
    """The probes, to every part."""
    count = _dedup(job).probes
    probes = _folded(batches, lambda rows: _drawn_first(rows.sort_by(FIRST), count))
    done = Done(out=to_all(probes, job.plan.keys[1]))
    removed = pc.sum(probes["removed"]).as_py() or 0
    done.counts.update({"probes": probes.num_rows, "probes removed": removed})
    return done


def compare(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one part that resemble the probes, and the probes that stand in it."""
    probes = pa.Table.from_batches(batches)
    rows = _passed(job, key)
    low = [bytes_of(t["signature"].combine_chunks()) for t in (probes, rows)]
    at = probes["address"].to_numpy()
    index = pc.index_in(probes["address"], rows["address"].combine_chunks())
    own = pc.fill_null(index, -1).to_numpy().astype(np.int64)
    least = needed(min(LEAST, _dedup(job).threshold), low[0].shape[1])
    found = near(low[0], low[1], own, least, MANY)
    here = np.flatnonzero(part_of(at) == key)
    pairs = rows.drop_columns("signature").take(pa.array(found.rows))
    pairs = pairs.append_column("agreements", pa.array(found.agreements.astype(np.int32)))
    selves = probes.drop_columns("signature").take(pa.array(here))
    selves = selves.append_column("agreements", pa.nulls(len(here), pa.int32()))
    both = pa.concat_tables([pairs, selves])
    which = pa.array(np.concatenate([found.probes, here]).astype(np.int32))
    done = Done(out=to_all(both.add_column(0, "probe", which), 1))
    done.counts["resembling"] = int(found.found.sum())
    return done


def narrow(job: Job, key: int, batches: Batches) -> Done:
    """Of each probe the others that are drawn first, and the nearest; each to its part."""
    table = _folded(batches, _narrowed)
    selves = table.filter(pc.is_null(table["agreements"])).sort_by("probe")
    pairs = table.filter(pc.is_valid(table["agreements"]))
    selves = selves.filter(pc.is_in(selves["probe"], pairs["probe"].combine_chunks()))
    both = pa.concat_tables([selves, pairs])
    done = Done(out=by_key(both, part_of(both["address"].to_numpy())))
    done.counts["compared"] = pairs.num_rows
    return done


def _narrowed(table: pa.Table) -> pa.Table:
    """The probes, and of the pairs of each those that are drawn first and the nearest."""
    selves = table.filter(pc.is_null(table["agreements"]))
    pairs = table.filter(pc.is_valid(table["agreements"]))
    nearest = _ranked(pairs, [("agreements", "descending"), *FIRST]) == 0
    pairs = pairs.filter(pa.array((_ranked(pairs, FIRST) < MANY) | nearest))
    return pa.concat_tables([selves, pairs])


def _folded(batches: Batches, keep: Callable[[pa.Table], pa.Table]) -> pa.Table:
    """What `keep` leaves of all rows, for which it is asked again and again: few are held.

    Args:
        batches: one or more.
        keep: leaves the same of what it left of some rows, and others, as of both.
    """
    held: list[pa.RecordBatch] = []
    new = 0
    for batch in batches:
        held.append(batch)
        new += batch.num_rows
        if new > FOLD:
            held, new = keep(pa.Table.from_batches(held)).to_batches(), 0
    return keep(pa.Table.from_batches(held)).combine_chunks()


def _ranked(pairs: pa.Table, order: list[tuple[str, str]]) -> Rows:
    """Place of each pair among those of its probe."""
    by = pc.sort_indices(pairs, [("probe", "ascending"), *order]).to_numpy().astype(np.int64)
    rank = np.empty(len(by), np.int64)
    rank[by] = within(pairs["probe"].to_numpy()[by])
    return rank


def _dedup(job: Job) -> Dedup:
    return cast(Dedup, job.recipe.dedup)


def _passed(job: Job, part: int) -> pa.Table:
    """The rows of one part that dedup looked at: `ROW` and signature, the first drawn first."""
    run, at, earlier = against.place(job, part)
    own = {rules.TABLE: ["reason"], clusters.TABLE: ["duplicate"]}
    says = {DECISIONS_TABLE: ["kept"]} if earlier else own
    reads = {"documents": ["id"], table_of("minhash"): ["minhash"], **says}
    columns = run.columns(at, reads).combine_chunks()
    some = columns["kept"] if earlier else pc.is_null(columns["reason"])
    mine = np.flatnonzero(pc.and_(some, pc.is_valid(columns["minhash"])).to_numpy())
    draw = drawn(columns["id"].combine_chunks().take(pa.array(mine)), job.recipe.seed)
    removed = np.zeros(len(mine), np.bool_)
    if not earlier:
        removed = pc.fill_null(columns["duplicate"], False).to_numpy()[mine]
    order = np.lexsort((removed, draw))  # then by address, as they stand
    rows = mine[order]
    address = address_of(part, rows)
    told = pa.table([pa.array(each) for each in (address, draw[order], removed[order])], ROW)
    return told.append_column("signature", columns["minhash"].take(pa.array(rows)))


def _drawn_first(rows: pa.Table, count: int) -> pa.Table:
    """Of rows in order so many, one an id: the one that is kept, if one is."""
    fresh = np.flatnonzero(begins(rows["draw"].to_numpy()))
    return rows.take(pa.array(fresh[:count])).combine_chunks()


STEP = Step(
    "check",
    "what dedup missed",
    tables,
    (candidates, choose, compare, narrow, truth.fetch, truth.measure),
    wanted=lambda recipe: recipe.dedup is not None and recipe.dedup.probes > 0,
    sizes=sizes,
    plan=against.planned(sizes),
    held=((choose, 0), (narrow, 0), (truth.measure, 1.5)),
    helps="raise it, or lower [dedup] probes",
    files=lambda recipe: 0,
    every=True,
)
