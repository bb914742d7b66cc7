"""Winnowing: of each text a few anchors, so chosen that texts which share a run of words share one.

A window is so many consecutive words.  Its anchor is the least of the hashes of the shingles in it,
the rightmost of several; windows that begin one after another mostly have the same.  An anchor
depends on nothing but the words of its window, so a run that is as long as a window has the same
anchors wherever it stands, and only windows whose anchors meet need to be compared.  Of random
words every (shingles a window + 1) / 2-th begins an anchor.

Words are compared by their bytes: case counts, what stands between them does not.  The hashes are
`filters.shingles`': polynomials in the hashes of words modulo 2 ** 64, mixed.

Sources: Schleimer, Wilkerson and Aiken 2003, for winnowing; Karp and Rabin 1987, for the hashes.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Out, Positions, Texts, spans, utf8, with_words
from filters.kernels import helper, kernel, longest
from filters.seen import hashed, line_end
from filters.shingles import BASE, Hashes, mixed, power, word_hash
from filters.unicode import table, trim

SHINGLES = 32  # in a window, at most: a copy of each is a bit


class Anchors(NamedTuple):
    """What texts are compared by, each array of shape (anchors,), in the order of the texts.

    Attributes:
        rows: the text of each.
        keys: its hash.
        at: the word with which the first of its windows begins; of a line ~number.
        counts: how many windows it has, one after another; 1 of a line.
    """

    rows: Positions
    keys: Hashes
    at: Positions
    counts: Positions

    def take(self, which: NDArray[np.int64]) -> "Anchors":
        """Some of them."""
        return Anchors(self.rows[which], self.keys[which], self.at[which], self.counts[which])


def shingles_of(size: int) -> int:
    """How many shingles a window of so many words has: they are half as long, or longer."""
    return min(SHINGLES, size - size // 2 + 1)


def anchors(texts: pa.StringArray, words: pa.ListArray, size: int) -> Anchors:
    """The anchors of the windows of so many words; a text with fewer has none.

    Args:
        texts: with their words, `SPANS`.
        words: of each text.
        size: words a window, at least 2.
    """
    given = with_words(texts, words)
    most = int(np.maximum(np.diff(given[2]) - size + 1, 0).sum())
    found, at, counts = (np.empty(most, np.int32) for _ in range(3))
    keys = np.empty(most, np.uint64)
    count = _anchors(given, size, shingles_of(size), found, keys, at, counts)
    return Anchors(found[:count], keys[:count], at[:count], counts[:count])


def windows(texts: pa.StringArray, words: pa.ListArray, size: int, chosen: Anchors) -> Hashes:
    """The hashes of the windows of some of the `anchors` that the same texts, words and size gave.

    Those of an anchor are one after another, the anchors in the order that they have there.
    """
    out = np.empty(chosen.counts.sum(), np.uint64)
    _windows(with_words(texts, words), size, chosen.rows, chosen.at, chosen.counts, out)
    return out


def lines(texts: pa.StringArray, words: pa.ListArray, least: int) -> tuple[Anchors, Hashes]:
    """The lines of so many words or more, white space around them aside.

    Args:
        texts: with their words, `SPANS`.
        words: of each text.
        least: words, at least 1.

    Returns:
        an anchor of each, and another hash, independent of its key.
    """
    (body, offsets), (begins, starts, _) = utf8(texts), spans(words)
    most = np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + len(texts)
    rows, at = np.empty(most, np.int32), np.empty(most, np.int32)
    keys, checks = np.empty(most, np.uint64), np.empty(most, np.uint64)
    of = (begins, starts, table(), least)
    count = _lines(body, offsets, *of, rows, keys, at, checks)
    ones = np.ones(count, np.int32)
    return Anchors(rows[:count], keys[:count], at[:count], ones), checks[:count]


@helper
def _sums(data: Bytes, begin: int, starts: Positions, ends: Positions, sums: Hashes) -> None:
    """The polynomial of the first i words, for every i; two of them tell that of a run."""
    sums[0] = 0
    for i in range(len(starts)):
        word = word_hash(data, begin + starts[i], begin + ends[i])
        sums[i + 1] = sums[i] * BASE + word


@helper
def _least(hashes: Hashes, first: int, last: int) -> int:
    """The rightmost of the least hashes in [first, last]."""
    least = first
    for i in range(first + 1, last + 1):
        if hashes[i] <= hashes[least]:
            least = i
    return least


@kernel
def _anchors(
    texts: Texts,
    size: int,
    spread: int,
    found: Out[Positions],
    keys: Out[Hashes],
    at: Out[Positions],
    counts: Out[Positions],
) -> int:
    data, offsets, rows, starts, ends = texts
    length = size - spread + 1  # of a shingle
    before = power(length)
    most = longest(rows)
    sums, hashes = np.empty(most + 1, np.uint64), np.empty(most + 1, np.uint64)
    count = 0
    for row in range(len(offsets) - 1):
        mine = slice(rows[row], rows[row + 1])
        words = rows[row + 1] - rows[row]
        if words < size:
            continue
        _sums(data, offsets[row], starts[mine], ends[mine], sums)
        for i in range(words - length + 1):
            hashes[i] = mixed(sums[i + length] - sums[i] * before)
        least = -1
        for first in range(words - size + 1):
            last = first + spread - 1
            if least < first:  # it stands before the window
                least = _least(hashes, first, last)
            elif hashes[last] <= hashes[least]:
                least = last
            else:
                counts[count - 1] += 1
                continue
            found[count], keys[count], at[count], counts[count] = row, hashes[least], first, 1
            count += 1
    return count


@kernel
def _windows(
    texts: Texts,
    size: int,
    chosen: Positions,
    at: Positions,
    counts: Positions,
    out: Out[Hashes],
) -> None:
    data, offsets, rows, starts, ends = texts
    before = power(size)
    sums = np.empty(longest(rows) + 1, np.uint64)
    done, to = -1, 0
    for anchor in range(len(chosen)):
        row = chosen[anchor]
        if row != done:
            mine = slice(rows[row], rows[row + 1])
            _sums(data, offsets[row], starts[mine], ends[mine], sums)
            done = row
        for i in range(at[anchor], at[anchor] + counts[anchor]):
            out[to] = mixed(sums[i + size] - sums[i] * before)
            to += 1


@kernel
def _lines(
    data: Bytes,
    offsets: Offsets,
    words: Offsets,
    starts: Positions,
    classes: Bytes,
    least: int,
    rows: Out[Positions],
    keys: Out[Hashes],
    at: Out[Positions],
    checks: Out[Hashes],
) -> int:
    count = 0
    for row in range(len(offsets) - 1):
        base, end = offsets[row], offsets[row + 1]
        begin, number, word = base, 0, words[row]
        while begin < end:
            stop, before = line_end(data, begin, end), word
            while word < words[row + 1] and base + starts[word] < stop:
                word += 1
            if word - before >= least:
                first, last = trim(data, begin, stop, classes)
                rows[count], at[count] = row, -1 - number
                keys[count] = word_hash(data, first, last)
                checks[count] = hashed(data, first, last)
                count += 1
            begin, number = stop + 1, number + 1
    return count
