"""Passages: lines and runs of words that stand in a document that comes before are cut.

So are the lines that `boilerplate` found.

They are looked for among the documents that passed the rules and are no duplicates, in their edited
texts.  Smaller ids come before, by their first 8 bytes; of equal ones the smaller address.  What is
exchanged is narrow: the keys of anchors (`filters.winnowing`) meet, each once a part; the hashes of
windows are exchanged only where more than one document has the anchor, and only what no document of
the same part has before.  Then every part knows which of its windows and lines stand in a document
before, and cuts their words.

No text is lost: a word that is cut stands in the same run of a document before; if it is cut there,
it stands in one before that, and there is a first document.  That holds for the documents that this
step sees: one that is dropped later takes along what it alone had kept.

Source: Lee et al. 2022, "Deduplicating training data makes language models better": runs of 50.
"""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pyarrow as pa

from filters import cuts
from filters.buffers import Positions, begins
from filters.edits import merge
from filters.passages import Masks, copies
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Key, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import mark, selected
from pipelines.runs import Run, latest
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE
from pipelines.steps import edited
from pipelines.steps.across import anchors, boilerplate
from pipelines.steps.across.anchors import Texts
from pipelines.steps.dedup import clusters
from pipelines.steps.meeting import Rows, by_key, part_of, row_of
from pipelines.steps.scan import EDITS_SCHEMA

VERSION = 1
PARTITION = 256_000_000  # bytes of text whose anchors meet in one partition, about
TABLE = latest.again(EDITS_TABLE)

KEYS = pa.schema([("key", pa.uint64()), ("part", pa.int32()), ("many", pa.bool_())])
"""A key that a part has; many: in more than one document."""

FOUND = pa.schema([("row", pa.int32()), ("at", pa.int32()), ("mask", pa.uint32())])
"""An anchor of a part, and which of its windows a document before has."""


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The edits of the documents that change, by the options, the texts and who takes part."""
    across = selected(recipe).across
    seen = run.marks((EDITS_TABLE, *clusters.judges(recipe)))
    seen += boilerplate.STEP.made(run, recipe).values()
    return {TABLE: fingerprint(VERSION, [[n, mark(edit)] for n, edit in across.items()], seen)}


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts, partitions, parts, partitions and a way around them for each part, parts."""
    count, partitions = corpus.parts, 1 + corpus.text // PARTITION
    return [count, partitions, count, partitions + count, count]


def keys(job: Job, key: int, _: Batches) -> Done:
    """The keys of the anchors of one part, each once."""
    values, rows = anchors.every(job, key)
    order = np.lexsort((rows, values))
    new = begins(values[order])
    first, last = order[new], order[np.append(new[1:], True)[: len(order)]]
    part = pa.repeat(pa.scalar(key, pa.int32()), len(first))
    many = pa.array(rows[first] != rows[last])
    return Done(out=_spread(pa.table([pa.array(values[first]), part, many], schema=KEYS), job))


def _spread(table: pa.Table, job: Job) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """Rows to the partitions of their keys."""
    partition = table["key"].to_numpy() % np.uint64(job.plan.keys[0])
    return by_key(table, partition.astype(np.int64))


def shared(job: Job, key: int, batches: Batches) -> Done:
    """The keys of one partition that more than one document has, to the parts that have them."""
    table = pa.Table.from_batches(batches)
    _, index, counts = np.unique(table["key"].to_numpy(), return_inverse=True, return_counts=True)
    many = np.bincount(index, table["many"].to_numpy(), len(counts)) > 0
    some = table.filter(pa.array((many | (counts > 1))[index]))
    return Done(out=by_key(some.select(["key"]), some["part"].to_numpy().astype(np.int64)))


def windows(job: Job, key: int, batches: Batches) -> Done:
    """The windows of one part whose keys are shared, to the partitions.

    What a document of the same part has before is known here: it goes around them, and an anchor of
    which all is known goes no further.
    """
    table = anchors.those(job, key, np.sort(pa.Table.from_batches(batches)["key"].to_numpy()))
    masks = _masks(table)
    counts = table["windows"].combine_chunks().value_lengths().to_numpy().astype(np.uint64)
    new = table.filter(pa.array(masks < (np.uint64(1) << counts) - np.uint64(1)))
    around = np.full(table.num_rows, key + job.plan.keys[0])
    return Done(out=chain(_found(table, masks, around), _spread(new, job)))


