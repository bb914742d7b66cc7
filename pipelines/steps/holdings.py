"""What a step holds that grows with the corpus, and where it is refused."""

from collections.abc import Iterator
from math import ceil

from pipelines.engine import limits
from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import APART, Holding
from pipelines.engine.step import Job, Step
from pipelines.errors import RunError
from pipelines.recipe import SHUFFLE, Recipe
from pipelines.steps import order


def holdings(step: Step, recipe: Recipe, corpus: Corpus, files: int = 0) -> Iterator[Holding]:
    """What a step holds that grows with the corpus.

    Args:
        step: one that the recipe wants.
        recipe: checked.
        corpus: known or estimated.
        files: of the sources.
    """
    lines = corpus.every_part * tables(recipe)
    yield Holding("lines of the manifest", limits.LINE, lines, f"{limits.RAISE}, or {APART}")
    sizes = step.sizes(recipe, corpus)
    if len(sizes) > 1 and recipe.exchange == SHUFFLE:
        yield limits.travelling(step.exchanged(corpus))
    elif len(sizes) > 1:
        yield limits.references(step.name, sizes)
    most = max(map(step.holds, range(len(step.stages))))
    if most:
        yield Holding("bytes of rows that meet", ceil(most), None, step.helps)
    yield from step.grows(recipe, corpus, files)


def tables(recipe: Recipe) -> int:
    """How many tables a run comes to have with a file for each part."""
    return sum(step.files(recipe) for step in order.wanted(recipe))


def check(step: Step, recipe: Recipe, corpus: Corpus, files: int = 0) -> None:
    """Refuse a step whose corpus is beyond what one process may hold.

    Raises:
        RunError: naming what it would hold, and what to set.
    """
    for holding in holdings(step, recipe, corpus, files):
        if not holding.is_local:
            limits.refuse(step.name, holding, recipe.limit.memory)


def check_exchange(job: Job, here: bool) -> None:
    """The same for what travels between the stages of a job.

    Args:
        job: prepared.
        here: whether one process does all stages.

    Raises:
        RunError: also if what comes to one key is larger than what a runner moves.
    """
    name, sizes = job.step.name, job.sizes
    if len(sizes) == 1:
        return
    if here:
        held = limits.references(name, sizes)
        if job.exchange == SHUFFLE:
            held = limits.travelling(job.step.exchanged(Corpus.of(job.run)))
        limits.refuse(name, held, job.recipe.limit.memory)
    grouped = Holding("keys", limits.KINDS * limits.WRITTEN, max(sizes), APART)
    if grouped.is_beyond(limits.ELEMENT):
        raise RunError(
            f"{name}: {max(sizes):,} keys in a stage, {grouped.most(limits.ELEMENT):,} are most "
            f"that travels and notes can tell of: {APART}"
        )
