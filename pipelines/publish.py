"""Publish: the chosen documents, edited, in Arrow shards of about equal size and seeded order.

The only step that moves text.  The place of a document is drawn from its id, so shards hold ranges
of the order and their content depends on no part, batch or worker.  Rows with one place stand in
the order of their ids, then of their addresses.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines import again, card, decide, latest, parts, scan
from pipelines.folders import fingerprint
from pipelines.measures import selected
from pipelines.recipe import Recipe
from pipelines.runs import Part, Run
from pipelines.scan import edited_text
from pipelines.schema import DOCUMENTS
from pipelines.steps import Batches, Done, Job, Plan, Step

VERSION = 1
TABLE = "dataset"
FIRST = ["id", "source_key", "url", "text", "language", "tokens"]
ADDRESS = [("_order", pa.uint64()), ("_part", pa.int32()), ("_row", pa.int32())]
ROWS = 1024  # in a batch of a shard, at most
BYTES = 8_000_000  # of text in one; a part of the format, whatever batches elsewhere are

Rows = NDArray[np.int64]


def columns(recipe: Recipe) -> list[str]:
    """The published columns, in order."""
    return list(dict.fromkeys([*FIRST, *recipe.publish.columns]))


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The dataset, by the decisions, the edits and what is published how."""
    homes = selected(recipe).homes(c for c in columns(recipe) if c != "text")
    seen = [run.table(t).fingerprint for t in (decide.TABLE, scan.EDITS_TABLE, *homes)]
    how = [VERSION, recipe.name, recipe.publish.shard, columns(recipe)]
    return {TABLE: fingerprint(seen, again.mark(run, recipe), how)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a part, and a key a shard: every split has one at least."""
    counts = run.manifest.steps["decide"]["counts"]
    sizes = {name: counts.get(f"bytes: {name}", 0) for name in recipe.publish.splits}
    shards = [
        [name, number, ceil(size / recipe.publish.shard)]
        for name, size in sizes.items()
        for number in range(ceil(size / recipe.publish.shard))
    ] or [[next(iter(sizes)), 0, 1]]
    tasks = list(range(len(run.table("documents").parts)))
    return Plan(tasks, [len(shards)], {"shards": shards})


def route(job: Job, key: int, _: Batches) -> Done:
    """The kept documents of one part, edited, each to its shard."""
    return Done(out=_routed(job, key))


def _routed(job: Job, key: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    decisions = job.run.columns(key, {decide.TABLE: ["kept", "split", "order"]})
    extra = _extra(job, key)
    start = 0
    reads = ["id", "source_key", "url", "text", *_own(job)]
    for batch in parts.batches(job.run, "documents", key, reads):
        here = slice(start, start + batch.num_rows)
        rows = pa.table(
            {
                **dict(zip(batch.schema.names, batch.columns, strict=True)),
                **{name: extra[name][here] for name in extra.column_names},
                "_order": decisions["order"][here],
                "_split": decisions["split"][here],
                "_part": pa.repeat(pa.scalar(key, pa.int32()), batch.num_rows),
                "_row": pa.array(np.arange(here.start, here.stop, dtype=np.int32)),
            }
        )
        start = here.stop
        yield from _sharded(rows.filter(decisions["kept"][here]), job)


def _own(job: Job) -> list[str]:
    """Columns of the documents table that the recipe publishes beside the first ones."""
    return [c for c in columns(job.recipe) if c in DOCUMENTS.names and c not in FIRST]


def _extra(job: Job, key: int) -> pa.Table:
    names = [c for c in columns(job.recipe) if c not in DOCUMENTS.names]
    homes = selected(job.recipe).homes(names)
    return latest.columns(job.run, key, {scan.EDITS_TABLE: ["edits"], **homes})


def _sharded(rows: pa.Table, job: Job) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Kept rows with their edited text, by shard."""
    if not rows.num_rows:
        return
    batch = rows.combine_chunks().to_batches()[0]
    names = [f.name for f in _schema(job)]
    at = batch.schema.get_field_index("text")
    batch = batch.set_column(at, "text", edited_text(batch)["text"])
    shard = np.zeros(batch.num_rows, np.int64)
    order, split = batch["_order"].to_numpy(), batch["_split"]
    for number, (name, index, count) in enumerate(job.plan.facts["shards"]):
        # number of the shard = floor(order / 2**64 * count), on 32 bits so that nothing overflows
        place = (order >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)
        mine = pc.equal(split, name).to_numpy(zero_copy_only=False) & (place == np.uint64(index))
        shard[mine] = number
    narrow = pa.record_batch([batch[name] for name in names], schema=_schema(job))
    for number in np.unique(shard):
        yield int(number), narrow.filter(pa.array(shard == number))


def _schema(job: Job) -> pa.Schema:
    named = selected(job.recipe).schema(columns(job.recipe))
    return pa.schema([*named, *ADDRESS])


def shard(job: Job, key: int, batches: Batches) -> Done:
    """One shard: its documents in their order, in one Arrow stream."""
    name, index, count = job.plan.facts["shards"][key]
    file = f"data/documents/{name}-{index:05d}-of-{count:05d}.arrow"
    schema = published(job)
    done = Done()
    with job.run.folder.create(f"{TABLE}/{file}") as sink, pa.ipc.new_stream(sink, schema) as out:
        for batch in _ordered(batches, schema):
            out.write_batch(batch)
            done.counts["tokens"] += pc.sum(batch["tokens"]).as_py() or 0
            for language in pc.value_counts(batch["language"]).to_pylist():
                done.counts[f"language: {language['values'] or 'unknown'}"] += language["counts"]
            done.counts["documents"] += batch.num_rows
        out.close()
    rows = done.counts["documents"]
    done.counts.update({f"documents: {name}": rows, "bytes": sink.size})
    done.parts[TABLE] = [Part(file, rows, sink.size, sink.sha256)]
    return done


def published(job: Job) -> pa.Schema:
    """The columns of the dataset."""
    return pa.schema([f for f in _schema(job) if not f.name.startswith("_")])


def _ordered(batches: Batches, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """All rows by place, `ROWS` at a time; only keys are sorted, text is gathered where it lies."""
    if not batches:
        return
    keys = pa.Table.from_batches([b.select(["_order", "id", "_part", "_row"]) for b in batches])
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_numpy()
    starts = np.cumsum([0, *(b.num_rows for b in batches)])
    inside = [b.select(schema.names) for b in batches]
    sizes = np.concatenate([pc.binary_length(b["text"]).to_numpy() for b in batches])
    for rows in _pieces(order.astype(np.int64), sizes):
        yield _gathered(inside, starts, rows, schema)


def _pieces(order: Rows, sizes: Rows) -> Iterator[Rows]:
    """The order in pieces of at most `ROWS` rows and `BYTES` bytes, or of one row."""
    start = size = 0
    for at, row in enumerate(order):
        size += int(sizes[row])
        if at > start and (at - start == ROWS or size > BYTES):
            yield order[start:at]
            start, size = at, int(sizes[row])
    yield order[start:]


def _gathered(batches: Batches, starts: Rows, rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    source = np.searchsorted(starts, rows, side="right") - 1
    by_source = np.argsort(source, kind="stable")
    pieces = [
        batches[s].take(pa.array(rows[by_source][source[by_source] == s] - starts[s]))
        for s in np.unique(source)
    ]
    back = np.empty(len(rows), np.int64)
    back[by_source] = np.arange(len(rows))
    whole = pa.Table.from_batches(pieces, pieces[0].schema).take(pa.array(back)).combine_chunks()
    return whole.cast(schema).to_batches()[0]


def finish(job: Job, done: Done) -> None:
    """Card and manifest of the dataset."""
    manifest = card.manifest(job, done)
    files = {"manifest.json": manifest, "README.md": card.page(job, done, manifest, published(job))}
    for name, text in files.items():
        with job.run.folder.create(f"{TABLE}/{name}") as sink:
            sink.write(text.encode())
        done.parts[TABLE].append(Part(name, 0, sink.size, sink.sha256))


STEP = Step("publish", tables, plan, (route, shard), finish)
