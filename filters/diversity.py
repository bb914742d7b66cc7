"""Lexical diversity: how many different words a text has for its length.

The share of different words falls as a text grows, so it compares texts of one length alone.  MTLD
does not: it is the mean length of the stretches over which that share stays above 0.72, once from
the beginning and once from the end; the rest counts as the part of a stretch that it got through.
Words are those of `filters.words`, without case.

Source: P. M. McCarthy and S. Jarvis, "MTLD, vocd-D, and HD-D: A validation study of sophisticated
approaches to lexical diversity assessment", 2010.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Offsets, Out, Table, share
from filters.distinct import Seen, is_new, room
from filters.kernels import helper, kernel
from filters.shingles import Hashes
from filters.wordhashes import of_words

REACHED, OF = 18, 25  # 0.72, the share of different words that ends a stretch


@dataclass(frozen=True, slots=True)
class Diversity:
    """How many different words a text has.

    Columns:
        mtld: mean words of a stretch, both ways; null where no word comes twice.
        type_token: different words over words, in (0, 1]; null without words.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")
    columns: ClassVar[pa.Schema] = pa.schema(dict.fromkeys(("mtld", "type_token"), pa.float64()))

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        hashes, rows = of_words(batch["text"], batch["words"])
        types, stretches = np.empty(batch.num_rows, np.int64), np.empty((2, batch.num_rows))
        _count(hashes, rows, types, stretches)
        words, none = np.diff(rows), stretches[0] == 0
        both = words / np.where(none, 1, stretches)
        mtld = pa.array((both[0] + both[1]) / 2, mask=none)
        return pa.record_batch([mtld, share(types, words)], schema=self.columns)


@helper
def _stretches(hashes: Hashes, first: int, end: int, step: int, seen: Seen, mark: int) -> float:
    """How many stretches the words from a first one to an end have; `mark` is the last one used."""
    whole, words, types = 0, 0, 0
    for i in range(first, end, step):
        words += 1
        types += is_new(seen, mark + whole + 1, hashes[i])
        if types * OF <= REACHED * words:
            whole, words, types = whole + 1, 0, 0
    if not words:
        return float(whole)
    return whole + (words - types) * OF / (words * (OF - REACHED))


@kernel
def _count(
    hashes: Hashes, rows: Offsets, types: Out[Offsets], stretches: Out[Table[np.float64]]
) -> None:
    """Count different words, and stretches from the beginning and from the end; 0: none repeats."""
    seen, mark = room(rows), 0
    for text in range(len(rows) - 1):
        first, end = rows[text], rows[text + 1]
        mark += 1
        types[text] = 0
        for i in range(first, end):
            types[text] += is_new(seen, mark, hashes[i])
        stretches[0, text] = _stretches(hashes, first, end, 1, seen, mark)
        mark += int(stretches[0, text]) + 1
        stretches[1, text] = _stretches(hashes, end - 1, first - 1, -1, seen, mark)
        mark += int(stretches[1, text]) + 1
