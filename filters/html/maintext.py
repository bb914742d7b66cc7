"""The main text of a page: its blocks, how likely each is main text, and those that are chosen.

Two forests of boosted trees say how likely: the first by what is said of a block, the second also
by what the first said of the blocks around it.  How much is enough is decided page by page: so
that the expected F1 of the characters is highest.

Sources: Kohlschütter, Fankhauser and Nejdl, "Boilerplate Detection using Shallow Text Features",
2010; Friedman, "Greedy Function Approximation", 2001; Lipton, Elkan and Naryanaswamy, "Optimal
Thresholding of Classifiers to Maximize F1 Measure", 2014.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from filters.buffers import Bytes, Out, Positions, Table
from filters.html.blocks import CHARS, OWNER
from filters.html.forest import Forest, chances
from filters.html.mainblocks import Blocks, blocks
from filters.html.markup import CAPPED, LONG, Floats
from filters.html.regions import MASSES, regions
from filters.html.tags import COMMENT, HIDDEN, Hashes, Words, words
from filters.html.text import text
from filters.kernels import helper, kernel

MODES = {"balanced": 0.8, "precision": 0.5, "recall": 2.0, "everything": np.inf}
"""How many times as much recall counts as precision; everything: all that is not hidden."""

PATH = Path(__file__).with_suffix(".bin")
VERSION = 6  # raised when the same page and model may give another text
LEAST = np.float32(0.08)  # a block less likely than this is not asked about again
BINS = 256
COMMENTS = 0.3  # of the main text, from which on what readers wrote is the page itself
_HIDDEN, _COMMENT = HIDDEN, COMMENT


class Model(NamedTuple):
    """What was learned.

    Attributes:
        words: of classes and ids.
        first: over the features of a block.
        second: over these and those of `filters.html.regions`.
    """

    words: Words
    first: Forest
    second: Forest


def save(names: dict[int, float], forests: Sequence[Forest], file: BinaryIO) -> None:
    """Write a model: arrays, one after another, in NumPy's format."""
    keys = sorted(names)
    scores = np.array([names[key] for key in keys], np.float32)
    for array in (np.array(keys, np.uint64), scores, *forests[0], *forests[1]):
        np.save(file, array)


@cache
def model(path: Path = PATH) -> Model:
    """The model in a file, read once."""
    with path.open("rb") as file:
        keys, scores, *trees = (np.load(file) for _ in range(10))
    names = dict(zip(keys.tolist(), scores.tolist(), strict=True))
    return Model(words(names), Forest(*trees[:4]), Forest(*trees[4:]))


class Main(NamedTuple):
    """A page, and of each of its blocks how likely it is main text, shape (blocks,)."""

    page: Blocks
    chances: Floats

    @property
    def cut(self) -> bool:
        """Whether the page has more than is kept of one, see `filters.html.mainblocks`."""
        return bool(self.page.at[CAPPED] & LONG)


def read(data: Bytes, by: Model | None = None) -> Main:
    """Judge the blocks of a page; valid until the next page is read in the same thread.

    Args:
        data: UTF-8.
        by: the model; the one that ships if None.
    """
    by = by or model()
    page = blocks(data, by.words)
    first = np.empty(len(page.blocks), np.float32)
    chances(page.rows, np.ones(len(first), np.float32), *by.first, first)
    regions(page.elements, page.sums, page.blocks, first, _masses(page), page.rows)
    second = np.empty_like(first)
    chances(page.rows, (first >= LEAST).astype(np.float32), *by.second, second)
    return Main(page, second)


def main_text(data: Bytes, mode: str = "balanced", by: Model | None = None) -> Bytes:
    """The main text of a page as UTF-8: one line a block.

    Args:
        data: UTF-8.
        mode: one of `MODES`.
        by: the model; the one that ships if None.
    """
    page, likely = read(data, by)
    return text(page, chosen(page, likely, mode), mode == "everything")[0]


def chosen(page: Blocks, likely: Floats, mode: str) -> Bytes:
    """The blocks that are taken for main text: 1, of shape (blocks,).

    Args:
        page: valid still.
        likely: shape (blocks,), probabilities.
        mode: one of `MODES`.
    """
    keep = np.zeros(len(likely), np.uint8)
    _choose(page.blocks, page.flags, likely, MODES[mode], keep)
    return keep


def _masses(page: Blocks) -> Floats:
    return np.empty((len(page.elements), MASSES), np.float32)


@helper
def _leave_comments(blocks: Positions, flags: Hashes, p: Floats, keep: Bytes) -> None:
    """Leave out what readers wrote below a text, unless much of what was chosen is that."""
    of_all = of_readers = 0.0
    for i in range(len(p)):
        main = p[i] * blocks[i, CHARS] * keep[i]
        of_all += main
        if flags[blocks[i, OWNER]] & _COMMENT:
            of_readers += main
    if of_readers < COMMENTS * of_all:
        for i in range(len(p)):
            if flags[blocks[i, OWNER]] & _COMMENT:
                keep[i] = 0


@kernel
def _choose(
    blocks: Table[np.int32], flags: Hashes, p: Floats, beta: float, keep: Out[Bytes]
) -> None:
    """Choose the likeliest blocks: as many as make the expected F-beta of the characters highest.

    Args:
        blocks: shape (blocks, COLUMNS).
        flags: of the elements.
        p: shape (blocks,), probabilities.
        beta: infinite: every block is chosen that is not hidden.
        keep: shape (blocks,); the answer, 1 for those that are chosen.
    """
    if beta == np.inf:
        for i in range(len(p)):
            keep[i] = flags[blocks[i, OWNER]] & _HIDDEN == 0
        return
    chars, main = np.zeros(BINS), np.zeros(BINS)
    for i in range(len(p)):
        place = min(int(p[i] * BINS), BINS - 1)
        chars[place] += blocks[i, CHARS]
        main[place] += p[i] * blocks[i, CHARS]
    best, least, taken, right, total = 0.0, BINS, 0.0, 0.0, main.sum()
    for place in range(BINS - 1, -1, -1):
        taken += chars[place]
        right += main[place]
        if right > 0:
            score = right / (taken + beta * beta * total)
            if score > best:
                best, least = score, place
    for i in range(len(p)):
        keep[i] = min(int(p[i] * BINS), BINS - 1) >= least
    _leave_comments(blocks, flags, p, keep)
