"""The manifest: which files a run has sealed.  What it does not name does not exist.

It may be cut, edited or made by a stranger, so a name in it that leads out of the run folder,
or a figure that is none, is refused before anything is opened.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import DamagedError, RunError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table."""

    name: str  # relative to the table's folder
    rows: int
    size: int  # bytes
    sha256: str

    def __post_init__(self) -> None:
        for name in ("rows", "size"):
            if type(value := getattr(self, name)) is not int or not 0 <= value < 1 << 63:
                raise ValueError(f"{name} = {value!r}")
        if not isinstance(self.sha256, str):
            raise ValueError(f"sha256 = {self.sha256!r}")
        _check_name(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """A sealed table.

    Attributes:
        at: the run folder that holds its files, if it is another one's.
    """

    fingerprint: str
    parts: tuple[Part, ...]
    at: str | None = None

    @property
    def rows(self) -> int:
        """In all parts."""
        return sum(part.rows for part in self.parts)


@dataclass
class Manifest:
    """What is sealed.

    Attributes:
        tables: by the path of their folder: "documents", "columns/documents/quality".
        steps: what each step did, by its name: rows, dead letters, seconds, bytes.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return {"format": FORMAT, **asdict(self)}

    @staticmethod
    def from_json(value: Mapping[str, Any], where: str) -> "Manifest":
        """As it was read.

        Raises:
            RunError: if another version wrote it, or it is no manifest of ours.
        """
        if not isinstance(value, dict) or "format" not in value:
            raise RunError(f"{where}: is no manifest of a run; take another --run folder")
        if value["format"] != FORMAT:
            raise RunError(
                f"{where}: written in format {value.get('format')}, this version reads {FORMAT}; "
                "use the version of karez that wrote it, or another --run folder"
            )
        try:
            tables = {name: _table(name, table) for name, table in value["tables"].items()}
            steps = {name: _step(step) for name, step in value["steps"].items()}
            return Manifest(tables, steps, dict(value["facts"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DamagedError(
                f"{where}: is damaged ({error!r}); take another --run folder"
            ) from error


def _table(name: str, value: Mapping[str, Any]) -> Table:
    _check_name(name)
    parts = tuple(Part(**part) for part in value["parts"])
    if not isinstance(value["fingerprint"], str) or not isinstance(value["at"], str | None):
        raise ValueError(f"{name}: {value['fingerprint']!r} at {value['at']!r}")
    if len({part.name for part in parts}) < len(parts):
        raise ValueError(f"{name}: names a file twice")
    return Table(value["fingerprint"], parts, value["at"])


def _step(value: Mapping[str, Any]) -> dict[str, Any]:
    counts = value["counts"].items()
    if wrong := [name for name, count in counts if type(count) is not int]:
        raise ValueError(f"count of {wrong[0]} is none")
    return dict(value)


def _check_name(name: object) -> None:
    """A path below its folder, as we write it.

    Raises:
        ValueError: if it is another.
    """
    if not isinstance(name, str) or not name.isprintable() or name != posixpath.normpath(name):
        raise ValueError(f"name {name!r}")
    if name.startswith(("/", "..")) or name == ".":
        raise ValueError(f"{name!r} leads elsewhere")
