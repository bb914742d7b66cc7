"""Rank: each partition of the documents puts its candidates in the order of a strategy.

Candidates are the documents of the train split that nothing has dropped so far.  The columns say
each one's rank, the lowest first, and its group; rank null: no candidate, or never chosen.
"""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.strategies import Strategy
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.recipe.select import MOST, Select
from pipelines.recipe.strategies import mark, strategy
from pipelines.runs import Run, latest
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE
from pipelines.schema import drawn
from pipelines.steps import near, scan
from pipelines.steps.across import again
from pipelines.steps.dedup import clusters
from pipelines.steps.meeting import ROW, Rows, write

VERSION = 1
RANKED = pa.schema([("rank", pa.float64()), ("group", pa.string())])


def named(base: str, number: int) -> str:
    """A step of strategy `number`, or its table: ``rank``, ``rank2``, and so on."""
    return base if number == 0 else f"{base}{number + 1}"


def number_of(step: str) -> int:
    """The strategy that a step is of."""
    number = step.lstrip("abcdefghijklmnopqrstuvwxyz")
    return int(number) - 1 if number else 0


def table(number: int) -> str:
    """The table of ranks."""
    return f"columns/documents/{named('rank', number)}"


def taken(number: int) -> str:
    """The table of what was taken."""
    return f"columns/documents/{named('select', number)}"


def asked(recipe: Recipe, number: int) -> tuple[Select, Strategy]:
    """What the recipe asks for, and the strategy it stands for."""
    return recipe.select[number], strategy(recipe.select[number], number + 1)


def columns(recipe: Recipe, number: int) -> list[str]:
    """The columns of measures that a strategy and its groups look at."""
    select, how = asked(recipe, number)
    return [c for c in (*how.needs, select.per) if c and c != "text"]


def left(recipe: Recipe, number: int | None = None) -> dict[str, list[str]]:
    """Tables and columns that say who is left for strategy `number`; None: after all of them."""
    number = len(recipe.select) if number is None else number
    wanted = {"documents": ["id"], table_of("tokens"): ["tokens"], **near.kept(recipe)}
    if number:
        wanted[taken(number - 1)] = ["selected"]
    return wanted


def reads(recipe: Recipe, number: int) -> dict[str, list[str]]:
    """The same, with what its rank is by."""
    return selected(recipe).homes(columns(recipe, number), left(recipe, number))


def tables(run: Run, recipe: Recipe, number: int) -> dict[str, str]:
    """The ranks, by the strategy and all that it looks at."""
    select, how = asked(recipe, number)
    seen = run.marks(reads(recipe, number))
    if "text" in how.needs:
        seen.append(run.table(EDITS_TABLE).fingerprint)
    seen += again.mark(run, recipe)
    return {
        table(number): fingerprint(VERSION, mark(how), select.per, select.add, recipe.seed, seen)
    }


def candidates(columns: pa.Table, recipe: Recipe, number: int | None = None) -> Rows:
    """Numbers of the rows that are candidates of strategy `number`, of one part.

    Those that the one before took; all others, if this one adds to these.  None: those that are
    taken in the end.
    """
    mine = pc.and_(clusters.stays(columns), pc.equal(columns["split"], recipe.publish.train))
    if "selected" in columns.column_names:
        before = pc.fill_null(columns["selected"], False)
        adds = number is not None and recipe.select[number].add
        mine = pc.and_not(mine, before) if adds else pc.and_(mine, before)
    return np.flatnonzero(mine.to_numpy())


def measure(job: Job, key: int, _: Batches) -> Done:
    """The ranks of one part."""
    number = number_of(job.step.name)
    select, how = asked(job.recipe, number)
    every = latest.columns(job.run, key, reads(job.recipe, number))
    rows = candidates(every, job.recipe, number)
    some = every.take(pa.array(rows))
    draw = drawn(some["id"].combine_chunks(), job.recipe.seed + 1)  # + 1: not the published order
    some = some.append_column("draw", pa.array(draw))
    if "text" in how.needs:
        some = some.append_column("text", _texts(job, key, rows))
    ranks = _ranks(how, select.strategy, some, job.recipe.seed)
    group = some[select.per].cast(pa.string()) if select.per else pa.nulls(len(rows), pa.string())
    said = pa.table([pa.array(rows), ranks, group], pa.schema([ROW, *RANKED]))
    done = write(job, table(number), key, said)
    done.counts.update({"candidates": len(rows), "ranked": len(ranks) - ranks.null_count})
    return done


def _ranks(how: Strategy, name: str, some: pa.Table, seed: int) -> pa.Array:
    """What a strategy says of the candidates of one part.

    Raises:
        RunError: if it fails on them.
    """
    if not some.num_rows:
        return pa.nulls(0, pa.float64())
    try:
        return how.rank(some.combine_chunks(), seed)
    except Exception as error:  # it may be anybody's
        raise RunError(f"[[select]] {name}: {type(error).__name__}: {error}") from error


def _texts(job: Job, key: int, rows: Rows) -> pa.ChunkedArray:
    """The edited texts of some rows of one part."""
    read = scan.texts(job.run, key, rows, read=latest.columns)
    return pa.chunked_array([batch["text"] for _, batch in read], pa.string())


def step(number: int) -> Step:
    """The step of one strategy."""
    return Step(
        named("rank", number),
        "in order of choice",
        partial(tables, number=number),
        (measure,),
        wanted=lambda recipe: number < len(recipe.select),
    )


STEPS = tuple(step(number) for number in range(MOST))