def _masks(table: pa.Table) -> Masks:
    """Which windows of some anchors stand in a document before, of those that have some."""
    key, ids, address = (table[name].to_numpy() for name in ("key", "id", "address"))
    lists = table["windows"].combine_chunks()
    order = np.lexsort((address, ids, key))
    offsets = lists.offsets.to_numpy().astype(np.int64)
    return copies(key, order, address, offsets, lists.values.to_numpy())


def _found(table: pa.Table, masks: Masks, to: Rows) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """The anchors that have a copied window, each to its key."""
    some = np.flatnonzero(masks)
    row = row_of(table["address"].to_numpy()[some]).astype(np.int32)
    columns = [pa.array(row), table["at"].take(pa.array(some)), pa.array(masks[some])]
    return by_key(pa.table(columns, schema=FOUND), to[some])


def copied(job: Job, key: int, batches: Batches) -> Done:
    """The windows of one partition that stand in a document before, to their parts."""
    if key >= job.plan.keys[0]:
        return Done(out=((key - job.plan.keys[0], batch) for batch in batches))
    table = pa.Table.from_batches(batches).combine_chunks()
    return Done(out=_found(table, _masks(table), part_of(table["address"].to_numpy())))


def cut(job: Job, key: int, batches: Batches) -> Done:
    """The edits of the documents of one part from which something is cut."""
    found = pa.Table.from_batches(batches, FOUND)
    row, at, mask = (found[name].to_numpy() for name in FOUND.names)
    order = np.lexsort((at, row))
    row, at, mask = row[order], at[order], mask[order]
    of_host, lines = boilerplate.lines(job, key)
    rows = np.union1d(row, of_host).astype(np.int64)
    made, done = [EDITS_SCHEMA.empty_table()], Done()
    for batch in anchors.edited(job, key, rows):
        within, here = _within(batch.rows, row)
        pieces = _copies(job, batch, within, at[here], mask[here])
        within, here = _within(batch.rows, of_host)
        pieces[boilerplate.NAME] = cuts.paragraphs(batch.texts, within, lines[here])
        new = [cuts.in_raw(gone, batch.edits, reason) for reason, gone in pieces.items()]
        for each in new:
            done.counts += edited.counted(each)
        made.append(pa.table([merge([*new, batch.edits])], schema=EDITS_SCHEMA))
    done.counts["changed"] = len(rows)
    done.parts = latest.write(job.run, EDITS_TABLE, key, rows, pa.concat_tables(made))
    return done


def _within(rows: Rows, of: Positions) -> tuple[Positions, slice]:
    """The places of some rows in a batch with these rows, and which of them are in it."""
    here = slice(*np.searchsorted(of, [rows[0], rows[-1] + 1]))
    return np.searchsorted(rows, of[here]).astype(np.int32), here


def _copies(
    job: Job, of: Texts, rows: Positions, at: Positions, masks: Masks
) -> dict[str, cuts.Cuts]:
    """What stands in a document before, by the edit that cuts it."""
    lines, runs = at < 0, at >= 0
    pieces = {}
    if anchors.paragraphs(job) is not None:
        pairs = np.unique(np.stack([rows[lines], ~at[lines]], axis=1), axis=0)
        pieces["repeated_paragraphs"] = cuts.paragraphs(of.texts, *pairs.T.copy())
    if (passages := anchors.passages(job)) is not None:
        of_runs = (rows[runs], at[runs], masks[runs])
        pieces["repeated_passages"] = cuts.passages(of.texts, of.words, passages.words, *of_runs)
    return pieces


STEP = Step(
    "passages",
    "repeated passages",
    tables,
    (keys, shared, windows, copied, cut),
    wanted=lambda recipe: bool(selected(recipe).across),
    sizes=sizes,
    exchanges=(0, 0.4),
)
