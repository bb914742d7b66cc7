"""A finished run in Python: its documents with every column and decision, as Arrow or in DuckDB."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines import sql
from pipelines.errors import RecipeError, RunError, nearest
from pipelines.recipe import Recipe
from pipelines.recipe.text import of_run
from pipelines.runs import Run, latest, stores
from pipelines.runs.tables import DECISIONS_TABLE, LETTERS
from pipelines.schema import DEAD

Address = tuple[int, int]
"""Part, and row in it."""


class Opened:
    """A run folder to look into; nothing in it is changed.

    Attributes:
        homes: column to the table that holds it, for `documents`.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a run folder.

        Raises:
            RunError: if it is none, or its run did not come as far as documents.
        """
        self.run = Run(stores.reached(path))
        if not self.run.table("documents").parts:
            raise RunError(f"{self.run.folder.path}: holds no document")
        self.homes: dict[str, str] = {}
        for table in ("documents", DECISIONS_TABLE, *sorted(self._measured())):
            for column in self._schema(table).names:
                self.homes.setdefault(column, table)

    def _measured(self) -> list[str]:
        return [t for t in self.run.manifest.tables if t.startswith("columns/documents/")]

    def _schema(self, table: str) -> pa.Schema:
        if table not in self.run.manifest.tables and table != "documents":
            return pa.schema([])
        return self.run.open_part(table, 0).schema_arrow

    @property
    def recipe(self) -> Recipe:
        """As it was run."""
        return of_run(self.run.folder)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The documents, part by part, with these columns.

        Raises:
            RecipeError: if the run has no such column.
        """
        tables: dict[str, list[str]] = {}
        for column in columns:
            if column not in self.homes:
                raise RecipeError(f"unknown column {column!r}; {nearest(column, self.homes)}")
            tables.setdefault(self.homes[column], []).append(column)
        for part in range(self.run.parts):
            yield latest.columns(self.run, part, tables).select(list(columns))

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The documents in one table, in memory, with all columns but the text unless told."""
        names = [c for c in self.homes if c != "text"] if columns is None else list(columns)
        return pa.concat_tables(self.batches(names))

    def dead(self) -> pa.Table:
        """All dead letters, with the step or the measure that wrote them."""
        pieces = []
        for name, letters in self.run.dead().items():
            for index in range(len(letters.parts)):
                rows = self.run.open_part(LETTERS + name, index).read()
                pieces.append(rows.append_column("step", pa.repeat(name, rows.num_rows)))
        empty = pa.schema([*DEAD, ("step", pa.string())]).empty_table()
        return pa.concat_tables([empty, *pieces])

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Ask the run: tables ``documents`` (with all columns) and ``dead``.

        Only the columns that the query names are read, the text with ``*`` or by its name.
        """
        named = sql.mentioned(query)
        columns = [c for c in self.homes if named is None or c in named]
        database = sql.connect()
        database.register("documents", self.arrow(columns or ["id"]))
        database.register("dead", self.dead())
        return database.sql(query)

    def find(self, key: str) -> list[Address]:
        """Where the documents stand of this id (8 digits of it are enough), URL or source key."""
        found = []
        for part, table in enumerate(self.batches(["id", "url", "source_key"])):
            for row, (id_, url, source_key) in enumerate(
                zip(*(c.to_pylist() for c in table.itercolumns()), strict=True)
            ):
                begins = len(key) >= 8 and id_.startswith(key)
                if begins or key in (url, source_key):
                    found.append((part, row))
        return found

    def row(self, address: Address) -> dict[str, dict[str, object]]:
        """All that the run holds about one document, by table."""
        part, row = address
        tables = ["documents", *sorted(self._measured()), DECISIONS_TABLE]
        return {
            t: latest.row(self.run, t, part, row) for t in tables if t in self.run.manifest.tables
        }
