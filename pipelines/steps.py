"""A step: a chain of stages over numbered keys, and how one task of it is done.  No Beam.

The keys of the first stage are tasks (usually: the parts of a table); what a stage puts out for key
k of the next is a list of record batches.  Between stages they lie in files, one a task with its
segments in the order of the keys, and only references travel.  A finished task leaves a note in
``work/<step>/``; a rerun does the tasks that have none.
"""

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.errors import ENVIRONMENT, KarezError, RunError, said_of
from pipelines.folders import Sink, fingerprint
from pipelines.recipe import Recipe, load
from pipelines.runs import Part, Run

FAILED = "failed"  # name of the note that a task leaves which the user can put right

SPILL = 32_000_000  # bytes of batches that a task holds before it writes them

Key = int | tuple[int, int]
"""A key of the next stage; or that, and the place of a batch among those for it."""

Held = dict[tuple[int, int, tuple[str, ...]], list[pa.RecordBatch]]
"""Batches by key, place, and the names of their columns."""


@dataclass
class Done:
    """What a task did.

    Attributes:
        parts: table to the files written for it, in order.
        out: batches, each with its key of the next stage; taken while they are made.
        counts: rows, dead letters, bytes, reasons: whatever adds up.
    """

    parts: dict[str, list[Part]] = field(default_factory=dict)
    out: Iterable[tuple[Key, pa.RecordBatch]] = ()
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Plan:
    """What a step is about to do.

    Attributes:
        tasks: what key k of the first stage means, as JSON.
        keys: how many keys each later stage has.
        facts: what the stages need to know, as JSON.
    """

    tasks: list[Any]
    keys: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A step under way.

    Attributes:
        stale: the tables that it makes.
    """

    run: Run
    recipe: Recipe
    step: "Step"
    stale: list[str]
    plan: Plan

    @property
    def work(self) -> str:
        """Folder of plan and notes, in the run folder."""
        return f"work/{self.step.name}"

    def note(self, stage: int, key: int) -> str:
        """Name of the note that a task leaves."""
        return f"{self.work}/{self.step.stages[stage].__name__}-{key:06d}.json"


class Segment(NamedTuple):
    """Where the batches of one task for one key and place lie."""

    place: int
    file: str
    start: int
    length: int


class Batches:
    """The batches for one key, in order, as often as one asks for them.

    Each segment is mapped when its turn comes and let go with its last batch, so what was used up
    does not stay in memory.
    """

    def __init__(self, run: Run, segments: Sequence[Segment]) -> None:
        self._run, self._segments = run, sorted(segments)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._segments)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """They, by the place and the file of their segments."""
        for _, file, start, length in self._segments:
            with self._run.folder.open(file) as opened:
                body = opened.read_buffer(opened.size())  # a view of the mapped file
            yield from pa.ipc.open_stream(body.slice(start, length))


Do = Callable[[Job, int, Batches], Done]
"""A stage: what to do for a key with the batches that the stage before put out for it, in order."""


@dataclass(frozen=True)
class Step:
    """A step of a run.

    Attributes:
        tables: the tables that it makes for a recipe, with their fingerprints; none: does not run.
        plan: what is to be done for those that are stale.
        stages: functions of a module, by which they are found on workers.
        finish: makes the rest in one place, when all tasks are done: adds parts and facts.
    """

    name: str
    tables: Callable[[Run, Recipe], dict[str, str]]
    plan: Callable[[Run, Recipe], Plan]
    stages: tuple[Do, ...]
    finish: Callable[[Job, Done], None] | None = None


def prepare(
    run: Run, recipe: Recipe, step: Step, tables: Mapping[str, str], stale: list[str]
) -> Job:
    """Write the plan into the run folder; notes of another plan are swept."""
    plan = step.plan(run, recipe)
    job = Job(run, recipe, step, stale, plan)
    mark = fingerprint(tables, stale, asdict(plan))
    old = f"{job.work}/plan.json"
    if not run.folder.exists(old) or json.loads(run.folder.read(old))["mark"] != mark:
        run.folder.delete(job.work)
        run.folder.write(
            old, json.dumps({"mark": mark, "stale": stale, "plan": asdict(plan)}).encode()
        )
    run.folder.delete(f"{job.work}/{FAILED}")
    return job


@lru_cache(maxsize=4)
def _opened(path: str, step: Step, stamp: int) -> Job:
    run = Run(path)
    value = run.folder.read_json(f"work/{step.name}/plan.json")
    recipe = load(Path(run.folder.at("recipe.toml")))
    return Job(run, recipe, step, value["stale"], Plan(**value["plan"]))


def reopened(path: str, step: Step) -> Job:
    """The job on a worker, read once a process from the run folder."""
    plan = Path(path) / "work" / step.name / "plan.json"
    return _opened(path, step, plan.stat().st_mtime_ns)


def perform(
    job: Job, stage: int, key: int, incoming: Sequence[Segment]
) -> list[tuple[int, Segment]]:
    """Do one task, or read what it did before.

    Returns:
        keys of the next stage, and where batches for them lie.
    """
    folder, name = job.run.folder, job.note(stage, key)
    if folder.exists(name):
        note = folder.read_json(name)
    else:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            done = job.step.stages[stage](job, key, Batches(job.run, incoming))
            out = _write(job.run, name.replace(".json", ".arrow"), done.out)
        except KarezError as error:
            _leave_word(job, str(error))
            raise
        except OSError as error:
            if error.errno not in ENVIRONMENT:
                raise
            said = f"{job.step.name}: {said_of(error, folder.path)}; what is done stays done"
            _leave_word(job, said)
            raise RunError(said) from error
        note = {
            "parts": {table: [asdict(p) for p in parts] for table, parts in done.parts.items()},
            "counts": done.counts,
            "out": out,
            "seconds": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
        }
        folder.write(name, json.dumps(note).encode())
        pa.default_memory_pool().release_unused()
    return [(key, Segment(*segment)) for key, segment in note["out"]]


def _leave_word(job: Job, said: str) -> None:
    """Runners wrap what is raised, so it is said in the run folder too, if that has room."""
    with contextlib.suppress(OSError):
        job.run.folder.write_json(f"{job.work}/{FAILED}", said)


def word(job: Job, error: Exception) -> str | None:
    """What a task said that failed, if the user can put it right."""
    if job.run.folder.exists(f"{job.work}/{FAILED}"):
        return str(job.run.folder.read_json(f"{job.work}/{FAILED}"))
    raised = re.search(r"pipelines\.errors\.\w+: (.*?)(?: \[while running |\n|$)", str(error))
    return raised and raised[1]


def collect(job: Job) -> tuple[Done, float]:
    """All notes of a job as one: parts by stage and key, counts added up; and its CPU seconds."""
    total, cpu = Done(), 0.0
    sizes = [len(job.plan.tasks), *job.plan.keys]
    for stage, size in enumerate(sizes):
        for key in range(size):
            note = job.run.folder.read_json(job.note(stage, key))
            for table, parts in note["parts"].items():
                total.parts.setdefault(table, []).extend(Part(**p) for p in parts)
            total.counts.update(note["counts"])
            cpu += note["cpu"]
    return total, cpu


def _write(
    run: Run, name: str, out: Iterable[tuple[Key, pa.RecordBatch]]
) -> list[tuple[int, Segment]]:
    """One file of segments, in the order of their keys within each `SPILL` bytes.

    Batches of one key may have different columns; those with the same stay in their order.
    """
    segments: list[tuple[int, Segment]] = []
    held: Held = {}
    size = 0
    with run.folder.create(name, hashed=False) as sink:  # it does not outlive the step
        for key, batch in out:
            to = key if isinstance(key, tuple) else (key, 0)
            held.setdefault((*to, tuple(batch.schema.names)), []).append(batch)
            size += batch.nbytes
            if size > SPILL:
                segments += _spilled(sink, name, held)
                held, size = {}, 0
        segments += _spilled(sink, name, held)
    if not segments:
        run.folder.delete(name)
    return segments


def _spilled(sink: Sink, name: str, held: Held) -> Iterator[tuple[int, Segment]]:
    for key, place, names in sorted(held):
        start = sink.size
        batches = held[key, place, names]
        with pa.ipc.new_stream(sink, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        yield key, Segment(place, name, start, sink.size - start)
