"""Boilerplate of a host: lines and blocks that stand in many of its documents.

A block is lines up to a blank one.  Lines are compared by their bytes, white space around them
aside, by a hash of 64 bits: equal hashes count as equal lines.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole
from filters.buffers import Bytes, Offsets, Out, Positions, spans, utf8
from filters.kernels import helper, kernel
from filters.seen import line_end
from filters.shingles import BASE, HALF, SECOND, Hashes, word_hash
from filters.unicode import table, trim


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """Cut a line or a block, of two lines or more, that stands in many documents of its host.

    Attributes:
        documents: of the host that must have it.
        words: a line or block with fewer stays.
    """

    documents: int = 10
    words: int = 3

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_whole("documents", self.documents, 2)
        check_whole("words", self.words)


class Units(NamedTuple):
    """Lines and blocks, each array of shape (units,), in the order of the texts.

    Attributes:
        rows: the text of each.
        keys: its hash.
        first: number of its first line, from 0.
        last: number of its last line.
    """

    rows: Positions
    keys: Hashes
    first: Positions
    last: Positions

    def take(self, which: NDArray[np.bool_ | np.int64]) -> "Units":
        """Some of them."""
        return Units(self.rows[which], self.keys[which], self.first[which], self.last[which])

    def lines(self) -> tuple[Positions, Positions]:
        """(Text, line number) of all lines in them, sorted, each once."""
        sizes = self.last - self.first + 1
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows, numbers = np.repeat(self.rows, sizes), np.repeat(self.first, sizes) + within
        both = np.unique(rows.astype(np.int64) << 32 | numbers)
        return (both >> 32).astype(np.int32), (both & 0xFFFFFFFF).astype(np.int32)


def units(texts: pa.StringArray, words: pa.ListArray, least: int) -> Units:
    """The lines of so many words or more, and the blocks of two lines or more.

    Args:
        texts: with their words, `SPANS`.
        words: of each text.
        least: words, at least 1.
    """
    (body, offsets), (begins, starts, _) = utf8(texts), spans(words)
    most = 2 * (np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + len(texts))
    rows, first, last, held = (np.empty(most, np.int32) for _ in range(4))
    keys = np.empty(most, np.uint64)
    count = _units(body, offsets, begins, starts, table(), rows, keys, first, last, held)
    return Units(rows, keys, first, last).take(np.flatnonzero(held[:count] >= least))


@helper
def _after(before: np.uint64, key: np.uint64) -> np.uint64:
    """The hash of some lines and one more."""
    value = (before * BASE + key) * SECOND
    return value ^ (value >> HALF)


@kernel
def _units(
    data: Bytes,
    offsets: Offsets,
    words: Offsets,
    starts: Positions,
    classes: Bytes,
    rows: Out[Positions],
    keys: Out[Hashes],
    first: Out[Positions],
    last: Out[Positions],
    held: Out[Positions],
) -> int:
    count = 0
    for row in range(len(offsets) - 1):
        base, end = offsets[row], offsets[row + 1]
        at, number, word = base, 0, words[row]
        lines, hash_, before = 0, np.uint64(0), word  # of the block
        while at <= end:
            stop, had = line_end(data, at, end), word
            begin, close = trim(data, at, stop, classes)
            while word < words[row + 1] and base + starts[word] < stop:
                word += 1
            blank = begin == close
            if not blank:
                keys[count] = word_hash(data, begin, close)
                hash_ = _after(hash_, keys[count])
                rows[count], first[count], last[count] = row, number, number
                held[count] = word - had
                count, lines = count + 1, lines + 1
            if blank or stop == end:
                if lines > 1:
                    rows[count], keys[count] = row, hash_
                    last[count] = number - blank
                    first[count] = last[count] - lines + 1
                    held[count] = word - before
                    count += 1
                lines, hash_, before = 0, np.uint64(0), word
            at, number = stop + 1, number + 1
    return count
