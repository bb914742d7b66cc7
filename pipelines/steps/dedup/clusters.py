"""Clusters: confirmed pairs joined in one place, and who of each cluster stays.

The one place sees addresses alone: about `NODE` bytes for each duplicated row; beyond the recipe's
limit the step refuses to join and says what to set.  The rows of a cluster then meet in a partition
of their own, with all that decides who stays and how alike they are.
"""

from collections.abc import Iterator
from itertools import chain
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters.buffers import begins, within
from filters.buffers import table as bytes_of
from filters.clusters import Components, agreements, led
from filters.lsh import similarity
from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import RAISE, Holding
from pipelines.engine.step import Batches, Done, Job
from pipelines.errors import RunError
from pipelines.recipe import Dedup, Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.schema import DUPLICATES, mixed
from pipelines.steps import meeting, rules
from pipelines.steps.dedup import against
from pipelines.steps.meeting import ROW, Rows, by_key, home, part_of, row_of, those
from pipelines.units import say_size

TABLE = "columns/documents/duplicates"
NODE = 60  # bytes that a duplicated row takes where all are joined
PAIR = 80  # bytes that a pair takes there, where leaders are asked for
PARTITION = 1_000_000  # documents, of which those in clusters meet in one partition, about
WIDTH = 32  # members of a cluster that are compared for its diameter, at most

MEMBERS = pa.schema([("address", pa.uint64()), ("root", pa.uint64())])
"""A row and its cluster, named by the least address in it."""

PAIRS = pa.schema([*MEMBERS, ("other", pa.uint64())])
"""Two rows that were confirmed, and their cluster."""


def stays(columns: pa.Table) -> pa.ChunkedArray:
    """Which documents passed the rules, are no duplicates and not over a cap.

    Args:
        columns: reason, and duplicate and over_cap where the recipe has such.
    """
    stay = pc.is_null(columns["reason"])
    for name in ("duplicate", "over_cap"):
        if name in columns.column_names:
            stay = pc.and_not(stay, pc.fill_null(columns[name], False))
    return stay


def judges(recipe: Recipe) -> dict[str, list[str]]:
    """What says who passed the rules and is no duplicate: tables and columns, for `stays`."""
    reads = {rules.TABLE: ["reason"]}
    if recipe.dedup is not None:
        reads[TABLE] = ["duplicate"]
    return reads


def join(job: Job, key: int, batches: Batches) -> Done:
    """All pairs of the run: their clusters, each row to its part.

    Raises:
        RunError: if there are more duplicated rows than one process may join.
    """
    leader = cast(Dedup, job.recipe.dedup).link == "leader"
    found, pairs, held, memory = Components(), [], 0, job.recipe.limit.memory
    for batch in batches:
        found.add(*(column.to_numpy() for column in batch.columns))
        if leader:
            pairs.append(batch)
            held += PAIR * batch.num_rows
        if NODE * len(found.rows) + held > memory:
            raise RunError(
                f"dedup: {len(found.rows):,} rows and more resemble others; to join them in one "
                f"process takes more than [limit] memory, {say_size(memory)}: raise it or "
                "[dedup] threshold, or run the sources one by one, each against those before"
            )
    return Done(out=_members(found, pairs))


def _members(
    found: Components, pairs: list[pa.RecordBatch]
) -> Iterator[tuple[int, pa.RecordBatch]]:
    members = pa.table([found.rows, found.roots()], MEMBERS)
    yield from by_key(members, part_of(found.rows))
    if pairs:
        table = pa.Table.from_batches(pairs).group_by(["address", "other"]).aggregate([])
        table = table.sort_by([("address", "ascending"), ("other", "ascending")])
        address = table["address"].to_numpy()
        root = found.roots()[np.searchsorted(found.rows, address)]
        table = table.add_column(1, "root", pa.array(root))
        yield from by_key(table.cast(PAIRS), part_of(address))


def known(job: Job, key: int, batches: Batches) -> Done:
    """What decides about the rows of one part that are in clusters, each to its cluster."""
    members, pairs = those(batches, MEMBERS), those(batches, PAIRS)
    *_, apart, _ = job.plan.keys
    said = _facts(job, key).take(pa.array(row_of(members["address"].to_numpy())))
    for place, name in enumerate(MEMBERS.names):
        said = said.add_column(place, name, members[name])
    return Done(out=chain(by_key(said, _place(said, apart)), by_key(pairs, _place(pairs, apart))))


def _place(table: pa.Table, apart: int) -> Rows:
    """The partition that each row's cluster meets in."""
    return (mixed(table["root"].to_numpy()) % np.uint64(apart)).astype(np.int64)


