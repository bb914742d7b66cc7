"""Anchors of a part: its edited texts, the lines and windows in them that may stand elsewhere."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa

from filters import winnowing
from filters.passages import RepeatedParagraphs, RepeatedPassages, chosen
from filters.shingles import Hashes
from filters.winnowing import Anchors
from filters.words import words
from pipelines.engine.step import Job
from pipelines.recipe.measures import selected
from pipelines.schema import id_heads
from pipelines.steps.dedup import clusters
from pipelines.steps.meeting import Rows, address_of
from pipelines.steps.scan import texts

ANCHORS = pa.schema(
    [
        ("key", pa.uint64()),
        ("id", pa.uint64()),  # the first 8 bytes of the document's
        ("address", pa.uint64()),  # part << 32 | row
        ("at", pa.int32()),  # see `filters.winnowing.Anchors`
        ("windows", pa.list_(pa.uint64())),
    ]
)
"""An anchor, and the hashes of its windows; of a line one other hash."""


class Texts(NamedTuple):
    """A batch of edited texts.

    Attributes:
        rows: their numbers in the part.
        ids: the first 8 bytes of their ids.
        texts: edited.
        words: `SPANS`.
        edits: that were made.
    """

    rows: Rows
    ids: Hashes
    texts: pa.Array
    words: pa.ListArray
    edits: pa.ListArray


def paragraphs(job: Job) -> RepeatedParagraphs | None:
    """The edit, if the recipe names it."""
    return cast(RepeatedParagraphs | None, selected(job.recipe).across.get("repeated_paragraphs"))


def passages(job: Job) -> RepeatedPassages | None:
    """The edit, if the recipe names it."""
    return cast(RepeatedPassages | None, selected(job.recipe).across.get("repeated_passages"))


def candidates(job: Job, part: int) -> Rows:
    """The rows of a part that passed the rules and are no duplicates."""
    columns = job.run.columns(part, clusters.judges(job.recipe))
    return np.flatnonzero(clusters.stays(columns).to_numpy())


def edited(job: Job, part: int, rows: Rows) -> Iterator[Texts]:
    """These rows of a part, batch by batch."""
    for here, batch in texts(job.run, part, rows, ["id", "text"]):
        text = batch["text"]
        yield Texts(here, id_heads(batch["id"]), text, words(text), batch["edits"])


def every(job: Job, part: int) -> tuple[Hashes, Rows]:
    """The keys of all anchors of a part, and the row of each."""
    keys, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for batch in edited(job, part, candidates(job, part)):
        for anchors, _ in _kinds(job, batch):
            keys.append(anchors.keys)
            rows.append(batch.rows[anchors.rows])
    return np.concatenate(keys), np.concatenate(rows)


def those(job: Job, part: int, keys: Hashes) -> pa.Table:
    """The anchors of a part that have one of these keys, sorted, with their windows: `ANCHORS`."""
    found = [ANCHORS.empty_table()]
    for batch in edited(job, part, candidates(job, part)):
        for anchors, hashes in _kinds(job, batch):
            which = chosen(anchors, keys)
            some = anchors.take(which)
            offsets = np.append(0, np.cumsum(some.counts)).astype(np.int32)
            address = address_of(part, batch.rows[some.rows])
            windows = pa.ListArray.from_arrays(pa.array(offsets), pa.array(hashes(which)))
            columns = (some.keys, batch.ids[some.rows], address, some.at)
            found.append(pa.table([*map(pa.array, columns), windows], schema=ANCHORS))
    return pa.concat_tables(found).combine_chunks()


def _kinds(job: Job, of: Texts) -> Iterator[tuple[Anchors, Callable[[Rows], Hashes]]]:
    """The anchors of lines and of words, and what gives the hashes of the windows of some."""
    lines, runs = paragraphs(job), passages(job)
    if lines is not None:
        found, checks = winnowing.lines(of.texts, of.words, lines.words)
        yield found, lambda which: checks[which]
    if runs is not None:
        size = runs.words
        least = winnowing.anchors(of.texts, of.words, size)
        yield least, lambda which: winnowing.windows(of.texts, of.words, size, least.take(which))
