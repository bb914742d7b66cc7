"""Decide: all reasons folded into one decision a document."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import table_of
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import DECISIONS_TABLE
from pipelines.schema import DECISIONS, drawn
from pipelines.steps import cap, consent, languages, near, rules, split
from pipelines.steps.across import again
from pipelines.steps.dedup import clusters
from pipelines.steps.select import curriculum, rank

OVER = "over the cap"
LEFT = "not selected"
COUNTED = ["split", "language", "bytes", "tokens", *consent.COLUMNS]


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The decisions, by everything that has a say."""
    seen = run.marks(t for t in _reads(recipe) if t != "documents")
    seen += again.mark(run, recipe)
    return {DECISIONS_TABLE: fingerprint(seen, recipe.seed, recipe.publish.near_train)}


def fold(job: Job, key: int, _: Batches) -> Done:
    """The decisions on one part: the first reason in the order of the steps stands."""
    columns = latest.columns(job.run, key, _reads(job.recipe))
    ids, reason = columns["id"], columns["reason"]
    cluster = pa.nulls(len(ids), pa.string())
    if job.recipe.dedup is not None:
        twin = pc.fill_null(columns["duplicate"], False)
        cluster = pc.if_else(twin, columns["cluster"], pa.scalar(None, pa.string()))
        said = pc.if_else(pc.fill_null(columns["equal"], False), "duplicate", "near duplicate")
        reason = pc.if_else(twin, said, reason)
    if job.recipe.cap is not None:
        over = pc.and_(columns["over_cap"], pc.is_null(reason))
        reason = pc.if_else(over, OVER, reason)
    if job.recipe.checks_held_out:
        least = pa.scalar(job.recipe.publish.near_train, pa.float32())
        close = pc.fill_null(pc.greater_equal(columns["near_train"], least), False)
        reason = pc.if_else(pc.and_(close, pc.is_null(reason)), "near train", reason)
    if job.recipe.select:
        trains = pc.equal(columns["split"], job.recipe.publish.train)
        left = pc.and_not(trains, pc.fill_null(columns["selected"], False))
        reason = pc.if_else(pc.and_(left, pc.is_null(reason)), LEFT, reason)
    kept = pc.is_null(reason)
    order = pa.array(drawn(ids.combine_chunks(), job.recipe.seed))
    if job.recipe.curriculum is not None:
        order = pc.coalesce(columns["place"], order)
    table = pa.table(
        [
            ids,
            kept,
            reason,
            cluster,
            pc.if_else(kept, columns["split"], pa.scalar(None, pa.string())),
            pc.if_else(kept, order, pa.scalar(None, pa.uint64())),
        ],
        DECISIONS,
    )
    done = Done({DECISIONS_TABLE: [parts.write_columns(job.run, DECISIONS_TABLE, key, table)]})
    done.counts = counted(reason.combine_chunks(), columns.select(COUNTED), job.recipe)
    return done


def counted(reasons: pa.Array, columns: pa.Table, recipe: Recipe) -> Counter[str]:
    """What the decisions on some rows come to, as this step counts.

    Args:
        reasons: null: kept.
        columns: `COUNTED`, of these rows.
        recipe: that decided.
    """
    counts = consent.counted(reasons, columns, recipe)
    counts += languages.counted(reasons, columns["language"].combine_chunks())
    for count in pc.value_counts(reasons).to_pylist():
        counts[f"dropped: {count['values']}" if count["values"] else "kept"] += count["counts"]
    kept = columns.filter(pc.is_null(reasons))
    counts["tokens"] += pc.sum(kept["tokens"]).as_py() or 0
    for row in kept.group_by("split").aggregate([("bytes", "sum")]).to_pylist():
        counts[f"bytes: {row['split']}"] += row["bytes_sum"]
    return counts


def _reads(recipe: Recipe) -> dict[str, list[str]]:
    reads = {
        "documents": ["id", *consent.COLUMNS],
        rules.TABLE: ["reason"],
        split.TABLE: ["split"],
        table_of("language"): ["language"],
        table_of("tokens"): ["bytes", "tokens"],
    }
    if recipe.dedup is not None:
        reads[clusters.TABLE] = ["duplicate", "cluster", "equal"]
    if recipe.cap is not None:
        reads[cap.TABLE] = ["over_cap"]
    if recipe.checks_held_out:
        reads[near.TABLE] = ["near_train"]
    if recipe.select:
        reads[rank.taken(len(recipe.select) - 1)] = ["selected"]
    if recipe.curriculum is not None:
        reads[curriculum.TABLE] = ["place"]
    return reads


STEP = Step("decide", "one decision each", tables, (fold,), every=True)
