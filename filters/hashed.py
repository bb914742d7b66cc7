"""N-gram entropy: how surprising a text's words are to the rest of the corpus, and to a target.

Machine noise and shuffled words have a high one, boilerplate a low one.  The model is counted over
the corpus itself, in two halves by id: a text is measured by the half it is not in, so its own
words are never expected for being there.  Every language has a model of its own in the same table.
With a target sample, the difference of both entropies is the lower the more a text is like it.

Words are those of `filters.words`, without case.

Sources: Shannon 1951, for entropy by n-grams; Moore and Lewis 2010, for the difference; see
`filters.runcounts` for the model.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole
from filters.buffers import share
from filters.entropy import BITS
from filters.runcounts import CORPUS, SALTS, TARGET, add, surprises, table
from filters.wordhashes import of_sample, of_texts, of_words

FEWEST, MOST = 1 << 6, 1 << 23  # buckets: a batch's counts are 8 bytes a bucket, 16 with a sample
LONGEST = 5  # words of a run


@dataclass(frozen=True, slots=True)
class Ngram:
    """How surprising a text is to the corpus, and to a sample of a target.

    Columns:
        ngram_entropy: bits a word, by the other half of the corpus; null without words.
        target_entropy: bits a word, by the sample; only if there is one, as the next.
        entropy_difference: the second less the first.

    Attributes:
        sample: texts of the target.
        text: field of the rows that hold samples.
        language: of the sample; "": each text's is told from it.
        order: words of the longest run.
        buckets: of the table, a power of two.
        prior: how many words after a history weigh as much as what is known of shorter ones.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("id", "text", "words", "language")

    sample: Iterable[str] = field(default=(), metadata={"files": "sample", "optional": True})
    text: str = "text"
    language: str = ""
    order: int = 2
    buckets: int = 1 << 22
    prior: int = 512

    def __post_init__(self) -> None:
        check_whole("order", self.order, 1, LONGEST)
        check_whole("prior", self.prior, 1, 1 << 20)
        check_whole("buckets", self.buckets, FEWEST, MOST)
        if self.buckets & (self.buckets - 1):
            raise ValueError(f"buckets wants a power of two, got {self.buckets:,}")

    @property
    def columns(self) -> pa.Schema:
        """One or three, of float64."""
        more = ("target_entropy", "entropy_difference") if self.sample else ()
        return pa.schema([(name, pa.float64()) for name in ("ngram_entropy", *more)])

    def count(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """The runs of a batch; where there is a sample, its counts come after those."""
        counts = self.none()
        mine, languages = of_words(batch["text"], batch["words"]), of_texts(batch["language"])
        add(*mine, languages, of_texts(batch["id"]), self.order, counts[: self.size])
        return counts

    def given(self) -> NDArray[np.int64] | None:
        """The runs of the sample; None without one.

        Raises:
            ValueError: if it is too small.
        """
        if not self.sample:
            return None
        counts = self.none()
        for some, languages in of_sample(self.sample, self.language):
            add(*some, languages, np.zeros_like(languages), self.order, counts[self.size :])
        return counts

    def fitted(self, counts: NDArray[np.int64]) -> "Fitted":
        """What measures, by the counts of the corpus and the sample."""
        return Fitted(self, counts)

    @property
    def size(self) -> int:
        """Of the counts of the corpus, and of those of the sample."""
        return self.buckets + 2 * SALTS

    def none(self) -> NDArray[np.int64]:
        """The counts of nothing."""
        return np.zeros(self.size * (2 if self.sample else 1), np.int64)


class Fitted:
    """A model that measures."""

    version = Ngram.version
    needs = Ngram.needs

    def __init__(self, asked: Ngram, counts: NDArray[np.int64]) -> None:
        if counts.shape != asked.none().shape:
            raise ValueError(f"{len(counts):,} counts are of other options")
        self.columns = asked.columns
        self._order, self._prior = asked.order, asked.prior
        self._table, self._words = table(list(counts.reshape(-1, asked.size)))

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        mine, languages = of_words(batch["text"], batch["words"]), of_texts(batch["language"])
        bits = np.empty((2, batch.num_rows), np.int64)
        given = mine.hashes, mine.rows, languages, of_texts(batch["id"])
        surprises(*given, self._table, self._words, self._order, self._prior, bits)
        whole = np.diff(mine.rows) << BITS
        arrays = [share(bits[CORPUS], whole)]
        if len(self.columns) > 1:
            arrays += [share(bits[TARGET], whole), share(bits[TARGET] - bits[CORPUS], whole)]
        return pa.record_batch(arrays, schema=self.columns)
