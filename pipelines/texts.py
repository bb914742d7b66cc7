"""Texts that a measure is given in files: a benchmark to look for, a target to be near to.

A measure asks for them by a field with ``metadata={"files": "texts"}``.  The recipe names files
there, relative to itself as all its paths; the measure finds a value that it iterates for texts.
Of rows (JSON lines, Parquet) every string is a text of its own, a plain text is one.  The contents
of the files, and neither their names nor their places, are what the measure's fingerprint sees.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from filters import Measure
from pipelines import paths
from pipelines.errors import RecipeError
from pipelines.readers import SUFFIXES, Dead, Document, by_kind, kind_of, strings
from pipelines.recipe import Source

KINDS = ("text", "jsonl", "parquet")
SIZE = 8_000_000  # characters of texts looked at together, about


@dataclass(frozen=True, repr=False, eq=False)
class Texts:
    """The texts of some files, read anew whenever it is iterated.

    Two are equal if their files hold the same, which is looked at once.

    Attributes:
        base: what the patterns are relative to.
        patterns: files, folders or patterns.
    """

    base: str
    patterns: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        """All texts, in an order that names decide.

        Raises:
            RecipeError: if a file is not there, or cannot be read to its end.
        """
        return (text for file in self.files() for row in rows(file) for text in row)

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
        return {self.name(file): Texts(self.base, (str(file),)) for file in self.files()}

    def name(self, file: Path) -> str:
        """A file's name as the recipe's folder sees it."""
        return paths.readable(os.path.relpath(file, self.base))

    @cached_property
    def digest(self) -> str:
        """Of what the files hold, and how they are read."""
        held = {f"{_kind(file)} {_hash(file)}" for file in self.files()}
        return hashlib.sha256("\n".join(sorted(held)).encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        """What a fingerprint sees."""
        return f"Texts({self.digest})"

    def __eq__(self, other: object) -> bool:
        """Whether the files hold the same."""
        return isinstance(other, Texts) and self.digest == other.digest

    def __hash__(self) -> int:
        """Of what the files hold."""
        return hash(self.digest)


def _kind(file: Path) -> str:
    kind = kind_of(file.name)
    if kind not in KINDS:
        known = ", ".join(suffix for suffix, kind in SUFFIXES.items() if kind in KINDS)
        where = paths.readable(str(file))
        raise RecipeError(f"{where}: cannot tell what it is by its name; known: {known}")
    return kind


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise _unread(file, str(error.strerror)) from error


def _unread(file: Path, why: str) -> RecipeError:
    where = paths.readable(str(file))
    return RecipeError(f"{where}: cannot be read: {why}; mend it or leave it out")


def rows(file: Path) -> Iterator[list[str]]:
    """The texts of a file, row by row.

    Raises:
        RecipeError: at the first thing that cannot be read.
    """
    kind, name = _kind(file), paths.readable(file.name)
    try:
        with file.open("rb") as opened:
            if kind == "text":
                found: Iterable[Any] = by_kind(kind)(opened, name, Source(kind, (name,)))
            else:
                found = (strings.json if kind == "jsonl" else strings.table)(opened, name)
            for row in found:
                if isinstance(row, Dead):
                    raise _unread(file, f"{row.reason} at {row.offset:,}: {row.detail}")
                yield [row.text] if isinstance(row, Document) else row
    except OSError as error:
        raise _unread(file, str(error.strerror)) from error


def opened(kind: Any, options: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The options of a measure, with `Texts` where it asks for them and the recipe names files.

    Raises:
        ValueError: if what stands there is no list of names.
    """
    ours = asked(kind)
    for name in ours & set(options):
        value = options[name]
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ValueError(f'{name}: want a list of files such as ["a/*.jsonl"], got {value!r}')
    return {n: Texts(base, tuple(v)) if n in ours else v for n, v in options.items()}


def asked(kind: Any) -> set[str]:
    """The options of a measure that hold texts."""
    if not is_dataclass(kind):
        return set()
    return {f.name for f in fields(kind) if f.metadata.get("files") == "texts"}


@dataclass(frozen=True)
class Given:
    """What a measure is given.

    Attributes:
        files: their names, as the recipe's folder sees them.
        rows: of all files; a plain text is one.
        unusable: those of them that hold no text the measure can use.
        why: most of these cannot; None: there are none.
    """

    measure: str
    files: tuple[str, ...]
    rows: int
    unusable: int
    why: str | None


def given(measures: Mapping[str, Measure]) -> list[Given]:
    """Read all texts that measures are given, and count what can be used.

    A measure that cannot use every text has a method ``unusable(texts)``: why not, null where it
    can, for each of an array of texts.

    Raises:
        RecipeError: if a measure that wants texts is given none, if a file cannot be read, or if
            nothing in it can be used.
    """
    found = []
    for name, measure in measures.items():
        for option in sorted(asked(type(measure))):
            texts = getattr(measure, option)
            try:
                if not texts or (isinstance(texts, Texts) and not texts.patterns):
                    raise RecipeError(f'names no file: {option} = ["benchmarks/*.jsonl"]')
                found.append(_given(name, measure, texts))
            except RecipeError as error:
                raise RecipeError(f"[measure] {name}: {error}") from error
    return found


def _given(name: str, measure: Measure, texts: Texts) -> Given:
    counts: Counter[str | None] = Counter()
    for file in texts.files():
        here: Counter[str | None] = Counter()
        for some in _several(rows(file)):
            here.update(_unusable(measure, some))
        if not here[None]:
            said = f"all its texts are {_most(here)}" if +here else "it holds no text"
            where = paths.readable(str(file))
            raise RecipeError(f"{where}: nothing in it can be found: {said}; leave it out")
        counts += here
    names = tuple(texts.name(file) for file in texts.files())
    return Given(name, names, counts.total(), counts.total() - counts[None], _most(counts))


def _most(counts: Counter[str | None]) -> str | None:
    """Why most of what cannot be used cannot be."""
    return next((why for why, _ in counts.most_common() if why is not None), None)


def _several(found: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Rows together, as many as make up `SIZE`."""
    held, size = list[list[str]](), 0
    for row in found:
        held.append(row)
        size += 1 + sum(map(len, row))
        if size > SIZE:
            yield held
            held, size = [], 0
    yield held


def _unusable(measure: Measure, found: Sequence[Sequence[str]]) -> list[str | None]:
    """Why no text of a row can be used, row by row."""
    texts = pa.array([text for row in found for text in row], pa.string())
    judge: Callable[[pa.StringArray], pa.StringArray] | None = getattr(measure, "unusable", None)
    reasons = judge(texts).to_pylist() if judge else [None] * len(texts)
    left = iter(reasons)
    each = [list(islice(left, len(row))) for row in found]
    return [None if None in row else row[0] if row else "no texts" for row in each]
