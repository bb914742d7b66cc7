"""A whole run: the steps in their order, each done where it is stale, then sealed."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from math import floor

from pipelines.engine.corpus import Corpus
from pipelines.engine.doing import How as How
from pipelines.engine.doing import do
from pipelines.engine.step import Job, Step
from pipelines.errors import DamagedError, RunError
from pipelines.plain import plain
from pipelines.readers import LIMIT
from pipelines.recipe import Recipe
from pipelines.runs import Run, Table, refusals
from pipelines.runs.tables import LETTERS
from pipelines.schema import FORGOTTEN
from pipelines.steps import holdings, ingest, order, publish, sources
from pipelines.steps.across import again
from pipelines.steps.dedup import against, check
from pipelines.steps.dedup import step as dedup
from pipelines.units import say_size

REASONS = 3  # of dead letters that a message tells
HELPS = {
    "no text": 'a [[source]] says by text = "…" which field holds the text',
    "no column": 'a [[source]] says by text = "…" which field holds the text',
    "too large": f"a document has at most {say_size(LIMIT)} of text: cut it into several",
}
"""What may help, by the reason of dead letters."""


def execute(run: Run, recipe: Recipe, how: How, other: Run | None = None) -> None:
    """Bring a run folder up to date with a recipe.

    Args:
        run: locked by the caller; its recipe.toml is `recipe`.
        recipe: checked.
        how: with which means.
        other: a run whose documents, and whose columns as far as they are the same, are taken by
            reference.

    Raises:
        RunError: if a limit is passed, there is nothing to read, or what was asked to be forgotten
            is still there.
    """
    check_forgotten(run)
    other = _source_run(run, other)
    idle = True
    for step in order.STEPS:
        tables = _tables(run, recipe, step)
        if other is not None and step is not publish.STEP and run.adopt(other, tables):
            run.manifest.steps[step.name] = other.manifest.steps[step.name]
        stale = run.stale(tables)
        if stale:
            if how.only not in (None, step.name):
                raise RunError(f"{how.only}: needs {step.name} first, which is not up to date")
            if idle:
                how.ready()
            idle = False
            _do(run, recipe, step, tables, stale, how)
        if step.name in ("ingest", "scan", "score", "again"):
            check_limit(run, recipe, step.name, tables)
        if how.only == step.name:
            break
    run.save()
    run.tidy()


def check_forgotten(run: Run) -> None:
    """Stop where somebody began to forget, and was cut off.

    Raises:
        RunError: with the command that finishes it.
    """
    if run.manifest.facts.get(FORGOTTEN, "") != refusals.read(run.folder).mark:
        where = run.folder.path
        raise RunError(f"{where}: forgetting was cut off; karez forget {where} finishes it")


def _tables(run: Run, recipe: Recipe, step: Step) -> dict[str, str]:
    """What a step makes; what is made no longer, and would hide what is, is forgotten."""
    if step is again.STEP:
        again.forget(run, recipe)
    return step.made(run, recipe)


def _source_run(run: Run, other: Run | None) -> Run | None:
    """The run that documents are taken from: the one named now, or when this folder was begun.

    Raises:
        RunError: if it holds no documents, or no longer those that were taken.
    """
    if other is None and "from" not in run.manifest.facts:
        return None
    known = other or Run(run.manifest.facts["from"])
    check_forgotten(known)
    taken = {t: known.table(t).fingerprint for t in ingest.TABLES}
    if other is None and run.stale(taken):
        where = known.folder.path
        raise RunError(f"{where}: its documents have changed since; run again with --from {where}")
    if known.stale(taken):
        raise DamagedError(f"{known.folder.path}: files are missing; run its recipe again")
    run.manifest.facts["from"] = known.folder.path
    run.adopt(known, taken)
    run.manifest.steps["ingest"] = known.manifest.steps["ingest"]
    return known


def _do(
    run: Run, recipe: Recipe, step: Step, wanted: Mapping[str, str], stale: list[str], how: How
) -> None:
    started = time.perf_counter()
    run.unseal(stale)
    check_memory(run, recipe, step)

    def watch(job: Job) -> AbstractContextManager[None]:
        return how.watch(step, lambda: progress(job))

    job, total, took = do(run, recipe, step, wanted, stale, how, watch)
    for table in stale:
        run.manifest.tables[table] = Table(wanted[table], tuple(total.parts.get(table, [])))
    run.manifest.steps[step.name] = {
        "counts": dict(sorted(total.counts.items())),
        "facts": job.plan.facts,
        "seconds": round(time.perf_counter() - started, 3),
        **took,
    }
    run.save()
    run.sweep(stale)
    run.folder.delete("work")


def check_memory(run: Run, recipe: Recipe, step: Step) -> None:
    """Stop before a step that would hold more than one process may.

    Raises:
        RunError: naming what it would hold, and what to set.
    """
    if step is ingest.STEP:
        files = sum(len(sources.files(each, recipe.base)) for each in sources.of(run, recipe))
        holdings.check(step, recipe, Corpus(0, 0, 0), files)
    else:
        earlier = against.runs(recipe) if step in (dedup.STEP, check.STEP) else []
        holdings.check(step, recipe, Corpus.of(run).after(earlier))


def progress(job: Job) -> tuple[int, int]:
    """(Tasks done, tasks planned), read from the run folder, so it holds on every runner."""
    notes = [n for n in job.run.folder.list(job.work) if n.endswith(".json")]
    planned = len(job.plan.tasks) + sum(job.plan.keys)
    return max(0, len(notes) - 1), planned


def check_limit(run: Run, recipe: Recipe, step: str, tables: Iterable[str]) -> None:
    """Stop a run that lost too much.

    Dead letters count against records, unread bytes against bytes: a file cut off loses thousands
    of records as one letter.

    Raises:
        RunError: if a limit is passed, or no document came out.
    """
    counts, documents = run.manifest.steps["ingest"]["counts"], run.table("documents").rows
    letters = [t for t in tables if t.startswith(LETTERS) and run.table(t).rows]
    dead = max((run.table(t).rows for t in letters), default=0)
    where, written = ", ".join(map(run.folder.at, letters)), run.folder.at("recipe.toml")
    if step == "ingest" and not documents:
        held = f"{counts.get('bytes', 0):,} bytes of files"
        why = f": {lost(run, letters)}; see {where}; the recipe is {written}" if dead else ""
        raise RunError(f"nothing to read: no document in {held}{why}")
    losses = [(dead, documents + dead if step == "ingest" else documents, "records")]
    if step == "ingest":
        losses.append((counts.get("unread", 0), max(1, counts.get("bytes", 0)), "bytes"))
    for some, every, what in losses:
        if some > recipe.limit.dead * every:
            more = min(100, floor(100 * some / every) + 1)
            raise RunError(
                f"{step}: {some:,} of {every:,} {what} could not be read, the limit is "
                f"{recipe.limit.dead:.1%}: {lost(run, letters)}; see {where}, "
                f'or say limit = {{ dead = "{more} %" }} in the recipe, of which {written} is a '
                "copy, and run that"
            )


def lost(run: Run, tables: Iterable[str]) -> str:
    """Dead letters by their reasons, each with the first that has it."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for table in tables:
        for part in range(len(run.table(table).parts)):
            rows = run.open_part(table, part).read()
            for each in rows["reason"].value_counts().to_pylist():
                counts[each["values"]] += each["counts"]
                if each["values"] not in first:
                    at = rows["reason"].index(each["values"]).as_py()
                    (row,) = rows.slice(at, 1).to_pylist()
                    first[each["values"]] = "{source} at {offset:,}: {detail}".format(**row)
    told = [f"{reason} {n:,} ({plain(first[reason])})" for reason, n in counts.most_common(REASONS)]
    helps = {HELPS[reason]: None for reason in counts if reason in HELPS}  # each once
    return ", ".join([*told, *["…"] * (len(counts) > REASONS), *helps])
