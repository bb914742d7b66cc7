"""A frozen value from a table of TOML; what does not fit is refused, saying where."""

import re
from dataclasses import fields
from typing import Any, TypeVar

from pipelines import units
from pipelines.errors import RecipeError, nearest

T = TypeVar("T")
WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def build(kind: type[T], table: object, where: str, what: str = "") -> T:
    """A frozen value from a TOML table.

    Messages say `where` it stands, and those about its values `what` it is.

    Raises:
        RecipeError: at an unknown key, a missing one, or a value that the kind refuses.
    """
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: want a table of keys, got {table!r}")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise RecipeError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
    try:
        values = {key: _value(known[key], value) for key, value in table.items()}
        return kind(**values)
    except (OverflowError, TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {what}{plain(error)}") from error


def _value(f: Any, value: object) -> object:
    read = f.metadata.get("read")
    if read == "share":  # of a strategy, which knows no units
        return units.share(value)
    if read is not None:
        try:
            return read(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{f.name}: {error}") from error
    if f.type == tuple[str, ...]:
        return strings(f.name, value)
    kind = {int | None: int, str | None: str}.get(f.type, f.type)
    if kind is float and type(value) is int:
        return float(value)
    if kind in WORDS and type(value) is not kind:
        raise ValueError(f"{f.name}: want {WORDS[kind]}, got {value!r}")
    return value


def strings(name: str, value: object, want: str = 'strings such as ["a", "b"]') -> tuple[str, ...]:
    """What an option lists.

    Raises:
        ValueError: if it is no list of strings.
    """
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{name}: want a list of {want}, got {value!r}")
    return tuple(value)


def plain(error: Exception) -> str:
    """Python's own "missing argument" in the user's words."""
    missing = re.search(r"required positional arguments?: (.*)", str(error))
    return f"missing {missing[1]}" if missing else str(error)
