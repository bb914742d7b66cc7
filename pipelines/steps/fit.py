"""Fit: measures that learn do so, each from what the recipe gives it, before anything is measured.

What a measure learned is a file, ``models/<measure>/model.bin``, by which every worker measures.
One that goes by the whole corpus has it counted later; here it counts what it is given.  Beside it
``told.json`` says what it made of samples that were held out: rows of label, label given to it, and
count.
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from zstandard import ZstdCompressor, ZstdDecompressor

from filters import Counting, Learned, Learner, Measure
from pipelines.engine.step import Batches, Done, Job, Plan, Step
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.recipe.given import names_any
from pipelines.recipe.measures import mark, selected
from pipelines.runs import Part, Run
from pipelines.runs.folders import fingerprint

VERSION = 1
FILE, TOLD = "model.bin", "told.json"
MODELS = 16  # that a process keeps

Counts = NDArray[np.int64]


def learners(recipe: Recipe) -> dict[str, Learner | Counting]:
    """The measures of a recipe that learn, or count, from what they are given, by name."""
    return {
        name: each
        for name, each in selected(recipe).measures.items()
        if isinstance(each, Learner | Counting) and _learns(each)
    }


def _learns(measure: Learner | Counting) -> bool:
    """Whether a measure learns, or was given something to count."""
    return not isinstance(measure, Counting) or names_any(measure)


def table_of(name: str) -> str:
    """The table of a model."""
    return f"models/{name.replace(':', '.')}"


def counted(name: str) -> str:
    """The table of the counts over the corpus that a measure goes by."""
    return f"{table_of(name)}.corpus"


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The models, by what they are learned from."""
    measures = selected(recipe).measures
    return {
        table_of(name): fingerprint("fit", VERSION, recipe.seed, mark(measures[name]))
        for name in learners(recipe)
    }


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a model."""
    return Plan(list(learners(recipe)))


def learn(job: Job, key: int, _: Batches) -> Done:
    """Learn one model, if it is wanted."""
    name = job.plan.tasks[key]
    table = table_of(name)
    done = Done()
    if table not in job.stale:
        return done
    try:
        learned = _learned(learners(job.recipe)[name], job.recipe.seed)
    except ValueError as error:
        raise RunError(f"[measure] {name}: {error}") from error
    with job.run.folder.create(f"{table}/{FILE}") as sink:
        sink.write(learned.model)
    with job.run.folder.create(f"{table}/{TOLD}") as told:
        rows = [[*pair, count] for pair, count in sorted(learned.told.items())]
        told.write(json.dumps(rows).encode())
    files = {FILE: sink, TOLD: told}
    done.parts[table] = [Part(n, 0, file.size, file.sha256) for n, file in files.items()]
    return done


def _learned(measure: Learner | Counting, seed: int) -> Learned:
    """What a measure makes of what it is given."""
    if isinstance(measure, Learner):
        return measure.fit(seed)
    return Learned(b"" if (given := measure.given()) is None else packed(given), {})


def packed(counts: Counts) -> bytes:
    """Whole numbers as a file."""
    return ZstdCompressor().compress(np.asarray(counts, "<i8").tobytes())


def _unpacked(file: bytes) -> Counts:
    return np.frombuffer(ZstdDecompressor().decompress(file), "<i8")


def _sums(run: Run, name: str, measure: Counting) -> Counts:
    """What was counted for a measure: in the corpus, and in what it is given."""
    table = counted(name)
    slices = range(len(run.table(table).parts))
    total = np.concatenate([_unpacked(run.read(table, number)) for number in slices])
    given = run.read(table_of(name), 0) if _learns(measure) else b""
    return total + _unpacked(given) if given else total


def ready(run: Run, name: str, measure: Measure) -> Measure:
    """The measure as it can measure: made once a process of what it learned.

    Raises:
        RunError: if the model is not one of its own.
    """
    if not isinstance(measure, Learner | Counting):
        return measure
    table = table_of(name)
    seen = [table] if _learns(measure) else []
    seen += [counted(name)] if isinstance(measure, Counting) else []
    key = (run.folder.path, name, *(run.table(t).fingerprint for t in seen))
    if key not in _READY:
        if len(_READY) == MODELS:
            _READY.clear()
        try:
            if isinstance(measure, Counting):
                _READY[key] = measure.fitted(_sums(run, name, measure))
            else:
                _READY[key] = measure.fitted(run.read(table, 0))
        except ValueError as error:
            raise RunError(f"[measure] {name}: {error}") from error
    return _READY[key]


_READY: dict[tuple[str, ...], Measure] = {}


@dataclass(frozen=True)
class HeldOut:
    """How often a model was right about samples that were held out."""

    name: str
    right: int
    all: int


def listed(run: Run, recipe: Recipe) -> list[HeldOut]:
    """What is known of each model that was learned from samples."""
    found = []
    for name in learners(recipe):
        rows = json.loads(run.read(table_of(name), 1))
        right = sum(count for true, said, count in rows if true == said)
        if rows:
            found.append(HeldOut(name, right, sum(row[2] for row in rows)))
    return found


STEP = Step(
    "fit",
    "samples to models",
    tables,
    (learn,),
    plan=plan,
    files=lambda recipe: 0,
    reads=lambda recipe: True,
)
