"""Lists of words or hosts in files that a recipe names: UTF-8, an entry a line, # before a comment.

The entries, and neither names nor places of files, are what a fingerprint sees.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import RecipeError
from pipelines.readers.paths import readable
from pipelines.recipe.digests import ByDigest
from pipelines.recipe.texts import Texts

COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True, repr=False, eq=False)
class Entries(ByDigest):
    """The entries of some files, read when they are first asked for.

    Two are equal if they hold the same entries in the same order.

    Attributes:
        base: what the patterns are relative to.
        patterns: files, folders or patterns.
        read_entry: an entry as it is kept; refuses by a ValueError what is none.
    """

    base: str
    patterns: tuple[str, ...]
    read_entry: Callable[[str], str]

    def read(self) -> tuple[str, ...]:
        """The entries, once each.

        Raises:
            RecipeError: if a file is not there, is no UTF-8, or holds none, or a wrong one.
        """
        return self._held

    @cached_property
    def _held(self) -> tuple[str, ...]:
        files = Texts(self.base, self.patterns).files()
        return tuple(dict.fromkeys(entry for file in files for entry in self._entries(file)))

    def _entries(self, file: Path) -> Iterator[str]:
        """The entries of a file, in its order."""
        where = readable(str(file))
        found = list(_lines(file, where))
        if not found:
            raise RecipeError(f"{where}: holds no entry; write one a line, or leave it out")
        for number, entry in found:
            try:
                yield self.read_entry(entry)
            except ValueError as error:
                raise RecipeError(f"{where}, line {number}: {error}") from error

    def __iter__(self) -> Iterator[str]:
        """They."""
        return iter(self.read())

    @cached_property
    def digest(self) -> str:
        """Of the entries."""
        return hashlib.sha256("\n".join(self.read()).encode()).hexdigest()[:16]


def words(entry: str) -> str:
    """An entry of a list of words.

    Raises:
        ValueError: if it holds none.
    """
    if not any(map(str.isalnum, entry)):
        raise ValueError(f"{entry!r} holds no word")
    return entry


def _lines(file: Path, where: str) -> Iterator[tuple[int, str]]:
    """What stands in the lines of a file, with their numbers; comments and blank lines left out."""
    try:
        lines = file.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise RecipeError(f"{where}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{where}: no UTF-8, from byte {error.start:,} on; save it so") from error
    for number, line in enumerate(lines, 1):
        if entry := COMMENT.sub("", line).strip():
            yield number, entry
