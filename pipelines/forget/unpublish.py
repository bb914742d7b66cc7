"""Rows taken out of a published dataset: shards without them, and a card and a manifest anew.

A shard is written beside its place and renamed.  What the dataset comes to is counted from its
shards, not from what was taken out, so that work that was cut off is finished by doing it again.
"""

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.engine.step import Done, Job, Plan
from pipelines.errors import DamagedError
from pipelines.forget.emptied import Emptied
from pipelines.readers.parquet import END
from pipelines.recipe import Recipe
from pipelines.runs import Part, Run, Table
from pipelines.runs.tables import DATASET, SHARDS, split_of
from pipelines.steps import publish
from pipelines.trainer.shards import shards

EXTRA = (f"{DATASET}/report", "report.html")  # pages with samples of the texts


def take_out(of: Emptied, recipe: Recipe, ids: pa.Array) -> tuple[int, int]:
    """Take the rows of these documents out of the dataset; its manifest is not sealed yet.

    Returns:
        rows and shards.
    """
    run, done, rows, changed = of.run, Done(), 0, 0
    if not of.dry:
        _sweep(run)
    if DATASET not in run.manifest.tables or not len(ids):
        return 0, 0
    done.parts[DATASET] = []
    for part in shards(run):
        gone, now = _without(of, part, ids, done)
        rows, changed = rows + gone, changed + bool(gone)
        done.parts[DATASET].append(now)
    if not of.dry:  # the card tells of what was forgotten, also where nothing of it was published
        publish.finish(Job(run, recipe, publish.STEP, [], Plan([]), ""), done)
        sealed = run.manifest.tables[DATASET]
        run.manifest.tables[DATASET] = Table(sealed.fingerprint, tuple(done.parts[DATASET]))
        run.manifest.steps["publish"]["counts"] = dict(sorted(done.counts.items()))
    return rows, changed


def _sweep(run: Run) -> None:
    """Delete pages with samples of texts, and shards of a run that was cut off."""
    for name in EXTRA:
        run.folder.delete(name)
    named = {f"{DATASET}/{part.name}" for part in shards(run)}
    for name in run.folder.list(f"{DATASET}/{SHARDS}"):
        if name not in named:
            run.folder.delete(name)


def _without(of: Emptied, part: Part, ids: pa.Array, done: Done) -> tuple[int, Part]:
    """How many rows of a shard are of these documents, and the shard without them."""
    run, name = of.run, f"{DATASET}/{part.name}"
    split = split_of(part.name)
    kept = gone = 0
    for batch in _batches(run, name):
        some = _others(batch, ids)
        done.counts += publish.counted(split, some)
        kept, gone = kept + some.num_rows, gone + batch.num_rows - some.num_rows
    if gone and not of.dry:
        with run.folder.open(name) as file, run.folder.create(name) as sink:
            schema = pa.ipc.open_stream(file).schema
            with pa.ipc.new_stream(sink, schema) as out:
                for batch in _batches(run, name):
                    if len(some := _others(batch, ids)):
                        out.write_batch(some)
        part = Part(part.name, kept, sink.size, sink.sha256)
    elif not gone and kept != part.rows:  # it was cut off after this one
        body = run.folder.read(name)
        part = Part(part.name, kept, len(body), hashlib.sha256(body).hexdigest())
    done.counts["bytes"] += part.size
    return gone, part


def _batches(run: Run, name: str) -> Iterator[pa.RecordBatch]:
    try:
        with run.folder.open(name) as file:
            file.seek(max(0, file.size() - len(END)))
            if file.read() != END:  # a stream that is cut between two batches reads as a whole one
                raise pa.ArrowInvalid("cut off")
            file.seek(0)
            yield from pa.ipc.open_stream(file)
    except (pa.ArrowInvalid, ValueError) as error:
        where = run.folder.at(name)
        raise DamagedError(f"{where}: is damaged; delete it and run the recipe again") from error


def _others(batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
    """The rows of no such document; all of them are not copied."""
    gone = pc.is_in(batch["id"], ids)
    return batch.filter(pc.invert(gone)) if pc.any(gone).as_py() else batch
