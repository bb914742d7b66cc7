"""Readers: a file of a source in, its records out.

A reader is a function ``read(file, name, source)`` that yields one item a record: a `Document`, a
`Dead` letter or a `Skipped` record, or one for many: `Documents`.  It never raises for what a file
holds.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol

import pyarrow as pa

from pipelines.schema import DOCUMENTS

_TYPES = {field.name: field.type for field in DOCUMENTS}


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
    title: str | None = None  # from here on: what a page says of itself, see `filters.html.head`
    author: str | None = None
    published: str | None = None
    declared_language: str | None = None
    licence: str | None = None
    canonical: str | None = None
    robots: str | None = None  # from here on: consent, see `pipelines.readers.consents`
    agents_refused: list[str] | None = None
    noindex: bool | None = None
    noai: bool | None = None
    noimageai: bool | None = None
    tdm_reserved: bool | None = None
    tdm_policy: str | None = None
    ai_txt: str | None = None


class Documents(NamedTuple):
    """Several texts as they were found: the fields of `Document` as columns, typed as stored."""

    text: pa.StringArray  # valid UTF-8, no nulls, none over `LIMIT`
    offset: pa.Int64Array
    length: pa.Int64Array
    source_key: pa.StringArray
    url: pa.StringArray
    date: pa.TimestampArray
    media_type: pa.StringArray
    metadata: pa.StringArray
    title: pa.StringArray
    author: pa.StringArray
    published: pa.StringArray
    declared_language: pa.StringArray
    licence: pa.StringArray
    canonical: pa.StringArray
    robots: pa.StringArray
    agents_refused: pa.ListArray
    noindex: pa.BooleanArray
    noai: pa.BooleanArray
    noimageai: pa.BooleanArray
    tdm_reserved: pa.BooleanArray
    tdm_policy: pa.StringArray
    ai_txt: pa.StringArray

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Documents":
        """Columns of documents, at least one."""
        columns = zip(*documents, strict=True)
        return cls(*(pa.array(c, _TYPES[n]) for n, c in zip(cls._fields, columns, strict=True)))

    def each(self) -> Iterator[Document]:
        """They, one by one."""
        return map(Document, *(column.to_pylist() for column in self))

    def slice(self, start: int, count: int | None = None) -> "Documents":
        """Some of them, not copied."""
        return Documents(*(column.slice(start, count) for column in self))


class Dead(NamedTuple):
    """A record, or a stretch of a file, that could not be read."""

    offset: int
    reason: str  # short and fixed, for counting: "not JSON", "too large", "cut off"
    detail: str  # what exactly: the URL, the parser's words
    unread: int = (
        0  # bytes of the file lost beside this record: what followed a cut or a flipped bit
    )


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
