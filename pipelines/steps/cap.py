"""Cap: of one host, or of what else a column tells apart, no more than some documents stay.

Documents that are kept so far are counted, after duplicates are gone and what edits across
documents changed was judged again.  Each part puts out its best of each group, which meet in a
partition by a hash of the group's name; it answers who of them stays.  A document without a name
of its group is not counted.
"""

from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.buffers import within
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Cap, Recipe
from pipelines.recipe.measures import selected
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import CAPPED
from pipelines.steps.across import again
from pipelines.steps.dedup import clusters
from pipelines.steps.meeting import ROW, address_of, by_key, by_name, home, row_of

TABLE = "columns/documents/cap"
VERSION = 1
PARTITION = 1_000_000  # documents whose groups meet in one partition, about


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """Who is over the cap, by its options and by who is kept so far."""
    seen = run.marks(t for t in _reads(recipe) if t != "documents")
    seen += again.mark(run, recipe)
    return {TABLE: fingerprint(VERSION, repr(recipe.cap), seen)}


def _reads(recipe: Recipe) -> dict[str, list[str]]:
    """The tables, with the columns that decide."""
    asked = cast(Cap, recipe.cap)
    wanted = [asked.per, *(column for column, _ in asked.order)]
    return selected(recipe).homes(wanted, {"documents": ["id"], **clusters.judges(recipe)})


def best(job: Job, key: int, _: Batches) -> Done:
    """The best documents of each group in one part, to the groups' partitions."""
    table = _best(_counted(job, key), cast(Cap, job.recipe.cap))
    return Done(out=by_key(table, by_name(table["group"], job.plan.keys[0])))


def _counted(job: Job, key: int) -> pa.Table:
    """The documents of one part that count: group, the columns that order them, id, address."""
    columns, asked = latest.columns(job.run, key, _reads(job.recipe)), cast(Cap, job.recipe.cap)
    counts = pc.and_(clusters.stays(columns), pc.is_valid(columns[asked.per]))
    rows = np.flatnonzero(counts.to_numpy())
    some = columns.take(pa.array(rows))
    named = {"group": some[asked.per].cast(pa.string())}
    named |= {f"keep_{i}": some[column] for i, (column, _) in enumerate(asked.order)}
    return pa.table({**named, "id": some["id"], "address": address_of(key, rows)})


def _best(table: pa.Table, asked: Cap) -> pa.Table:
    """The first of each group, no more than the cap, by address."""
    keys = [("group", "ascending")]
    keys += [(f"keep_{i}", order) for i, (_, order) in enumerate(asked.order)]
    keys += [("id", "ascending"), ("address", "ascending")]
    table = table.take(pc.sort_indices(table, keys))
    group = table["group"].combine_chunks().dictionary_encode().indices.to_numpy()
    return table.filter(pa.array(within(group) < asked.documents)).sort_by("address")


def choose(job: Job, key: int, batches: Batches) -> Done:
    """Who of the groups of one partition stays, each to its part."""
    kept = _best(pa.Table.from_batches(batches), cast(Cap, job.recipe.cap))
    return Done(out=home(kept["address"].to_numpy(), kept.select([])))


def answer(job: Job, key: int, batches: Batches) -> Done:
    """Who of one part is over the cap, row for row."""
    counted = row_of(_counted(job, key)["address"].to_numpy())
    over = np.zeros(job.run.table("documents").parts[key].rows, np.bool_)
    over[counted] = True
    over[pa.Table.from_batches(batches, pa.schema([ROW]))["row"].to_numpy()] = False
    columns = pa.table([pa.array(over)], CAPPED)
    done = Done({TABLE: [parts.write_columns(job.run, TABLE, key, columns)]})
    done.counts["over the cap"] = int(over.sum())
    return done


STEP = Step(
    "cap",
    "so many of a host",
    tables,
    (best, choose, answer),
    wanted=lambda recipe: recipe.cap is not None,
    sizes=lambda recipe, corpus: [corpus.parts, 1 + corpus.documents // PARTITION, corpus.parts],
    exchanges=(80, 0),
    every=True,
)
