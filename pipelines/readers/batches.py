"""From Arrow record batches to documents, whatever types their columns have.

A batch comes from a file that may be damaged, so it is validated before anything follows its
offsets.  If there is nothing to say about any of its rows alone they stay columns; else they are
taken row by row, and one that fails is a dead letter; its neighbours live.
"""

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from pipelines.readers import FIELDS, LIMIT, Dead, Document, Documents, Source, rows
from pipelines.readers.packed import DAMAGED, tripped
from pipelines.readers.pages import Fault, brief

Leaf = Callable[[pa.DataType], pa.DataType]

ROWS = 256  # turned into Python objects at a time

_BLOBS = (pt.is_binary, pt.is_large_binary, pt.is_binary_view, pt.is_fixed_size_binary)
_TEXTS = (pt.is_string, pt.is_large_string, pt.is_string_view, *_BLOBS, pt.is_null)
_OTHERS = {
    pt.is_boolean: "a boolean",
    pt.is_integer: "a number",
    pt.is_floating: "a number",
    pt.is_decimal: "a number",
    pt.is_temporal: "a time",
    pt.is_struct: "an object",
    pt.is_map: "an object",
    pt.is_nested: "a list",
}


def check(schema: pa.Schema, source: Source) -> Fault | None:
    """Why no row of this schema has a text; None if rows may have one."""
    kind = _type(schema, source.text)
    if kind is None:
        return Fault("no column", brief(f"{source.text}; {rows.there_are(schema.names)}"))
    kind = _bare(kind)
    if any(is_text(kind) for is_text in _TEXTS):
        return None
    what = next((word for is_kind, word in _OTHERS.items() if is_kind(kind)), "of another type")
    return Fault(f"text is {what}", brief(f"column {source.text} is {kind}"))


def documents(
    batch: pa.RecordBatch, first: int, source: Source, size: int
) -> Iterator[Document | Documents | Dead]:
    """The rows of a batch.

    Args:
        batch: its schema was checked; all columns but the text go into the metadata, save those of
            bytes.
        first: number of its first row in the file.
        source: names the columns.
        size: bytes of the file that hold it.
    """
    try:
        batch.validate()
        for column in batch.columns:
            if not _is_flat(column.type):
                column.validate(full=True)
    except pa.ArrowException as error:
        detail = brief(f"{batch.num_rows:,} rows: {tripped(error)}")
        yield Dead(first, DAMAGED, detail, size)
        return
    if whole := _whole(batch, first, source):
        yield whole
        return
    for start in range(0, batch.num_rows, ROWS):
        yield from _several(batch.slice(start, ROWS), first + start, source)


def _whole(batch: pa.RecordBatch, first: int, source: Source) -> Documents | None:
    """All rows as columns; None if they must be looked at row by row."""
    names, named = batch.schema.names, (source.text, source.id, source.url)
    if len({*names}) < len(names) or len({*named}) < len(named) or source.text not in names:
        return None
    if any("." in name and name not in names for name in named):
        return None
    try:
        for column in batch.columns:
            if _is_flat(column.type):
                column.validate(full=True)
        text = _plain(_column(batch, source.text)).cast(pa.string())
        others = _others(batch, named)
    except (pa.ArrowException, ValueError, orjson.JSONEncodeError):
        return None
    key, url = _keys(batch, source.id, pt.is_integer), _keys(batch, source.url)
    if key is None or url is None or text.null_count or not len(text):
        return None
    length = pc.binary_length(text).cast(pa.int64())
    if pc.max(length).as_py() > LIMIT:
        return None
    offset = pa.array(np.arange(first, first + len(text)))
    key = pc.coalesce(pc.if_else(pc.equal(key, ""), None, key), url)
    known = {"text": text, "offset": offset, "length": length}
    known |= {"source_key": key, "url": url, "metadata": others}
    columns = [known.get(f.name, pa.nulls(len(text), f.type)) for f in FIELDS]
    return Documents(pa.record_batch(columns, FIELDS))


def _keys(
    batch: pa.RecordBatch, name: str, is_kind: Callable[[pa.DataType], bool] = pt.is_string
) -> pa.StringArray | None:
    """The values of a column as strings: nulls where there is none; None if one is no string."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = _column(batch, name)
    kind = _bare(column.type)
    if column.null_count or not (pt.is_string(kind) or pt.is_large_string(kind) or is_kind(kind)):
        return None
    return _plain(column).cast(pa.string())


def _others(batch: pa.RecordBatch, named: tuple[str, ...]) -> pa.StringArray:
    """The other columns of each row, as JSON."""
    return pa.array([rows.metadata(row) for row in _fields(batch, named)], pa.string())


def _fields(batch: pa.RecordBatch, named: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The other columns of each row, save those of bytes."""
    kept = {
        name: _plain(column).to_pylist()
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in named and not _is_blob(column.type)
    }
    values = zip(*kept.values(), strict=True) if kept else repeat((), batch.num_rows)
    return (dict(zip(kept, row, strict=True)) for row in values)


