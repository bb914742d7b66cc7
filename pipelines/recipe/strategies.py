"""Strategies by name: those that ship, and a user's own as ``package.module:function``."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from filters.strategies import Strategy, own
from pipelines import units
from pipelines.errors import RecipeError, nearest
from pipelines.recipe import Recipe
from pipelines.recipe.build import plain
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
    try:
        if asked.strategy not in STRATEGIES:
            return own(kind, _columns(options), options)
        known = {f.name: f for f in fields(kind)}
        for key in options:
            if key not in known:
                raise RecipeError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
        return kind(**{key: _value(known[key], value) for key, value in options.items()})
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


def _columns(options: dict[str, Any]) -> tuple[str, ...]:
    """The option that says which columns a user's own looks at, taken out."""
    columns = options.pop("columns", [])
    if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
        raise ValueError(f'columns: want a list of strings such as ["text"], got {columns!r}')
    return tuple(columns)


def _value(f: Any, value: object) -> object:
    """An option as its type asks."""
    if f.metadata.get("read") == "share":
        return units.share(value)
    if f.type is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not f.type:
        word = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
        raise ValueError(f"{f.name}: want {word[f.type]}, got {value!r}")
    return value


def mark(strategy: Strategy) -> list[object]:
    """What decides the order that a strategy gives: its code and options."""
    own_: Any = getattr(strategy, "function", None)
    code = code_of(own_ or type(strategy), getattr(strategy, "version", None))
    options: Mapping[str, Any] | str = repr(strategy) if own_ is None else ""
    if own_ is not None:
        options = repr((strategy.needs, getattr(strategy, "options", ())))
    return [*code, options]
