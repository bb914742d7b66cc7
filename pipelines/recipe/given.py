"""What the recipe gives a measure in files, and whether the measure can use it.

A measure asks by the ``metadata`` of a field:

``{"files": "texts"}``    a list of files; the measure finds `Texts`, every string of a row
``{"files": "sample"}``   the same, of a row one field is the text
``{"files": "samples"}``  a list for each of some labels; a table of such
``{"files": "list"}``     a list of files; the measure finds `Entries`, those of all files
``{"files": "hosts"}``    the same, of hosts and parts of sites
``{"files": "model"}``    one file; the measure finds a `Model`
``{"files": "folder"}``   one folder that holds a model; the measure finds a `Folder`

Where there is ``"optional": True`` besides, the recipe may leave the option out.

Paths are relative to the recipe, as all of its paths.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from filters import Measure, blocklist
from pipelines.errors import RecipeError
from pipelines.readers import paths
from pipelines.recipe import lists
from pipelines.recipe.build import strings
from pipelines.recipe.digests import ByDigest
from pipelines.recipe.lists import Entries
from pipelines.recipe.texts import Texts, digest_of

EXAMPLES = {
    "texts": '["benchmarks/*.jsonl"]',
    "sample": '["wiki/*.txt"]',
    "samples": '{ good = ["good/*.txt"], bad = ["bad/*.jsonl"] }',
    "list": '["words/*.txt"]',
    "hosts": '["hosts/*.txt"]',
    "model": '"models/topics.ftz"',
    "folder": '"models/tiny"',
}
ENTRIES = {"list": lists.words, "hosts": blocklist.site}
"""What an entry of a list is."""

SIZE = 8_000_000  # characters of texts looked at together, about
T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class Model(ByDigest):
    """A file that holds a model.  Two are equal if they hold the same."""

    path: str

    def read(self) -> bytes:
        """The whole file.

        Raises:
            RecipeError: if it cannot be read.
        """
        return self._asked(Path.read_bytes)

    @cached_property
    def digest(self) -> str:
        """Of what the file holds."""
        return self._asked(digest_of)[:16]

    def _asked(self, ask: Callable[[Path], T]) -> T:
        try:
            return ask(Path(self.path))
        except OSError as error:
            raise RecipeError(f"{self.path}: cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class Folder:
    """A folder that holds a model.  Two are equal if their files hold the same."""

    files: tuple[Model, ...]

    @classmethod
    def at(cls, path: str) -> "Folder":
        """All files of a folder, in the order of their names."""
        files = sorted(each for each in Path(path).glob("*") if each.is_file())
        return cls(tuple(Model(str(file)) for file in files))

    def read(self, name: str) -> bytes:
        """A whole file.

        Raises:
            ValueError: if it is not there.
        """
        found = [file for file in self.files if Path(file.path).name == name]
        if not found:
            raise ValueError(f"{name} is not in the folder of the model")
        return found[0].read()


def opened(kind: Any, options: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The options of a measure, with what it asks for where the recipe names files.

    Raises:
        ValueError: if what stands there names none.
    """
    ours = asked(kind)
    field = str(options.get("text", "text"))
    made: dict[str, Any] = dict(options)
    if unknown := set(ours.values()) - EXAMPLES.keys():
        raise ValueError(f"files are {', '.join(EXAMPLES)}, not {min(unknown)!r}")
    for name in ours.keys() & options.keys():
        value = options[name]
        if ours[name] == "model":
            made[name] = Model(_path(name, value, base))
        elif ours[name] == "folder":
            made[name] = Folder.at(_path(name, value, base))
        elif ours[name] == "samples":
            made[name] = {
                label: Texts(base, _names(f"{name}.{label}", v), field)
                for label, v in _table(name, value)
            }
        elif ours[name] in ENTRIES:
            made[name] = Entries(base, _names(name, value), ENTRIES[ours[name]])
        else:
            one = field if ours[name] == "sample" else ""
            made[name] = Texts(base, _names(name, value), one)
    return made


def _names(name: str, value: object) -> tuple[str, ...]:
    return strings(name, value, f"files such as {EXAMPLES['texts']}")


def _table(name: str, value: object) -> Iterable[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: want files by label: {EXAMPLES['samples']}, got {value!r}")
    return value.items()


def _path(name: str, value: object, base: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}: want a file such as {EXAMPLES['model']}, got {value!r}")
    return str(Path(base, value))


def asked(kind: Any) -> dict[str, str]:
    """The options of a measure that stand for files, and what it finds there."""
    if not is_dataclass(kind):
        return {}
    return {f.name: f.metadata["files"] for f in fields(kind) if "files" in f.metadata}


def names_any(measure: Any) -> bool:
    """Whether the options of a measure name files."""
    return any(getattr(measure, option) for option in asked(type(measure)))


@dataclass(frozen=True)
class Given:
    """What a measure is given.

    Attributes:
        measure: its name, and the label that texts are samples of.
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
        without = _left_out(measure)
        kinds = {o: kind for o, kind in asked(type(measure)).items() if o not in without}
        holds = {option: getattr(measure, option) for option in sorted(kinds)}
        try:
            if kinds and not any(map(_is_named, holds.values())):
                raise RecipeError(f"names no file: {_wanted(kinds)}")
            for held in filter(_is_named, holds.values()):
                found += [_given(name + of, measure, t) for of, t in _texts_of(held).items()]
        except RecipeError as error:
            raise RecipeError(f"[measure] {name}: {error}") from error
    return found


def _left_out(measure: Any) -> set[str]:
    """The options for files that may be left out, and are."""
    some = fields(measure) if is_dataclass(measure) else ()
    return {f.name for f in some if f.metadata.get("optional") and not getattr(measure, f.name)}


def _is_named(held: Any) -> bool:
    if isinstance(held, Folder):
        return bool(held.files)
    return bool(held) and not (isinstance(held, Texts | Entries) and not held.patterns)


def _wanted(kinds: Mapping[str, str]) -> str:
    return " or ".join(f"{option} = {EXAMPLES[kind]}" for option, kind in kinds.items())


def _texts_of(held: Any) -> dict[str, Texts]:
    """The texts in an option, by what they are of; a model or a list has none, and is read here."""
    if isinstance(held, Folder):
        return {}
    if isinstance(held, Model | Entries):
        held.read()
        return {}
    if isinstance(held, Mapping):
        return {f", {label}": texts for label, texts in held.items()}
    return {"": held}


def _given(name: str, measure: Measure, texts: Texts) -> Given:
    counts: Counter[str | None] = Counter()
    for file in texts.files():
        here: Counter[str | None] = Counter()
        for some in _several(texts.rows(file)):
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
