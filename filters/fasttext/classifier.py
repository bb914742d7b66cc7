"""fastText's answers from a kernel over UTF-8 bytes: no Python strings, all texts in one call.

What a word adds, the sum of its vector and those of its n-grams, is remembered for the words seen
last, which in real text are most of those that come.  So an answer can differ from fastText's own
in its last digits, never by what came before it.

Sources: A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of Tricks for Efficient Text
Classification", 2017; fastText 0.9, for what it counts as a word and how it searches its tree.
"""

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Out, Positions, Table
from filters.fasttext.file import TREE, File, Floats, Numbers, read
from filters.fasttext.labels import best, every, tree
from filters.fasttext.words import (
    END_BYTES,
    LABEL,
    add,
    begins_as_end,
    find,
    free,
    index,
    index_buckets,
    number_of,
    runs,
    token,
    word_sum,
)
from filters.kernels import kernel, signed
from filters.shingles import HALF, Hashes, word_hash

MEMORY = 1 << 23  # bytes of sums that are remembered, of words


class Classifier:
    """A fastText classifier, ready to be asked.

    Attributes:
        labels: in the order of their numbers, without what marks them in the file.
    """

    def __init__(self, file: File) -> None:
        self._file = file
        self.labels = [
            label.removeprefix(LABEL).decode("utf-8", "replace") for label in file.labels
        ]
        self._own = threading.local()

    @classmethod
    def of(cls, path: Path) -> "Classifier":
        """The classifier in a file; see `filters.fasttext.file.read`."""
        return cls(read(path))

    def answers(
        self, data: Bytes, starts: Offsets, ends: Offsets
    ) -> tuple[NDArray[np.int32], Floats]:
        """The likeliest label of each text, and its probability.

        Args:
            data: bytes of all texts.
            starts: shape (n,), where each begins.
            ends: shape (n,), where it ends; a line feed in it counts as a space.

        Returns:
            shape (n,) each; -1 and 0 where the model knows nothing of a text.
        """
        labels, scores = np.empty(len(starts), np.int32), np.empty(len(starts), np.float32)
        given: tuple[Any, ...] = (*self._hidden(data, starts, ends), *self._labels, labels, scores)
        best(*given)
        return labels, scores

    def chances(self, data: Bytes, starts: Offsets, ends: Offsets) -> Floats:
        """The probability of every label for each text, see `answers`.

        Returns:
            shape (n, labels); zeros where the model knows nothing of a text.  They add up to 1
            unless the model answers for each label alone.
        """
        out = np.zeros((len(starts), len(self.labels)), np.float32)
        given: tuple[Any, ...] = (*self._hidden(data, starts, ends), *self._labels, out)
        every(*given)
        return out

    def _hidden(self, data: Bytes, starts: Offsets, ends: Offsets) -> tuple[Floats, Positions]:
        """The mean vector of each text, and how many vectors that are."""
        hidden = np.zeros((len(starts), self._file.vectors.shape[1]), np.float32)
        totals = np.empty(len(starts), np.int32)
        most = int((ends - starts).max(initial=0))
        memory = self._memory()
        given: tuple[Any, ...] = (data, starts, ends, most, *self._known, *memory, hidden, totals)
        _means(*given)
        return hidden, totals

    @cached_property
    def _labels(self) -> tuple[Floats, Positions, int]:
        """Of the labels: their vectors, their tree, and the model's loss."""
        file = self._file
        children = tree(file.counts) if file.loss == TREE else np.empty((0, 2), np.int32)
        return file.outputs, children.ravel(), file.loss

    @cached_property
    def _known(self) -> tuple[Any, ...]:
        file = self._file
        kept = rows = np.empty(0, np.int32)
        if file.kept is not None:
            kept, rows = file.kept, free(len(file.kept))
            index_buckets(kept, rows)
        shape = np.array([file.buckets, file.least, file.most, file.run], np.int64)
        return *index(file.words), kept, rows, file.vectors, shape

    def _memory(self) -> tuple[Hashes, Floats, Positions, Positions]:
        """Of this thread: keys of words, and of each its sum, how many that adds up, its hash."""
        if not hasattr(self._own, "memory"):
            dimensions = self._file.vectors.shape[1]
            most = 1 << (MEMORY // (4 * dimensions)).bit_length() - 1
            sums = np.empty((most, dimensions), np.float32)
            counts, hashes = np.empty((2, most), np.int32)
            self._own.memory = np.zeros(most, np.uint64), sums, counts, hashes
        memory: tuple[Hashes, Floats, Positions, Positions] = self._own.memory
        return memory


@kernel
def _means(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    longest: int,
    words: Bytes,
    begins: Offsets,
    slots: Positions,
    kept: Positions,
    rows: Positions,
    vectors: Table[np.float32],
    shape: Numbers,
    keys: Out[Hashes],
    sums: Out[Table[np.float32]],
    counts: Out[Positions],
    hashes: Out[Positions],
    hidden: Out[Table[np.float32]],
    totals: Out[Positions],
) -> None:
    of_words, bracketed = np.empty(longest // 2 + 2, np.int32), np.empty(longest + 2, np.uint8)
    line_end = np.array(END_BYTES, np.uint8)
    end_hash = number_of(line_end, 0, len(line_end))
    known, of = (words, begins, slots), (vectors, len(begins) - 1, kept, rows)
    end_row = find(line_end, 0, len(line_end), end_hash, known)
    for text in range(len(starts)):
        mean = hidden[text]
        at, end, count, total = starts[text], ends[text], 0, 0
        while True:
            first, at = token(data, at, end)
            if first == at or begins_as_end(data, first, at):
                break
            key = word_hash(data, first, at) | np.uint64(1)
            slot = signed(key >> HALF) & (len(keys) - 1)
            if keys[slot] != key:
                value = number_of(data, first, at)
                keys[slot], hashes[slot] = key, np.int32(value)
                counts[slot] = word_sum(
                    data, first, at, value, known, of, shape, bracketed, sums[slot]
                )
            if counts[slot] >= 0:
                total += counts[slot]
                add(sums, slot, mean)
                of_words[count] = hashes[slot]
                count += 1
        of_words[count] = np.int32(end_hash)
        total += add(vectors, end_row, mean)
        total += runs(of_words[: count + 1], of, shape, mean)
        totals[text] = total
        if total > 0:
            mean *= np.float32(1 / total)
