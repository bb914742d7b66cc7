"""A run on disk: tables, the manifest that seals them, the lock.  No Beam.

What is not in the manifest does not exist.  A file is written beside its place and renamed, on a
store in one piece under its name; the manifest is written last.  What lies where is told in
docs/run-folder.md.
"""

import contextlib
import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BusyError, DamagedError, RecipeError
from pipelines.runs import links, stores
from pipelines.runs.folders import Folder, is_half
from pipelines.runs.leases import Lease, held, myself
from pipelines.runs.manifest import FORMAT as FORMAT
from pipelines.runs.manifest import Manifest as Manifest
from pipelines.runs.manifest import Part as Part
from pipelines.runs.manifest import Table as Table
from pipelines.runs.sealed import Sealed
from pipelines.runs.tables import DATASET, LETTERS, WARC

INTERMEDIATE = (
    "frontier",
    "documents",
    "pairs",
    "models",
    "columns",
    "again",
    "decisions",
    "dead",
    "check",
)
"""Folders of a run in which every file is named by the manifest."""

LASTING = ("models/", "frontier/", WARC)
"""How the tables begin that mean something without the documents."""

OTHERS = (DATASET, WARC, "forgotten")
"""Folders in which half a file is swept, and nothing else."""

PLACES = ("images", "prove", "work", "lock")
"""What else is written in a run."""


