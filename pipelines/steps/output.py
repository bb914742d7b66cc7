"""What one task of ingest puts out: parts of documents, each with its id, and dead letters."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import utf8
from pipelines.engine.step import Done
from pipelines.readers import Dead, Document, Documents, Item, pagerows
from pipelines.runs import Run, parts, refusals
from pipelines.schema import DOCUMENTS, FORGOTTEN

GATHERED = 1_000_000  # characters of text that become columns together, about


class Output:
    """Parts of documents, and the dead letters of one task."""

    def __init__(self, run: Run, key: int) -> None:
        self.run, self.key, self.done = run, key, Done()
        self.refusals = refusals.read(run.folder)
        self.found: list[Document] = []  # not yet columns
        self.names: list[str] = []  # of the files that they stand in
        self.characters = 0  # in them
        self.batches: list[pa.RecordBatch] = []  # not yet written
        self.count = self.size = 0  # documents and bytes of text in these
        self.dead: list[tuple[Any, ...]] = []
        self.writer: parts.Writer | None = None
        self.written = 0  # bytes of text in the part that is open

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *error: object) -> None:
        if self.writer is not None:  # its part is left open by an error alone, and goes
            self.writer.__exit__(*error)

    def take(self, name: str, item: Item) -> None:
        """One item."""
        if isinstance(item, Document):
            self._document(name, item)
        elif isinstance(item, Documents):
            self._gathered()
            self._documents([name] * len(item), item)
        elif isinstance(item, Dead):
            told = ("", "") if self.refusals.among(name, item.detail) else (name, item.detail)
            self.dead.append((told[0], item.offset, item.reason, told[1], None))
            self.done.counts.update({"dead": 1, "unread": item.unread, f"dead: {item.reason}": 1})
        else:
            self.done.counts[f"skipped: {item.kind}"] += 1

    def _document(self, name: str, d: Document) -> None:
        self.names.append(name)
        self.found.append(d)
        self.characters += len(d.text)
        if self.characters >= GATHERED or len(self.found) == parts.BATCH_ROWS:
            self._gathered()

    def _gathered(self) -> None:
        if self.found:
            self._documents(self.names, Documents.of(self.found))
        self.names, self.found, self.characters = [], [], 0

    def _documents(self, names: Sequence[str], d: Documents) -> None:
        names, d = self._allowed(names, d)
        if pages := pagerows.likely(d):
            self.done.counts[pagerows.LIKELY] += pages
        batch = _batch(names, d)
        sizes = pc.binary_length(d.columns["text"]).to_numpy(zero_copy_only=False)
        at = 0
        while at < len(sizes):
            count = self._room(sizes[at:])
            self.batches.append(batch.slice(at, count))
            self.count += count
            self.size += int(sizes[at : at + count].sum())
            if self.count >= parts.BATCH_ROWS or self.size >= parts.BATCH:
                self._flush()
            at += count

    def _allowed(self, names: Sequence[str], d: Documents) -> tuple[Sequence[str], Documents]:
        """Those that nobody asked to be forgotten; the others are counted."""
        if not self.refusals.known:
            return names, d
        pairs = zip(*(d.columns[n].to_pylist() for n in ("url", "source_key")), strict=True)
        kept = [not self.refusals.refused(url, key) for url, key in pairs]
        if all(kept):
            return names, d
        self.done.counts[f"skipped: {FORGOTTEN}"] += kept.count(False)
        return list(compress(names, kept)), Documents(d.columns.filter(pa.array(kept)))

    def _room(self, sizes: NDArray[np.integer[Any]]) -> int:
        """How many texts go on together into the row group under way: 1 or more."""
        self._begin(int(sizes[0]))
        ends = self.size + np.cumsum(sizes[: parts.BATCH_ROWS])
        fits = int(np.searchsorted(ends, parts.PART - self.written, "right"))
        enough = int(np.searchsorted(ends, parts.BATCH)) + 1
        return min(max(fits, 1), enough, parts.BATCH_ROWS - self.count, self._rows_left())

    def _begin(self, size: int) -> None:
        """Begin a part if a text of this size has no room in the one that is open."""
        left = self._rows_left()
        empty = left == parts.PART_ROWS
        if not (empty or (left and self.written + self.size + size <= parts.PART)):
            self._flush()
            self._seal()

    def _rows_left(self) -> int:
        return parts.PART_ROWS - self.count - (self.writer.rows if self.writer else 0)

    def _flush(self) -> None:
        if not self.batches:
            return
        if self.writer is None:
            number = len(self.done.parts.get("documents", []))
            self.writer = parts.Writer(
                self.run, "documents", f"part-{self.key:05d}-{number:02d}.parquet", DOCUMENTS
            ).__enter__()
        self.writer.write(pa.Table.from_batches(self.batches))
        self.done.counts["documents"] += self.count
        self.written += self.size
        self.batches, self.count, self.size = [], 0, 0

    def _seal(self) -> None:
        if self.writer is not None:
            self.writer.__exit__(None, None, None)
            self.done.parts.setdefault("documents", []).append(self.writer.part)
        self.writer, self.written = None, 0

    def close(self) -> Done:
        """All that was written."""
        self._gathered()
        self._flush()
        self._seal()
        self.done.parts["dead/ingest"] = parts.write_dead(
            self.run, "dead/ingest", self.key, self.dead
        )
        return self.done


def identity(key: bytes, text: bytes | memoryview) -> str:
    """The id of a document: of its source key and its text as ingested.

    The first half of a SHA-256, which processors have an instruction for.
    """
    found = sha256(b"%d:%b" % (len(key), key))
    found.update(text)
    return found.hexdigest()[:32]


def _batch(names: Sequence[str], d: Documents) -> pa.RecordBatch:
    """Documents as they are stored, each with the name of its file."""
    body, offsets = utf8(d.columns["text"])
    at, text = offsets.tolist(), body.data
    keys = (key.encode() if key else b"" for key in d.columns["source_key"].to_pylist())
    ids = [identity(k, text[a:b]) for k, a, b in zip(keys, at[:-1], at[1:], strict=True)]
    made = {"id": pa.array(ids), "source": pa.array(names)}
    columns = [made[n] if n in made else d.columns[n] for n in DOCUMENTS.names]
    return pa.record_batch(columns, DOCUMENTS)
