"""Twins: what the report shows of near-duplicates.

How many clusters there are of which size; the largest and the widest of them, each by the document
that is kept and the one that resembles it least; and what was measured of recall and precision.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.edits import apply
from pipelines.recipe import Recipe
from pipelines.report.difference import Piece, sides
from pipelines.runs import Run, latest
from pipelines.runs.tables import EDITS_TABLE
from pipelines.steps.dedup import clusters
from pipelines.steps.dedup.recall import Recall, Theory, measured, theory

MANY = 5  # clusters of each kind that are shown


@dataclass(frozen=True)
class Side:
    """A document beside another.

    Attributes:
        key: its URL, else the user's own id, else its id.
        characters: of its edited text.
        pieces: some of it, around the first difference.
        before: characters that are left out before.
        after: and after.
    """

    id: str
    key: str
    characters: int
    pieces: tuple[Piece, ...]
    before: int
    after: int


@dataclass(frozen=True)
class Pair:
    """A cluster.

    Attributes:
        diameter: 1 less the least similarity found in it.
        similarity: of the two that are shown, estimated.
        equal: whether these have one text, white space aside.
        kept: the document that stays.
        removed: the one that resembles it least.
    """

    size: int
    diameter: float
    similarity: float
    equal: bool
    kept: Side
    removed: Side


@dataclass(frozen=True)
class Size:
    """Clusters of about one size; documents: in all of them."""

    name: str
    clusters: int
    documents: int


@dataclass(frozen=True)
class Twins:
    """What dedup did.

    Attributes:
        threshold: of the recipe.
        near: documents that were removed for a similar one.
        equal: for an equal one.
        elsewhere: those of both for one that an earlier run keeps.
        recall: None where it was not measured.
    """

    threshold: float
    near: int
    equal: int
    elsewhere: int
    sizes: tuple[Size, ...]
    largest: tuple[Pair, ...]
    widest: tuple[Pair, ...]
    theory: Theory
    recall: Recall | None


Row = dict[str, Any]
"""Of a document in a cluster: `_READ`, its id, its part, and its row in it."""


def gather(run: Run, recipe: Recipe) -> Twins | None:
    """What there is to show; None if the recipe drops no duplicates."""
    dedup = recipe.dedup
    if dedup is None or clusters.TABLE not in run.manifest.tables:
        return None
    sizes: Counter[int] = Counter()
    removed: Counter[bool] = Counter()
    tops: dict[str, list[pa.Table]] = {"cluster_size": [], "cluster_diameter": []}
    for rows in _parts(run):
        kept = rows.filter(pc.invert(rows["duplicate"]))
        sizes.update(kept["cluster_size"].to_pylist())
        removed.update(rows.filter(rows["duplicate"])["equal"].to_pylist())
        for name, top in tops.items() if kept.num_rows else ():
            both = pa.concat_tables([*top, kept])
            order = [(name, "descending"), ("cluster", "ascending")]
            top[:] = [both.take(pc.select_k_unstable(both, 2 * MANY, order))]
    first, wide = ([row for each in top for row in each.to_pylist()] for top in tops.values())
    largest = first[:MANY]
    widest = [row for row in wide if row["cluster_diameter"] > 0 and row not in largest][:MANY]
    others = _farthest(run, [row["cluster"] for row in (*largest, *widest)])
    here = sum((size - 1) * count for size, count in sizes.items())
    return Twins(
        dedup.threshold,
        removed[False],
        removed[True],
        max(0, sum(removed.values()) - here),
        tuple(_sizes(sizes)),
        tuple(_pair(run, row, others[row["cluster"]]) for row in largest),
        tuple(_pair(run, row, others[row["cluster"]]) for row in widest),
        theory(recipe, dedup),
        measured(run, recipe),
    )


def _parts(run: Run) -> Iterator[pa.Table]:
    """The rows of each part that are in clusters."""
    for part, whole in enumerate(run.table("documents").parts):
        columns = run.columns(part, {clusters.TABLE: _READ, "documents": ["id"]})
        columns = columns.append_column("part", pa.array(np.full(whole.rows, part)))
        columns = columns.append_column("row", pa.array(np.arange(whole.rows)))
        yield columns.filter(pc.is_valid(columns["duplicate"])).combine_chunks()


_READ = ["duplicate", "cluster", "cluster_size", "cluster_diameter", "similarity", "equal"]


def _farthest(run: Run, wanted: Sequence[str]) -> dict[str, Row]:
    """Of each cluster the removed document that resembles the kept one least."""
    found: dict[str, Row] = {}
    for rows in _parts(run):
        mine = pc.and_(rows["duplicate"], pc.is_in(rows["cluster"], pa.array(wanted, pa.string())))
        for row in rows.filter(mine).to_pylist():
            before = found.setdefault(row["cluster"], row)
            found[row["cluster"]] = min(before, row, key=lambda r: (r["similarity"], r["id"]))
    return found


def _sizes(counts: Counter[int]) -> Iterator[Size]:
    """2, 3, 4, then from each power of two to the next."""
    bounds = [2, 3, 4]
    while counts and bounds[-1] < max(counts):
        bounds.append(bounds[-1] * 2)
    low = 2
    for high in bounds:
        mine = {size: n for size, n in counts.items() if low <= size <= high}
        name = f"{high:,}" if low == high else f"{low:,} to {high:,}"
        documents = sum(size * n for size, n in mine.items())
        if high > 4 or mine:
            yield Size(name, sum(mine.values()), documents)
        low = high + 1


def _pair(run: Run, kept: Row, other: Row) -> Pair:
    documents = [_document(run, each["part"], each["row"]) for each in (kept, other)]
    start, *pieces = sides(*(text for *_, text in documents))
    shown = []
    for (id_, key, text), mine in zip(documents, pieces, strict=True):
        after = len(text) - start - sum(len(piece) for piece, _ in mine)
        shown.append(Side(id_, key, len(text), mine, start, after))
    of = kept["cluster_size"], kept["cluster_diameter"]
    return Pair(*of, other["similarity"], other["equal"], *shown)


def _document(run: Run, part: int, number: int) -> tuple[str, str, str]:
    """Id, key, and the text with the edits that dedup knew of."""
    wanted = ["id", "url", "source_key", "text"]
    row = latest.row(run, "documents", part, number, wanted)
    edits = run.columns(part, {EDITS_TABLE: ["edits"]})["edits"]
    mine = edits.slice(number, 1).combine_chunks()
    text = apply(pa.array([row["text"]], pa.string()), mine)[0].as_py()
    return row["id"], row["url"] or row["source_key"] or row["id"], text
