"""Texts in files that a recipe names: a benchmark to look for, samples to learn from.

Of rows (JSON lines, Parquet) every string is a text of its own, or one field is the text; a plain
text is one.  The contents of the files, and neither their names nor their places, are what the
fingerprint of what they are given to sees.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.errors import RecipeError
from pipelines.readers import SUFFIXES, Dead, Document, Documents, by_kind, kind_of, paths, strings
from pipelines.recipe import Source
from pipelines.recipe.digests import ByDigest

KINDS = ("text", "jsonl", "parquet")


@dataclass(frozen=True, repr=False, eq=False)
class Texts(ByDigest):
    """The texts of some files, read anew whenever it is iterated.

    Two are equal if their files hold the same, which is looked at once.

    Attributes:
        base: what the patterns are relative to.
        patterns: files, folders or patterns.
        field: of a row that holds its text; "": every string is one.
    """

    base: str
    patterns: tuple[str, ...]
    field: str = ""

    def __iter__(self) -> Iterator[str]:
        """All texts, in an order that names decide.

        Raises:
            RecipeError: if a file is not there, or cannot be read to its end.
        """
        return (text for file in self.files() for row in self.rows(file) for text in row)

    def files(self) -> list[Path]:
        """The files, once each.

        Raises:
            RecipeError: if a pattern names none.
        """
        found: dict[str, Path] = {}
        for pattern in self.patterns:
            here = [file for _, file in paths.matches(Path(self.base), pattern)]
            if not here:
                where = paths.readable(str(Path(self.base, pattern)))
                raise RecipeError(f"{where}: no such file; name the files that hold the texts")
            found.update({str(file): file for file in here})
        return [found[name] for name in sorted(found)]

    def each(self) -> dict[str, "Texts"]:
        """Those of each file, by its name as the recipe's folder sees it."""
        return {
            self.name(file): Texts(self.base, (str(file),), self.field) for file in self.files()
        }

    def rows(self, file: Path) -> Iterator[list[str]]:
        """The texts of one of the files, row by row.

        Raises:
            RecipeError: at the first thing that cannot be read.
        """
        kind, name = _kind(file), paths.readable(file.name)
        try:
            with file.open("rb") as opened:
                if self.field or kind == "text":
                    source = Source(kind, (name,), text=self.field or "text")
                    found: Iterable[Any] = by_kind(kind)(opened, name, source)
                else:
                    found = (strings.json if kind == "jsonl" else strings.table)(opened, name)
                for row in found:
                    if isinstance(row, Dead):
                        raise _unread(file, f"{row.reason} at {row.offset:,}: {row.detail}")
                    if isinstance(row, Documents):
                        yield from ([text] for text in row.columns["text"].to_pylist())
                    else:
                        yield [row.text] if isinstance(row, Document) else row
        except OSError as error:
            raise _unread(file, str(error.strerror)) from error

    def name(self, file: Path) -> str:
        """A file's name as the recipe's folder sees it."""
        return paths.readable(os.path.relpath(file, self.base))

    @cached_property
    def digest(self) -> str:
        """Of what the files hold, and how they are read."""
        held = {f"{_kind(file)} {self.field} {_hash(file)}" for file in self.files()}
        return hashlib.sha256("\n".join(sorted(held)).encode()).hexdigest()[:16]


def _kind(file: Path) -> str:
    kind = kind_of(file.name)
    if kind not in KINDS:
        known = ", ".join(suffix for suffix, kind in SUFFIXES.items() if kind in KINDS)
        where = paths.readable(str(file))
        raise RecipeError(f"{where}: cannot tell what it is by its name; known: {known}")
    return kind


def _hash(file: Path) -> str:
    try:
        return digest_of(file)
    except OSError as error:
        raise _unread(file, str(error.strerror)) from error


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _unread(file: Path, why: str) -> RecipeError:
    where = paths.readable(str(file))
    return RecipeError(f"{where}: cannot be read: {why}; mend it or leave it out")
