"""Curriculum: each document of the train split that is left gets a difficulty and a place.

Places run from 0 to 2**64 by tokens, easy to hard, so shards hold ranges of difficulty and a reader
that goes through them in order is taught so.  Where a pacing is asked for, a document is drawn from
the time on at which its difficulty is open; see `paced`.

Sources: Hacohen and Weinshall 2019; Platanios et al. 2019, for the square root.
"""

from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.strategies import floats, uniform
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected
from pipelines.recipe.select import LINEAR, SORTED, Curriculum
from pipelines.runs import Run, latest
from pipelines.runs.folders import fingerprint
from pipelines.schema import drawn, id_heads
from pipelines.steps.across import again
from pipelines.steps.meeting import ROW, U64, Rows, to_all, write
from pipelines.steps.select import levels, rank

TABLE = "columns/documents/curriculum"
VERSION = 1
PLACED = pa.schema([("difficulty", pa.float64()), ("place", pa.uint64())])
CURVE = pa.schema([("rank", pa.uint64()), ("id", pa.uint64()), ("share", pa.float64())])
GRID = 1 << 10  # points of a pacing

Floats = NDArray[np.float64]


def reads(recipe: Recipe) -> dict[str, list[str]]:
    """Tables and columns: who is left, and how hard it is."""
    return selected(recipe).homes([_asked(recipe).column], rank.left(recipe))


def _asked(recipe: Recipe) -> Curriculum:
    return cast(Curriculum, recipe.curriculum)


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The places, by the difficulty and by who is left."""
    seen = run.marks(reads(recipe)) + again.mark(run, recipe)
    return {TABLE: fingerprint(VERSION, repr(recipe.curriculum), recipe.seed, seen)}


def _left(job: Job, key: int) -> tuple[Rows, pa.Table, U64]:
    """The rows of one part that are left: their numbers, their columns, their ranks.

    Without a value a document is the hardest.
    """
    columns, asked = latest.columns(job.run, key, reads(job.recipe)), _asked(job.recipe)
    rows = rank.candidates(columns, job.recipe)
    some = columns.take(pa.array(rows))
    values = floats(some[asked.column])
    values = -values if asked.by.split()[-1] == "desc" else values
    return rows, some, levels.ordinal(np.where(np.isnan(values), np.inf, values))


def offer(job: Job, key: int, _: Batches) -> Done:
    """The difficulties of one part, in stretches."""
    some, hard = _left(job, key)[1:]
    tokens = pc.fill_null(some["tokens"], 0).to_numpy().astype(np.int64)
    told = levels.sketch(hard, id_heads(some["id"].combine_chunks()), tokens)
    return Done(out=to_all(told, 1))


def curve(job: Job, key: int, batches: Batches) -> Done:
    """The share of tokens that is easier, along the difficulty, to all parts."""
    known = levels.known(pa.Table.from_batches(batches))
    share = (known.least + known.most) / (2.0 * max(1, int(known.most[-1])))
    table = pa.table([known.rank, known.ids, share], schema=CURVE)
    return Done(out=to_all(table, job.plan.keys[1]))


def place(job: Job, key: int, batches: Batches) -> Done:
    """Difficulty and place of every document of one part that is left."""
    rows, some, hard = _left(job, key)
    asked, ids = _asked(job.recipe), some["id"].combine_chunks()
    share = between(hard, id_heads(ids), pa.Table.from_batches(batches, CURVE))
    if asked.pacing != SORTED:
        chance = uniform(pa.chunked_array([drawn(ids, job.recipe.seed + 2)]))
        share = paced(share, chance, asked)
    at = np.ldexp(np.clip(share, 0, 1 - 2.0**-53), 64).astype(np.uint64)
    difficulty = pa.array(floats(some[asked.column]), from_pandas=True)  # NaN is null
    said = pa.table([pa.array(rows), difficulty, at], pa.schema([ROW, *PLACED]))
    done = write(job, TABLE, key, said)
    done.counts["placed"] = len(rows)
    return done


def between(ranks: NDArray[np.uint64], ids: NDArray[np.uint64], known: pa.Table) -> Floats:
    """The share that is easier than each row, read from the curve; it grows with the row."""
    x, x_id, y = (column.to_numpy() for column in known.columns)
    every_rank, every_id = np.concatenate([x, ranks]), np.concatenate([x_id, ids])
    order = np.lexsort((np.arange(len(every_rank)) >= len(x), every_id, every_rank))
    before = np.empty(len(order), np.int64)
    before[order] = np.cumsum(order < len(x)) - 1
    low = np.clip(before[len(x) :], 0, len(x) - 1)
    high = np.minimum(low + 1, len(x) - 1)
    same = x[low] == x[high]
    pairs = ((x[low], x_id[low]), (x[high], x_id[high]), (ranks, ids))
    start, end, here = (np.where(same, tie, value) for value, tie in pairs)
    wide = np.maximum((end - start).astype(np.float64), 1.0)
    within = np.clip((here - start).astype(np.float64) / wide, 0.0, 1.0)
    return y[low] + (y[high] - y[low]) * within


def opens(share: Floats, asked: Curriculum) -> Floats:
    """The time in [0, 1] from which on what is so hard may be drawn: the inverse of the pacing."""
    if asked.pacing == LINEAR:
        return np.maximum(0.0, (share - asked.start) / (1 - asked.start))
    square = asked.start * asked.start
    return np.maximum(0.0, (share * share - square) / (1 - square))


def paced(share: Floats, chance: Floats, asked: Curriculum) -> Floats:
    """The place of each document, drawn from the time on that it is open.

    Times are turned into places by how much of all falls before them, in whole numbers, so that
    shards are of one size.
    """
    grid = (np.arange(GRID) + 0.5) / GRID
    first = opens(grid, asked)
    ends = np.arange(GRID + 1) / GRID
    fallen = np.clip((ends[:, None] - first) / (1 - first), 0.0, 1.0)
    until = (fallen * (1 << 30)).astype(np.int64).sum(axis=1) / float(GRID << 30)
    own = opens(share, asked)
    time = own + chance * (1 - own)
    cell = np.minimum((time * GRID).astype(np.int64), GRID - 1)
    within = time * GRID - cell
    return until[cell] + (until[cell + 1] - until[cell]) * within


STEP = Step(
    "curriculum",
    "from easy to hard",
    tables,
    (offer, curve, place),
    wanted=lambda recipe: recipe.curriculum is not None,
    sizes=lambda recipe, corpus: [corpus.parts, 1, corpus.parts],
    exchanges=(1, 0),
    held=((curve, 1),),
)
