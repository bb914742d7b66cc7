"""The recipe that `karez run PATH…` makes: clean, drop duplicates, publish."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.errors import RecipeError
from pipelines.ingest import under
from pipelines.readers import SUFFIXES, kind_of

RECIPE = """\
# Made by `karez run`.  Change it and run it again: only what changed is done anew.
name = {name}
seed = 0
limit = {{ dead = "1 %" }}      # more unreadable records, or bytes, and the run fails

{sources}
[edits]
repeated_lines = {{}}           # later occurrences of a line of three words and more

[rules]                       # what drops a document; the first that holds is the reason
short       = "words < 50"
odd_words   = "mean_word_length > 12 or alphabetic_words < 0.6"
symbols     = "symbols > 0.1"
bullets     = "bullet_lines > 0.9 or ellipsis_lines > 0.3"
repetitive  = "duplicate_lines > 0.3 or compression_ratio > 10"
noise       = "entropy > 6.8"

[dedup]                       # of equal texts one is kept

[publish]
splits = {{ train = 1.0 }}
shard = "256 MB"
"""


def default(paths: Sequence[Path], console: Console) -> str:
    """The recipe over some files and folders, its paths relative to the current folder.

    Raises:
        RecipeError: if a path is not there, or holds nothing that can be read.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        for kind, pattern in _patterns(path, console):
            if pattern not in found.setdefault(kind, []):
                found[kind].append(pattern)
    sources = "\n".join(
        f"[[source]]\nkind = {_quoted(kind)}\npaths = [{', '.join(map(_quoted, patterns))}]\n"
        for kind, patterns in sorted(found.items())
    )
    name = re.sub(r"[^\w.-]+", "-", paths[0].absolute().name.split(".")[0]).strip("-.") or "run"
    return RECIPE.format(name=_quoted(name), sources=sources)


def _patterns(path: Path, console: Console) -> list[tuple[str, str]]:
    """(Kind, path or pattern) of what stands at a path."""
    readable = ", ".join(SUFFIXES)
    if path.is_file():
        kind = kind_of(path.name)
        if kind is None:
            raise RecipeError(f"{path}: cannot tell what it is by its name; known: {readable}")
        return [(kind, str(path))]
    if not path.is_dir():
        raise RecipeError(f"{path}: no such file or folder")
    names = [file for file, _ in under(path, "**/*")]
    unknown = Counter(Path(name).suffix or name for name in names if kind_of(name) is None)
    found = {(kind, _suffix(name)) for name in names if (kind := kind_of(name))}
    if unknown:
        said = ", ".join(f"{suffix} {count}" for suffix, count in unknown.most_common(5))
        console.print(f"not read, of a kind unknown: {said}", highlight=False, markup=False)
    if not found:
        raise RecipeError(f"{path}: holds no file that can be read; known: {readable}")
    return [(kind, f"{path}/**/*{suffix}") for kind, suffix in sorted(found)]


def _suffix(name: str) -> str:
    """The longest ending that tells the kind, as it is written in the name."""
    longest = max((s for s in SUFFIXES if name.lower().endswith(s)), key=len)
    return name[-len(longest) :]


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
