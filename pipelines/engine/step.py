"""A step: a chain of stages over numbered keys, and how one task of it is done.  No Beam.

The keys of the first stage are tasks (usually: the parts of a table); what a stage puts out for key
k of the next is a list of record batches.  Between stages they lie in files and references travel
(`pipelines.engine.segments`), or they travel themselves (`pipelines.engine.exchange`).  A finished
task leaves a note in ``work/<step>/<mark>/``; a rerun does the tasks that have none.

A runner may do a task twice, even at the same time: each attempt writes under names of its own and
renames, and both write the same bytes.  An attempt that outlives its plan (the command was killed,
the recipe changed) finds its folder gone, and leaves nothing.
"""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from socket import gethostname
from typing import Any

import pyarrow as pa

from pipelines.engine import versions
from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import Holding
from pipelines.engine.segments import Batches as Batches  # stages are written with these
from pipelines.engine.segments import Key as Key
from pipelines.errors import AWAY, RunError
from pipelines.recipe import FILES, Recipe
from pipelines.recipe.text import of_run
from pipelines.runs import Part, Run, stores
from pipelines.runs.folders import Folder, fingerprint

PLAN = "plan.json"
BEGUN = "begun"  # name of the note that says that somebody does tasks
FAILED = "failed"  # name of the note that a task leaves which the user can put right
COUNTED = "karez"  # namespace of what every task counts; those of steps begin with it
HELD = 8  # bytes that a task holds for a byte that comes in, at most about