def _several(batch: pa.RecordBatch, first: int, source: Source) -> Iterator[Document | Dead]:
    """Rows together, or if there is something wrong with one, each by itself."""
    try:
        yield from _convert(batch, first, source)
    except (pa.ArrowException, ValueError) as error:  # what is no UTF-8 is a ValueError
        if batch.num_rows > 1:
            for row in range(batch.num_rows):
                yield from _several(batch.slice(row, 1), first + row, source)
        else:
            reason = "not UTF-8" if "utf" in str(error).lower() else DAMAGED
            yield Dead(first, reason, brief(tripped(error)))


def _convert(batch: pa.RecordBatch, first: int, source: Source) -> list[Document | Dead]:
    for column in batch.columns:
        if _is_flat(column.type):
            column.validate(full=True)
    text = _column(batch, source.text)
    strings = _plain(text).cast(pa.large_string())
    texts, sizes = strings.to_pylist(), pc.binary_length(strings).to_pylist()
    fields = _fields(batch, (source.text,))
    out = []
    for at, (text, size, row) in enumerate(zip(texts, sizes, fields, strict=True), first):
        rows.pop(row, source.text)
        out.append(rows.document(text, row, at, size or 0, source))
    return out


def _is_flat(kind: pa.DataType) -> bool:
    """Whether validating a slice looks at the slice alone."""
    return not (
        pt.is_nested(kind) or pt.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType)
    )


def _is_blob(kind: pa.DataType) -> bool:
    """Whether it is bytes, or a list of bytes."""
    kind = _bare(kind)
    if pt.is_map(kind):
        return _is_blob(kind.item_type)
    if pt.is_nested(kind) and not pt.is_struct(kind):
        return kind.num_fields == 1 and _is_blob(kind.field(0).type)
    return any(is_blob(kind) for is_blob in _BLOBS)


def _bare(kind: pa.DataType) -> pa.DataType:
    """The type of its values, dictionaries and extensions undone."""
    while pt.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType):
        kind = kind.value_type if pt.is_dictionary(kind) else kind.storage_type
    return kind


def _type(schema: pa.Schema, field: str) -> pa.DataType | None:
    """The type of a column, or of a field in structs by names joined by dots."""
    if field in schema.names:
        return schema.types[schema.names.index(field)]
    name, *inner = field.split(".")
    if name not in schema.names:
        return None
    kind = schema.types[schema.names.index(name)]
    for name in inner:
        if not pt.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        kind = kind.field(name).type
    return kind


def _column(batch: pa.RecordBatch, field: str) -> pa.Array:
    names = batch.schema.names
    if field in names:
        return batch.column(names.index(field))
    name, *inner = field.split(".")
    return pc.struct_field(batch.column(names.index(name)), inner)


def _plain(column: pa.Array) -> pa.Array:
    """The column in types that become plain Python values, the same in every environment."""
    naive, simple = _mapped(column.type, _naive), _mapped(column.type, _simple)
    return column.cast(naive).cast(simple) if simple != column.type else column


def _naive(kind: pa.DataType) -> pa.DataType:
    """Times in UTC: turning them into strings then needs no table of time zones."""
    return pa.timestamp(kind.unit) if pt.is_timestamp(kind) else kind


def _simple(kind: pa.DataType) -> pa.DataType:
    """Times as strings, durations as counts: nanoseconds have no Python type."""
    if pt.is_duration(kind):
        return pa.int64()
    return pa.string() if pt.is_temporal(kind) and not pt.is_interval(kind) else kind


def _mapped(kind: pa.DataType, leaf: Leaf) -> pa.DataType:
    """The type with `leaf` done to what it is made of, without fields of bytes."""
    kind = _bare(kind)
    if pt.is_struct(kind):
        return pa.struct([_field(f, leaf) for f in kind if not _is_blob(f.type)])
    if pt.is_list(kind):
        return pa.list_(_field(kind.value_field, leaf))
    if pt.is_large_list(kind):
        return pa.large_list(_field(kind.value_field, leaf))
    if pt.is_fixed_size_list(kind):
        return pa.list_(_field(kind.value_field, leaf), kind.list_size)
    if pt.is_map(kind):
        return pa.map_(_field(kind.key_field, leaf), _field(kind.item_field, leaf))
    return leaf(kind)


def _field(field: pa.Field, leaf: Leaf) -> pa.Field:
    return field.with_type(_mapped(field.type, leaf))
