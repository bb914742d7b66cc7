"""A table of words seen so far, emptied at no cost: a slot is taken if it has the mark of today.

Source: Knuth, The Art of Computer Programming, volume 3, section 6.4, for linear probing.
"""

import numpy as np

from filters.buffers import Offsets, Positions
from filters.kernels import allocator, helper, longest, signed
from filters.shingles import Hashes

Seen = tuple[Hashes, Positions]
"""Of each slot a word's hash, and the mark of the time it was put there; 0: never."""


@allocator
def room(rows: Offsets) -> Seen:
    """An empty table, twice as large as the words of the longest text."""
    size = 2
    while size < 2 * longest(rows):
        size *= 2
    return np.empty(size, np.uint64), np.zeros(size, np.int32)


@helper
def slot_of(seen: Seen, mark: int, word: np.uint64) -> int:
    """Where a word is or would be; it is there if the slot has the mark."""
    hashes, marks = seen
    slot = signed(word) & (len(hashes) - 1)
    while marks[slot] == mark and hashes[slot] != word:
        slot = (slot + 1) & (len(hashes) - 1)
    return slot


@helper
def is_new(seen: Seen, mark: int, word: np.uint64) -> bool:
    """Whether a word was not seen yet; now it is."""
    slot = slot_of(seen, mark, word)
    if seen[1][slot] == mark:
        return False
    seen[0][slot], seen[1][slot] = word, mark
    return True
