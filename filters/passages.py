"""Passages: what stands in a document that comes before: the options, and who copies whom.

A window's hash has 64 bits and is compared only with those whose anchors have the same 64 bits (see
`filters.winnowing`), a line's two hashes likewise; equal hashes count as equal words.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from filters import check_whole
from filters.buffers import Offsets, Out
from filters.kernels import helper, kernel
from filters.seen import Slots, emptied
from filters.shingles import Hashes
from filters.winnowing import Anchors

Rows = NDArray[np.int64]
Masks = NDArray[np.uint32]
"""A bit for each window of an anchor, the lowest for the first: it stands in a document before."""


@dataclass(frozen=True, slots=True)
class RepeatedParagraphs:
    """Cut a line that stands, white space around it aside, in a document that comes before.

    Attributes:
        words: a line with fewer words stays.
    """

    words: int = 8

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_whole("words", self.words)


@dataclass(frozen=True, slots=True)
class RepeatedPassages:
    """Cut a run of consecutive words that stands in a document that comes before.

    Attributes:
        words: a shorter run stays.
    """

    words: int = 50

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_whole("words", self.words, 2)


def chosen(of: Anchors, wanted: Hashes) -> Rows:
    """Which anchors have a wanted key.

    Args:
        of: anchors.
        wanted: sorted.
    """
    if not len(wanted):
        return np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(wanted, of.keys), len(wanted) - 1)
    return np.flatnonzero(wanted[place] == of.keys)


def copies(keys: Hashes, order: Rows, documents: Hashes, offsets: Offsets, hashes: Hashes) -> Masks:
    """The windows that a document before has too.

    Args:
        keys: of anchors, shape (n,).
        order: of the anchors: by key, and of one key by what comes before what.
        documents: which document each stands in, below 2 ** 63.
        offsets: shape (n + 1,): the windows of anchor i are ``hashes[offsets[i]:offsets[i + 1]]``,
            32 at most.
        hashes: of windows.

    Returns:
        shape (n,).
    """
    masks = np.zeros(len(keys), np.uint32)
    _copies(keys, order, documents.view(np.int64), offsets, hashes, masks)
    return masks


@helper
def _first(hash_: np.uint64, document: int, slots: Slots) -> int:
    """The document that brought a hash first; this one, if none did."""
    mask = len(slots) - 1
    value = np.int64(hash_)
    slot = (value ^ (value >> 32)) & mask
    while slots[slot, 1] > 0:
        if slots[slot, 0] == value:
            return slots[slot, 1] - 1
        slot = (slot + 1) & mask
    slots[slot, 0] = value
    slots[slot, 1] = document + 1
    return document


@kernel
def _copies(
    keys: Hashes, order: Rows, documents: Rows, offsets: Offsets, hashes: Hashes, masks: Out[Masks]
) -> None:
    memory = np.zeros((1024, 2), np.int64)
    begin = 0
    while begin < len(order):
        end, total = begin, 0
        while end < len(order) and keys[order[end]] == keys[order[begin]]:
            total += offsets[order[end] + 1] - offsets[order[end]]
            end += 1
        memory, slots = emptied(memory, total)
        for i in range(begin, end):
            row = order[i]
            for window in range(offsets[row], offsets[row + 1]):
                if _first(hashes[window], documents[row], slots) != documents[row]:
                    masks[row] |= np.uint32(1) << np.uint32(window - offsets[row])
        begin = end
