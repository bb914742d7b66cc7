"""N-gram models of words: counted once, exact, smoothed by absolute discounting, kept by hashes.

The probability of a word after a history is its count less 3/4, over the history's; what is taken
away goes to the shorter history, down to the word alone, and from there to every word alike, one
that was never seen included.  Runs of three words that were seen once are left out, and what they
would have got goes to the shorter history as well.  All that is kept are whole numbers.

Sources: Ney, Essen and Kneser 1994, for absolute discounting; Chen and Goodman 1999, for how well
it does; Talbot and Osborne 2007, for hashes in place of words.
"""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import Offsets, Out, Table
from filters.entropy import BITS, log2
from filters.kernels import helper, kernel, signed
from filters.shingles import FIRST, GOLDEN, HALF, SECOND, Hashes

OFTEN = (1, 1, 2)  # times a run of one, two, three words must be seen
SMALL = 1e-200  # below it a product of probabilities is scaled
PARTS = 4  # of a count; three are taken away
TAKEN = 3
KEY, COUNT, TOTAL, LEFT = range(4)

Runs = Table[np.uint64]
"""Shape (slots, 4): of each run its hash (0: free), its count, how often a word followed it, and
how many quarters of that go to the shorter history."""


class Ngrams(NamedTuple):
    """A model.

    Attributes:
        table: of the runs, see `Runs`.
        total: words that were seen.
        left: quarters of these that go to every word alike.
        known: different words.
    """

    table: Runs
    total: int
    left: int
    known: int


class Run(NamedTuple):
    """The runs of one length that are kept: hashes, sorted; counts; what is known of each before.

    Attributes:
        total: how often a word followed.
        left: quarters of that which go to the shorter history.
    """

    keys: Hashes
    counts: Offsets
    total: Offsets
    left: Offsets


def count(hashes: Hashes, rows: Offsets) -> pa.Table:
    """The model of some texts as it is kept: one row a run.

    Args:
        hashes: of all words, in order, none 0.
        rows: shape (n + 1,): the words of text i are ``hashes[rows[i]:rows[i + 1]]``.

    Returns:
        columns key, count, total, left; the first row, of key 0, is the empty history.
    """
    place = np.arange(len(hashes)) - np.repeat(rows[:-1], np.diff(rows))
    kept = [_run(np.zeros(1, np.uint64), np.array([len(hashes)]))]
    before, keys = np.zeros(len(hashes), np.uint64), hashes
    for n, often in enumerate(OFTEN, 1):
        there = np.flatnonzero(place >= n - 1)
        unique, first, counts = np.unique(keys[there], return_index=True, return_counts=True)
        some = counts >= often
        _follow(kept[-1], before[there[first]], counts, some)
        kept.append(_run(unique[some], counts[some]))
        shorter, keys = keys, np.empty_like(hashes)
        _joined(shorter, hashes, keys)
        before = np.concatenate([np.zeros(1, np.uint64), shorter[:-1]])
    columns = [np.concatenate(column) for column in zip(*kept, strict=True)]
    return pa.table(dict(zip(("key", "count", "total", "left"), columns, strict=True)))


def _run(keys: Hashes, counts: Offsets) -> Run:
    total, left = np.zeros((2, len(keys)), np.int64)
    return Run(keys, counts.astype(np.int64), total, left)


def _follow(run: Run, histories: Hashes, counts: Offsets, some: NDArray[np.bool_]) -> None:
    """Tell histories how often words followed them, and what of it is left to the shorter ones."""
    at = np.searchsorted(run.keys, histories)
    known = run.keys[np.minimum(at, len(run.keys) - 1)] == histories
    np.add.at(run.total, at[known], counts[known])
    given = np.where(some, PARTS * counts - TAKEN, 0)
    np.add.at(run.left, at[known], (PARTS * counts - given)[known])


