"""A whole run: the steps in their order, each done where it is stale, then sealed."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from pipelines import decide, dedup, ingest, publish, rules, scan, split
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.runs import Run, Table
from pipelines.steps import FAILED, Job, Step, collect, prepare

STEPS: tuple[Step, ...] = (
    ingest.STEP,
    scan.STEP,
    rules.STEP,
    dedup.STEP,
    split.STEP,
    decide.STEP,
    publish.STEP,
)

Watch = Callable[[str, Callable[[], tuple[int, int]]], Any]
"""Shows a step's progress: its name, and a function that tells (tasks done, tasks planned)."""


def execute(
    run: Run,
    recipe: Recipe,
    options: Sequence[str],
    watch: Watch,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Bring a run folder up to date with a recipe.

    Args:
        run: locked by the caller; its recipe.toml is `recipe`.
        recipe: checked.
        options: Beam's.
        watch: a context manager around each step that has work to do.
        ready: called once before the first of these.

    Raises:
        RunError: if a limit is passed or there is nothing to read.
    """
    idle = True
    for step in STEPS:
        stale = run.stale(step.tables(run, recipe))
        if stale:
            if idle:
                ready()
            idle = False
            _do(run, recipe, step, stale, options, watch)
        if step.name in ("ingest", "scan"):
            check_limit(run, recipe, step.name)
    run.folder.delete("work")


def _do(
    run: Run, recipe: Recipe, step: Step, stale: list[str], options: Sequence[str], watch: Watch
) -> None:
    from pipelines import beam  # takes a second to import: not before there is work

    started = time.perf_counter()
    run.unseal(stale)
    job = prepare(run, recipe, step, stale)
    with watch(step.name, lambda: progress(job)):
        try:
            beam.execute(job, options)
        except Exception:
            if run.folder.exists(f"{job.work}/{FAILED}"):
                raise RunError(run.folder.read_json(f"{job.work}/{FAILED}")) from None
            raise
    total, cpu = collect(job)
    if step.finish is not None:
        step.finish(job, total)
    wanted = step.tables(run, recipe)
    for table in stale:
        run.manifest.tables[table] = Table(wanted[table], tuple(total.parts.get(table, [])))
    run.manifest.steps[step.name] = {
        "counts": dict(sorted(total.counts.items())),
        "facts": job.plan.facts,
        "seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(cpu, 3),
    }
    run.save()
    run.sweep(stale)
    run.folder.delete(job.work)


def progress(job: Job) -> tuple[int, int]:
    """(Tasks done, tasks planned), read from the run folder, so it holds on every runner."""
    notes = [n for n in job.run.folder.list(job.work) if n.endswith(".json")]
    planned = len(job.plan.tasks) + sum(job.plan.keys)
    return max(0, len(notes) - 1), planned


def check_limit(run: Run, recipe: Recipe, step: str) -> None:
    """Stop a run that lost too much.

    Dead letters count against records, unread bytes against bytes: a file cut off loses thousands
    of records as one letter.

    Raises:
        RunError: if a limit is passed, or no document came out.
    """
    counts, documents = run.manifest.steps["ingest"]["counts"], run.table("documents").rows
    letters = [t for t in run.manifest.tables if t.startswith("dead/")]
    letters = [t for t in letters if (t == "dead/ingest") == (step == "ingest")]
    dead = sum(run.table(t).rows for t in letters)
    where = ", ".join(run.folder.at(t) for t in letters if run.table(t).rows)
    if step == "ingest" and not documents:
        raise RunError(
            f"nothing to read: no document, {dead} dead letters; the sources hold "
            f"{counts.get('bytes', 0)} bytes {where}"
        )
    shares = [(dead / (documents + dead if step == "ingest" else documents), "records")]
    if step == "ingest":
        shares.append((counts.get("unread", 0) / max(1, counts.get("bytes", 0)), "bytes"))
    for share, what in shares:
        if share > recipe.limit.dead:
            raise RunError(
                f"{step}: {share:.1%} of the {what} could not be read, the limit is "
                f"{recipe.limit.dead:.1%}; see why in {where}, "
                f'or raise it: limit = {{ dead = "{share * 100 + 1:.0f} %" }}'
            )
