"""Entries of given lists that stand in a text: what is on a list of toxic or adult words, say.

An entry is one word or several in a row.  Words are those of the one tokenisation, compared as
`filters.folding` has it, without case; where no space parts words, each letter is one.  At each
word the longest entry counts that begins there, and the search goes on behind it.

Every beginning of an entry has a hash, from those of its words; a text's words are followed as long
as their hash is that of a beginning, so the cost does not depend on how many entries there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters import check_name
from filters.buffers import Bytes, Offsets, Out, share
from filters.hashset import HashSet, has, hash_set
from filters.kernels import kernel
from filters.ngrams import join
from filters.shingles import Hashes
from filters.wordhashes import of_words
from filters.words import words as words_of


@dataclass(frozen=True, slots=True)
class Listed:
    """How often entries of a list stand in a text.

    Columns, of one that is called ``listed``:
        listed: entries found.
        listed_share: share of the text's words that are in them; null without words.

    Attributes:
        name: the measure's name in the recipe.
        files: the entries; two with one hash hold the same.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    name: str = field(default="listed", metadata={"named": True})
    files: Iterable[str] = field(default=(), metadata={"files": "list"})

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def columns(self) -> pa.Schema:
        """A count and a share."""
        return pa.schema([(self.name, pa.int32()), (f"{self.name}_share", pa.float64())])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        hashes, rows = of_words(batch["text"], batch["words"])
        beginnings, whole = _known(self)
        count, covered = np.zeros((2, batch.num_rows), np.int64)
        _count(rows, hashes, *beginnings, *whole, count, covered)
        columns = [pa.array(count, pa.int32()), share(covered, np.diff(rows))]
        return pa.record_batch(columns, schema=self.columns)


@lru_cache(maxsize=16)
def _known(of: Listed) -> tuple[HashSet, HashSet]:
    """The beginnings of the entries, and the whole entries, found once a process."""
    texts = pa.array([*of.files], pa.string())
    hashes, rows = of_words(texts, words_of(texts))
    beginnings, whole = np.zeros(len(hashes), np.uint64), np.zeros(len(texts), np.uint64)
    _entries(rows, hashes, beginnings, whole)
    return hash_set(beginnings), hash_set(whole[np.diff(rows) > 0])


@kernel
def _entries(rows: Offsets, hashes: Hashes, beginnings: Out[Hashes], whole: Out[Hashes]) -> None:
    for row in range(len(rows) - 1):
        value = np.uint64(0)
        for i in range(rows[row], rows[row + 1]):
            value = join(value, hashes[i])
            beginnings[i] = value
        whole[row] = value


@kernel
def _count(
    rows: Offsets,
    hashes: Hashes,
    some_bits: Bytes,
    some: Hashes,
    all_bits: Bytes,
    all_: Hashes,
    count: Out[Offsets],
    covered: Out[Offsets],
) -> None:
    """Of each text the entries that stand in it, and the words in these."""
    for row in range(len(rows) - 1):
        i, end = rows[row], rows[row + 1]
        while i < end:
            value, found, at = np.uint64(0), i, i
            while at < end:
                value = join(value, hashes[at])
                if not has(value, some_bits, some):
                    break
                at += 1
                if has(value, all_bits, all_):
                    found = at
            if found > i:
                count[row] += 1
                covered[row] += found - i
            i = max(i + 1, found)
