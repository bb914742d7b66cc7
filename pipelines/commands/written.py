"""A recipe written out whole: presets expanded, measures that are brought along, and defaults.

What is printed is a recipe that decides the same; a comment says where an entry comes from that the
recipe does not write itself.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date, time
from pathlib import Path
from typing import Any

import click

from pipelines import units
from pipelines.errors import RecipeError
from pipelines.recipe import TABLES, presets
from pipelines.recipe.measures import Scan
from pipelines.recipe.text import parse, quoted, read_text
from pipelines.steps import rules

LISTED = ("source", "select")  # tables of which there may be several
ALWAYS = ("limit", "publish")  # tables that decide without being written
DEFAULT = "default"
BROUGHT = "brought along"
WIDTH = 90  # characters of a string on one line, at most

Line = tuple[str, object, str]
"""Key, value, and where they come from; "" if from the recipe itself."""


def command(path: Path) -> None:
    """Print the recipe.

    Raises:
        RecipeError: if it is wrong.
    """
    text = read_text(path)
    try:
        scan = rules.check(parse(text, path))
    except RecipeError as error:
        said = str(error)
        raise RecipeError(said if said.startswith(str(path)) else f"{path} {said}") from error
    click.echo(written(text, scan), nl=False)


def written(text: str, scan: Scan, left_out: str | None = None) -> str:
    """The text of a recipe that was parsed before, whole, but for a rule that is left out."""
    table = tomllib.loads(text)
    origin, whole = presets.origins(table, ""), presets.expanded(table, "")
    single = [(k, v, "") for k, v in whole.items() if not isinstance(v, dict) and k not in LISTED]
    if "seed" not in whole:
        single.append(("seed", 0, DEFAULT))
    blocks = ["\n".join(_lines(single))]
    blocks += ["\n".join(["[[source]]", *_lines(_own(each))]) for each in whole["source"]]
    for section in ("measure", "edits", "rules", *TABLES):
        lines = [
            (name, value, origin.get((section, name), ""))
            for name, value in whole.get(section, {}).items()
            if section != "rules" or name != left_out
        ]
        if section == "measure":
            own = whole.get("measure", {})
            lines += [(name, {}, BROUGHT) for name in scan.measures if name not in own]
        elif section in TABLES and (section in whole or section in ALWAYS):
            lines += _defaults(TABLES[section], whole.get(section, {}))
        if lines or section in whole:
            blocks.append("\n".join([f"[{section}]", *_lines(lines)]))
    blocks[-1:-1] = ["\n".join(["[[select]]", *_lines(_own(s))]) for s in whole.get("select", [])]
    return "\n\n".join(blocks) + "\n"


def _own(table: Mapping[str, object]) -> list[Line]:
    return [(key, value, "") for key, value in table.items()]


def _defaults(kind: type, own: Mapping[str, object]) -> Iterator[Line]:
    """The options that a table does not name."""
    for f in fields(kind):
        if f.name not in own:
            default: Any = f.default
            value = default if f.default_factory is MISSING else f.default_factory()
            if f.metadata.get("read") is units.size:
                value = f"{value // 10**6} MB"
            yield f.name, value, DEFAULT


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    """Keys and values, one below the other."""
    wide = max((len(_key(key)) for key, *_ in lines), default=0)
    for key, value, origin in lines:
        line = f"{_key(key):<{wide}} = {_value(value)}"
        yield f"{line}  # {origin}" if origin else line


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    said = quoted(value)
    if len(said) <= WIDTH or "  " in said:
        return said
    wrapped = textwrap.wrap(said[1:-1], WIDTH, break_long_words=False, break_on_hyphens=False)
    return '"""\\\n    ' + " \\\n    ".join(wrapped) + '"""'
