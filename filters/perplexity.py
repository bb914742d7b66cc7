"""Perplexity: how surprising the words of a text are to a model of words learned from samples.

Prose like the samples has a low one, lists, other languages and garbled text a high one.  Words are
those of `filters.words`, without case.  Perplexities compare only under one model and in one
language, so a recipe of several languages wants a model for each.

Sources: Jelinek, Mercer, Bahl and Baker 1977, for the measure; Wenzek et al. 2020 (CCNet), section
3.4, for choosing text by it.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters import Learned, check_name
from filters.buffers import Offsets
from filters.entropy import BITS
from filters.ngrams import count, model, surprise
from filters.overlap import batches
from filters.wordhashes import of_words
from filters.words import words

MOST = 32_000_000  # characters of samples: about 300 MB of memory as a model
LEAST = 1000  # words that a model wants
FORMAT = b"karez n-grams 1"


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How surprising a text is to a model of samples.

    Columns, of one that is called ``perplexity``:
        perplexity: 2 to the power of the mean bits a word; null without words.

    Attributes:
        name: the measure's name in the recipe.
        sample: texts to learn from.
        text: field of the rows that hold samples.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    name: str = field(default="perplexity", metadata={"named": True})
    sample: Iterable[str] = field(default=(), metadata={"files": "sample"})
    text: str = "text"

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def columns(self) -> pa.Schema:
        """One, of float64."""
        return pa.schema([(self.name, pa.float64())])

    def fit(self, seed: int) -> Learned:
        """Count the samples.  Nothing is drawn, so the seed does not matter.

        Raises:
            ValueError: if they are too few or too many.
        """
        hashes, rows = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
        for texts in batches(_limited(self.sample)):
            mine = of_words(texts, words(texts))
            hashes.append(mine.hashes)
            rows.append(mine.rows[1:] + rows[-1][-1])
        known = np.concatenate(hashes)
        if len(known) < LEAST:
            raise ValueError(f"sample has {len(known):,} words; want {LEAST:,} and more")
        kept = count(known, np.concatenate(rows))
        kept = kept.replace_schema_metadata({b"format": FORMAT})
        out = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(out, kept.schema, options=options) as writer:
            writer.write_table(kept)
        return Learned(out.getvalue(), {})

    def fitted(self, model: bytes) -> "Fitted":
        """What measures, by the bytes of what was learned."""
        return Fitted(self, model)


class Fitted:
    """A model that measures."""

    version = Perplexity.version
    needs = Perplexity.needs

    def __init__(self, asked: Perplexity, known: bytes) -> None:
        self.columns = asked.columns
        try:
            kept = pa.ipc.open_stream(known).read_all()
        except pa.ArrowException as error:
            raise ValueError("is no model of n-grams") from error
        if (kept.schema.metadata or {}).get(b"format") != FORMAT:
            raise ValueError("is no model of n-grams")
        self._model = model(kept)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The column.  A null text counts as an empty one."""
        mine = of_words(batch["text"], batch["words"])
        bits = np.empty(batch.num_rows, np.int64)
        surprise(mine.hashes, mine.rows, *self._model, bits)
        counts = np.diff(mine.rows)
        mean = bits // np.maximum(counts, 1)
        return pa.record_batch([pa.array(_power(mean), mask=counts == 0)], schema=self.columns)


def _power(bits: Offsets) -> np.ndarray:
    """2 to the power of numbers in units of 2**-BITS, by products alone: the same everywhere."""
    value = np.ones(len(bits))
    root = np.float64(2)
    for bit in range(BITS - 1, -1, -1):
        root = np.sqrt(root)
        value = np.where(bits >> bit & 1, value * root, value)
    return np.ldexp(value, bits >> BITS)


def _limited(texts: Iterable[str]) -> Iterator[str]:
    """The texts, as long as they are not too many."""
    size = 0
    for text in texts:
        size += len(text)
        if size > MOST:
            raise ValueError(f"sample has more than {MOST:,} characters; name fewer files")
        yield text
