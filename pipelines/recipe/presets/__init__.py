"""Presets that ship, each a file beside this one, and how their entries join a recipe's."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.errors import RecipeError, nearest

Tables = dict[str, Any]


def text(name: str, where: str = "preset") -> str:
    """The text of a preset, as in a recipe.

    Raises:
        RecipeError: if there is none of that name.
    """
    known = {path.stem: path for path in Path(__file__).parent.glob("*.toml")}
    if name not in known:
        raise RecipeError(f"{where}: unknown preset {name!r}; {nearest(name, known)}")
    return known[name].read_text(encoding="utf-8")


def expanded(table: Tables, where: str) -> Tables:
    """A recipe's table without `presets`, with their entries before its own.

    An entry takes the place of one of the same name from a preset before, or of a preset.

    Raises:
        RecipeError: if `presets` is no list of names that are known.
    """
    own = {key: value for key, value in table.items() if key != "presets"}
    merged: Tables = {}
    for _, section, name, value in _entries(table, where):
        merged.setdefault(section, {})[name] = value
    for section, entries in merged.items():
        if isinstance(own.get(section, {}), dict):
            own[section] = {**entries, **own.get(section, {})}
    return own


def origins(table: Tables, where: str) -> dict[tuple[str, str], str]:
    """Which preset brings an entry that a recipe does not write itself: by section and name."""
    return {
        (section, name): preset
        for preset, section, name, _ in _entries(table, where)
        if name not in table.get(section, {})
    }


def _entries(table: Tables, where: str) -> Iterator[tuple[str, str, str, Any]]:
    """(Preset, section, name, value) of all that the presets of a recipe bring."""
    presets = table.get("presets", [])
    if not isinstance(presets, list) or not all(isinstance(name, str) for name in presets):
        raise RecipeError(f'{where}: presets: want a list of names such as ["basic"]')
    for preset in presets:
        for section, entries in tomllib.loads(text(preset, where)).items():
            for name, value in entries.items():
                yield preset, section, name, value
