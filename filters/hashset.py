"""A set of 64-bit hashes that says quickly what is not in it.

Sources: Bloom 1970, for the bits before; Knuth 1973, section 6.4, for open addressing.
"""

from typing import NamedTuple

import numpy as np

from filters.buffers import Bytes, Out
from filters.kernels import helper, kernel
from filters.shingles import HALF, Hashes


class HashSet(NamedTuple):
    """A set of hashes.

    Attributes:
        bits: one for each value of the upper bits, set where a hash has it: most of those that
            are not in the set are told here.
        slots: the hashes, each at its lower bits or in the next free place; 0: free.
    """

    bits: Bytes
    slots: Hashes


def hash_set(hashes: Hashes) -> HashSet:
    """The set of some hashes, with whatever repetitions; 0 counts as 1."""
    size = max(64, 1 << (2 * len(hashes)).bit_length())  # 2 to 4 places a hash, 16 to 32 bits
    made = HashSet(np.zeros(size, np.uint8), np.zeros(size, np.uint64))
    _fill(hashes, *made)
    return made


@kernel
def _fill(hashes: Hashes, bits: Out[Bytes], slots: Out[Hashes]) -> None:
    """Put hashes into an empty set; see `HashSet`."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(hashes)):
        value = max(hashes[i], np.uint64(1))
        bit = _bit(value, bits)
        bits[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
        at = value & mask
        while slots[at] and slots[at] != value:
            at = (at + np.uint64(1)) & mask
        slots[at] = value


@helper
def _bit(value: np.uint64, bits: Bytes) -> np.uint64:
    """Which of the bits a hash has."""
    return value >> HALF & np.uint64(8 * len(bits) - 1)


@helper
def has(value: np.uint64, bits: Bytes, slots: Hashes) -> bool:
    """Whether a hash is in the set."""
    value = max(value, np.uint64(1))
    bit = _bit(value, bits)
    if not (bits[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7))) & np.uint8(1):
        return False
    mask = np.uint64(len(slots) - 1)
    at = value & mask
    while slots[at]:
        if slots[at] == value:
            return True
        at = (at + np.uint64(1)) & mask
    return False