Counts = Mapping[tuple[str, str], int]
"""What tasks counted, by namespace and name."""


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
        mark: digest of the plan, and of the versions that work on it.
        exchange: `FILES` or `SHUFFLE`.
    """

    run: Run
    recipe: Recipe
    step: "Step"
    stale: list[str]
    plan: Plan
    mark: str
    exchange: str = FILES

    @property
    def sizes(self) -> list[int]:
        """How many keys each stage has."""
        return [len(self.plan.tasks), *self.plan.keys]

    @property
    def work(self) -> str:
        """Folder of plan and notes, in the run folder."""
        return work_of(self.step.name, self.mark)

    def note(self, stage: int, key: int) -> str:
        """Name of the note that a task leaves."""
        return f"{self.work}/{self.step.stages[stage].__name__}-{key:06d}.json"


def work_of(step: str, mark: str) -> str:
    """Folder of the plan and the notes of a job."""
    return f"work/{step}/{mark}"


Do = Callable[[Job, int, Batches], Done]
"""A stage: what to do for a key with the batches that the stage before put out for it, in order."""


@dataclass(frozen=True)
class Step:
    """A step of a run.

    Attributes:
        tells: what it turns into what, for a person.
        tables: the tables that it makes for a recipe that wants it, with their fingerprints.
        stages: functions of a module, by which they are found on workers; those between the first
            and the last are not asked for a key that nothing came to.
        wanted: whether a recipe asks for it.
        sizes: how many keys each stage has for a corpus; with all its documents, at most.
        plan: what is to be done for tables that are stale; None: the keys of `sizes`.
        finish: makes the rest in one place, when all tasks are done: adds parts and facts.
        exchanges: bytes a document, and a byte of text, that go from stage to stage, about.
        held: bytes that a stage holds for a byte that comes in, where these are not `HELD`; 0: what
            comes in passes through it.
        helps: what to do where that is more than one process may hold.
        grows: what else it holds that grows with the corpus, and with the files of the sources.
        files: how many of its tables have a file for each part of the documents.
        every: whether it goes through all documents, though it counts none.
        reads: whether its tasks read local files that a recipe names.
        idles: whether all its stages are asked for all their keys.
    """

    name: str
    tells: str
    tables: Callable[[Run, Recipe], dict[str, str]]
    stages: tuple[Do, ...]
    wanted: Callable[[Recipe], bool] = lambda recipe: True
    sizes: Callable[[Recipe, Corpus], list[int]] = lambda recipe, corpus: [corpus.parts]
    plan: Callable[[Run, Recipe], Plan] | None = None
    finish: Callable[[Job, Done], None] | None = None
    exchanges: tuple[float, float] = (0, 0)
    held: tuple[tuple[Do, float], ...] = ()
    helps: str = "raise it, if a process may hold more"
    grows: Callable[[Recipe, Corpus, int], list[Holding]] = lambda recipe, corpus, files: []
    files: Callable[[Recipe], int] = lambda recipe: 1
    every: bool = False
    reads: Callable[[Recipe], bool] = lambda recipe: False
    idles: bool = False

    def made(self, run: Run, recipe: Recipe) -> dict[str, str]:
        """The tables that it makes for a recipe, with their fingerprints; none: does not run."""
        return self.tables(run, recipe) if self.wanted(recipe) else {}

    def planned(self, run: Run, recipe: Recipe) -> Plan:
        """What is to be done."""
        if self.plan is not None:
            return self.plan(run, recipe)
        count, *keys = self.sizes(recipe, Corpus.of(run))
        return Plan(list(range(count)), keys)

    def exchanged(self, corpus: Corpus) -> int:
        """Bytes that go from stage to stage, about."""
        row, byte = self.exchanges
        return int(row * corpus.every_document + byte * corpus.text)

    def holds(self, stage: int) -> float:
        """Bytes that a stage holds for a byte that comes in; the first one has none."""
        return dict(self.held).get(self.stages[stage], HELD) if stage else 0

    def is_asked(self, stage: int, batches: Batches) -> bool:
        """Whether a stage has something to do for a key that these came to."""
        return bool(batches) or self.idles or stage in (0, len(self.stages) - 1)


def prepare(
    run: Run,
    recipe: Recipe,
    step: Step,
    tables: Mapping[str, str],
    stale: list[str],
    exchange: str = FILES,
) -> Job:
    """Write the plan into the run folder; notes of another plan are swept."""
    plan = step.planned(run, recipe)
    about = {
        "versions": versions.here(),
        "stale": stale,
        "exchange": exchange,
        "documents": _state(run),
        "plan": asdict(plan),
    }
    job = Job(run, recipe, step, stale, plan, fingerprint(tables, about), exchange)
    if not run.folder.exists(f"{job.work}/{PLAN}"):
        run.folder.delete("work")
        run.folder.write(f"{job.work}/{PLAN}", json.dumps(about).encode())
    for sign in (BEGUN, FAILED):
        run.folder.delete(f"{job.work}/{sign}")
    return job


def _state(run: Run) -> str:
    """Of the documents as they are: workers that knew them otherwise have another job."""
    documents = run.manifest.tables.get("documents")
    return fingerprint([part.sha256 for part in documents.parts] if documents else [])


@lru_cache(maxsize=4)
def reopened(path: str, step: Step, mark: str) -> Job:
    """The job on a worker, read once a process from the run folder.

    Raises:
        RunError: if the worker does not see that folder, or is of other versions.
    """
    folder, work = stores.folder(path), work_of(step.name, mark)
    if not folder.exists(f"{work}/{PLAN}"):
        raise RunError(
            f"{step.name}: a worker on {gethostname()} does not see {folder.at(work)}; "
            "the run folder must stand under one path on all workers"
        )
    about = folder.read_json(f"{work}/{PLAN}")
    other = versions.difference(about["versions"], versions.here())
    if other is not None:
        said = f"{step.name}: a worker on {gethostname()} has {other}; give them the same"
        leave_word(folder, work, said)
        raise RunError(said)
    if not folder.exists(f"{work}/{BEGUN}"):
        folder.write(f"{work}/{BEGUN}", gethostname().encode())
    run = Run(path)
    run.folder = replace(folder, fence=f"{work}/{PLAN}")  # others may have taken over
    plan, exchange = Plan(**about["plan"]), about["exchange"]
    return Job(run, of_run(folder), step, about["stale"], plan, mark, exchange)


def leave_word(folder: Folder, work: str, said: str) -> None:
    """Runners wrap what is raised, so it is said in the run folder too, if that has room."""
    with contextlib.suppress(OSError):
        folder.write_json(f"{work}/{FAILED}", said)


def failed(path: str, step: str, mark: str) -> bool:
    """Whether a task left word: then to do the others, or to try again, would lose time."""
    return stores.folder(path).exists(f"{work_of(step, mark)}/{FAILED}")


def is_begun(job: Job) -> bool:
    """Whether a worker has taken up a task since the job was prepared."""
    return job.run.folder.exists(f"{job.work}/{BEGUN}")


def word(job: Job, error: Exception | None = None) -> str | None:
    """What a task said that failed, if the user can put it right."""
    text = str(error)
    raised = re.search(r"pipelines\.errors\.\w+: (.*?)(?: \[while running |\n|$)", text)
    if AWAY in text:  # then the store cannot be asked for the note either
        return raised[1] if raised else text.partition(" [while running ")[0]
    if failed(job.run.folder.path, job.step.name, job.mark):
        return str(job.run.folder.read_json(f"{job.work}/{FAILED}"))
    return raised and raised[1]


def collect(job: Job, counts: Counts) -> tuple[Done, dict[str, float]]:
    """All that the tasks of a job did: parts by stage and key, from their notes; and what it took.

    Args:
        job: done.
        counts: what its tasks counted, as the runner committed it.

    Returns:
        the sum; CPU seconds, and bytes that went from stage to stage.

    Raises:
        RunError: if the runner counted other tasks than there are, or lost some of their counts.
    """
    own, every = (
        Counter({name: n for (where, name), n in counts.items() if where == space})
        for space in (f"{COUNTED}.{job.step.name}", COUNTED)
    )
    planned = sum(job.sizes)
    if (every["tasks"], every["counted"]) != (planned, own.total()):
        raise RunError(
            f"{job.step.name}: the runner lost count, of {planned:,} tasks it tells of "
            f"{every['tasks']:,}, of {every['counted']:,} things of {own.total():,}: run again"
        )
    total = Done(counts=own)
    for stage, size in enumerate(job.sizes):
        for key in range(size):
            note = job.run.folder.read_json(job.note(stage, key))
            for table, parts in note["parts"].items():
                total.parts.setdefault(table, []).extend(Part(**p) for p in parts)
    took = {"cpu_seconds": every["cpu_milliseconds"] / 1000, "exchanged": every["exchanged"]}
    return total, took
