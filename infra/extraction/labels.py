"""How much of each block of a page is main text: by its gold, else by teachers and snippets."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CELLS = 80_000_000  # of an alignment; what is longer is compared by runs of words
GRAM = 4  # words of such a run
RUN = 0.5  # what it is worth that a word follows the one that matched before it
SNIPPET = 8.0  # weight of a block about which a person said something
WORD = re.compile(
    r"[^\W_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+|[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
)
"""A word, or one character of a script that puts no space between words."""


def tokens(text: str, known: dict[str, int]) -> NDArray[np.int32]:
    """The words of a text as numbers."""
    return np.array([known.setdefault(w, len(known)) for w in WORD.findall(text.lower())], np.int32)


@numba.njit
def _traced(came: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The way back through an alignment: which words matched."""
    i, j, forced = came.shape[0] - 1, came.shape[1] - 1, False
    found = np.zeros(i, np.uint8)
    while i > 0 and j > 0:
        how = came[i, j]
        if forced or how & 4:
            found[i - 1] = 1
            forced = how & 8 != 0
            i -= 1
            j -= 1
        elif how & 1:
            i -= 1
        else:
            j -= 1
    return found


@numba.njit
def aligned(page: NDArray[np.int32], gold: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Which words of a page a text has, in its order, preferring runs; shape (words,)."""
    n, m = len(page), len(gold)
    came = np.zeros((n + 1, m + 1), np.uint8)  # 1: above, 2: left, 4: match; 8: the match goes on
    best, before = np.zeros(m + 1, np.float32), np.zeros(m + 1, np.float32)
    run, run_before = np.full(m + 1, -1e9, np.float32), np.full(m + 1, -1e9, np.float32)
    for i in range(1, n + 1):
        best, before = before, best
        run, run_before = run_before, run
        best[0], run[0] = 0, -1e9
        for j in range(1, m + 1):
            how, value = (1, before[j]) if before[j] >= best[j - 1] else (2, best[j - 1])
            run[j] = -1e9
            if page[i - 1] == gold[j - 1]:
                new, on = before[j - 1] + 1, run_before[j - 1] + 1 + RUN
                if on > new:
                    run[j] = on
                    how |= 8
                else:
                    run[j] = new
                if run[j] > value:
                    how, value = (how & 8) | 4, run[j]
            best[j] = value
            came[i, j] = how
    return _traced(came)


def held(page: NDArray[np.int32], gold: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Which words of a page are in a run of words that a text has as well; shape (words,)."""
    runs = {gold[i : i + GRAM].tobytes() for i in range(len(gold) - GRAM + 1)}
    found = np.zeros(len(page), np.uint8)
    for i in range(len(page) - GRAM + 1):
        if page[i : i + GRAM].tobytes() in runs:
            found[i : i + GRAM] = 1
    return found


def shares(blocks: Sequence[str], text: str) -> Floats:
    """The share of each block's words that a text has in its order; shape (blocks,)."""
    known = dict[str, int]()
    words = [tokens(block, known) for block in blocks]
    gold = tokens(text, known)
    page = np.concatenate(words) if words else np.empty(0, np.int32)
    inside = np.isin(page, gold)  # what is not in the text at all aligns with nothing
    found = np.zeros(len(page), np.uint8)
    if inside.sum() * len(gold) <= CELLS:
        found[inside] = aligned(page[inside], gold[np.isin(gold, page)])
    else:
        found = held(page, gold)
    ends = np.cumsum([0, *map(len, words)])
    parts = [found[a:b] for a, b in pairwise(ends)]
    return np.array([part.mean() if len(part) else 0.0 for part in parts], np.float32)


def spaced(text: str) -> str:
    """A text with one space for all white space."""
    return " ".join(text.split())


def told(blocks: Sequence[str], snippets: Sequence[str]) -> list[int]:
    """The blocks that hold a snippet which no other block holds."""
    flat = [spaced(block) for block in blocks]
    found = list[int]()
    for snippet in map(spaced, snippets):
        those = [i for i, block in enumerate(flat) if snippet in block]
        if len(those) == 1:
            found += those
    return found


def labels(
    blocks: Sequence[str],
    gold: str | None,
    teachers: Sequence[tuple[str, float]],
    wanted: Sequence[str],
    unwanted: Sequence[str],
) -> tuple[Floats, Floats]:
    """Share of main text of each block, and how much that is worth as a label.

    Args:
        blocks: their texts.
        gold: the main text, if a person says what it is.
        teachers: texts and weights of other extractors; not asked where there is gold.
        wanted: pieces that the main text has.
        unwanted: pieces that it has not.
    """
    if gold is not None:
        value, weight = shares(blocks, gold), np.ones(len(blocks), np.float32)
    else:
        value, weight = _taught(blocks, teachers, wanted, unwanted)
    for i in told(blocks, wanted):
        value[i], weight[i] = 1, SNIPPET
    for i in told(blocks, unwanted):
        value[i], weight[i] = 0, SNIPPET
    return value, weight


def _taught(
    blocks: Sequence[str],
    teachers: Sequence[tuple[str, float]],
    wanted: Sequence[str],
    unwanted: Sequence[str],
) -> tuple[Floats, Floats]:
    """The mean of the teachers, worth as much as they agree.

    Where all of them break with the snippets, only what they agree on counts.
    """
    each = np.array([shares(blocks, text) for text, _ in teachers])
    rates = np.array([rate for _, rate in teachers], np.float32)[:, None]
    value = (each * rates).sum(0) / rates.sum()
    weight = np.abs(2 * value - 1)
    flat = [spaced(text) for text, _ in teachers]
    right = [
        all(spaced(w) in text for w in wanted) and not any(spaced(u) in text for u in unwanted)
        for text in flat
    ]
    if not any(right):
        weight = np.where((value < 0.05) | (value > 0.95), weight, 0.1).astype(np.float32)
    return value.astype(np.float32), weight.astype(np.float32)
