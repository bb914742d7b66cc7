"""Readers: a file of a source in, its records out.

A reader is a function ``read(file, name, source)`` that yields one item a record: a `Document`, a
`Dead` letter or a `Skipped` record, or one for many: `Documents`.  It never raises for what a file
holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol

import pyarrow as pa

from filters.html.head import Head
from pipelines.readers.consents import UNKNOWN, Consents
from pipelines.schema import DOCUMENTS


class Document(NamedTuple):
    """One text as it was found."""

    text: str
    offset: int  # bytes into the file where its record begins (a JSON line: into the unpacked file)
    length: int  # bytes that the record covers there
    source_key: str | None = None  # the URL or the user's own id
    url: str | None = None
    date: datetime | None = None  # UTC, when it was fetched
    media_type: str | None = None  # as declared: "text/html"
    metadata: str | None = None  # JSON object: the other fields of the user's row
    head: Head = Head()  # what a page says of itself
    consents: Consents = UNKNOWN


_OWN = Document._fields[:-2]
FIELDS = pa.schema([DOCUMENTS.field(n) for n in (*_OWN, *Head._fields, *Consents._fields)])
"""Columns of `Documents`."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Several texts as they were found.

    Attributes:
        columns: `FIELDS`, at least one row; texts are valid UTF-8, none is null or over `LIMIT`.
    """

    columns: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Documents":
        """Columns of documents."""
        rows = ((*d[: len(_OWN)], *d.head, *d.consents) for d in documents)
        columns = zip(zip(*rows, strict=True), FIELDS.types, strict=True)
        return cls(pa.record_batch([pa.array(c, kind) for c, kind in columns], FIELDS))

    def each(self) -> Iterator[Document]:
        """They, one by one."""
        said = len(_OWN) + len(Head._fields)
        for row in zip(*(column.to_pylist() for column in self.columns.columns), strict=True):
            head, consents = Head(*row[len(_OWN) : said]), Consents(*row[said:])
            yield Document._make([*row[: len(_OWN)], head, consents])


class Dead(NamedTuple):
    """A record, or a stretch of a file, that could not be read."""

    offset: int
    reason: str  # short and fixed, for counting: "not JSON", "too large", "cut off"
    detail: str  # what exactly: the URL, the parser's words
    unread: int = 0  # bytes of the file lost beside it: what followed a cut or a flipped bit


class Skipped(NamedTuple):
    """A record that is not meant to become a document: counted by kind, and no fault."""

    kind: str  # "request", "status 404", "image/png"


class Source(Protocol):
    """What a reader asks of a `[[source]]` of the recipe."""

    @property
    def text(self) -> str:
        """Name of the field that holds the text."""

    @property
    def id(self) -> str:
        """Name of the field that holds the user's own id; it may be missing in the data."""

    @property
    def url(self) -> str:
        """Name of the field that holds the URL; it may be missing in the data."""

    @property
    def extract(self) -> str:
        """Name of the extractor for HTML; "" where texts are taken as they are."""


Item = Document | Documents | Dead | Skipped

Reader = Callable[[BinaryIO, str, Source], Iterator[Item]]

LIMIT = 16_000_000  # bytes of text; a larger document is a dead letter

_PACKED = ("", ".gz", ".zst")
_ENDINGS = {
    "warc": [suffix + packing for suffix in (".warc", ".wet") for packing in ("", ".gz")],
    "html": [".html", ".htm", ".xhtml"],
    "jsonl": [suffix + packing for suffix in (".jsonl", ".ndjson", ".json") for packing in _PACKED],
    "text": [suffix + packing for suffix in (".txt", ".md", ".rst") for packing in _PACKED],
    "parquet": [".parquet", ".arrow"],
    "webdataset": [".tar", ".tar.gz", ".tgz", ".tar.zst"],
}

SUFFIXES = {suffix: kind for kind, suffixes in _ENDINGS.items() for suffix in suffixes}
"""How the names of files end that can be read, and what kind of source they are."""

_MODULES = {"wet": "warc"}  # of a kind, where it is not of the kind's name

KINDS = (*_ENDINGS, "wet", "hf")


def by_kind(kind: str) -> Reader:
    """The reader of a kind of source, one of `KINDS`; what it needs is imported now."""
    read: Reader = import_module(f"pipelines.readers.{_MODULES.get(kind, kind)}").read
    return read


def kind_of(name: str) -> str | None:
    """The kind of source that a file's name tells by its ending; None if it tells none."""
    ends = (kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix))
    return next(ends, None)
