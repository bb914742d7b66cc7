"""A set of byte ranges of one text: which lines, or words, were there before.

Equal hashes decide nothing: the bytes themselves are compared.

Source: Fowler, Noll and Vo's hash FNV-1a, with the finaliser of MurmurHash3 (Appleby 2011).
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets
from filters.kernels import allocator, helper
from filters.registers import EACH, alike, eight, equal, lowest_bit
from filters.shingles import word_hash

FEEDS = EACH * np.uint64(10)
"""A line feed, eight times."""

Slots = NDArray[np.int64]
"""Shape (a power of two, 2): start and end of a range, or two zeros."""


@allocator
def emptied(memory: Slots, ranges: int) -> tuple[Slots, Slots]:
    """A set that is empty and has room for so many ranges: the memory it takes up, and the set."""
    size = 4
    while size < 2 * ranges:
        size *= 2
    if size > len(memory):
        memory = np.empty((size, 2), np.int64)
    memory[:size] = 0
    return memory, memory[:size]


@helper
def hashed(data: Bytes, start: int, end: int) -> np.uint64:
    """A hash of the bytes [start, end), 64 bits: another than that of `filters.shingles`."""
    value = np.uint64(0xCBF29CE484222325)
    for at in range(start, end):
        value = (value ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return value ^ (value >> np.uint64(33))


@helper
def seen(data: Bytes, start: int, end: int, slots: Slots) -> bool:
    """Whether the same bytes are in the set; if not, they are put there.  Needs start < end."""
    mask = len(slots) - 1
    slot = np.int64(word_hash(data, start, end) & np.uint64(mask))
    while slots[slot, 1] > 0:
        first = slots[slot, 0]
        size = end - start
        if slots[slot, 1] - first == size and alike(data, first, data, start, size):
            return True
        slot = (slot + 1) & mask
    slots[slot, 0] = start
    slots[slot, 1] = end
    return False


@helper
def lines(data: Bytes, offsets: Offsets, row: int) -> int:
    """How many lines a text has: one more than it has line feeds."""
    count = 1
    for at in range(offsets[row], offsets[row + 1]):
        count += data[at] == 10
    return count


@helper
def upto(data: Bytes, at: int, end: int, byte: np.uint64) -> int:
    """Where a byte stands next, that is given eight times; the end, if it does not."""
    while at < end and at + 8 <= len(data):
        found = equal(eight(data, at), byte)
        if found:
            return min(at + (lowest_bit(found) >> 3), end)
        at += 8
    at = min(at, end)
    while at < end and data[at] != byte & np.uint64(255):
        at += 1
    return at


@helper
def line_end(data: Bytes, at: int, end: int) -> int:
    """Where the line ends that begins at a byte: at its line feed, or at the text's end."""
    return upto(data, at, end, FEEDS)
