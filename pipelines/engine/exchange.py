"""The exchange by shuffle: what a stage puts out travels in pieces, which meet in cells.  No Beam.

A runner hands over a group as one element, on Flink all of it at once, so a group must be small
whatever the corpus.  A cell is for one key and `TOGETHER` tasks, of which each fills no more than
its share of `ELEMENT` and goes on in the key's next cell; a piece that is larger than a share, of
one long text, goes into a cell of its task alone.  What met in a cell is written into one file, and
from there on it is as in the exchange by files, with few files for a key instead of one a task.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from pipelines.engine.limits import ELEMENT
from pipelines.engine.segments import Key, Segment, gathered, write
from pipelines.engine.step import Job
from pipelines.recipe import FILES, SHUFFLE, Recipe

HERE = (None, "FnApiRunner", "DirectRunner", "SwitchingDirectRunner", "BundleBasedDirectRunner")
"""Runners that keep to this machine and hold what is exchanged in the command's own process."""

TOGETHER = 256  # tasks that fill a cell, at most: a share is long enough for most texts
CELLS = 1 << 20  # of a key and a lane, at most
FRAME = 48  # bytes that a piece takes beside its batch, and around it, at most


class Piece(NamedTuple):
    """Rows that one task put out for one key, in the order of the task and of their number."""

    task: int
    number: int
    place: int
    batch: pa.RecordBatch


def chosen(recipe: Recipe, options: Sequence[str]) -> str:
    """How a run exchanges: as its recipe says, or else by the runner.

    Args:
        recipe: checked.
        options: Beam's, as on a command line.
    """
    runner = re.search(r"(?:^| )--runner[= ](\S+)", " ".join(options))
    return recipe.exchange or (FILES if (runner and runner[1]) in HERE else SHUFFLE)


def size_of(batch: pa.RecordBatch) -> int:
    """Bytes of a piece with these rows as it travels, at most; nothing is copied to count them."""
    sink = pa.MockOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return int(sink.size()) + FRAME


def pieces(
    out: Iterable[tuple[Key, pa.RecordBatch]], task: int, tasks: int
) -> Iterator[tuple[int, Piece]]:
    """What one task puts out, each piece with its cell.

    Args:
        out: as the stage gives it.
        task: key of the task.
        tasks: how many there are.
    """
    shared, number = -(-tasks // TOGETHER), 0
    share = ELEMENT // min(tasks, TOGETHER)
    filled: dict[tuple[int, int], tuple[int, int]] = {}  # by key and lane: cells before, bytes
    for key, place, batches in gathered(out):
        for whole in pa.Table.from_batches(batches).combine_chunks().to_batches():
            for batch in halved(whole, share):
                size = size_of(batch)
                alone = size > share
                lane, room = (shared + task, ELEMENT) if alone else (task // TOGETHER, share)
                before, held = filled.get((key, lane), (0, 0))
                if held and held + size > room:
                    before, held = before + 1, 0
                filled[key, lane] = before, held + size
                cell = (key * (shared + tasks) + lane) * CELLS + before
                yield cell, Piece(task, number, place, batch)
                number += 1


def halved(batch: pa.RecordBatch, most: int) -> Iterator[pa.RecordBatch]:
    """The rows of a batch in batches that are no larger as they travel, or have one row."""
    if batch.num_rows <= 1 or size_of(batch) <= most:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from halved(batch.slice(0, middle), most)
    yield from halved(batch.slice(middle), most)


def gather(job: Job, stage: int, cell: int, met: Iterable[Piece]) -> list[tuple[int, Segment]]:
    """Write what met in a cell, in the order of tasks; where it lies, with its key."""
    tasks = job.sizes[stage]
    number, before = divmod(cell, CELLS)
    key, lane = divmod(number, -(-tasks // TOGETHER) + tasks)
    name = f"{job.work}/{job.step.stages[stage].__name__}-{key:06d}-{lane:06d}-{before:06d}.arrow"
    ordered = sorted(met, key=lambda piece: (piece.task, piece.number))
    return write(job.run, name, (((key, piece.place), piece.batch) for piece in ordered))
