"""Strategies by name: those that ship, and a user's own as ``package.module:function``."""

from collections.abc import Iterator
from typing import Any

from filters.strategies import Strategy, own
from pipelines.errors import RecipeError
from pipelines.recipe import Recipe
from pipelines.recipe.build import build, plain, strings
from pipelines.recipe.named import code_of, thing
from pipelines.recipe.select import Select

STRATEGIES = {
    "random": "filters.strategies:Random",
    "top": "filters.strategies:Top",
    "band": "filters.strategies:Band",
    "importance": "filters.strategies:Importance",
    "coverage": "filters.coverage:Coverage",
    "compression": "filters.compression:Compression",
    "clusters": "filters.clustering:Clusters",
}


def strategy(asked: Select, number: int) -> Strategy:
    """What a table of ``[[select]]`` stands for.

    Raises:
        RecipeError: if it is not known, or refuses its options.
    """
    where = f"[[select]] {number}"
    kind, options = thing(asked.strategy, STRATEGIES, where), dict(asked.options)
    if asked.strategy in STRATEGIES:
        return build(kind, options, where, f"{asked.strategy}: ")
    try:
        columns = strings("columns", options.pop("columns", []), 'strings such as ["text"]')
        return own(kind, columns, options)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {asked.strategy}: {plain(error)}") from error


def numbers(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Columns that must hold numbers, each with where the recipe names it."""
    for number, asked in enumerate(recipe.select, 1):
        if "by" in asked.options:
            for column in strategy(asked, number).needs:
                if column != "text":
                    yield f"[[select]] {number} by", column
    if recipe.curriculum is not None:
        yield "[curriculum] by", recipe.curriculum.column


def mark(strategy: Strategy) -> list[object]:
    """What decides the order that a strategy gives: its code and options."""
    function: Any = getattr(strategy, "function", None)
    code = code_of(function or type(strategy), getattr(strategy, "version", None))
    options = (strategy.needs, getattr(strategy, "options", ())) if function else strategy
    return [*code, repr(options)]
