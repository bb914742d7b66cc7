"""What was asked to be forgotten, kept so that no later crawl or run brings it back.  No Beam.

``forgotten/refusals.parquet`` holds a keyed hash of each URL, host and source key: a list of names
would publish what somebody wants forgotten.  The key lies in the file's footer,
so who has the folder can ask whether a name that he knows is refused, and read none out of it.

Source: RFC 7693 (BLAKE2, keyed), 2015.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from filters.urls import canonical, host_and_path
from pipelines.errors import DamagedError
from pipelines.runs.folders import Folder, fingerprint

FILE = "forgotten/refusals.parquet"
URL, HOST, BELOW, KEY = "url", "host", "below", "key"
SALT = b"karez.salt"
REFUSALS = pa.schema(
    [
        pa.field("kind", pa.string(), False),
        pa.field("hash", pa.binary(16), False),
        pa.field("date", pa.timestamp("s", "UTC"), False),
        pa.field("reason", pa.string()),
    ]
)


class Target(NamedTuple):
    """What is to be forgotten, as it compares."""

    kind: str  # URL, HOST, BELOW (all hosts below one) or KEY
    name: str


def targets(text: str) -> list[Target]:
    """What somebody means who writes this: a URL; a host, or else a source key of that spelling.

    ``example.org`` is that host with all its pages, ``*.example.org`` and ``.example.org`` are all
    hosts below it.

    Raises:
        ValueError: if it is nothing.

    >>> targets("WWW.example.org")
    [Target(kind='host', name='www.example.org'), Target(kind='key', name='WWW.example.org')]
    """
    text = text.strip()
    if not text:
        raise ValueError("names nothing")
    key = Target(KEY, text)
    if url := canonical(text):
        return [Target(URL, url), key]
    name = text.removeprefix("*").removeprefix(".")
    host = _host_of(name)
    if host is None:
        return [key]
    return [Target(HOST, host) if name == text else Target(BELOW, f".{host}"), key]


def _host_of(name: str) -> str | None:
    """A host as it compares, of its bare name or address; None if it is neither."""
    if any(sign in name for sign in "@/?#\\ "):
        return None
    found = host_and_path(f"http://[{name.strip('[]')}]/" if ":" in name else f"http://{name}/")
    return found and found[0]


@dataclass(frozen=True)
class Refusals:
    """The hashes of what is refused.

    Attributes:
        salt: 16 bytes, this folder's own.
        known: hashes of names, by kind.
    """

    salt: bytes
    known: frozenset[tuple[str, bytes]] = frozenset()

    def hash(self, name: str) -> bytes:
        """Of a name as it compares; 16 bytes."""
        return blake2b(name.encode("utf-8", "replace"), digest_size=16, key=self.salt).digest()

    def holds(self, target: Target) -> bool:
        """Whether it was refused in these words."""
        return (target.kind, self.hash(target.name)) in self.known

    def with_(self, wanted: Iterable[Target]) -> "Refusals":
        """These and others."""
        return Refusals(self.salt, self.known | {(t.kind, self.hash(t.name)) for t in wanted})

    @property
    def mark(self) -> str:
        """Of all that is refused; "" if nothing is."""
        return fingerprint(sorted([k, h.hex()] for k, h in self.known)) if self.known else ""

    def refused(self, url: str | None, source_key: str | None) -> bool:
        """Whether a document, or a page before it is fetched, is refused."""
        return bool(self.known) and any(self._matching(url, source_key))

    def matching(self, url: str | None, source_key: str | None) -> set[Target]:
        """The refusals by which a document is refused."""
        return set(self._matching(url, source_key))

    def _matching(self, url: str | None, source_key: str | None) -> Iterator[Target]:
        names = dict.fromkeys(each for each in (url, source_key) if each)
        return (form for name in names for form in _forms(name) if self.holds(form))

    def among(self, *texts: str) -> set[Target]:
        """The refusals of these texts, and of the words in them."""
        words = [word for text in texts for word in (text, *text.split())] if self.known else []
        return {target for word in words for target in self.matching(word, None)}


def _forms(name: str) -> Iterator[Target]:
    """All that a URL, or a source key, is refused by."""
    yield Target(KEY, name)
    if found := host_and_path(name):
        host = found[0]
        yield Target(HOST, host)
        while "." in host:
            host = host.partition(".")[2]
            yield Target(BELOW, f".{host}")
    if url := canonical(name):
        yield Target(URL, url)


def read(folder: Folder) -> Refusals:
    """The refusals of a run folder; none where nothing was forgotten.

    Raises:
        DamagedError: if the file cannot be read: then nothing must be fetched or read in.
    """
    table = _table(folder)
    if table is None:
        return Refusals(secrets.token_bytes(16))
    pairs = zip(table["kind"].to_pylist(), table["hash"].to_pylist(), strict=True)
    return Refusals(bytes.fromhex(table.schema.metadata[SALT].decode()), frozenset(pairs))


def add(
    folder: Folder, before: Refusals, wanted: Iterable[Target], reason: str | None = None
) -> None:
    """Refuse from now on what is not refused yet.

    Args:
        folder: of a run that nobody else works on.
        before: what it refuses, as it was read.
        wanted: what else; each keeps the date on which it was refused first.
        reason: is kept as it is written.
    """
    old = _table(folder)
    new = [t for t in dict.fromkeys(wanted) if not before.holds(t)]
    if not new:
        return
    now = datetime.now(UTC).replace(microsecond=0)
    rows = [(t.kind, before.hash(t.name), now, reason) for t in new]
    arrays = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), REFUSALS, strict=True)]
    table = pa.table(arrays, REFUSALS)
    whole = pa.concat_tables([old.replace_schema_metadata(None), table]) if old else table
    with folder.create(FILE) as out:
        pq.write_table(whole.replace_schema_metadata({SALT: before.salt.hex()}), out)


def _table(folder: Folder) -> pa.Table | None:
    if not folder.exists(FILE):
        return None
    held = folder.read(FILE)
    try:
        table = pq.read_table(pa.BufferReader(held))
        bytes.fromhex(table.schema.metadata[SALT].decode())
        table.validate(full=True)
        return table.cast(REFUSALS.with_metadata(table.schema.metadata))
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{folder.at(FILE)}: is damaged; restore it from a copy") from error
