"""Records of WARC files by an index: only those that it names are read, by byte range.

An index is a Parquet file with the columns of Common Crawl's columnar index, or a CDXJ file, whose
fields are given the names of these columns.  A condition over its columns picks among the records.

Source: Common Crawl, "Columnar Index" and "CDXJ Index".
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import sql
from pipelines.errors import RecipeError, nearest
from pipelines.readers import Dead, Document, Item, Source, jsonl, packed, warc
from pipelines.readers.frames import RECORD
from pipelines.readers.pages import brief
from pipelines.readers.ranges import RangeError, Root

PLACE = ("warc_filename", "warc_record_offset", "warc_record_length")
PLACES = pa.schema([(PLACE[0], pa.string()), *((name, pa.int64()) for name in PLACE[1:])])
NAMES = {
    **{"filename": PLACE[0], "offset": PLACE[1], "length": PLACE[2]},
    **{"url": "url", "status": "fetch_status", "redirect": "fetch_redirect"},
    **{"mime": "content_mime_type", "mime-detected": "content_mime_detected"},
    **{"digest": "content_digest", "charset": "content_charset", "languages": "content_languages"},
    "truncated": "content_truncated",
}
"""Fields of a CDXJ line, and the columns that they become."""

NUMBERS = (*PLACE[1:], "fetch_status")
CDXJ = pa.schema([(n, pa.int64() if n in NUMBERS else pa.string()) for n in NAMES.values()])
LINES = 50_000  # of a CDXJ file that become columns together
ROWS = 65_536  # of a Parquet file, the same

Named = tuple[str, Item]
"""A file below the root, or the index, and what came of it."""


class Record(NamedTuple):
    """Where a record stands."""

    name: str
    start: int
    size: int


def check(path: Path, where: str | None) -> None:
    """Refuse an index without the columns that are asked for, and a condition that does not fit.

    Raises:
        RecipeError: naming what is missing; a file that cannot be read is left to be a dead letter.
    """
    named = sql.columns(where, "[[source]] where") if where else ()
    try:
        schema = pq.read_schema(path) if _is_parquet(path.name) else CDXJ
    except Exception as error:
        packed.tripped(error)
        return
    for name in (*PLACE, *named):
        if name not in schema.names:
            near = nearest(name, schema.names)
            raise RecipeError(f"{path}: no column {name!r} in the index; {near}")
    if where:
        asked = pa.schema([schema.field(name) for name in named])
        sql.check_types({"where": where}, asked, f"{path}:")


def read(
    file: BinaryIO, name: str, source: Source, where: str | None, root: Root
) -> Iterator[Named]:
    """The records that an index names, file by file in order of their offsets.

    Args:
        file: the index, seekable.
        name: of the index; dead letters of what it holds itself are under it.
        source: its `extract` names the extractor for HTML.
        where: SQL over the columns of the index; None: all.
        root: below which the WARC files are.
    """
    named = [*dict.fromkeys((*PLACE, *(sql.columns(where, "where") if where else ())))]
    chosen: list[pa.Table] = []
    for found in (_parquet if _is_parquet(name) else _cdxj)(file, named):
        if isinstance(found, Dead):
            yield name, found
            continue
        try:
            chosen.append(_places(found, where))
        except (pa.ArrowException, duckdb.Error) as error:
            yield name, Dead(0, packed.DAMAGED, brief(packed.tripped(error)))
    for record in _sorted(pa.concat_tables([PLACES.empty_table(), *chosen])):
        if isinstance(record, Record):
            yield record.name, _read(record, source, root)
        else:
            yield name, record


def _read(record: Record, source: Source, root: Root) -> Item:
    """What stands in a range."""
    if record.size > RECORD:
        return Dead(record.start, "too large", f"{record.size:,} bytes")
    try:
        held = root.read(*record)
    except RangeError as error:
        return Dead(record.start, error.reason, brief(error.detail))
    items = list(islice(warc.read(BytesIO(held), record.name, source), 2))
    if len(items) != 1:
        said = "nothing" if not items else "more than one record"
        return Dead(record.start, "no record", f"{record.size:,} bytes hold {said}")
    (item,) = items
    if isinstance(item, Dead):
        return Dead(record.start, item.reason, item.detail)
    return item._replace(offset=record.start) if isinstance(item, Document) else item


def _places(table: pa.Table, where: str | None) -> pa.Table:
    """Where the records stand that a condition picks; what it has no value for is not picked."""
    if where:
        table = table.filter(sql.evaluate(table, [where])["c0"])  # a null picks nothing
    places = table.select(PLACE).cast(PLACES)
    places.validate(full=True)
    return places


def _sorted(table: pa.Table) -> Iterator[Record | Dead]:
    """Places by file and offset, each once; a row that names none is a dead letter."""
    last = None
    for batch in table.sort_by([(name, "ascending") for name in PLACE]).to_batches(ROWS):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if None in row or row[1] < 0 or row[2] < 1:
                yield Dead(0, "no range", brief(", ".join(map(str, row))))
            elif row != last:
                yield Record(*row)
            last = row


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(".parquet")


def _parquet(file: BinaryIO, named: Sequence[str]) -> Iterator[pa.Table | Dead]:
    size = file.seek(0, 2)
    try:
        opened = pq.ParquetFile(file)
        missing = [name for name in named if name not in opened.schema_arrow.names]
        if missing:
            yield Dead(0, "no column", brief(", ".join(missing)), size)
            return
        for batch in opened.iter_batches(ROWS, columns=list(named)):
            yield pa.Table.from_batches([batch])
    except Exception as error:
        yield Dead(0, packed.DAMAGED, brief(packed.tripped(error)), size)


def _cdxj(file: BinaryIO, named: Sequence[str]) -> Iterator[pa.Table | Dead]:
    rows: list[dict[str, Any]] = []
    schema = pa.schema([CDXJ.field(name) for name in named])
    for line in jsonl.filled(file):
        row = line._replace(offset=0) if isinstance(line, Dead) else _line(line)
        if isinstance(row, Dead):
            yield row
            continue
        rows.append(row)
        if len(rows) == LINES:
            yield pa.Table.from_pylist(rows, schema)
            rows = []
    yield pa.Table.from_pylist(rows, schema)


def _line(line: jsonl.Line) -> dict[str, Any] | Dead:
    """The columns of a line."""
    try:
        fields = orjson.loads(line.content[line.content.index(b"{") :])
        return {to: _value(to, fields[name]) for name, to in NAMES.items() if name in fields}
    except ValueError:
        return Dead(line.offset, "not CDXJ", brief(line.content[:80].decode("latin-1")))


def _value(column: str, given: object) -> object:
    """A value of a column; "-" is none.

    Raises:
        ValueError: if it is no number where one is wanted.
    """
    if given in ("-", "", None):
        return None
    if column not in NUMBERS:
        return str(given)
    number = int(str(given))
    if not 0 <= number < 2**63:
        raise ValueError(number)
    return number