def model(kept: pa.Table) -> Ngrams:
    """A model that can be asked, from what `count` gave."""
    keys, counts, total, left = (column.to_numpy() for column in kept.columns)
    table = np.zeros((1 << (3 * len(keys) // 2).bit_length(), 4), np.uint64)
    _fill(keys[1:], counts[1:], total[1:], left[1:], table)
    return Ngrams(table, int(total[0]), int(left[0]), int(left[0]) // TAKEN)


@helper
def join(history: np.uint64, word: np.uint64) -> np.uint64:
    """The hash of a run, from that of all its words but the last and that of the last."""
    value = (history * GOLDEN ^ word) * FIRST
    value = (value ^ value >> HALF) * SECOND
    value ^= value >> HALF
    return max(value, np.uint64(1))


@kernel
def _joined(before: Hashes, hashes: Hashes, out: Out[Hashes]) -> None:
    """Fill the hash of every word with the run that ends one word earlier."""
    out[0] = 1
    for i in range(1, len(hashes)):
        out[i] = join(before[i - 1], hashes[i])


@kernel
def _fill(keys: Hashes, counts: Offsets, total: Offsets, left: Offsets, table: Out[Runs]) -> None:
    for i in range(len(keys)):
        slot = signed(keys[i]) & (len(table) - 1)
        while table[slot, KEY]:
            slot = (slot + 1) & (len(table) - 1)
        table[slot, KEY], table[slot, COUNT] = keys[i], np.uint64(counts[i])
        table[slot, TOTAL], table[slot, LEFT] = np.uint64(total[i]), np.uint64(left[i])


@helper
def _find(table: Runs, key: np.uint64) -> int:
    """The slot of a run; -1: it is not known."""
    slot = signed(key) & (len(table) - 1)
    while table[slot, KEY]:
        if table[slot, KEY] == key:
            return slot
        slot = (slot + 1) & (len(table) - 1)
    return -1


@helper
def _chance(table: Runs, history: int, run: int, shorter: float) -> float:
    """The probability of a word after a history, given that after the shorter one."""
    if history < 0 or table[history, TOTAL] == 0:
        return shorter
    seen = PARTS * signed(table[run, COUNT]) - TAKEN if run >= 0 else 0
    left = signed(table[history, LEFT])
    return (seen + left * shorter) / (PARTS * signed(table[history, TOTAL]))


@helper
def scaled(product: float, exponent: int) -> tuple[float, int]:
    """The same number product * 2**exponent, written so that the product does not become 0."""
    if product < SMALL:
        product, power = math.frexp(product)
        exponent += power
    return product, exponent


@helper
def bits(product: float, exponent: int) -> int:
    """The bits -log2(product * 2**exponent), units of 2**-BITS."""
    product, power = math.frexp(product)
    return ((31 - exponent - power) << BITS) - log2(int(product * (1 << 31)))


@kernel
def surprise(
    hashes: Hashes, rows: Offsets, table: Runs, total: int, left: int, known: int, out: Out[Offsets]
) -> None:
    """Bits of each text: the sum over its words of -log2 of their probability.

    The texts are as for `count`, the parts of the model as in `Ngrams`; `out` is of shape (n,), in
    units of 2**-BITS.
    """
    for text in range(len(rows) - 1):
        product, exponent = 1.0, 0
        one, two = -1, -1  # slots of the word before, and of the two before
        last, pair = np.uint64(0), np.uint64(0)
        for i in range(rows[text], rows[text + 1]):
            word = hashes[i]
            slot = _find(table, word)
            seen = PARTS * signed(table[slot, COUNT]) - TAKEN if slot >= 0 else 0
            chance = (seen + left / (known + 1)) / (PARTS * total)
            here, three = -1, -1
            if i > rows[text]:
                key = join(last, word)
                if one >= 0:
                    here = _find(table, key)
                    chance = _chance(table, one, here, chance)
                if two >= 0:
                    three = _find(table, join(pair, word))
                    chance = _chance(table, two, three, chance)
                pair = key
            last, one, two = word, slot, here
            product, exponent = scaled(product * chance, exponent)
        out[text] = bits(product, exponent)
