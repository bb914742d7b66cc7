"""Features: the words of a text as 64 small numbers; of texts on one subject they point one way.

A word's hash names one of the numbers and a sign; there its count to the power of 3/4 is added or
taken away, so that words which meet cancel out on average and the product of two texts' numbers is
near that of their words.  What is found is scaled to the range of a byte.  For clustering: compare
directions (cosines), not lengths.  Words are those of `filters.words`, without case.

Source: K. Weinberger, A. Dasgupta, J. Langford, A. Smola and J. Attenberg, "Feature Hashing for
Large Scale Multitask Learning", 2009.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Offsets, Out, Table, binary
from filters.distinct import room, slot_of
from filters.kernels import helper, kernel, signed
from filters.shingles import Hashes
from filters.wordhashes import of_words

SIZE = 64
LARGEST = 127
FINE = 16  # parts of one, of a damped count


@dataclass(frozen=True, slots=True)
class Features:
    """The words of a text as numbers.

    Columns:
        features: 64 signed bytes, the largest of them 127 or -127, or all 0 where every word
            cancels out; null without words.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")
    columns: ClassVar[pa.Schema] = pa.schema([("features", pa.binary(SIZE))])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The column.  A null text counts as an empty one."""
        hashes, rows = of_words(batch["text"], batch["words"])
        out = np.zeros((batch.num_rows, SIZE), np.int8)
        _fill(hashes, rows, out)
        return pa.record_batch([binary(out, np.diff(rows) > 0)], schema=self.columns)


@helper
def _damped(count: int) -> int:
    """The count to the power of 3/4, rounded down."""
    return int(FINE * math.sqrt(count * math.sqrt(count)))


@kernel
def _fill(hashes: Hashes, rows: Offsets, out: Out[Table[np.int8]]) -> None:
    seen = room(rows)
    counts = np.empty(len(seen[0]), np.int64)
    sums = np.empty(SIZE, np.int64)
    for text in range(len(rows) - 1):
        sums[:] = 0
        for i in range(rows[text], rows[text + 1]):
            word = hashes[i]
            slot = slot_of(seen, text + 1, word)
            if seen[1][slot] != text + 1:
                seen[0][slot], seen[1][slot], counts[slot] = word, text + 1, 0
            before = _damped(counts[slot])
            counts[slot] += 1
            more = _damped(counts[slot]) - before
            at, negative = signed(word) & (SIZE - 1), signed(word) & SIZE
            sums[at] += -more if negative else more
        most = 1
        for at in range(SIZE):
            most = max(most, abs(sums[at]))
        for at in range(SIZE):
            out[text, at] = (2 * LARGEST * sums[at] + most) // (2 * most)
