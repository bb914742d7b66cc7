"""Ingest: files of the sources in, documents out; what cannot be read becomes a dead letter.

One task reads a group of files, in the order of their names; what it puts out is split into parts.
A document's id is a hash of its source key and its text as ingested, so it does not depend on where
the file stands.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters import extract
from filters.buffers import utf8
from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import RAISE, Holding
from pipelines.engine.step import Batches, Done, Job, Plan, Step
from pipelines.errors import RecipeError
from pipelines.readers import (
    Dead,
    Document,
    Documents,
    Item,
    by_kind,
    indexed,
    pagerows,
    paths,
    ranges,
    warc,
    warcs,
)
from pipelines.readers.indexed import Named
from pipelines.recipe import Recipe, Source
from pipelines.recipe.named import code_of
from pipelines.runs import Part, Run, parts, refusals
from pipelines.runs.folders import fingerprint
from pipelines.schema import DEAD, DOCUMENTS, FORGOTTEN

VERSION = 5
TABLES = ("documents", "dead/ingest")
GATHERED = 1_000_000  # characters of text that become columns together, about
REMOTE = 1_000_000_000  # bytes of a file on a server, about: nobody asks for each
LISTED = 1000  # bytes that a file of a source takes where they are listed
GROUP = 64_000_000  # bytes of files that one task reads; a larger file is a task of its own


class File(NamedTuple):
    """A file to read."""

    name: str  # relative to its source's root
    path: str
    size: int
    changed: int  # ns, of the last change


def sources(run: Run, recipe: Recipe) -> list[Source]:
    """What is read: the sources of the recipe, and the WARC files of its crawl, if it has any."""
    crawl = recipe.crawl
    if crawl is None or not run.folder.list("warc"):
        return list(recipe.source)
    warc = Source("warc", (run.folder.at("warc"),), extract=crawl.extract)
    return [*recipe.source, warc]


def files(source: Source, base: str) -> list[File]:
    """All files of a source, by name; a folder of kind "hf" stands for its data files.

    A list of kind "warc" stands for the files that it names; an index for itself.

    Raises:
        RecipeError: if a path or a pattern names no file, or an index is none.
    """
    left_out = {str(p) for path in source.exclude for _, p in paths.matches(Path(base), path)}
    found: dict[str, File] = {}
    for path in source.paths + source.index:
        here = [f for f in _found(source, Path(base), path) if str(f[1]) not in left_out]
        if not here:
            where = paths.readable(str(Path(base) / path))
            raise RecipeError(f"[[source]] {source.kind}: {where}: no such file")
        for name, file in here:
            if source.index:
                indexed.check(file, source.where)
            is_list = source.kind == "warc" and warcs.is_list(file.name)
            each = _listed(file, source, base) if is_list else [_file(name, file)]
            found |= {one.path: one for one in each}
    return sorted(found.values())


def _file(name: str, path: Path) -> File:
    try:
        stat = path.stat()
        state = stat.st_size, stat.st_mtime_ns
    except OSError:  # it becomes a dead letter when it is read
        state = 0, 0
    return File(paths.readable(name), str(path), *state)


def _listed(path: Path, source: Source, base: str) -> list[File]:
    """The files that a list names; those of a server are known by name alone."""
    root = warcs.root(source.root, base)
    if ranges.is_remote(root):
        return [File(n, f"{root.rstrip('/')}/{n}", REMOTE, 0) for n in warcs.named(path)]
    return [_file(name, Path(root, name)) for name in warcs.named(path)]


def _found(source: Source, base: Path, path: str) -> paths.Found:
    if source.kind == "hf":
        from pipelines.readers import hf

        return hf.files(base / path, source.config, source.split)
    return paths.matches(base, path)


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """Documents and dead letters, by what is read and how; or those taken from another run."""
    if "from" in run.manifest.facts:
        return {table: run.table(table).fingerprint for table in TABLES}
    what = [
        [
            s.kind,
            s.text,
            s.id,
            s.url,
            extractor(s.extract) if s.extract else [],
            [s.root, s.where],
            # the run's own change when something is forgotten, and then keep their sizes
            [[f.name, f.size, f.changed * (s in recipe.source)] for f in files(s, recipe.base)],
        ]
        for s in sources(run, recipe)
    ]
    mark = fingerprint("ingest", VERSION, recipe.first, what)
    return dict.fromkeys(TABLES, mark)


def extractor(name: str) -> list[object]:
    """What tells the text of one extractor from another's: its code, or its library's version."""
    first, plus, rest = name.partition("+")
    if plus:
        return [extractor(first), extractor(rest)]
    found = extract.resolve(name)
    if name in extract.KAREZ:
        return [name, *extract.edition()]
    return [name, version(name)] if name in extract.SHIPPED else code_of(found, None)


def plan(run: Run, recipe: Recipe) -> Plan:
    """Neighbouring files in groups of at most `GROUP` bytes, or whole sources if few are wanted."""
    tasks: list[dict[str, Any]] = []
    for number, source in enumerate(sources(run, recipe)):
        room = -1
        for file in files(source, recipe.base):
            full = file.size > room and recipe.first is None
            if room < 0 or full:
                tasks.append({"source": number, "files": []})
                room = GROUP
            tasks[-1]["files"].append([file.name, file.path, file.size])
            room = max(0, room - file.size)
    return Plan(tasks)


def read(job: Job, key: int, _: Batches) -> Done:
    """Read a group of files into parts of documents."""
    task = job.plan.tasks[key]
    source = sources(job.run, job.recipe)[task["source"]]
    out = _Output(job.run, key)
    left = job.recipe.first
    for name, path, size in task["files"]:
        if left != 0:
            out.done.counts["bytes"] += size
            items = _records(File(name, path, size, 0), source, job.recipe.base)
            left = _taken(items, left, out)
    return out.close()


def _taken(items: Iterable[Named], left: int | None, out: "_Output") -> int | None:
    """Put records out, at most `left` documents (None: all); returns how many are left."""
    for name, item in items:
        if left is not None and isinstance(item, Documents):
            item = item.slice(0, left)
        out.take(name, item)
        if left is not None:
            left -= len(item.text) if isinstance(item, Documents) else isinstance(item, Document)
            if left == 0:
                break
    return left


def _records(file: File, source: Source, base: str) -> Iterator[Named]:
    """What a file holds, with its name; a file that the system refuses is one dead letter."""
    try:
        if ranges.is_remote(file.path):
            opened: Any = ranges.Remote(ranges.Server(source.root), file.name)
            yield from ((file.name, each) for each in warc.read(opened, file.name, source))
            return
        with open(file.path, "rb") as opened:  # noqa: PTH123 (the reader seeks in it)
            if source.index:
                root = ranges.opened(warcs.root(source.root, base))
                yield from indexed.read(opened, file.name, source, source.where, root)
            else:
                found = by_kind(source.kind)(opened, file.name, source)
                if source.kind in pagerows.KINDS and source.extract:
                    found = pagerows.extracted(found, source.extract)
                yield from ((file.name, each) for each in found)
    except ranges.RangeError as error:
        yield file.name, Dead(0, error.reason, error.detail, file.size)
    except OSError as error:
        yield file.name, Dead(0, "cannot be opened", str(error.strerror), file.size)


class _Output:
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

    def take(self, name: str, item: Item) -> None:
        """One item."""
        if isinstance(item, Document):
            self._document(name, item)
        elif isinstance(item, Documents):
            self._gathered()
            self._documents([name] * len(item.text), item)
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
        sizes = pc.binary_length(d.text).to_numpy(zero_copy_only=False)
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
        pairs = zip(d.url.to_pylist(), d.source_key.to_pylist(), strict=True)
        kept = [not self.refusals.refused(url, key) for url, key in pairs]
        if all(kept):
            return names, d
        self.done.counts[f"skipped: {FORGOTTEN}"] += kept.count(False)
        mask = pa.array(kept)
        return list(compress(names, kept)), Documents(*(column.filter(mask) for column in d))

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
        self.done.parts["dead/ingest"] = write_dead(self.run, "dead/ingest", self.key, self.dead)
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
    body, offsets = utf8(d.text)
    at, text = offsets.tolist(), body.data
    keys = (key.encode() if key else b"" for key in d.source_key.to_pylist())
    ids = [identity(k, text[a:b]) for k, a, b in zip(keys, at[:-1], at[1:], strict=True)]
    made = {**d._asdict(), "id": pa.array(ids), "source": pa.array(names)}
    return pa.record_batch([made[f.name] for f in DOCUMENTS], schema=DOCUMENTS)


def write_dead(run: Run, table: str, key: int, rows: list[tuple[Any, ...]]) -> list[Part]:
    """Write the dead letters of a task; no letters, no file."""
    if not rows:
        return []
    arrays = [pa.array(list(c), f.type) for c, f in zip(zip(*rows, strict=True), DEAD, strict=True)]
    with parts.Writer(run, table, f"part-{key:05d}.parquet", DEAD) as writer:
        writer.write(pa.record_batch(arrays, schema=DEAD))
    return [writer.part]


def grows(recipe: Recipe, corpus: Corpus, files: int) -> list[Holding]:
    """The files of the sources, which are listed in one place."""
    return [Holding("files of sources", LISTED, files, f"{RAISE}, or pack more into a file")]


STEP = Step(
    "ingest",
    "files to documents",
    tables,
    (read,),
    plan=plan,
    grows=grows,
    reads=lambda recipe: True,
)
