"""Lists of words that a measure is given in files: UTF-8, one entry a line, ``#`` before a comment.

A measure asks for them by a field with ``metadata={"files": "lists"}``.  The recipe names files
there, or files by the name of a list, relative to itself as all its paths; the measure finds the
entries, so these, and neither names nor places of files, are what its fingerprint sees.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filters import Measure
from pipelines.errors import RecipeError
from pipelines.paths import readable
from pipelines.texts import Texts

COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True, repr=False, eq=False)
class Entries:
    """The entries of some files, read when they are first asked for.

    Two are equal if they hold the same entries in the same order.

    Attributes:
        base: what the patterns are relative to.
        patterns: files, folders or patterns.
    """

    base: str
    patterns: tuple[str, ...]

    @cached_property
    def held(self) -> tuple[str, ...]:
        """The entries, once each.

        Raises:
            RecipeError: if a file is not there, is no UTF-8, or holds no entry.
        """
        files = Texts(self.base, self.patterns).files()
        return tuple(dict.fromkeys(entry for file in files for entry in entries(file)))

    def __iter__(self) -> Iterator[str]:
        """They."""
        return iter(self.held)

    @cached_property
    def digest(self) -> str:
        """Of the entries."""
        return hashlib.sha256("\n".join(self.held).encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        """What a fingerprint sees."""
        return f"Entries({self.digest})"

    def __eq__(self, other: object) -> bool:
        """Whether the entries are the same."""
        return isinstance(other, Entries) and self.digest == other.digest

    def __hash__(self) -> int:
        """Of the entries."""
        return hash(self.digest)


def opened(kind: Any, options: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The options of a measure, with entries where it asks for lists and the recipe names files.

    Raises:
        ValueError: if what stands there is neither a list of names nor a table of such lists.
    """
    return {n: _opened(n, v, base) if n in asked(kind) else v for n, v in options.items()}


def asked(kind: Any) -> set[str]:
    """The options of a measure that hold lists."""
    if not is_dataclass(kind):
        return set()
    return {f.name for f in fields(kind) if f.metadata.get("files") == "lists"}


def check(measures: Mapping[str, Measure]) -> None:
    """Read all lists that measures are given.

    Raises:
        RecipeError: if a measure that wants lists is given none, or a file is wrong.
    """
    for name, measure in measures.items():
        for option in sorted(asked(type(measure))):
            try:
                if not all(any(entries) for _, entries in getattr(measure, option)):
                    raise RecipeError(f'names no file: {option} = ["words.txt"]')
            except RecipeError as error:
                raise RecipeError(f"[measure] {name}: {error}") from error


def _opened(option: str, value: object, base: str) -> object:
    if isinstance(value, Mapping) and value:
        return {name: _opened(option, files, base) for name, files in value.items()}
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(
            f'{option}: want a list of files such as ["words.txt"], or a table of them by name, '
            f"got {value!r}"
        )
    return Entries(base, tuple(value)) if value else ()


def entries(file: Path) -> list[str]:
    """The entries of a file, in its order.

    Raises:
        RecipeError: if it cannot be read, is no UTF-8, or holds no entry, or one without a word.
    """
    where = readable(str(file))
    try:
        lines = file.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise RecipeError(f"{where}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{where}: no UTF-8, from byte {error.start:,} on; save it so") from error
    found = [(number, COMMENT.sub("", line).strip()) for number, line in enumerate(lines, 1)]
    found = [(number, entry) for number, entry in found if entry]
    if not found:
        raise RecipeError(f"{where}: holds no entry; write one a line, or leave it out")
    for number, entry in found:
        if not any(map(str.isalnum, entry)):
            raise RecipeError(f"{where}, line {number}: {entry!r} holds no word")
    return [entry for _, entry in found]
