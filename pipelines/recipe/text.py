"""A recipe read from its TOML, and its TOML with a line changed."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pipelines.errors import DamagedError, RecipeError
from pipelines.recipe import TABLES, Recipe, Source, presets
from pipelines.recipe import select as asked
from pipelines.recipe.build import build
from pipelines.recipe.crawl import CRAWL, Crawl
from pipelines.runs.folders import Folder, is_utf8


def read_text(path: Path) -> str:
    """A recipe's text.

    Raises:
        RecipeError: if it cannot be read.
    """
    if path.is_dir():
        raise RecipeError(f"{path}: is a folder, no recipe; that of a run is its recipe.toml")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error


def load(path: Path) -> Recipe:
    """Read a recipe; its `base` becomes an absolute folder.

    Raises:
        RecipeError: at the first thing that is wrong, saying where.
    """
    return parse(read_text(path), path)


def of_run(folder: Folder) -> Recipe:
    """The recipe of a run folder.

    Raises:
        RecipeError: if it is wrong, or cannot be read.
    """
    path = Path(folder.at("recipe.toml"))  # for messages alone where it is no local one
    try:
        text = folder.read("recipe.toml").decode("utf-8-sig")
    except (DamagedError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Recipe:
    """A recipe from its text; `path` is for messages, and what its paths are relative to."""
    table = presets.expanded(_toml(text, path), str(path))
    table["base"] = os.path.normpath(path.absolute().parent / str(table.get("base", ".")))
    if not is_utf8(table["base"]):
        raise RecipeError(f"{table['base']}: a name that is no UTF-8, which no recipe can hold")
    for name in ("source", "select"):
        if not isinstance(table.setdefault(name, []), list):
            raise RecipeError(f"{path} [{name}]: write [[{name}]], with two brackets")
    built = [_source(each, f"{path} [[source]] {n}") for n, each in enumerate(table["source"], 1)]
    table["source"] = tuple(each for each in built if isinstance(each, Source))
    crawls = [each for each in built if isinstance(each, Crawl)]
    if "crawl" in table or len(crawls) > 1:
        raise RecipeError(f"{path}: want one [[source]] of kind crawl, with all its start URLs")
    table["crawl"] = next(iter(crawls), None)
    table["select"] = asked.read(table["select"], str(path))
    for name, kind in TABLES.items():
        if name in table:
            table[name] = build(kind, table[name], f"{path} [{name}]")
    return build(Recipe, table, str(path))


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a number of thousands of digits is none of TOML's
        raise RecipeError(f"{path}: not TOML: {error}") from error
    except RecursionError as error:
        raise RecipeError(f"{path}: not TOML that can be read: nested too deeply") from error


def _source(table: object, where: str) -> Source | Crawl:
    """A source; its kind says which keys it has."""
    is_crawl = isinstance(table, dict) and table.get("kind") == CRAWL
    return build(Crawl, table, where) if is_crawl else build(Source, table, where)


def rebased(text: str, base: str) -> str:
    """The recipe's text with `base` set, so that its paths still hold from another folder."""
    line = f"base = {quoted(base)}  # what the paths below are relative to"
    return _with(text, "base", line)


def quoted(value: object) -> str:
    """A string, or a plain value, as TOML writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def limited(text: str, first: int) -> str:
    """The recipe's text with `first` set."""
    return _with(text, "first", f"first = {first}  # documents of each source, at most")


def exchanged(text: str, how: str) -> str:
    """The recipe's text with `exchange` set."""
    return _with(text, "exchange", f'exchange = "{how}"')


def _with(text: str, key: str, line: str) -> str:
    """A line before the first table, in place of the key's own."""
    head, bracket, tables = f"\n{text}".partition("\n[")
    head = re.sub(rf"(?m)^{key} *=.*\n?", "", head.removeprefix("\n"))
    return f"{line}\n{head}{bracket or ''}{tables}"
