"""Rows of a run's tables emptied: that a row was there is kept, so that addresses stay.

A part that changes is written under a new name beside the old one, which is deleted once the
manifest names the new one.  Text, names and what a page said of itself go, columns become null; the
id (a hash that no text is read from) and the place in a file stay.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.recipe.measures import table_of
from pipelines.recipe.text import of_run
from pipelines.runs import Part, Run, Table, latest, parts
from pipelines.runs.refusals import Refusals
from pipelines.runs.tables import DECISIONS_TABLE
from pipelines.schema import FORGOTTEN
from pipelines.steps import consent, decide, rules

BARE = ("text", "source", "detail", "image", "image_url")
"""Columns that hold no null, and "" instead; others of that kind stay."""

ABOUT = ("id", "source", "url", "source_key")
"""Columns of the documents, by which it is known what was meant."""

Rows = NDArray[np.int64]


@dataclass
class Emptied:
    """What came of it.

    Attributes:
        run: as it is now; its manifest is not written yet.
        old: as it was, to be read.
        mark: goes into the names of new parts.
        dry: nothing is written, and less is counted.
        counts: rows by the folder of their table.
    """

    run: Run
    old: Run
    mark: str
    dry: bool
    counts: Counter[str] = field(default_factory=Counter)

    def name(self, part: str) -> str:
        """The new name of a part: one that no other refusal gave it."""
        first, _, _ = part.partition(".")
        return f"{first}.{self.mark}.parquet"

    def put(self, table: str, index: int, part: Part) -> None:
        """Have a part stand in place of the old one, once the manifest is written."""
        sealed = self.run.manifest.tables[table]
        changed = (*sealed.parts[:index], part, *sealed.parts[index + 1 :])
        self.run.manifest.tables[table] = Table(sealed.fingerprint, changed)


def search(run: Run, known: Refusals) -> tuple[dict[int, Rows], pa.Table]:
    """The documents that are refused and not yet empty.

    Returns:
        the numbers of their rows by part, sorted; and of all together the columns `ABOUT`.
    """
    found, about = dict[int, Rows](), [pa.schema([(n, pa.string()) for n in ABOUT]).empty_table()]
    for index in range(run.parts if "documents" in run.manifest.tables else 0):
        each = run.columns(index, {"documents": ABOUT})
        pairs = zip(each["url"].to_pylist(), each["source_key"].to_pylist(), strict=True)
        rows = np.flatnonzero([known.refused(url, key) for url, key in pairs])
        if len(rows):
            found[index] = rows
            about.append(each.take(pa.array(rows)))
    return found, pa.concat_tables(about).combine_chunks()


def empty(of: Emptied, index: int, rows: Rows) -> None:
    """Empty some rows of one part of the documents, and of all that stands beside it."""
    mask = np.zeros(of.old.table("documents").parts[index].rows, np.bool_)
    mask[rows] = True
    of.counts["documents"] += len(rows)
    if of.dry:
        return
    _documents(of, index, mask)
    _recount(of, index, rows)
    for table in of.old.manifest.tables:
        top = table.partition("/")[0]
        if table.startswith(("columns/documents/", DECISIONS_TABLE)):
            columns = blanked(of.old.open_part(table, index).read(), mask)
            if table in (DECISIONS_TABLE, rules.TABLE):
                columns = _said(columns, mask)
            of.put(table, index, parts.write_columns(of.run, table, index, columns))
            of.counts[top] += len(rows)
        elif top == "again":
            of.counts[top] += _again(of, table, index, rows)


def _documents(of: Emptied, index: int, mask: NDArray[np.bool_]) -> None:
    file, part = of.old.open_part("documents", index), of.old.table("documents").parts[index]
    start = 0
    with parts.Writer(of.run, "documents", of.name(part.name), file.schema_arrow) as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            writer.write(blanked(rows, mask[start : start + rows.num_rows]))
            start += rows.num_rows
    of.put("documents", index, writer.part)


def blanked(rows: pa.Table, mask: NDArray[np.bool_]) -> pa.Table:
    """The rows, of which some hold nothing."""
    if not mask.any():
        return rows
    taken = rows.take(pa.array(np.arange(len(mask)), mask=mask))
    for at, each in enumerate(rows.schema):
        if not each.nullable:
            taken = taken.set_column(at, each, rows[each.name])
            if each.name in BARE:
                taken = put(taken, each.name, mask, "")
    return taken


def put(rows: pa.Table, name: str, mask: Any, value: Any) -> pa.Table:
    """The rows, of which some hold another value in a column."""
    at = rows.schema.get_field_index(name)
    column = pc.if_else(pa.array(mask), pa.scalar(value, rows.schema.field(at).type), rows[name])
    return rows.set_column(at, rows.schema.field(at), column)


def _said(columns: pa.Table, mask: NDArray[np.bool_]) -> pa.Table:
    """Decisions, or reasons, of which some are that the document was forgotten."""
    values = {"reason": FORGOTTEN, "kept": False}
    for name in values.keys() & set(columns.column_names):
        columns = put(columns, name, mask, values[name])
    return columns


def _again(of: Emptied, table: str, index: int, rows: Rows) -> int:
    """Leave out rows that were measured once more; how many."""
    old = of.old.open_part(table, index).read()
    kept = old.filter(pc.invert(pc.is_in(old["row"], pa.array(rows, old["row"].type))))
    documents = of.run.table("documents").parts[index]
    kept = kept.replace_schema_metadata(
        {**(old.schema.metadata or {}), **latest.belongs(documents)}
    )
    with parts.Writer(of.run, table, documents.name, kept.schema) as writer:
        writer.write(kept)
    of.put(table, index, writer.part)
    return int(old.num_rows - kept.num_rows)


def _recount(of: Emptied, index: int, rows: Rows) -> None:
    """Count these rows of a part as forgotten, in what `decide` and `rules` told."""
    some, steps = pa.array(rows), of.run.manifest.steps
    if rules.TABLE in of.old.manifest.tables:
        reasons = of.old.columns(index, {rules.TABLE: ["reason"]}).take(some)["reason"].to_pylist()
        old = Counter(reason or "passed" for reason in reasons)
        _add(steps["rules"]["counts"], Counter({FORGOTTEN: len(rows)}), old)
    if DECISIONS_TABLE not in of.old.manifest.tables:
        return
    reads = {
        DECISIONS_TABLE: ["reason", "split"],
        table_of("language"): ["language"],
        table_of("tokens"): ["bytes", "tokens"],
        "documents": consent.COLUMNS,
    }
    before = latest.columns(of.old, index, reads).take(some).combine_chunks()
    now = pa.table([pa.nulls(len(rows), before[c].type) for c in decide.COUNTED], decide.COUNTED)
    gone = pa.repeat(FORGOTTEN, len(rows))
    recipe = of_run(of.old.folder)
    reasons = before["reason"].combine_chunks()
    old = decide.counted(reasons, before.select(decide.COUNTED), recipe)
    _add(steps["decide"]["counts"], decide.counted(gone, now, recipe), old)


def _add(counts: dict[str, int], more: Mapping[str, int], less: Mapping[str, int]) -> None:
    """Change what a step counted; what comes to nothing is not told."""
    for name in dict.fromkeys([*more, *less]):
        counts[name] = counts.get(name, 0) + more.get(name, 0) - less.get(name, 0)
        if not counts[name]:
            del counts[name]
    ordered = dict(sorted(counts.items()))
    counts.clear()
    counts.update(ordered)
