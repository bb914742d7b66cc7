"""Importance: how much likelier the words of a text, and their pairs, are in a target than here.

Single words and runs of two fall by their hash into buckets.  A text's importance is the sum over
these of log2 of how often the bucket is met in the target over how often in the corpus, every one
counted once more; it grows with the text, so of texts of unlike length compare that per word.

A text is held against what the corpus, and what the target, has in its own language where that is
enough, else against all of it.  Words are those of `filters.words`, without case.

Source: S. M. Xie, S. Santurkar, T. Ma and P. Liang, "Data Selection for Language Models via
Importance Resampling" (DSIR), 2023.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole
from filters.buffers import Offsets, Out, Table, share
from filters.entropy import BITS, log2
from filters.kernels import helper, kernel, signed
from filters.language import model
from filters.ngrams import join
from filters.shingles import Hashes
from filters.wordhashes import of_sample, of_texts, of_words

ENOUGH = 10_000  # words and pairs of a language, to be held against
LIMIT = 31  # bits of a count whose logarithm is known

Counts = Table[np.int64]
"""Shape (languages, buckets)."""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much likelier a text is in a target than in the corpus.

    Columns:
        importance: bits; null without words, as the next.
        importance_per_word: that over its words.

    Attributes:
        sample: texts of the target.
        text: field of the rows that hold samples.
        language: of the sample; "": each text's is told from it.
        buckets: into which words and pairs fall.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words", "language")
    columns: ClassVar[pa.Schema] = pa.schema(
        dict.fromkeys(("importance", "importance_per_word"), pa.float64())
    )

    sample: Iterable[str] = field(default=(), metadata={"files": "sample"})
    text: str = "text"
    language: str = ""
    buckets: int = 10_000

    def __post_init__(self) -> None:
        check_whole("buckets", self.buckets, 2, 40_000)

    def count(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """The words and pairs of a batch, by language; then none of the target."""
        counts = self.none()
        mine = of_words(batch["text"], batch["words"])
        add(mine.hashes, mine.rows, numbers(of_texts(batch["language"])), counts[0])
        return counts.ravel()

    def given(self) -> NDArray[np.int64]:
        """None of the corpus; then the words and pairs of the sample, by language.

        Raises:
            ValueError: if it is too small.
        """
        counts = self.none()
        for some, languages in of_sample(self.sample, self.language):
            add(some.hashes, some.rows, numbers(languages), counts[1])
        return counts.ravel()

    def fitted(self, counts: NDArray[np.int64]) -> "Fitted":
        """What measures, by the counts of the corpus and the sample."""
        return Fitted(self, counts)

    def none(self) -> NDArray[np.int64]:
        """The counts of nothing: of the corpus, of the target."""
        return np.zeros((2, 1 + len(model().labels), self.buckets), np.int64)


class Fitted:
    """Counts that measure."""

    version = Importance.version
    needs = Importance.needs

    def __init__(self, asked: Importance, counts: NDArray[np.int64]) -> None:
        none = asked.none()
        if counts.size != none.size:
            raise ValueError(f"{counts.size:,} counts are of other options")
        self.columns = asked.columns
        corpus, target = map(shares, counts.reshape(none.shape))
        self._bits = target - corpus

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        mine = of_words(batch["text"], batch["words"])
        bits = np.empty(batch.num_rows, np.int64)
        _weigh(mine.hashes, mine.rows, numbers(of_texts(batch["language"])), self._bits, bits)
        words = np.diff(mine.rows)
        one = np.minimum(words, 1) << BITS
        return pa.record_batch([share(bits, one), share(bits, words << BITS)], schema=self.columns)


def numbers(languages: Hashes) -> Offsets:
    """The number of each language by its hash, from 1; 0: none that we know."""
    known, places = _known()
    at = np.minimum(np.searchsorted(known, languages), len(known) - 1)
    return np.where(known[at] == languages, places[at] + 1, 0)


@cache
def _known() -> tuple[Hashes, Offsets]:
    hashes = of_texts(pa.array(model().labels))
    order = np.argsort(hashes)
    return hashes[order], order


def shares(counts: Counts) -> Counts:
    """log2 of the share that each bucket has in a language, or in all where that has too little.

    Returns:
        shape (languages, buckets), units of 2**-BITS; every bucket counts once more.
    """
    enough = counts.sum(axis=1, keepdims=True) >= ENOUGH
    held = np.where(enough, counts, counts.sum(axis=0)) + 1
    out = np.empty_like(held)
    _logs(held, held.sum(axis=1), out)
    return out


@helper
def _log(count: int) -> int:
    """log2 of a count, of which the last bits do not matter if there are very many."""
    more = 0
    while count >> more >= 1 << LIMIT:
        more += 1
    return log2(count >> more) + (more << BITS)


@kernel
def _logs(counts: Counts, totals: Offsets, out: Out[Counts]) -> None:
    for row in range(len(counts)):
        total = _log(totals[row])
        for bucket in range(counts.shape[1]):
            out[row, bucket] = _log(counts[row, bucket]) - total


@helper
def _bucket(key: np.uint64, buckets: int) -> int:
    return signed(key % np.uint64(buckets))


@kernel
def add(hashes: Hashes, rows: Offsets, languages: Offsets, counts: Out[Counts]) -> None:
    """Count the words and pairs of some texts.

    Args:
        hashes: of their words.
        rows: shape (n + 1,): the words of text i are ``hashes[rows[i]:rows[i + 1]]``.
        languages: shape (n,), their numbers.
        counts: what is found is added.
    """
    for text in range(len(rows) - 1):
        mine = counts[languages[text]]
        for i in range(rows[text], rows[text + 1]):
            mine[_bucket(hashes[i], len(mine))] += 1
            if i > rows[text]:
                mine[_bucket(join(hashes[i - 1], hashes[i]), len(mine))] += 1


@kernel
def _weigh(
    hashes: Hashes, rows: Offsets, languages: Offsets, bits: Counts, out: Out[Offsets]
) -> None:
    """The sum of what the buckets of each text's words and pairs are worth, in its language."""
    for text in range(len(rows) - 1):
        mine, total = bits[languages[text]], 0
        for i in range(rows[text], rows[text + 1]):
            total += mine[_bucket(hashes[i], len(mine))]
            if i > rows[text]:
                total += mine[_bucket(join(hashes[i - 1], hashes[i]), len(mine))]
        out[text] = total
