"""Earlier runs that a new one is deduplicated against: their signatures are read, never their text.

Their parts are numbered on from this run's own, so that an address names a row of either.  What
they kept stays kept: a new document that resembles one of theirs is a duplicate of it.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Job, Plan
from pipelines.errors import RecipeError, RunError
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.runs import Run
from pipelines.runs.folders import fingerprint
from pipelines.runs.stores import folder, is_remote, reached
from pipelines.runs.tables import DECISIONS_TABLE

SCHEME = b"scheme"
"""Key of a file's footer: what must agree if the signatures or hashes in it are to be compared."""

READ = (table_of("minhash"), table_of("exact"), DECISIONS_TABLE)


def runs(recipe: Recipe) -> list[Run]:
    """The earlier runs that a recipe names, in written order.

    Raises:
        RecipeError: if one is no finished run, has no signatures, or has those of another scheme.
    """
    if recipe.dedup is None:
        return []
    return [_opened(recipe, name) for name in recipe.dedup.against]


def refuse_itself(recipe: Recipe, own: str) -> None:
    """A run is no earlier run of its own.

    Raises:
        RecipeError: if the recipe names the folder that it is to be run in.
    """
    for run in runs(recipe):
        if os.path.realpath(run.folder.path) == os.path.realpath(own):
            raise RecipeError(f"[dedup] against: {own} is this run's own folder; name earlier ones")


def _opened(recipe: Recipe, name: str) -> Run:
    where = f"[dedup] against: {name}"
    path = reached(name if is_remote(name) else Path(recipe.base, name))
    if not folder(path).exists("manifest.json"):
        raise RecipeError(f"{where}: {path} is no run folder")
    try:
        run = Run(path)
    except RunError as error:
        raise RecipeError(f"{where}: {error}") from error
    missing = [table for table in READ if table not in run.manifest.tables]
    if missing:
        raise RecipeError(
            f"{where}: has no {missing[0]}; run its recipe to the end, with [dedup] in it"
        )
    for name, what in (("minhash", "signatures"), ("exact", "hashes of texts")):
        ours, theirs = _scheme(recipe, name), scheme(run, table_of(name))
        if theirs not in (None, ours):
            raise RecipeError(
                f"{where}: its {what} are of another scheme ({theirs}); this recipe's is ({ours}): "
                f"set [measure] {name} as it is there, or run that one again"
            )
    return run


def _scheme(recipe: Recipe, measure: str) -> str:
    metadata = selected(recipe).measures[measure].columns.metadata or {}
    return str(metadata[SCHEME].decode())


def scheme(run: Run, table: str) -> str | None:
    """What a run's signatures, or hashes, were made with; None if it holds none.

    Raises:
        DamagedError: if its files are missing or cut.
    """
    if not run.table(table).parts:
        return None
    metadata = run.open_part(table, 0).schema_arrow.metadata or {}
    return metadata.get(SCHEME, b"unknown").decode()


def planned(sizes: Callable[[Recipe, Corpus], list[int]]) -> Callable[[Run, Recipe], Plan]:
    """The plan of a step that goes through earlier runs too: the keys of `sizes`, and the runs."""

    def plan(run: Run, recipe: Recipe) -> Plan:
        earlier = runs(recipe)
        count, *keys = sizes(recipe, Corpus.of(run).after(earlier))
        facts = {"against": [[r.folder.path, mark(r)] for r in earlier]}
        return Plan(list(range(count)), keys, facts)

    return plan


def place(job: Job, part: int) -> tuple[Run, int, bool]:
    """Where a part stands: its run, its number there, and whether that is an earlier run."""
    if part < job.run.parts:
        return job.run, part, False
    part -= job.run.parts
    for run in _opened_once(tuple(map(tuple, job.plan.facts["against"]))):
        if part < run.parts:
            return run, part, True
        part -= run.parts
    raise IndexError(part)


@lru_cache(maxsize=2)
def _opened_once(found: tuple[tuple[str, str], ...]) -> list[Run]:
    return [Run(path) for path, _ in found]


def mark(run: Run) -> str:
    """What of an earlier run decides: signatures, hashes of texts, decisions."""
    return fingerprint(run.marks(READ))
