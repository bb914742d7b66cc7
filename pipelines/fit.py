"""Fit: measures that learn do so, each from what the recipe gives it, before anything is measured.

What a measure learned is a file, ``models/<measure>/model.bin``, by which every worker measures.
Beside it ``told.json`` says what it made of samples that were held out: rows of label, label given
to it, and count.
"""

import json
from dataclasses import dataclass

from filters import Learner, Measure
from pipelines.errors import RunError
from pipelines.folders import fingerprint
from pipelines.measures import mark, selected
from pipelines.recipe import Recipe
from pipelines.runs import Part, Run
from pipelines.steps import Batches, Done, Job, Plan, Step

VERSION = 1
FILE, TOLD = "model.bin", "told.json"
MODELS = 16  # that a process keeps


def learners(recipe: Recipe) -> dict[str, Learner]:
    """The measures of a recipe that learn, by name."""
    return {n: m for n, m in selected(recipe).measures.items() if isinstance(m, Learner)}


def table_of(name: str) -> str:
    """The table of a model."""
    return f"models/{name.replace(':', '.')}"


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
        learned = learners(job.recipe)[name].fit(job.recipe.seed)
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


def ready(run: Run, name: str, measure: Measure) -> Measure:
    """The measure as it can measure: made once a process of what it learned.

    Raises:
        RunError: if the model is not one of its own.
    """
    if not isinstance(measure, Learner):
        return measure
    table = table_of(name)
    key = (run.folder.path, table, run.table(table).fingerprint)
    if key not in _READY:
        if len(_READY) == MODELS:
            _READY.clear()
        try:
            _READY[key] = measure.fitted(run.read(table, 0))
        except ValueError as error:
            raise RunError(f"[measure] {name}: {error}") from error
    return _READY[key]


_READY: dict[tuple[str, str, str], Measure] = {}


@dataclass(frozen=True)
class Told:
    """How often a model was right about samples that were held out."""

    name: str
    right: int
    all: int


def told(run: Run, recipe: Recipe) -> list[Told]:
    """What is known of each model that was learned from samples."""
    found = []
    for name in learners(recipe):
        rows = json.loads(run.read(table_of(name), 1))
        right = sum(count for true, said, count in rows if true == said)
        if rows:
            found.append(Told(name, right, sum(row[2] for row in rows)))
    return found


STEP = Step("fit", tables, plan, (learn,))
