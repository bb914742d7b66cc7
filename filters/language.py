"""Languages: of each paragraph, and of a document from the paragraphs that its edits leave.

A page often holds two or three languages, and one label for all of it is wrong for most of those
pages.  So the raw text is cut into paragraphs, runs of lines long enough to be judged, and each is
judged by itself.

Source: A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of Tricks for Efficient Text
Classification", 2017; their model lid.176.ftz, see models/NOTICE.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import PARAGRAPHS
from filters.buffers import Bytes, Offsets, Out, Positions, flat, utf8
from filters.fasttext.classifier import Classifier
from filters.kernels import kernel
from filters.unicode import LETTER, kinds_of, read, table

BLOCK = 80  # bytes that a paragraph holds at least, unless the text is shorter
LETTERS = 20  # bytes of letters that a paragraph needs to be judged
PROBABILITY = 0.3  # below it the language is unknown
MODEL = Path(__file__).with_name("models") / "lid.176.ftz"

LANGUAGES = pa.list_(
    pa.struct([pa.field("language", pa.string(), False), pa.field("share", pa.float64(), False)])
)

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """The paragraphs of the raw text, each with its language; together they cover the text.

    A paragraph ends at the first newline by which it holds `BLOCK` bytes; a shorter rest belongs to
    the one before.  ``language`` and ``score`` are null where there are too few letters (`LETTERS`)
    or the probability is too low (`PROBABILITY`).  A null text has none.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema([("paragraphs", PARAGRAPHS)])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, row for row."""
        return pa.record_batch([paragraphs(batch["text"])], schema=self.columns)


@dataclass(frozen=True, slots=True)
class Language:
    """The language of what the edits leave of a document.

    ``language``: of the paragraphs' languages the one with the most bytes left, each counted by its
    probability to the power of 8, of equals the first in the alphabet; for unsure paragraphs mostly
    guess between neighbours, as Galician and Spanish are, and a few sure ones tell.
    ``language_score``: mean over all bytes left in judged paragraphs of the probability of that
    language, which counts as 0 in a paragraph of another one.  Both are null where nothing is left
    that was judged.  ``languages``: all of them, each with its share of the bytes left in judged
    paragraphs, the largest first.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text", "paragraphs", "edits")
    columns: ClassVar[pa.Schema] = pa.schema(
        [("language", pa.string()), ("language_score", pa.float64()), ("languages", LANGUAGES)]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, row for row."""
        rows, left, languages, scores = _judged(batch["paragraphs"], batch["edits"])
        names, codes = np.unique(languages, return_inverse=True)
        keys, at = np.unique(rows * len(names) + codes, return_inverse=True)
        bytes_of = np.bincount(at, left, len(keys))
        score_of = np.bincount(at, left * scores, len(keys))
        row_of = keys // max(len(names), 1)
        weight_of = np.bincount(at, left * _eighth_power(scores), len(keys))
        order = np.lexsort((keys, -bytes_of, row_of))
        weighed = np.lexsort((keys, -weight_of, row_of))
        mine = row_of[order]
        total = np.bincount(rows, left, batch.num_rows)
        language = pa.array(names.astype(str)).take(pa.array(keys % max(len(names), 1)))
        share = pa.array(bytes_of[order] / total[mine])
        begins = np.searchsorted(mine, np.arange(batch.num_rows + 1))
        each = [language.take(pa.array(order)), share]
        every = pa.StructArray.from_arrays(each, fields=list(LANGUAGES.value_type))
        listed = pa.ListArray.from_arrays(pa.array(begins.astype(np.int32)), every, type=LANGUAGES)
        none = np.diff(begins) == 0
        best = np.zeros(batch.num_rows, np.int64)
        best[~none] = weighed[begins[:-1][~none]]
        first = pa.array(best, mask=none)
        score = pa.array(score_of / total[row_of])
        arrays = [language.take(first), score.take(first), listed]
        return pa.record_batch(arrays, schema=self.columns)


def paragraphs(texts: pa.StringArray) -> pa.ListArray:
    """`PARAGRAPHS` of each text: where they are, and their languages."""
    body, offsets = utf8(texts)
    most = int(offsets[-1] - offsets[0]) // BLOCK + len(texts)
    starts, ends, letters = (np.empty(most, np.int32) for _ in range(3))
    rows = np.empty(len(texts) + 1, np.int64)
    count = _blocks(body, offsets, table(), _is_letter(), starts, ends, letters, rows)
    starts, ends = starts[:count], ends[:count]
    judged = np.flatnonzero(letters[:count] >= LETTERS)
    base = np.repeat(offsets[:-1], np.diff(rows))[judged]
    codes, scores = np.full(count, -1, np.int32), np.zeros(count, np.float32)
    found = model().answers(body, base + starts[judged], base + ends[judged])
    codes[judged], scores[judged] = found
    unknown = (scores < PROBABILITY) | (codes < 0)
    languages = pa.array(model().labels).take(pa.array(codes, mask=unknown))
    values = pa.StructArray.from_arrays(
        [pa.array(starts), pa.array(ends), languages, pa.array(scores, mask=unknown)],
        fields=list(PARAGRAPHS.value_type),
    )
    return pa.ListArray.from_arrays(pa.array(rows.astype(np.int32)), values, type=PARAGRAPHS)


@cache
def model() -> Classifier:
    """The classifier that ships; its labels are ISO 639 codes, two letters where there are two."""
    return Classifier.of(MODEL)


def _eighth_power(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """By products alone, which are the same on every machine."""
    for _ in range(3):
        scores = scores * scores
    return scores


def _judged(
    lists: pa.ListArray, edits: pa.ListArray
) -> tuple[Numbers, Numbers, NDArray[np.object_], NDArray[np.float64]]:
    """Of every judged paragraph of which bytes are left: row, bytes left, language and score."""
    rows, starts, ends = flat(lists)
    edited = _edited(edits)
    left = ends - starts - edited(rows, ends) + edited(rows, starts)
    languages, scores = (lists.flatten().field(name) for name in ("language", "score"))
    keep = languages.is_valid().to_numpy(zero_copy_only=False) & (left > 0)
    names = languages.to_numpy(zero_copy_only=False)[keep].astype(str)
    return rows[keep], left[keep], names, scores.fill_null(0).to_numpy()[keep].astype(np.float64)


def _edited(edits: pa.ListArray) -> Callable[[Numbers, Numbers], Numbers]:
    """A function of rows and positions in them: how many bytes before it the row's edits cover.

    Counted from the batch's beginning, so only differences within a row mean something.
    """
    rows, starts, ends = flat(edits)
    starts, ends = starts + (rows << 32), ends + (rows << 32)
    sums = np.concatenate([[0], np.cumsum(ends - starts)])
    ends = np.concatenate([[0], ends])

    def covered(row: Numbers, position: Numbers) -> Numbers:
        at = position + (row << 32)
        begun = np.searchsorted(starts, at)
        covers: Numbers = sums[begun] - np.maximum(ends[begun] - at, 0)
        return covers

    return covered


@cache
def _is_letter() -> Bytes:
    """1 of each byte that is an ASCII letter, shape (128,)."""
    return (kinds_of(np.arange(128)) >= LETTER).astype(np.uint8)


@kernel
def _blocks(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    is_letter: Bytes,
    starts: Out[Positions],
    ends: Out[Positions],
    letters: Out[Positions],
    rows: Out[Offsets],
) -> int:
    count = 0
    for row in range(len(offsets) - 1):
        rows[row] = count
        first, end = offsets[row], offsets[row + 1]
        start = at = first
        inside = 0
        while at < end:
            while at < end and data[at] < 128 and data[at] != 10:
                inside += is_letter[data[at]]
                at += 1
            newline = at < end and data[at] == 10
            if newline:
                at += 1
            elif at < end:
                kind, length = read(data, at, end, classes)
                at += length
                inside += length if kind >= LETTER else 0
            if (newline and at - start >= BLOCK) or at == end:
                if at - start < BLOCK and count > rows[row]:
                    count -= 1  # a short rest
                    inside += letters[count]
                else:
                    starts[count] = start - first
                ends[count] = at - first
                letters[count] = inside
                count += 1
                start = at
                inside = 0
    rows[-1] = count
    return count