def _facts(job: Job, key: int) -> pa.Table:
    """Of every row of one part: signature, text hash, id, and what the keep policy looks at."""
    run, part, earlier = against.place(job, key)
    scan, keep = selected(job.recipe), cast(Dedup, job.recipe.dedup).order
    reads = {table_of("minhash"): ["minhash"], table_of("exact"): ["text_hash"]}
    facts = run.columns(part, {**reads, "documents": ["id"]})
    wanted = scan.schema(column for column, _ in keep)
    kept = run.columns(part, scan.homes(wanted.names)) if not earlier else None
    for number, f in enumerate(wanted):
        values = pa.nulls(len(facts), f.type) if kept is None else kept[f.name]
        facts = facts.append_column(f"keep_{number}", values)
    return facts


def choose(job: Job, key: int, batches: Batches) -> Done:
    """The clusters of one partition: who stays, and what is said of the others."""
    dedup, own = cast(Dedup, job.recipe.dedup), job.run.parts
    pairs = those(batches, PAIRS)
    nodes = pa.Table.from_batches([b for b in batches if "minhash" in b.schema.names])
    nodes = nodes.sort_by("address").combine_chunks()
    address = nodes["address"].to_numpy()
    new = part_of(address) < own
    rank = _rank(nodes, dedup, new)
    if dedup.link == "leader":
        ends = (np.searchsorted(address, pairs[c].to_numpy()) for c in ("address", "other"))
        kept = _led(nodes["text_hash"].combine_chunks(), rank, *ends)
    else:
        kept = _first(np.unique(nodes["root"].to_numpy(), return_inverse=True)[1], rank)
    sizes = np.bincount(kept, minlength=len(kept))
    said = new & (sizes[kept] > 1)
    answers = _answers(nodes, kept, sizes).filter(pa.array(said))
    done = Done(out=home(address[said], answers))
    gone = int((new & (kept != np.arange(len(kept)))).sum())
    done.counts.update({"clusters": int((sizes > 1).sum()), "duplicates": gone})
    return done


def _rank(nodes: pa.Table, dedup: Dedup, new: NDArray[np.bool_]) -> Rows:
    """Place of each row in the order of the keep policy; no value comes last; ties by id.

    What an earlier run kept comes first.
    """
    keys = [("new", "ascending")]
    keys += [(f"keep_{i}", order) for i, (_, order) in enumerate(dedup.order)]
    keys += [("id", "ascending"), ("address", "ascending")]
    order = pc.sort_indices(nodes.append_column("new", pa.array(new)), keys)
    return np.argsort(order.to_numpy())


def _led(text: pa.Array, rank: Rows, left: Rows, right: Rows) -> Rows:
    """For each row its leader, where equal texts are as one row: the first of them."""
    first = _first(text.dictionary_encode().indices.to_numpy().astype(np.int64), rank)
    left, right = first[left], first[right]
    apart = left != right
    return led(rank, left[apart], right[apart])[first]


def _first(root: Rows, rank: Rows) -> Rows:
    """For each row the row of its component that comes first.

    Args:
        root: shape (n,): equal in a component.
        rank: shape (n,).
    """
    order = np.lexsort((rank, root))
    new = begins(root[order])
    kept = np.empty(len(root), np.int64)
    kept[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return kept


def _answers(nodes: pa.Table, kept: Rows, sizes: Rows) -> pa.Table:
    """What is said of each row."""
    every = np.arange(len(kept))
    low = bytes_of(nodes["minhash"].combine_chunks())
    similar = similarity(agreements(low, every, kept), low.shape[1])
    text, take = nodes["text_hash"].combine_chunks(), pa.array(kept)
    columns = [
        pa.array(kept != every),
        nodes["id"].take(take),
        pa.array(sizes[kept]),
        pa.array(similar.astype(np.float32)),
        pc.equal(text, text.take(take)),
        pa.array(_diameters(low, kept)),
    ]
    return pa.table(columns, DUPLICATES)


def _diameters(low: NDArray[np.uint8], kept: Rows) -> NDArray[np.float32]:
    """Of each row's cluster: 1 less the least similarity of any two of its first members."""
    order = np.argsort(kept, kind="stable")
    place = within(kept[order])
    left: list[Rows] = []
    right: list[Rows] = []
    for step in range(1, WIDTH):  # each member with the one that stands so many places before it
        later = np.flatnonzero((place >= step) & (place < WIDTH))
        left.append(order[later])
        right.append(order[later - step])
    one, other = np.concatenate(left), np.concatenate(right)
    least = np.ones(len(kept))
    np.minimum.at(least, kept[one], similarity(agreements(low, one, other), low.shape[1]))
    return (1 - least[kept]).astype(np.float32)


def answer(job: Job, key: int, batches: Batches) -> Done:
    """The duplicates of one part, row for row."""
    said = pa.Table.from_batches(batches, pa.schema([ROW, *DUPLICATES]))
    return meeting.write(job, TABLE, key, said)


def grows(recipe: Recipe, corpus: Corpus, files: int) -> list[Holding]:
    """Rows that resemble others, all of which are joined in one place."""
    dedup = cast(Dedup, recipe.dedup)
    each = NODE + PAIR * (dedup.link == "leader")
    return [Holding("rows that resemble others", each, None, f"{RAISE} or [dedup] threshold")]


STAGES = (join, known, choose, answer)
