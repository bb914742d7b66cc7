"""What strategies came to, in words."""

from typing import NamedTuple

from pipelines.recipe import Recipe
from pipelines.recipe.select import Select
from pipelines.runs import Run
from pipelines.steps.select import rank


class Taken(NamedTuple):
    """One strategy.

    Attributes:
        how: the strategy, with its options.
        budget: as it was asked for; "" if it was not.
        candidates: documents that it could take.
        taken: of these.
        tokens: of what it took.
    """

    how: str
    budget: str
    candidates: int
    taken: int
    tokens: int


def listed(run: Run, recipe: Recipe) -> list[Taken]:
    """Each strategy of a run that is done, in order."""
    found = []
    for number, select in enumerate(recipe.select):
        ranked = run.manifest.steps[rank.named("rank", number)]["counts"]
        chosen = run.manifest.steps[rank.named("select", number)]["counts"]
        some = (ranked.get("candidates", 0), chosen.get("taken", 0), chosen.get("tokens", 0))
        found.append(Taken(_how(select), _budget(select), *some))
    return found


def _how(select: Select) -> str:
    options = ", ".join(f"{name} {value}" for name, value in select.options.items())
    added = " of what is left" if select.add else ""
    groups = f", for each {select.per}" if select.per else ""
    return f"{select.strategy}{added}{f' ({options})' if options else ''}{groups}"


def _budget(select: Select) -> str:
    if select.budget is None:
        return ""
    if select.budget.share is not None:
        return f"{100 * select.budget.share:g} %"
    return f"{select.budget.tokens:,} tokens"
