"""Publish: the chosen documents, edited, in Arrow shards of about equal size and seeded order.

The only step that moves text.  The place of a document is drawn from its id, so shards hold ranges
of the order, and slices ranges of a shard; what they hold depends on no part, batch or worker.
Rows with one place stand in the order of their ids, then of their addresses.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import RAISE, Holding
from pipelines.engine.step import Batches, Done, Job, Key, Plan, Step
from pipelines.recipe import Publish, Recipe
from pipelines.recipe.measures import selected
from pipelines.runs import Part, Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import DATASET, DECISIONS_TABLE, EDITS_TABLE, shard_file
from pipelines.schema import DOCUMENTS
from pipelines.steps import card
from pipelines.steps.across import again
from pipelines.steps.dedup import check
from pipelines.steps.meeting import Rows, by_key
from pipelines.steps.scan import with_edits

VERSION = 3
FIRST = ["id", "source_key", "url", "text", "language", "tokens"]
ADDRESS = [("_order", pa.uint64()), ("_part", pa.int32()), ("_row", pa.int32())]
ROWS = 1024  # in a batch of a shard, at most
BYTES = 8_000_000  # of text in one; a part of the format, whatever batches elsewhere are
SLICE = 16_000_000  # bytes of text that are put in order at a time, about
HELD = 3  # bytes that are held for each byte of a slice while it is put in order
SLICES = 1024  # in all shards, beyond the first of each: what is exchanged must not fall to crumbs

Places = NDArray[np.uint64]


def columns(recipe: Recipe) -> list[str]:
    """The published columns, in order."""
    return list(dict.fromkeys([*FIRST, *recipe.publish.columns]))


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The dataset, by the decisions, the edits and what is published how."""
    homes = selected(recipe).homes(c for c in columns(recipe) if c != "text")
    seen = run.marks((DECISIONS_TABLE, EDITS_TABLE, *homes))
    seen += run.marks(check.STEP.made(run, recipe))  # the card tells of it
    how = [VERSION, recipe.name, recipe.publish.shard, columns(recipe)]
    return {DATASET: fingerprint(seen, again.mark(run, recipe), how)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a part, and a key a shard: every split has one at least."""
    counts = run.manifest.steps["decide"]["counts"]
    sizes = {name: counts.get(f"bytes: {name}", 0) for name in recipe.publish.splits}
    shards = [
        [name, number, ceil(size / recipe.publish.shard)]
        for name, size in sizes.items()
        for number in range(ceil(size / recipe.publish.shard))
    ] or [[next(iter(sizes)), 0, 1]]
    facts = {"shards": shards, "slices": slices(recipe.publish, len(shards))}
    return Plan(list(range(run.parts)), [len(shards)], facts)


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts, and shards if all documents were kept."""
    how = recipe.publish
    return [corpus.parts, sum(ceil(corpus.text * s / how.shard) for s in how.splits.values())]


def grows(recipe: Recipe, corpus: Corpus, files: int) -> list[Holding]:
    """A slice of a shard, which is put in order."""
    some = recipe.publish.shard // slices(recipe.publish, sizes(recipe, corpus)[1])
    return [Holding("bytes of a slice", HELD, some, f"{RAISE}, or lower [publish] shard")]


def slices(how: Publish, shards: int) -> int:
    """In how many slices each of so many shards is put in order."""
    return max(1, min(ceil(how.shard / SLICE), SLICES // max(1, shards)))


def route(job: Job, key: int, _: Batches) -> Done:
    """The kept documents of one part, edited, each to its shard."""
    own = [c for c in columns(job.recipe) if c in DOCUMENTS.names]
    batches = parts.beside(job.run, key, own, _beside(job, key))
    return Done(out=(each for batch in batches for each in _sharded(batch, job)))


def _beside(job: Job, key: int) -> pa.Table:
    """What stands beside the documents of one part: columns, edits, decisions, addresses."""
    homes = selected(job.recipe).homes(c for c in columns(job.recipe) if c not in DOCUMENTS.names)
    beside = latest.columns(job.run, key, {EDITS_TABLE: ["edits"], **homes})
    said = job.run.columns(key, {DECISIONS_TABLE: ["kept", "split", "order"]})
    said = said.append_column("part", pa.repeat(pa.scalar(key, pa.int32()), said.num_rows))
    said = said.append_column("row", pa.array(np.arange(said.num_rows, dtype=np.int32)))
    for name in said.column_names:
        beside = beside.append_column(f"_{name}", said[name])
    return beside


def _sharded(batch: pa.RecordBatch, job: Job) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """The rows that are kept with their edited text, by shard and slice."""
    if not pc.all(batch["_kept"]).as_py():  # all of them are not copied
        batch = batch.filter(batch["_kept"])
    if not batch.num_rows:
        return
    batch = with_edits(batch)
    narrow = pa.record_batch([batch[f.name] for f in _schema(job)], schema=_schema(job))
    piece = _pieces_of(batch["_split"], batch["_order"].to_numpy(), job)
    for number, some in by_key(pa.Table.from_batches([narrow]), piece):
        yield divmod(number, job.plan.facts["slices"]), some


def _pieces_of(split: pa.Array, order: Places, job: Job) -> Rows:
    """Number of each row's slice, where the slices of all shards are numbered on."""
    piece, slices = np.zeros(len(order), np.int64), job.plan.facts["slices"]
    for number, (name, index, count) in enumerate(job.plan.facts["shards"]):
        if index == 0:  # the first of its split
            mine = pc.equal(split, name).to_numpy(zero_copy_only=False)
            piece[mine] = number * slices + _place(order[mine], count * slices)
    return piece


def _place(order: Places, count: int) -> Rows:
    """floor(order / 2**64 * count), on 32 bits so that nothing overflows."""
    return ((order >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)


def _schema(job: Job) -> pa.Schema:
    return pa.schema([*published(job), *ADDRESS])


def shard(job: Job, key: int, batches: Batches) -> Done:
    """One shard: its documents in their order, in one Arrow stream."""
    name, index, count = job.plan.facts["shards"][key]
    file = shard_file(name, index, count)
    schema = published(job)
    done = Done()
    with job.run.folder.create(f"{DATASET}/{file}") as sink, pa.ipc.new_stream(sink, schema) as out:
        for batch in _ordered(job, count, batches, schema):
            out.write_batch(batch)
            done.counts += counted(name, batch)
    done.counts["bytes"] = sink.size
    done.parts[DATASET] = [Part(file, done.counts["documents"], sink.size, sink.sha256)]
    return done


def counted(split: str, batch: pa.RecordBatch) -> Counter[str]:
    """What some published rows come to, as this step counts."""
    rows = batch.num_rows
    counts = Counter({"documents": rows, f"documents: {split}": rows})
    counts["tokens"] = pc.sum(batch["tokens"]).as_py() or 0
    for language in pc.value_counts(batch["language"]).to_pylist():
        counts[f"language: {language['values'] or 'unknown'}"] += language["counts"]
    return counts


def published(job: Job) -> pa.Schema:
    """The columns of the dataset."""
    return selected(job.recipe).schema(columns(job.recipe))


def _ordered(job: Job, count: int, batches: Batches, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """All rows by place, at most `ROWS` at a time.

    Slices come one after the other; one of them is in memory.
    """
    every = count * job.plan.facts["slices"]
    for _, mine in groupby(batches, lambda b: int(_place(b["_order"].to_numpy()[:1], every)[0])):
        table = pa.Table.from_batches(mine).combine_chunks()
        keys = [(name, "ascending") for name in ("_order", "id", "_part", "_row")]
        table = table.take(pc.sort_indices(table, keys)).combine_chunks()
        yield from _pieces(table.select(schema.names).cast(schema))


def _pieces(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows in batches of at most `ROWS` rows and `BYTES` bytes of text, or of one row."""
    ends = np.cumsum(pc.binary_length(table["text"]).to_numpy(), dtype=np.int64)
    start = 0
    while start < table.num_rows:
        room = (ends[start - 1] if start else 0) + BYTES
        end = min(start + ROWS, max(start + 1, int(np.searchsorted(ends, room, "right"))))
        yield from table.slice(start, end - start).to_batches()
        start = end


def finish(job: Job, done: Done) -> None:
    """Card and manifest of the dataset."""
    manifest = card.manifest(job, done)
    files = {"manifest.json": manifest, "README.md": card.page(job, done, manifest, published(job))}
    for name, text in files.items():
        with job.run.folder.create(f"{DATASET}/{name}") as sink:
            sink.write(text.encode())
        done.parts[DATASET].append(Part(name, 0, sink.size, sink.sha256))


STEP = Step(
    "publish",
    "documents to shards",
    tables,
    (route, shard),
    sizes=sizes,
    plan=plan,
    finish=finish,
    exchanges=(0, 1),
    held=((shard, 0),),
    grows=grows,
    files=lambda recipe: 0,
)
