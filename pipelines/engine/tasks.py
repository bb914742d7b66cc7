"""How one task of a step is done, and the note that it leaves.  No Beam."""

import contextlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from pipelines.engine.exchange import Piece, pieces, size_of
from pipelines.engine.segments import Batches, Segment, write
from pipelines.engine.step import Done, Job, leave_word
from pipelines.errors import SHORT, KarezError, RunError, is_told, said_of
from pipelines.units import say_size

Note = dict[str, Any]
"""What a task did, as JSON: parts, counts, CPU seconds, bytes exchanged, and where `out` lies."""


def perform(job: Job, stage: int, key: int, incoming: Sequence[Segment]) -> Note:
    """Do one task, or read what it did before; what it puts out lies in a file of its own."""
    name, began = job.note(stage, key), time.process_time()
    if job.run.folder.exists(name):
        note: Note = job.run.folder.read_json(name)
        return note
    with leaving_word(job):
        done = _do(job, stage, key, incoming)
        out = write(job.run, name.replace(".json", ".arrow"), done.out)
    exchanged = sum(segment.length for _, segment in out)
    return _leave(job, name, done, began, {"exchanged": exchanged, "out": out})


def send(
    job: Job, stage: int, key: int, incoming: Sequence[Segment]
) -> Generator[tuple[int, Piece], None, Note]:
    """Do one task, what it puts out travels; so it is done again where it left a note before."""
    began, exchanged = time.process_time(), 0
    with leaving_word(job):
        done = _do(job, stage, key, incoming)
        for cell, piece in pieces(done.out, key, job.sizes[stage]):
            exchanged += size_of(piece.batch)
            yield cell, piece
    return _leave(job, job.note(stage, key), done, began, {"exchanged": exchanged})


def _do(job: Job, stage: int, key: int, incoming: Sequence[Segment]) -> Done:
    check_incoming(job, stage, incoming)
    batches = Batches(job.run, incoming)
    if not job.step.is_asked(stage, batches):
        return Done()
    return job.step.stages[stage](job, key, batches)


def _leave(job: Job, name: str, done: Done, began: float, more: Note) -> Note:
    note = {
        "parts": {table: [asdict(p) for p in parts] for table, parts in done.parts.items()},
        "counts": dict(done.counts),
        "cpu": time.process_time() - began,
        **more,
    }
    job.run.folder.write(name, json.dumps(note).encode())
    pa.default_memory_pool().release_unused()
    return note


@contextlib.contextmanager
def leaving_word(job: Job) -> Iterator[None]:
    """Say what the user can put right in the run folder too: runners wrap what is raised."""
    folder = job.run.folder
    try:
        yield
    except KarezError as error:
        leave_word(folder, job.work, str(error))
        raise
    except MemoryError as error:
        leave_word(folder, job.work, said := f"{job.step.name}: {SHORT}")
        raise RunError(said) from error
    except OSError as error:
        if not is_told(error):
            raise
        said = f"{job.step.name}: {said_of(error, folder.path)}; what is done stays done"
        if error.errno is not None:  # else a store said it, which takes no word now
            leave_word(folder, job.work, said)
        raise RunError(said) from error


def check_incoming(job: Job, stage: int, incoming: Sequence[Segment]) -> None:
    """See that a task can hold what comes in.

    Raises:
        RunError: if it would be more than the recipe's limit.
    """
    memory = job.recipe.limit.memory
    size = job.step.holds(stage) * sum(each.length for each in incoming)
    if size > memory:
        raise RunError(
            f"{job.step.name}: one task would hold about {say_size(size)} of rows that meet, "
            f"[limit] memory is {say_size(memory)}: {job.step.helps}"
        )
