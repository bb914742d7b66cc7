"""The recipe that `karez run PATH…` makes: clean, drop duplicates, publish."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.errors import RecipeError
from pipelines.plain import plain
from pipelines.readers import SUFFIXES, hf, kind_of
from pipelines.readers.paths import is_run, under
from pipelines.readers.paths import readable as shown
from pipelines.recipe import presets
from pipelines.recipe.text import quoted

RECIPE = """\
# Made by `karez run`.  Change it and run it again: only what changed is done anew.
name = {name}
seed = 0
limit = {{ dead = "5 %" }}      # more unreadable records, or bytes, and the run fails

{sources}
{basic}
[dedup]                       # of nearly equal texts one is kept

[publish]
splits = {{ train = 1.0 }}
shard = "256 MB"
"""


TOLD = 8  # endings that are not known which a message names


def default(paths: Sequence[Path], console: Console) -> str:
    """The recipe over some files and folders, its paths relative to the current folder.

    Raises:
        RecipeError: if a path is not there, or holds nothing that can be read.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        if url := re.match(r"(https?):/(?!/)(.*)", str(path)):  # a path has single slashes
            raise RecipeError(
                f"{url[1]}://{url[2]}: is to be fetched: write a recipe with a [[source]] of kind "
                "crawl, which names it as start and your contact"
            )
        if is_run(path):
            raise RecipeError(
                f"{path}: is the folder of a run; its recipe is {path}/recipe.toml, what "
                f"it published {path}/dataset"
            )
        for kind, pattern in _patterns(path, console):
            if pattern not in found.setdefault(kind, []):
                found[kind].append(pattern)
    datasets = found.get("hf", [])
    for folder in datasets:
        if said := hf.choices(Path(folder)):
            console.print(plain(shown(said)), markup=False, soft_wrap=True)
    sources = "\n".join(
        _source(kind, patterns, [] if kind == "hf" else datasets)
        for kind, patterns in sorted(found.items())
    )
    name = re.sub(r"[^\w.-]+", "-", paths[0].absolute().name.split(".")[0]).strip("-.") or "run"
    return RECIPE.format(name=_quoted(name), sources=sources, basic=presets.text("basic"))


def _patterns(path: Path, console: Console) -> list[tuple[str, str]]:
    """(Kind, path or pattern) of what stands at a path."""
    readable = ", ".join(SUFFIXES)
    if path.is_file():
        kind = kind_of(path.name)
        if kind is None:
            raise RecipeError(f"{path}: cannot tell what it is by its name; known: {readable}")
        return [(kind, str(path))]
    if re.match(r"\w+:/", str(path)):
        raise RecipeError(f"{path}: sources are local files; only runs lie on a store")
    if not path.is_dir():
        raise RecipeError(f"{path}: no such file or folder")
    if hf.is_dataset(path):
        return [("hf", str(path))]
    below = dict(under(path, "**/*"))
    folders = sorted(
        {folder for file in below.values() for folder in file.parents if folder != path}
    )
    datasets = [folder for folder in folders if path in folder.parents and hf.is_dataset(folder)]
    names = [name for name, file in below.items() if not set(file.parents) & set(datasets)]
    unknown = Counter(Path(n).suffix or "without ending" for n in names if kind_of(n) is None)
    found = {(kind, _suffix(name)) for name in names if (kind := kind_of(name))}
    if unknown:
        told = [f"{suffix} {count}" for suffix, count in unknown.most_common(TOLD)]
        rest = unknown.total() - sum(count for _, count in unknown.most_common(TOLD))
        said = ", ".join(told + [f"others {rest}"] * bool(rest))
        said = f"not read, of a kind unknown: {plain(shown(said))}; a [[source]] may name them"
        console.print(said, markup=False)
    if not found and not datasets:
        raise RecipeError(f"{path}: holds no file that can be read; known: {readable}")
    patterns = [(kind, f"{path}/**/*{suffix}") for kind, suffix in sorted(found)]
    return patterns + [("hf", str(folder)) for folder in datasets]


def _source(kind: str, paths: Sequence[str], exclude: Sequence[str]) -> str:
    lines = ["[[source]]", f"kind = {_quoted(kind)}", f"paths = [{', '.join(map(_quoted, paths))}]"]
    if exclude:
        lines.append(f"exclude = [{', '.join(map(_quoted, exclude))}]")
    return "\n".join([*lines, ""])


def _suffix(name: str) -> str:
    """The longest ending that tells the kind, as it is written in the name."""
    longest = max((s for s in SUFFIXES if name.lower().endswith(s)), key=len)
    return name[-len(longest) :]


def _quoted(value: str) -> str:
    """As TOML writes it, which has no way to write a name that is not UTF-8."""
    if shown(value) != value:
        raise RecipeError(f"{shown(value)}: the name is not UTF-8; name the folder that holds it")
    return quoted(value)
