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
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected
from pipelines.recipe.select import LINEAR, SORTED, Curriculum
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import drawn, id_heads
from pipelines.steps.across import again
from pipelines.steps.meeting import to_all
from pipelines.steps.select import levels, rank

TABLE = "columns/documents/curriculum"
VERSION = 1
PLACED = pa.schema([("difficulty", pa.float64()), ("place", pa.uint64())])
CURVE = pa.schema([("rank", pa.uint64()), ("id", pa.uint64()), ("share", pa.float64())])
GRID = 1 << 10  # points of a pacing

Floats = NDArray[np.float64]


def reads(recipe: Recipe) -> dict[str, list[str]]:
    """Tables and columns: who is left, and how hard it is."""
    wanted = {name: list(some) for name, some in rank.left(recipe).items()}
    for name, some in selected(recipe).homes([_asked(recipe).column]).items():
        wanted[name] = [*dict.fromkeys([*wanted.get(name, []), *some])]
    return wanted


def _asked(recipe: Recipe) -> Curriculum:
    return cast(Curriculum, recipe.curriculum)


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The places, by the difficulty and by who is left."""
    seen = run.marks(reads(recipe)) + again.mark(run, recipe)
    return {TABLE: fingerprint(VERSION, repr(recipe.curriculum), recipe.seed, seen)}


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts, one, parts."""
    return [corpus.parts, 1, corpus.parts]


def _those(job: Job, key: int) -> tuple[pa.Table, NDArray[np.int64], Floats]:
    """The columns of one part; numbers of its rows that are left; their difficulty.

    Without a value a document is the hardest.
    """
    columns, asked = latest.columns(job.run, key, reads(job.recipe)), _asked(job.recipe)
    rows = rank.candidates(columns, job.recipe)
    values = floats(columns[asked.column])[rows]
    values = -values if asked.by.split()[-1] == "desc" else values
    return columns, rows, np.where(np.isnan(values), np.inf, values)


def offer(job: Job, key: int, _: Batches) -> Done:
    """The difficulties of one part, in stretches."""
    columns, rows, hard = _those(job, key)
    ids = id_heads(columns["id"].combine_chunks().take(pa.array(rows)))
    tokens = pc.fill_null(columns["tokens"], 0).to_numpy()[rows].astype(np.int64)
    told = levels.sketch(levels.ordinal(hard), ids, tokens).combine_chunks()
    return Done(out=[(0, batch) for batch in told.to_batches()])


def curve(job: Job, key: int, batches: Batches) -> Done:
    """The share of tokens that is easier, along the difficulty, to all parts."""
    known = levels.known(pa.Table.from_batches(batches))
    share = (known.least + known.most) / (2.0 * max(1, int(known.most[-1])))
    table = pa.table([known.rank, known.ids, share], schema=CURVE).combine_chunks()
    return Done(out=to_all(table, job.plan.keys[1]))


def place(job: Job, key: int, batches: Batches) -> Done:
    """Difficulty and place of every document of one part that is left."""
    columns, rows, hard = _those(job, key)
    asked, count = _asked(job.recipe), columns.num_rows
    at, difficulty = np.zeros(count, np.uint64), np.full(count, np.nan)
    if len(rows):
        ids = columns["id"].combine_chunks().take(pa.array(rows))
        known = pa.Table.from_batches(batches, CURVE)
        share = between(levels.ordinal(hard), id_heads(ids), known)
        if asked.pacing != SORTED:
            chance = uniform(pa.chunked_array([drawn(ids, job.recipe.seed + 2)]))
            share = paced(share, chance, asked)
        at[rows] = np.ldexp(np.clip(share, 0, 1 - 2.0**-53), 64).astype(np.uint64)
        difficulty[rows] = floats(columns[asked.column])[rows]
    mine = np.isin(np.arange(count), rows)
    made = pa.table(
        [pa.array(difficulty, mask=np.isnan(difficulty)), pa.array(at, mask=~mine)], schema=PLACED
    )
    done = Done({TABLE: [parts.write_columns(job.run, TABLE, key, made)]})
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
    sizes=sizes,
    exchanges=(1, 0),
    held=((curve, 1),),
)
