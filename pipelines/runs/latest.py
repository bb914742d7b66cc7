"""Columns as they came to be: what was measured again stands in place of what was measured first.

``again/documents/<measure>/part-00000`` holds the rows of a part that changed, each with its number
in it, beside ``columns/documents/<measure>/part-00000``, which keeps what was measured first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.runs import Part, Run, parts

ROW = pa.field("row", pa.int32(), False)


def again(table: str) -> str:
    """The table of the rows of a columns table that changed."""
    return f"again/{table.removeprefix('columns/')}"


def write(
    run: Run, table: str, part: int, rows: NDArray[np.integer], columns: pa.Table
) -> dict[str, list[Part]]:
    """Write the columns of the rows of one part that changed, of which the numbers are sorted.

    Returns:
        the table, with what was written.
    """
    documents = run.table("documents").parts[part]
    numbered = columns.add_column(0, ROW, pa.array(rows, ROW.type))
    marked = numbered.replace_schema_metadata(belongs(documents))
    with parts.Writer(run, again(table), documents.name, marked.schema) as writer:
        writer.write(marked)
    return {again(table): [writer.part]}


def belongs(documents: Part) -> dict[bytes, str]:
    """What a file says in its footer of the part of the documents that it belongs to."""
    return {b"karez.part": documents.sha256}


def changed(run: Run, table: str, part: int, names: Sequence[str]) -> pa.Table | None:
    """The rows of one part that changed, with their numbers; None: the table has none."""
    if again(table) not in run.manifest.tables:
        return None
    return run.open_part(again(table), part).read([ROW.name, *names])


def columns(run: Run, part: int, tables: Mapping[str, Sequence[str]]) -> pa.Table:
    """Columns about the documents of one part, side by side; see `Run.columns`."""
    merged: dict[str, pa.ChunkedArray] = {}
    for table, names in tables.items():
        read = run.columns(part, {table: names})
        new = changed(run, table, part, names)
        if new is not None and new.num_rows:
            place = np.arange(read.num_rows)
            place[new[ROW.name].to_numpy()] = read.num_rows + np.arange(new.num_rows)
            both = pa.concat_tables([read, new.select(names).cast(read.schema)])
            read = both.take(pa.array(place))
        merged.update(zip(read.column_names, read.columns, strict=True))
    return pa.table(merged)


def row(
    run: Run, table: str, part: int, number: int, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """One row of a part, with all columns unless told; nothing but its own row group is read."""
    file = run.open_part(table, part)
    names = file.schema_arrow.names if names is None else list(names)
    new = changed(run, table, part, names)
    if new is not None:
        found = np.flatnonzero(new[ROW.name].to_numpy() == number)
        if len(found):
            return dict(new.select(names).slice(int(found[0]), 1).to_pylist()[0])
    group, at = 0, number
    while at >= file.metadata.row_group(group).num_rows:
        at -= file.metadata.row_group(group).num_rows
        group += 1
    return dict(file.read_row_group(group, names).slice(at, 1).to_pylist()[0])
