"""Ingest: files of the sources in, documents out; what cannot be read becomes a dead letter.

One task reads a group of files, in the order of their names; what it puts out is split into parts.
A document's id is a hash of its source key and its text as ingested, so it does not depend on where
the file stands.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any

from filters import extract
from pipelines.engine.limits import RAISE, Holding
from pipelines.engine.step import Batches, Done, Job, Plan, Step
from pipelines.readers import (
    Dead,
    Document,
    Documents,
    by_kind,
    indexed,
    pagerows,
    ranges,
    warc,
    warcs,
)
from pipelines.readers.indexed import Named
from pipelines.recipe import Recipe, Source
from pipelines.recipe.named import code_of
from pipelines.runs import Run
from pipelines.runs.folders import fingerprint
from pipelines.steps import sources
from pipelines.steps.output import Output
from pipelines.steps.sources import File

VERSION = 5
TABLES = ("documents", "dead/ingest")
LISTED = 1000  # bytes that a file of a source takes where they are listed, in one place
PACK = f"{RAISE}, or pack more into a file"
GROUP = 64_000_000  # bytes of files that one task reads; a larger file is a task of its own


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """Documents and dead letters, by what is read and how; or those taken from another run."""
    if "from" in run.manifest.facts:
        return {table: run.table(table).fingerprint for table in TABLES}
    what = []
    for s in sources.of(run, recipe):
        told = s in recipe.source  # the run's own change when something is forgotten, not in size
        files = [[f.name, f.size, f.changed * told] for f in sources.files(s, recipe.base)]
        code = extractor(s.extract) if s.extract else []
        what.append([s.kind, s.text, s.id, s.url, code, [s.root, s.where], files])
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
    for number, source in enumerate(sources.of(run, recipe)):
        room = -1
        for file in sources.files(source, recipe.base):
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
    source = sources.of(job.run, job.recipe)[task["source"]]
    left = job.recipe.first
    with Output(job.run, key) as out:
        for name, path, size in task["files"]:
            if left != 0:
                out.done.counts["bytes"] += size
                items = _records(File(name, path, size, 0), source, job.recipe.base)
                left = _taken(items, left, out)
        return out.close()


def _taken(items: Iterable[Named], left: int | None, out: Output) -> int | None:
    """Put records out, at most `left` documents (None: all); returns how many are left."""
    for name, item in items:
        if left is not None and isinstance(item, Documents):
            item = Documents(item.columns.slice(0, left))
        out.take(name, item)
        if left is not None:
            left -= len(item) if isinstance(item, Documents) else isinstance(item, Document)
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


STEP = Step(
    "ingest",
    "files to documents",
    tables,
    (read,),
    plan=plan,
    grows=lambda recipe, corpus, files: [Holding("files of sources", LISTED, files, PACK)],
    reads=lambda recipe: True,
)
