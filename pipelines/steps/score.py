"""Score: a second scan, for the measures that go by counts over the whole corpus."""

from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import mark, selected, table_of
from pipelines.runs import Run, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE
from pipelines.steps import count, fit, scan


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """Columns and dead letters of each such measure, by the counts and by what it looks at."""
    chosen, made = selected(recipe), {}
    for name in count.counters(recipe):
        known = [fit.counted(name), *count.seen(chosen, name)]
        known += [fit.table_of(name)] if name in fit.learners(recipe) else []
        made[table_of(name)] = fingerprint(mark(chosen.measures[name]), run.marks(known))
    return made | {scan.dead_of(table): mark for table, mark in made.items()}


def measure(job: Job, key: int, _: Batches) -> Done:
    """Measure one part."""
    work = scan.Work(job.run, job.recipe, job.stale)
    tables = {EDITS_TABLE: ["edits"], **work.scan.homes(count.beside(work.scan, work.wanted))}
    for batch in parts.beside(job.run, key, work.reads, job.run.columns(key, tables)):
        work.measure(batch)
    return work.done(key)


STEP = Step(
    "score",
    "documents by these",
    tables,
    (measure,),
    wanted=lambda recipe: bool(count.counters(recipe)),
    files=lambda recipe: 0,  # they are among those of the step scan
)
