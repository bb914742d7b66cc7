"""Counts of runs of words in a table without keys, and how surprising words are by such counts.

A run counts in the slot that its hash names, so runs of one slot count together.  What is found
there is taken down by the table's median, the count that a run which never was would find, and by
what is known of its parts: a run is seen at most as often as the run without its first word, or
without its last.  The hash begins from a salt, so that texts of different salts (languages) share
the table but no count.

The probability of a word after a history is (count of both + k p) / (count of the history + k),
where p is that after the shorter history; below the single word, each of 2 ** 16 words was seen
once more.  A target's model, of few words, leans on the corpus's: its p is one part in eight its
own, the rest the corpus's after a history of the same length, so a run that it does not know tells
little of either.

Sources: MacKay and Peto 1995, for the smoothing; Deng and Rafiei 2007, for the median; Talbot and
Osborne 2007, for hashes in place of words.
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Offsets, Out, Table
from filters.kernels import helper, kernel, longest, signed
from filters.ngrams import bits, join, scaled
from filters.shingles import Hashes

WORDS = 1 << 16  # of a language, about: each of them was seen once more
SALTS = 1 << 16  # of which the words of all texts are counted, by half
HALF = 32  # bits: the counts of two halves of the texts share a number, the second on top
LEAN = 8  # parts: a target leans on what it says itself of shorter histories by one of them
CORPUS, TARGET = 0, 1
OF_TARGET = 2  # column of `Seen`

Counts = NDArray[np.int64]
"""Shape (buckets + 2 * SALTS,): slots of runs, of each the counts of both halves; then how many
words the texts of each salt have, first those of one half."""

Chances = NDArray[np.float64]
"""Shape (words * order,)."""

Seen = Table[np.int32]
"""Shape (buckets, 2 or 3): of each slot the count in both halves, and in the target if there is
one, less the median."""


def table(counts: list[Counts]) -> tuple[Seen, Offsets]:
    """What `surprises` goes by.

    Args:
        counts: of the corpus; then of the target, if there is one, all in one half.

    Returns:
        the table, and words by salt, shape (columns * SALTS,).
    """
    runs = [one[: -2 * SALTS] for one in counts]
    columns = [runs[0] & (1 << HALF) - 1, runs[0] >> HALF, *runs[1:]]
    out = np.empty((len(runs[0]), len(columns)), np.int32)
    for i, column in enumerate(columns):
        noise = np.partition(column, len(column) // 2)[len(column) // 2]
        out[:, i] = np.clip(column - noise, 0, np.iinfo(np.int32).max)
    words = [counts[0][-2 * SALTS :], *(one[-2 * SALTS : -SALTS] for one in counts[1:])]
    return out, np.concatenate(words)


@helper
def _slots(
    hashes: Hashes, begin: int, n: int, salt: np.uint64, order: int, buckets: int, out: Offsets
) -> None:
    """The slots of the runs that end at each word of a text, the shortest first."""
    for i in range(n):
        for length in range(order):
            at = i * order + length
            if length > i:
                out[at] = 0
                continue
            before = salt if length == 0 else np.uint64(out[at - order - 1])
            out[at] = signed(join(before, hashes[begin + i]))
    for at in range(n * order):
        out[at] &= buckets - 1


@kernel
def add(
    hashes: Hashes, rows: Offsets, salts: Hashes, halves: Hashes, order: int, counts: Out[Counts]
) -> None:
    """Count the runs of some texts.

    Args:
        hashes: of their words.
        rows: shape (n + 1,): the words of text i are ``hashes[rows[i]:rows[i + 1]]``.
        salts: shape (n,).
        halves: shape (n,): to which each text belongs, by its last bit.
        order: words of the longest run.
        counts: see `Counts`; what is found is added.
    """
    buckets = len(counts) - 2 * SALTS
    slots = np.empty(longest(rows) * order, np.int64)
    for text in range(len(rows) - 1):
        begin, n = rows[text], rows[text + 1] - rows[text]
        half = signed(halves[text] & np.uint64(1))
        counts[buckets + half * SALTS + signed(salts[text] & np.uint64(SALTS - 1))] += n
        _slots(hashes, begin, n, salts[text], order, buckets, slots)
        for i in range(n):
            for length in range(min(i + 1, order)):
                counts[slots[i * order + length]] += 1 << HALF * half


@kernel
def surprises(
    hashes: Hashes,
    rows: Offsets,
    salts: Hashes,
    halves: Hashes,
    known: Seen,
    words: Offsets,
    order: int,
    prior: int,
    out: Out[Table[np.int64]],
) -> None:
    """Bits of each text: the sum over its words of -log2 of their probability.

    The texts and the order are as for `add`, and a text is measured by the other half's counts;
    what is known, and words by salt, are as of `table`; the prior is k.  `out` is of shape (1, n)
    or, with a target, (2, n), units of 2**-BITS.
    """
    most = longest(rows) * order
    slots, seen = np.empty(most, np.int64), np.empty(most, np.int64)
    chances = np.empty(most, np.float64)
    for text in range(len(rows) - 1):
        begin, n = rows[text], rows[text + 1] - rows[text]
        other = 1 - signed(halves[text] & np.uint64(1))
        salt = signed(salts[text] & np.uint64(SALTS - 1))
        _slots(hashes, begin, n, salts[text], order, len(known), slots)
        _look(known, other, slots, n, order, seen)
        total = words[other * SALTS + salt]
        out[CORPUS, text] = _of_corpus(seen, n, order, total, prior, chances)
        if known.shape[1] > OF_TARGET:
            _look(known, OF_TARGET, slots, n, order, seen)
            total = words[OF_TARGET * SALTS + salt]
            out[TARGET, text] = _of_target(seen, n, order, total, prior, chances)


@helper
def _look(known: Seen, column: int, slots: Offsets, n: int, order: int, seen: Offsets) -> None:
    """Find how often each run was seen, at most as often as its parts."""
    for at in range(n * order):
        seen[at] = known[slots[at], column]
    for i in range(n):
        for at in range(i * order + 1, i * order + min(i + 1, order)):
            seen[at] = min(seen[at], seen[at - 1], seen[at - 1 - order])


@helper
def _of_corpus(seen: Offsets, n: int, order: int, total: int, prior: int, chances: Chances) -> int:
    """The bits of a text by the corpus; fill the probabilities after each history, likewise."""
    product, exponent = 1.0, 0
    for i in range(n):
        p = (seen[i * order] + 1.0) / (total + WORDS)
        chances[i * order] = p
        for length in range(1, min(i + 1, order)):
            at = i * order + length
            p = (seen[at] + prior * p) / (seen[at - 1 - order] + prior)
            chances[at] = p
        product, exponent = scaled(product * p, exponent)
    return bits(product, exponent)


@helper
def _of_target(seen: Offsets, n: int, order: int, total: int, prior: int, chances: Chances) -> int:
    """The bits of a text by the target, which leans on the corpus's probabilities."""
    product, exponent = 1.0, 0
    for i in range(n):
        p = (seen[i * order] + prior * chances[i * order]) / (total + prior)
        for length in range(1, min(i + 1, order)):
            at = i * order + length
            p = (p + (LEAN - 1) * chances[at]) / LEAN
            p = (seen[at] + prior * p) / (seen[at - 1 - order] + prior)
        product, exponent = scaled(product * p, exponent)
    return bits(product, exponent)