class Run:
    """A run folder and its manifest."""

    @staticmethod
    def opened(path: str | Path) -> "Run":
        """A run that is there.

        Raises:
            RecipeError: if there is none.
        """
        if not stores.folder(stores.reached(path)).exists("manifest.json"):
            raise RecipeError(f"{path}: is no run folder; it has no manifest.json")
        return Run(path)

    def __init__(self, path: str | Path) -> None:
        self.folder = stores.folder(path)
        self.manifest = Manifest()
        self.lease: Lease | None = None
        if self.folder.exists("manifest.json"):
            where = self.folder.at("manifest.json")
            try:
                value = json.loads(self.folder.read("manifest.json"))
            except ValueError as error:
                raise DamagedError(f"{where}: is no JSON; take another --run folder") from error
            self.manifest = Manifest.from_json(value, where)

    def save(self) -> None:
        """Write the manifest.

        Raises:
            BusyError: if another command took over, who holds the lock now.
        """
        if self.lease is not None:
            self.lease.renew()
        self.folder.write_json("manifest.json", self.manifest.to_json())

    def stale(self, tables: Mapping[str, str]) -> list[str]:
        """Which of these tables are not sealed under this fingerprint, or lack a file."""
        sealed = self.manifest.tables
        found = [
            t
            for t, print_ in tables.items()
            if t not in sealed or sealed[t].fingerprint != print_ or not self.is_whole(t)
        ]
        return list(tables) if "documents" in found else found  # with what is made beside them

    def is_whole(self, table: str) -> bool:
        """Whether the files of a table are there and as long as they were."""
        sealed = self.manifest.tables[table]
        return self.home(table).holds(table, {part.name: part.size for part in sealed.parts})

    def home(self, table: str) -> Folder:
        """The run folder that a table lies in: this one, or that it was taken from."""
        at = self.table(table).at
        return stores.folder(at) if at else self.folder

    def adopt(self, other: "Run", tables: Mapping[str, str]) -> bool:
        """Take those of these tables by reference that another run holds under this fingerprint.

        Returns:
            whether something was taken and nothing is left to be made.
        """
        stale = self.stale(tables)
        for name in stale:
            theirs = other.manifest.tables.get(name)
            if theirs is not None and theirs.fingerprint == tables[name]:
                at = theirs.at or other.folder.path
                if name == "documents":
                    for table in self._beside():
                        self.manifest.tables.pop(table)
                self.manifest.tables[name] = Table(theirs.fingerprint, theirs.parts, at)
        return bool(stale) and not self.stale(tables)

    def _beside(self) -> list[str]:
        """The documents and what lies beside them."""
        return [table for table in self.manifest.tables if not table.startswith(LASTING)]

    def unseal(self, tables: Sequence[str]) -> None:
        """Say that these tables no longer exist; their files go when they are made again.

        Without the documents, what lies row for row beside them means nothing.
        """
        gone = self._beside() if "documents" in tables else tables
        for table in gone:
            self.manifest.tables.pop(table, None)
        self.save()

    def sweep(self, tables: Sequence[str]) -> None:
        """Delete the files of these tables that the manifest does not name."""
        for table in tables:
            sealed = self.manifest.tables.get(table)
            ours = sealed.parts if sealed and not sealed.at else ()
            known = {f"{table}/{part.name}" for part in ours}
            for name in self.folder.list(table):
                if name not in known:
                    self.folder.delete(name)

    def tidy(self) -> None:
        """Delete what the manifest does not name: of tables, of steps cut off, of half a file."""
        self.folder.delete("work")
        ours = {t: table for t, table in self.manifest.tables.items() if not table.at}
        named = {f"{t}/{part.name}" for t, table in ours.items() for part in table.parts}
        lost = [name for top in INTERMEDIATE for name in self.folder.list(top) if name not in named]
        others = [name for top in OTHERS for name in self.folder.list(top)]
        halves = [name for name in (*others, *self.folder.names()) if is_half(name)]
        for name in (*lost, *halves):
            self.folder.delete(name)

    def table(self, name: str) -> Table:
        """A sealed table.

        Raises:
            DamagedError: if it is not there.
        """
        if name not in self.manifest.tables:
            begun = self.folder.exists("manifest.json")
            todo = "run its recipe to the end" if begun else "it is no run folder"
            raise DamagedError(f"{self.folder.path}: has no {name}; {todo}")
        return self.manifest.tables[name]

    @property
    def parts(self) -> int:
        """How many parts the documents have."""
        return len(self.table("documents").parts)

    def marks(self, tables: Iterable[str]) -> list[str]:
        """The fingerprints of some tables."""
        return [self.table(name).fingerprint for name in tables]

    def dead(self) -> dict[str, Table]:
        """The tables of dead letters, sorted, by the step or the measure that wrote them."""
        found = sorted(self.manifest.tables.items())
        return {t.removeprefix(LETTERS): each for t, each in found if t.startswith(LETTERS)}

    def open_part(self, table: str, index: int) -> pq.ParquetFile:
        """One part of a table, as it was sealed.

        Raises:
            DamagedError: if it is missing, cut or belongs to other documents.
        """
        sealed = self.table(table)
        part = sealed.parts[index]
        folder, name = self.home(table), f"{table}/{part.name}"
        file = folder.open(name)
        if file.size() != part.size:
            raise DamagedError(
                f"{folder.at(name)}: {file.size()} bytes, {part.size} were sealed; "
                "delete it and run the recipe again"
            )
        parquet = Sealed(file, folder.at(name), stores.is_remote(folder.path))
        belongs = (parquet.schema_arrow.metadata or {}).get(b"karez.part")
        if belongs is not None and belongs.decode() != self.table("documents").parts[index].sha256:
            raise DamagedError(
                f"{folder.at(name)}: belongs to other documents; run the recipe again"
            )
        return parquet

    def read(self, table: str, index: int) -> bytes:
        """One file of a table that holds no rows, as it was sealed.

        Raises:
            DamagedError: if it is missing or not the one that was sealed.
        """
        part, folder = self.table(table).parts[index], self.home(table)
        body = folder.read(f"{table}/{part.name}")
        if hashlib.sha256(body).hexdigest() != part.sha256:
            where = folder.at(f"{table}/{part.name}")
            raise DamagedError(f"{where}: was changed; delete it and run the recipe again")
        return body

    def columns(self, index: int, tables: Mapping[str, Sequence[str]]) -> pa.Table:
        """Columns about the documents of one part, side by side: those wanted of some tables."""
        merged: dict[str, pa.ChunkedArray] = {}
        for table, names in tables.items():
            read = self.open_part(table, index).read(list(names))
            merged.update(zip(read.column_names, read.columns, strict=True))
        return pa.table(merged)

    @contextlib.contextmanager
    def lock(self) -> Iterator["Run"]:
        """Hold the run folder, and give it as it stands now that nobody else writes.

        On this machine the system lets go when the process ends, however it ends; for a store see
        `Lease`.

        Raises:
            RecipeError: if the folder is somebody's own, or leads out of itself: steps sweep in it.
            BusyError: if another command holds it, naming it.
        """
        links.refuse(self.folder, (*INTERMEDIATE, *OTHERS, *PLACES))
        if stores.is_remote(self.folder.path):
            with held(self.folder.path) as lease:
                run = Run(self.folder.path)
                run.lease = lease
                yield run
            return
        with self._flocked():
            yield Run(self.folder.path)

    @contextlib.contextmanager
    def _flocked(self) -> Iterator[None]:
        path = Path(self.folder.at("lock"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                who = file.read().strip() or "another command"
                raise BusyError(
                    f"{self.folder.path}: {who} works on it; wait, or take another --run folder"
                ) from error
            file.truncate(0)
            file.write(myself())
            file.flush()
            yield
            file.truncate(0)
