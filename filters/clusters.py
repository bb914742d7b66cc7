"""Who is a near-copy of whom: leaders of buckets, agreements of pairs, components of a graph.

Within a bucket nobody is compared with everybody: the first rows that resemble none before them
become its leaders, a few, and the others are compared with these.  So the cost is linear in the
rows, and a bucket of strangers that share one key does not tie them together.

Source: Tarjan and van Leeuwen 1984, for finding roots by halving paths.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Out, begins
from filters.kernels import helper, kernel
from filters.lsh import Signatures

Rows = NDArray[np.int64]
"""Shape (rows,): indices of rows."""


class Links(NamedTuple):
    """Rows tied to the leaders that they agree with.

    Attributes:
        rows: shape (links,).
        leaders: the leader of each; it came before the row in the bucket.
        unled: rows that agree with no leader of their bucket and found no room among them.
    """

    rows: Rows
    leaders: Rows
    unled: int


def leaders(buckets: Rows, rows: Rows, signatures: Signatures, needed: int, most: int = 8) -> Links:
    """Tie each row of a bucket to the first leader that it agrees with, or make it a leader.

    Args:
        buckets: shape (buckets + 1,): bucket i is ``rows[buckets[i]:buckets[i + 1]]``.
        rows: which signature each member has; the order within a bucket decides who leads.
        signatures: shape (n, slots).
        needed: in how many slots two must agree.
        most: leaders a bucket.

    Raises:
        IndexError: a row has no signature, or a bucket no rows.
    """
    _check(len(signatures), rows)
    _check(len(rows) + 1, buckets)
    tied, to = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    count, unled = _leaders(buckets, rows, signatures, needed, most, tied, to)
    return Links(tied[:count], to[:count], unled)


def agreements(signatures: Signatures, left: Rows, right: Rows) -> NDArray[np.int32]:
    """In how many slots the two rows of each pair agree.

    Args:
        signatures: shape (n, slots).
        left: shape (pairs,).
        right: the same.

    Raises:
        IndexError: a row has no signature.
        ValueError: a row has no partner.
    """
    _check(len(signatures), left, right)
    counts = np.empty(len(left), np.int32)
    _agreements(signatures, left, right, counts)
    return counts


def forest(n: int, left: Rows, right: Rows) -> Rows:
    """The least member of each one's component, where each pair is an edge.

    Returns:
        shape (n,).  The order of the edges does not matter.

    Raises:
        IndexError: an edge leads out of [0, n).
        ValueError: an edge has one end.
    """
    _check(n, left, right)
    parents = np.arange(n)
    _forest(left, right, parents)
    return parents


class Components:
    """Rows joined by pairs that arrive bit by bit.  Memory goes with the rows, not with the pairs.

    Attributes:
        rows: shape (n,): the addresses seen so far, sorted.
    """

    def __init__(self) -> None:
        self.rows = np.empty(0, np.uint64)
        self._parents = np.empty(0, np.int64)

    def add(self, left: NDArray[np.uint64], right: NDArray[np.uint64]) -> None:
        """Pairs of addresses; the order in which they come does not matter.

        Raises:
            ValueError: a pair has one end.
        """
        named = np.sort(np.concatenate([left, right]))  # much faster than asking for unique ones
        named = named[begins(named)]
        place = np.searchsorted(self.rows, named)
        known = np.append(self.rows, np.uint64(0))[place] == named
        known[place == len(self.rows)] = False
        grown = np.insert(self.rows, place[~known], named[~known])
        moved = np.searchsorted(grown, self.rows)  # keeps the order, so that roots stay the least
        parents = np.arange(len(grown))
        parents[moved] = moved[self._parents]
        one, other = np.searchsorted(grown, left), np.searchsorted(grown, right)
        _check(len(grown), one, other)
        _forest(one, other, parents)
        self.rows, self._parents = grown, parents

    def roots(self) -> NDArray[np.uint64]:
        """The least address in each row's component, in the order of `rows`."""
        return self.rows[self._parents]


def led(rank: Rows, left: Rows, right: Rows) -> Rows:
    """Who leads each, where only what is tied to a leader itself belongs to it.

    In the order of their ranks: who is tied to a leader follows the first such, the others lead.

    Args:
        rank: shape (n,), a permutation.
        left: shape (pairs,): one of each pair.
        right: the other.

    Returns:
        shape (n,): the leader of each, itself for a leader.
    """
    _check(len(rank), left, right)
    later = rank[left] > rank[right]
    follower, before = np.where(later, left, right), np.where(later, right, left)
    order = np.lexsort((rank[before], rank[follower]))
    leader = np.arange(len(rank))
    _led(follower[order], before[order], leader)
    return leader


def _check(n: int, *columns: Rows) -> None:
    """Kernels run without bounds checks."""
    if len({len(rows) for rows in columns}) > 1:
        raise ValueError("a pair has two rows")
    for rows in columns:
        if len(rows) and not 0 <= rows.min() <= rows.max() < n:
            raise IndexError(f"rows from {rows.min()} to {rows.max()}, where there are {n}")


@helper
def _agreeing(signatures: Signatures, one: int, other: int) -> int:
    a, b = signatures[one], signatures[other]
    count = 0
    for k in range(len(a)):
        count += a[k] == b[k]
    return count


@kernel
def _agreements(
    signatures: Signatures, left: Rows, right: Rows, counts: Out[NDArray[np.int32]]
) -> None:
    for pair in range(len(left)):
        counts[pair] = _agreeing(signatures, left[pair], right[pair])


@kernel
def _leaders(
    buckets: Rows,
    rows: Rows,
    signatures: Signatures,
    needed: int,
    most: int,
    tied: Out[Rows],
    to: Out[Rows],
) -> tuple[int, int]:
    count, unled = 0, 0
    heads = np.empty(most, np.int64)
    for bucket in range(len(buckets) - 1):
        led = 0
        for i in range(buckets[bucket], buckets[bucket + 1]):
            row, head = rows[i], 0
            while head < led:
                if _agreeing(signatures, row, heads[head]) >= needed:
                    break
                head += 1
            if head < led:
                tied[count], to[count] = row, heads[head]
                count += 1
            elif led < most:
                heads[led] = row
                led += 1
            else:
                unled += 1
    return count, unled


@helper
def _root(parents: Rows, at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


@kernel
def _forest(left: Rows, right: Rows, parents: Out[Rows]) -> None:
    for edge in range(len(left)):
        one, other = _root(parents, left[edge]), _root(parents, right[edge])
        if one < other:
            parents[other] = one
        else:
            parents[one] = other
    for i in range(len(parents)):  # a parent is never the greater one, so its root is known
        parents[i] = parents[parents[i]]


@kernel
def _led(follower: Rows, before: Rows, leader: Out[Rows]) -> None:
    """Pairs in the order of the follower's rank, then of the other's; `leader` begins as itself."""
    for pair in range(len(follower)):
        row, other = follower[pair], before[pair]
        if leader[row] == row and leader[other] == other:
            leader[row] = other
