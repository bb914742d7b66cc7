"""Shingles: runs of consecutive words, and a hash of each that knows their order.

A text with fewer words than a shingle is one shingle of all its words; a text without words has
none.  Case counts.

A word's hash starts from its length and takes its bytes eight at a time: words of one length and at
most eight bytes never share one.  A shingle's is a polynomial in the hashes of its words, modulo
2 ** 64, rolled along the text, and mixed.

Sources: Broder 1997; Karp and Rabin 1987, for rolling; Appleby 2011 (MurmurHash3), Steele, Lea and
Flood 2014 (SplitMix) and Knuth (MMIX), for the multipliers.
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Positions
from filters.kernels import helper
from filters.registers import eight

Hashes = NDArray[np.uint64]
"""Shape (hashes,)."""

FIRST, SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
GOLDEN, BASE = np.uint64(0x9E3779B97F4A7C15), np.uint64(6364136223846793005)

BYTE, HALF = np.uint64(8), np.uint64(32)


@helper
def word_hash(data: Bytes, start: int, end: int) -> np.uint64:
    """A hash of the bytes [start, end)."""
    value = np.uint64(end - start) * GOLDEN
    at = start
    while at + 8 <= end:
        value = (value ^ eight(data, at)) * FIRST
        value ^= value >> HALF
        at += 8
    if at < end:
        if at + 8 <= len(data):
            rest = eight(data, at) << np.uint64(8 * (at + 8 - end))
        else:
            rest = np.uint64(0)
            for i in range(at, end):
                rest = (rest >> BYTE) | (np.uint64(data[i]) << np.uint64(56))
        value = (value ^ rest) * FIRST
        value ^= value >> HALF
    value *= SECOND
    return value ^ (value >> HALF)


@helper
def mixed(value: np.uint64) -> np.uint64:
    """A polynomial of words as the hash of their run."""
    value = (value ^ (value >> HALF)) * SECOND
    return value ^ (value >> HALF)


@helper
def power(size: int) -> np.uint64:
    """What a word is worth in a polynomial, so many words before its last."""
    value = np.uint64(1)
    for _ in range(size):
        value *= BASE
    return value


@helper
def shingle_hashes(
    data: Bytes,
    begin: int,
    limit: int,
    starts: Positions,
    ends: Positions,
    size: int,
    words: Hashes,
    out: Hashes,
) -> int:
    """The hash of each shingle of one text.

    Args:
        data: bytes of all texts; this one's are [begin, limit).
        begin: where its spans count from.
        limit: where it ends: spans of another text must not lead us out.
        starts: of its words.
        ends: of its words.
        size: words a shingle.
        words: room for a hash of each word.
        out: room for as many; its first hold the shingles' hashes.

    Returns:
        how many shingles there are.
    """
    count, value, before, n = 0, np.uint64(0), power(size), len(starts)
    for i in range(n):
        end = min(begin + ends[i], limit)
        words[i] = word_hash(data, min(begin + starts[i], end), end)
        value = value * BASE + words[i]
        if i >= size:
            value -= words[i - size] * before
        if i + 1 >= min(size, n):
            out[count] = mixed(value)
            count += 1
    return count
