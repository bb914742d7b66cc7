"""Overlap: how much of a text stands in given texts as well, told by runs of 13 words.

A text that holds the questions of a benchmark spoils what the benchmark says.  Every run of n words
of the given texts is hashed into a set; a document's words are covered where it has such a run too.
Runs never cross from one given text into the next.

Words are those of `filters.words`, so punctuation and white space do not count, and they compare as
`filters.folding` has it, so case does not either.  Equal 64-bit hashes count as equal runs: with 10
million given runs, a million texts of 1,000 words hold a false one with a probability of 0.05 %.

Sources: Brown et al. 2020 (GPT-3), appendix C, for 13 words; Touvron et al. 2023 (Llama 2),
appendix A.6, for the share of the words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters import check_whole
from filters.buffers import Bytes, Offsets, Out, Positions, Table, Texts, spans, with_words
from filters.folding import fold, folds
from filters.hashset import HashSet, has, hash_set
from filters.kernels import allocator, helper, kernel, longest
from filters.shingles import Hashes, shingle_hashes
from filters.words import words as words_of

BATCH = 8_000_000  # characters of given texts hashed at a time, about

COVERED, LONGEST, START, END = range(4)

Counts = Table[np.int64]
"""Shape (4, rows): words covered, words in the longest run of them, bytes of the first n."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of a text stands in given texts as well.

    Columns:
        overlap: share of the words that stand in a run of n words which a given text has too; 0
            where nothing was found, so for a text of fewer than n words, or of none.
        overlap_longest: words in the longest stretch that is covered without a gap.
        overlap_passage: the first n words that were found, as they stand in the text; null: none.

    Attributes:
        files: the given texts, any number of times over; two with one `repr` hold the same.
        words: n, the words of a run; a given text with fewer cannot be found.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")
    columns: ClassVar[pa.Schema] = pa.schema(
        {"overlap": pa.float64(), "overlap_longest": pa.int32(), "overlap_passage": pa.string()}
    )

    files: Iterable[str] = field(default=(), metadata={"files": "texts"})
    words: int = 13

    def __post_init__(self) -> None:
        check_whole("words", self.words)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        known = _known(self)
        texts = body, _, rows, _, _ = with_words(batch["text"], batch["words"])
        n = np.zeros((4, batch.num_rows), np.int64)
        _cover(texts, self.words, folds(), *known, n)
        passages: list[str | None] = [None] * batch.num_rows
        for row in np.flatnonzero(n[COVERED]):
            passages[row] = body[n[START, row] : n[END, row]].tobytes().decode(errors="replace")
        columns = [
            pa.array(n[COVERED] / np.maximum(np.diff(rows), 1)),
            pa.array(n[LONGEST], pa.int32()),
            pa.array(passages, pa.string()),
        ]
        return pa.record_batch(columns, schema=self.columns)

    def unusable(self, texts: pa.StringArray) -> pa.StringArray:
        """Why each of some given texts cannot be found; null: it can."""
        short = np.diff(spans(words_of(texts))[0]) < self.words
        why = pa.array([f"shorter than {self.words} words"])
        return why.take(pa.array(np.zeros(len(texts), np.int32), mask=~short))


@lru_cache(maxsize=2)
def _known(of: Overlap) -> HashSet:
    """The hashes of the runs of all given texts, found once a process."""
    found = (runs(texts, words_of(texts), of.words)[0] for texts in batches(of.files))
    return hash_set(np.concatenate([np.empty(0, np.uint64), *found]))


def batches(texts: Iterable[str]) -> Iterator[pa.StringArray]:
    """Given texts together, about `BATCH` characters at a time."""
    held, size = list[str](), 0
    for text in chain(texts, [None]):
        if held and (text is None or size + len(text) > BATCH):
            yield pa.array(held, pa.string())
            held, size = [], 0
        if text is not None:
            held.append(text)
            size += len(text)


def runs(texts: pa.StringArray, words: pa.ListArray, size: int) -> tuple[Hashes, Offsets]:
    """The hashes of all runs of words of some texts.

    Args:
        texts: shape (n,).
        words: of each text, `SPANS`.
        size: words a run.

    Returns:
        hashes; shape (n + 1,): how many words there are before each text.
    """
    given = with_words(texts, words)
    rows = given[2] - given[2][0]
    out = np.empty(rows[-1], np.uint64)
    return out[: _run_hashes(given, size, folds(), out)], rows


@helper
def _row_runs(
    data: Bytes,
    begin: int,
    limit: int,
    starts: Positions,
    ends: Positions,
    size: int,
    table: Positions,
    memory: tuple[Bytes, Positions, Positions, Hashes, Hashes],
) -> int:
    """The hashes of the runs of one text, into the last of `memory`; how many there are."""
    body, first, last, words, out = memory
    n = len(starts)
    if n < size:
        return 0
    at, to = begin, 0
    for i in range(n):
        end = min(begin + ends[i], limit)  # spans of another text must not lead us out
        at = max(at, begin + starts[i])
        first[i] = to
        to = fold(data, at, end, table, body, to)
        last[i] = to
        at = max(at, end)
    return shingle_hashes(body, 0, to, first[:n], last[:n], size, words, out)


@allocator
def _memory(offsets: Offsets, rows: Offsets) -> tuple[Bytes, Positions, Positions, Hashes, Hashes]:
    """Room for the longest text: its bytes and eight; starts, ends, hashes, runs of its words."""
    size, words = longest(offsets), longest(rows)
    return (
        np.empty(size + 8, np.uint8),
        np.empty(words, np.int32),
        np.empty(words, np.int32),
        np.empty(words, np.uint64),
        np.empty(words, np.uint64),
    )


@kernel
def _run_hashes(
    texts: Texts,
    size: int,
    table: Positions,
    out: Out[Hashes],
) -> int:
    """The hashes of the runs of all texts."""
    data, offsets, rows, starts, ends = texts
    memory = _memory(offsets, rows)
    to = 0
    for row in range(len(offsets) - 1):
        mine = slice(rows[row], rows[row + 1])
        begin, limit = offsets[row], offsets[row + 1]
        n = _row_runs(data, begin, limit, starts[mine], ends[mine], size, table, memory)
        out[to : to + n] = memory[4][:n]
        to += n
    return to


@kernel
def _cover(
    texts: Texts,
    size: int,
    table: Positions,
    bits: Bytes,
    slots: Hashes,
    n: Out[Counts],
) -> None:
    data, offsets, rows, starts, ends = texts
    memory = _memory(offsets, rows)
    for row in range(len(offsets) - 1):
        mine = slice(rows[row], rows[row + 1])
        begin, limit = offsets[row], offsets[row + 1]
        count = _row_runs(data, begin, limit, starts[mine], ends[mine], size, table, memory)
        since, until = 0, -1  # words of the stretch that was covered last
        for i in range(count):
            if not has(memory[4][i], bits, slots):
                continue
            if until < 0:
                n[START, row] = min(begin + starts[rows[row] + i], limit)
                n[END, row] = min(begin + ends[rows[row] + i + size - 1], limit)
            if i > until:
                since = until = i
            n[COVERED, row] += i + size - until
            until = i + size
            n[LONGEST, row] = max(n[LONGEST, row], until - since)
