"""Greedy coverage: next comes what says most that was not said yet, for its length.

What a text says are its runs of words, without case; a text is worth the runs that no text chosen
before it holds, a word: by the byte, lists of short words would win.  That worth only falls as more
is chosen, so a text whose worth, measured again, is still the highest of all is the best one, and
few need to be measured again.

Source: Nemhauser, Wolsey and Fisher 1978, for how near greedy comes to the best choice; Minoux
1978, for measuring lazily; Lin and Bilmes 2011, for coverage of n-grams against length.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole, overlap
from filters.buffers import Bytes, Offsets, Out, begins
from filters.kernels import kernel, signed
from filters.shingles import Hashes
from filters.strategies import by_id, in_turn
from filters.words import words

LEAST = 1 << 16  # places of a table of runs, and as many as runs at least
SPARSE = 16  # places for a run


@dataclass(frozen=True, slots=True)
class Coverage:
    """What says most that is new.

    Attributes:
        words: of a run.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    words: int = 3

    def __post_init__(self) -> None:
        check_whole("words", self.words, 1, 8)

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """The share of the partition's tokens that is chosen before; null for less than a run."""
        known = runs(candidates["text"].combine_chunks(), self.words)
        return in_turn(candidates, greedy(*known, by_id(candidates)))


def runs(texts: pa.StringArray, size: int) -> tuple[Hashes, Offsets, NDArray[np.int64]]:
    """The hashes of the different runs of some texts.

    Args:
        texts: shape (n,).
        size: words a run.

    Returns:
        hashes of all; shape (n + 1,): where those of each text begin; words of each text.
    """
    hashes, rows = overlap.runs(texts, words(texts), size)
    each = np.maximum(np.diff(rows) - size + 1, 0)
    whose = np.repeat(np.arange(len(each)), each)
    order = np.lexsort((hashes, whose))
    hashes, whose = hashes[order], whose[order]
    first = begins(hashes) | begins(whose)
    where = np.append(0, np.cumsum(np.bincount(whose[first], minlength=len(each))))
    return hashes[first], where, np.diff(rows)


def greedy(
    hashes: Hashes, rows: Offsets, length: NDArray[np.int64], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Texts in the order in which they are chosen; those without a run are not.

    Args:
        hashes: of the different runs of each text.
        rows: where those of each text begin.
        length: words of each text.
        order: of the texts, which breaks ties.
    """
    said = np.zeros((1 << max(LEAST, SPARSE * len(hashes)).bit_length()) >> 3, np.uint8)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    starts, worth = rows.tolist(), np.diff(rows)
    heap = [
        (-int(worth[row]) / int(length[row]), int(place[row]), row)
        for row in np.flatnonzero(worth).tolist()
    ]
    heapify(heap)
    chosen = []
    while heap:
        row = heap[0][2]
        left = fresh(hashes, starts[row], starts[row + 1], said)
        now = (-left / int(length[row]), heap[0][1], row)
        if now <= min(heap[1:3], default=now):
            say(hashes, starts[row], starts[row + 1], said)
            chosen.append(row)
            heappop(heap)
        else:
            heapreplace(heap, now)
    return np.array(chosen, np.int64)


@kernel
def fresh(hashes: Hashes, start: int, end: int, said: Bytes) -> int:
    """How many of the runs [start, end) were not said."""
    count, mask = 0, (len(said) << 3) - 1
    for i in range(start, end):
        at = signed(hashes[i]) & mask
        count += 1 - (said[at >> 3] >> (at & 7) & 1)
    return count


@kernel
def say(hashes: Hashes, start: int, end: int, said: Out[Bytes]) -> None:
    """Mark the runs [start, end) as said."""
    mask = (len(said) << 3) - 1
    for i in range(start, end):
        at = signed(hashes[i]) & mask
        said[at >> 3] |= np.uint8(1 << (at & 7))
