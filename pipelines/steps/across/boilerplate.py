"""Boilerplate of a host: which lines stand in so many of its documents that they are to be cut.

The documents that passed the rules and are no duplicates are looked at, in their edited texts.
What is exchanged is narrow: a key of host and line, once a part with the number of documents that
have it there.  The step `passages` cuts what is found.  A document without a host keeps its lines.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.boilerplate import Boilerplate, Units, units
from filters.buffers import Positions, begins
from filters.shingles import Hashes
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import mark, selected, table_of
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE
from pipelines.schema import hashed, mixed
from pipelines.steps.across import anchors
from pipelines.steps.dedup import clusters
from pipelines.steps.meeting import Rows, by_key

VERSION = 1
NAME = "boilerplate"
TABLE = latest.again("boilerplate")
PARTITION = 256_000_000  # bytes of text whose lines meet in one partition, about

KEYS = pa.schema([("key", pa.uint64()), ("part", pa.int32()), ("documents", pa.int32())])
"""A line of a host, and how many documents of a part have it."""

LINES = pa.schema([("row", pa.int32()), ("line", pa.int32())])
"""A line to cut, by its number in the edited text; sorted."""


def wanted(recipe: Recipe) -> Boilerplate | None:
    """The edit, if the recipe names it."""
    return cast(Boilerplate | None, selected(recipe).across.get(NAME))


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The lines to cut, by the options, the texts and who takes part."""
    edit = selected(recipe).across[NAME]
    reads = (EDITS_TABLE, table_of("site"), *clusters.judges(recipe))
    seen = run.marks(reads)
    return {TABLE: fingerprint(VERSION, mark(edit), seen)}


def count(job: Job, key: int, _: Batches) -> Done:
    """The lines of one part, each once a host with the number of documents that have it."""
    found = [np.empty(0, np.uint64)]
    for _rows, keys, of in _units(job, key):
        order = np.lexsort((keys, of.rows))
        new = begins(keys[order]) | begins(of.rows[order])
        found.append(keys[order][new])
    every, counts = np.unique(np.concatenate(found), return_counts=True)
    part = pa.repeat(pa.scalar(key, pa.int32()), len(every))
    table = pa.table([pa.array(every), part, pa.array(counts.astype(np.int32))], KEYS)
    return Done(out=by_key(table, (every % np.uint64(job.plan.keys[0])).astype(np.int64)))


def _units(job: Job, part: int) -> Iterator[tuple[Rows, Hashes, Units]]:
    """Lines and blocks of the documents with a host: rows of a batch, keys with host, and units."""
    words = cast(Boilerplate, wanted(job.recipe)).words
    rows, hosts = _hosts(job, part)
    for batch in anchors.edited(job, part, rows):
        of = units(batch.texts, batch.words, words)
        host = hosts[np.searchsorted(rows, batch.rows)]
        yield batch.rows, mixed(of.keys ^ host[of.rows]), of


def _hosts(job: Job, part: int) -> tuple[Rows, Hashes]:
    """The rows of one part that take part and have a host, and a hash of it."""
    rows = anchors.candidates(job, part)
    column = job.run.columns(part, {table_of("site"): ["host"]})["host"].combine_chunks()
    codes = column.take(pa.array(rows)).dictionary_encode()
    has = codes.indices.is_valid().to_numpy(zero_copy_only=False)
    return rows[has], hashed(codes.dictionary)[codes.indices.drop_null().to_numpy()]


def common(job: Job, key: int, batches: Batches) -> Done:
    """The lines of one partition that enough documents have, to the parts that have them."""
    table = pa.Table.from_batches(batches)
    _, index = np.unique(table["key"].to_numpy(), return_inverse=True)
    documents = np.bincount(index, table["documents"].to_numpy()).astype(np.int64)
    least = cast(Boilerplate, wanted(job.recipe)).documents
    some = table.filter(pa.array((documents >= least)[index]))
    done = Done(out=by_key(some.select(["key"]), some["part"].to_numpy().astype(np.int64)))
    done.counts["lines and blocks"] = int((documents >= least).sum())
    return done


def find(job: Job, key: int, batches: Batches) -> Done:
    """The lines of one part to cut."""
    made = [LINES.empty_table()]
    if batches:
        known = np.sort(pa.Table.from_batches(batches)["key"].to_numpy())
        for rows, keys, of in _units(job, key):
            row, line = of.take(_among(keys, known)).lines()
            made.append(pa.table([rows[row].astype(np.int32), line], LINES))
    with parts.Writer(job.run, TABLE, job.run.table("documents").parts[key].name, LINES) as writer:
        writer.write(pa.concat_tables(made))
    return Done({TABLE: [writer.part]})


def _among(keys: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which keys are among some that are sorted and not none."""
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return known[place] == keys


def lines(job: Job, part: int) -> tuple[Positions, Positions]:
    """(Row, line) of what is to be cut in one part; nothing, if the recipe does not ask for it."""
    if wanted(job.recipe) is None:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    table = job.run.open_part(TABLE, part).read()
    return table["row"].to_numpy(), table["line"].to_numpy()


STEP = Step(
    "hosts",
    "their boilerplate",
    tables,
    (count, common, find),
    wanted=lambda recipe: wanted(recipe) is not None,
    sizes=lambda recipe, corpus: [corpus.parts, 1 + corpus.text // PARTITION, corpus.parts],
    exchanges=(0, 0.11),
)
