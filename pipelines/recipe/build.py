"""A frozen value from a table of TOML; what does not fit is refused, saying where."""

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from pipelines.errors import RecipeError, nearest

T = TypeVar("T")


def build(kind: type[T], table: object, where: str) -> T:
    """A frozen value from a TOML table.

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
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {plain(error)}") from error


def _value(f: Any, value: object) -> object:
    read: Callable[[object], object] | None = f.metadata.get("read")
    if read is not None:
        try:
            return read(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{f.name}: {error}") from error
    if f.type == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ValueError(f'{f.name}: want a list of strings such as ["a", "b"], got {value!r}')
        return tuple(value)
    kind = {int | None: int, str | None: str}.get(f.type, f.type)
    if kind in (str, int, bool) and type(value) is not kind:
        word = {str: "a string", int: "a whole number", bool: "true or false"}[kind]
        raise ValueError(f"{f.name}: want {word}, got {value!r}")
    return value


def plain(error: Exception) -> str:
    """Python's own "missing argument" in the user's words."""
    missing = re.search(r"required positional arguments?: (.*)", str(error))
    return f"missing {missing[1]}" if missing else str(error)
