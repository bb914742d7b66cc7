"""All steps, in their order; which of them a recipe wants."""

from itertools import chain

from pipelines.crawl import step as crawl
from pipelines.engine.step import Step
from pipelines.recipe import Recipe
from pipelines.steps import (
    cap,
    count,
    decide,
    fit,
    ingest,
    near,
    pairs,
    publish,
    rules,
    scan,
    score,
    split,
)
from pipelines.steps.across import again, boilerplate, passages
from pipelines.steps.dedup import check
from pipelines.steps.dedup import step as dedup
from pipelines.steps.select import curriculum, rank, take

STEPS: tuple[Step, ...] = (
    ingest.STEP,
    pairs.STEP,
    fit.STEP,
    scan.STEP,
    count.STEP,
    score.STEP,
    rules.STEP,
    dedup.STEP,
    check.STEP,
    boilerplate.STEP,
    passages.STEP,
    again.STEP,
    cap.STEP,
    split.STEP,
    near.STEP,
    *chain.from_iterable(zip(rank.STEPS, take.STEPS, strict=True)),
    curriculum.STEP,
    decide.STEP,
    publish.STEP,
)
"""Of a run; the crawl comes before them, as often as there are rounds."""


def named(name: str) -> Step:
    """A step, by its name."""
    return next(step for step in (crawl.STEP, *STEPS) if step.name == name)


def wanted(recipe: Recipe) -> list[Step]:
    """The steps of a recipe, in their order."""
    return [step for step in STEPS if step.wanted(recipe)]
