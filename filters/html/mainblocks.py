"""The blocks of a page with what is said of each, in memory that is used again for every page."""

import threading
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from filters.buffers import Bytes, Offsets, Positions
from filters.html.blocks import COLUMNS, TITLE_SLOTS, TOLD_SLOTS, classes, count
from filters.html.features import WIDTH, features
from filters.html.markup import ELEMENTS, OVER, REGISTERS, SEGMENTS, Floats
from filters.html.regions import SECOND
from filters.html.sums import SUMS
from filters.html.tags import KINDS, TAGS, Hashes, Words, known
from filters.html.tree import DEPTH, parse

MOST_ELEMENTS, MOST_SEGMENTS, MOST_BLOCKS = 400_000, 400_000, 100_000
"""What is kept of a page; one that has more says so."""


class Blocks(NamedTuple):
    """A page in blocks; valid until the next page is read in the same thread.

    Attributes:
        data: the page.
        elements: shape (elements, 8), see `filters.html.markup`.
        flags: shape (elements,).
        scores: shape (elements, 5).
        segments: shape (segments, 5).
        blocks: shape (blocks, COLUMNS), see `filters.html.blocks`.
        sums: shape (elements, SUMS), see `filters.html.sums`.
        rows: shape (blocks, WIDTH + SECOND), see `filters.html.features`; the last columns are not
            filled yet, see `filters.html.regions`.
        at: registers, see `filters.html.markup`.
    """

    data: Bytes
    elements: Positions
    flags: Hashes
    scores: Floats
    segments: Positions
    blocks: Positions
    sums: Positions
    rows: Floats
    at: Offsets


class _Memory(threading.local):
    """Of a thread; the system gives no more of it than was ever written."""

    def __init__(self) -> None:
        self.elements = np.empty((MOST_ELEMENTS, 8), np.int32)
        self.flags = np.empty(MOST_ELEMENTS, np.uint64)
        self.scores = np.empty((MOST_ELEMENTS, 5), np.float32)
        self.segments = np.empty((MOST_SEGMENTS, 5), np.int32)
        self.blocks = np.empty((MOST_BLOCKS, COLUMNS), np.int32)
        self.rows = np.empty((MOST_BLOCKS, WIDTH + SECOND), np.float32)
        self.sums = np.empty((MOST_ELEMENTS, SUMS), np.int32)
        self.keys = np.empty(1 << (2 * MOST_ELEMENTS).bit_length(), np.uint64)
        self.room = np.empty(3 << (2 * MOST_ELEMENTS).bit_length(), np.int64)
        self.stack, self.at = np.empty(DEPTH, np.int32), np.empty(REGISTERS, np.int64)
        self.open = np.empty(OVER + len(TAGS), np.int32)
        self.own, self.said = np.empty(2, np.uint64), np.empty(3, np.float32)
        self.title, self.told = np.empty(TITLE_SLOTS, np.uint64), np.empty(TOLD_SLOTS, np.uint64)


@cache
def _memory() -> _Memory:
    return _Memory()


@cache
def _classes() -> Bytes:
    return classes()


def blocks(data: Bytes, words: Words) -> Blocks:
    """Read a page.

    Args:
        data: UTF-8; what is not valid counts as letters or signs.
        words: what is known of classes and ids.
    """
    held, html = _memory(), known()
    given: tuple[Any, ...] = (
        *(data, html.tags, html.attributes, html.of, html.flags, *words, held.elements),
        *(held.flags, held.scores, held.segments, held.stack, held.open, held.own, held.said),
        held.at,
    )
    parse(*given)
    elements, segments = held.at[ELEMENTS], held.at[SEGMENTS]
    found = count(
        *(data, _classes(), html.of[KINDS], held.elements, held.segments),
        *(held.title, held.told, held.blocks, held.at),
    )
    size = 1 << int(2 * max(elements, found)).bit_length()
    made = Blocks(
        *(data, held.elements[:elements], held.flags[:elements], held.scores[:elements]),
        *(held.segments[:segments], held.blocks[:found], held.sums[:elements], held.rows[:found]),
        held.at,
    )
    room = held.room[: 3 * size].reshape(3, size)
    given = (*made[1:6], held.at, made.sums, held.keys[:size], room, made.rows)
    features(*given)
    return made
