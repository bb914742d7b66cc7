"""Levels: up to where rows, in one order over all partitions, come to so many tokens.  Exact.

Rows are ordered by a pair of numbers, rank and id.  Each partition tells of at most `POINTS`
stretches of its own order where they begin, where they end and what they hold.  From all of these
follows a narrow bracket that the level must lie in; the rows in the bracket alone meet, and settle
it.  What is held goes with the partitions, not with the rows, ties or no ties.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import begins
from pipelines.steps.meeting import U64

POINTS = 512  # stretches that a partition tells of
NONE, ALL = 0, 2**64 - 1  # ranks before and after all

ENDS = [(name, pa.uint64()) for name in ("low", "low_id", "high", "high_id")]
SKETCH = pa.schema([*ENDS, ("tokens", pa.int64())])
"""A stretch: its first row, its last row, and the tokens of all."""


class Pair(NamedTuple):
    """A place in the order."""

    rank: int
    id: int


BEFORE, AFTER = Pair(NONE, NONE), Pair(ALL, ALL)


def ordinal(values: NDArray[np.float64]) -> U64:
    """Numbers as whole ones in the same order, never `NONE` or `ALL`; NaN is not allowed."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0: -0.0 becomes 0.0
    top = np.uint64(1 << 63)
    return np.where(bits & top, ~bits, bits | top)


def order(rank: U64, ids: U64) -> NDArray[np.int64]:
    """Rows by rank, ties by id."""
    return np.lexsort((ids, rank))


def sketch(rank: U64, ids: U64, tokens: NDArray[np.int64]) -> pa.Table:
    """The stretches of one partition.

    Args:
        rank: shape (n,).
        ids: shape (n,).
        tokens: shape (n,), none negative.

    Returns:
        `SKETCH`, at most `POINTS` + 1 rows.
    """
    if not len(rank):
        return SKETCH.empty_table()
    at = order(rank, ids)
    rank, ids, tokens = rank[at], ids[at], tokens[at]
    before = np.cumsum(tokens) - tokens
    piece = before * POINTS // max(1, int(tokens.sum()))
    first = begins(rank) | begins(ids)  # equal pairs stand in one stretch
    piece = piece[first][np.cumsum(first) - 1]
    starts = np.flatnonzero(begins(piece))
    ends = np.append(starts[1:], len(piece)) - 1
    held = np.add.reduceat(tokens, starts)
    return pa.table([rank[starts], ids[starts], rank[ends], ids[ends], held], schema=SKETCH)


class Known(NamedTuple):
    """What all stretches say of the order.

    Attributes:
        rank: shape (n,), of every place where a stretch begins or ends, in order.
        ids: shape (n,).
        least: tokens up to and with each place, at least.
        most: the same, at most.
    """

    rank: U64
    ids: U64
    least: NDArray[np.int64]
    most: NDArray[np.int64]

    def pair(self, at: int) -> Pair:
        """One place."""
        return Pair(int(self.rank[at]), int(self.ids[at]))

    def bracket(self, level: int) -> tuple[Pair, Pair]:
        """Rows up to the first place come to at most `level`; those from the second on do not."""
        sure = int(np.searchsorted(self.most, level, "right")) - 1
        beyond = int(np.searchsorted(self.least, level, "right"))
        low = self.pair(sure) if sure >= 0 else BEFORE
        return low, self.pair(beyond) if beyond < len(self.rank) else AFTER


def known(stretches: pa.Table) -> Known:
    """The order, from the stretches of all partitions."""
    low, low_id, high, high_id, tokens = (c.to_numpy() for c in stretches.columns)
    rank, ids = np.concatenate([low, high]), np.concatenate([low_id, high_id])
    at = order(rank, ids)
    first = begins(rank[at]) | begins(ids[at])
    place = np.empty(len(at), np.int64)
    place[at] = np.cumsum(first) - 1
    count = int(first.sum())
    ends, starts = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(starts, place[: len(low)], tokens)
    np.add.at(ends, place[len(low) :], tokens)
    where = at[first]
    return Known(rank[where], ids[where], np.cumsum(ends), np.cumsum(starts))


def upto(rank: U64, ids: U64, pair: Pair) -> NDArray[np.bool_]:
    """Which rows stand at a place or before it."""
    at, id_ = np.uint64(pair.rank), np.uint64(pair.id)
    return (rank < at) | ((rank == at) & (ids <= id_))


def settle(rank: U64, ids: U64, tokens: NDArray[np.int64], room: int) -> Pair | None:
    """The last row up to which rows come to at most `room` tokens; None: not even the first."""
    at = order(rank, ids)
    rank, ids, total = rank[at], ids[at], np.cumsum(tokens[at])
    last = np.append(begins(rank)[1:] | begins(ids)[1:], len(rank) > 0)[: len(rank)]
    ends = np.flatnonzero(last)
    fits = int(np.searchsorted(total[ends], room, "right")) - 1
    return Pair(int(rank[ends[fits]]), int(ids[ends[fits]])) if fits >= 0 else None
