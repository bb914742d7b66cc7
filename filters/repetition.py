"""Repetition: how much of a text stands in lines, paragraphs and runs of words that it had before.

A line is what stands between line feeds, white space around it aside; lines between blank ones make
a paragraph.  A run of n words is an n-gram: its number is made of those of the two (n-1)-grams that
it holds, so what occurs but once in n-1 words is not looked at in n, and the work grows with the
words alone.  Words are compared by 64-bit hashes, lines and paragraphs by their bytes; case counts.

Sources: Rae et al. 2021 ("Gopher"), table A1; Karp, Miller and Rosenberg 1972, for the numbers.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Positions, share, spans, utf8
from filters.kernels import I32, I64, NOTHING, OUT_TABLE, U8, helper, kernel, longest, signed
from filters.seen import Slots, emptied, line_end, lines, seen
from filters.shingles import GOLDEN, HALF, word_hash
from filters.unicode import characters, table, trim

TOPS, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)
FIRST, LAST, LAST_TOP = TOPS[0], REPEATED[-1], TOPS[-1]  # words of an n-gram

CHARACTERS, IN_LINES, PARAGRAPHS, AGAIN, IN_PARAGRAPHS = range(5)  # rows of the counts of blocks

Counts = NDArray[np.int64]
"""Shape (counts, rows)."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """What the repetition rules of Gopher, and one of FineWeb, ask about one text.

    Columns: shares of all characters of the text, white space included, unless said otherwise; null
    for a text without characters.
        duplicate_line_characters: in lines that the text already had.
        duplicate_paragraphs: share of the paragraphs that the text already had; null without any.
        duplicate_paragraph_characters: in such paragraphs.
        top_2gram, top_3gram, top_4gram: in the most frequent n-gram, the first of equally frequent
            ones: its words' characters and one between each two, times its occurrences, so above 1
            where these overlap.  Of n-grams that all differ it is the first; 0 with too few words.
        duplicate_5grams to duplicate_10grams: in the words of n-grams that the text already had,
            read from the left; the words of one that was found are in no other.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    @property
    def columns(self) -> pa.Schema:
        """All float64."""
        names = ["duplicate_line_characters", "duplicate_paragraphs"]
        names += ["duplicate_paragraph_characters"]
        names += [*(f"top_{n}gram" for n in TOPS), *(f"duplicate_{n}grams" for n in REPEATED)]
        return pa.schema([(name, pa.float64()) for name in names])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        rows, starts, ends = spans(batch["words"])
        blocks = np.zeros((5, batch.num_rows), np.int64)
        grams = np.zeros((LAST - FIRST + 1, batch.num_rows), np.int64)
        _read_blocks(body, offsets, table(), blocks)
        _read_grams(body, offsets, rows, starts, ends, grams)
        found = [
            share(blocks[IN_LINES], blocks[CHARACTERS]),
            share(blocks[AGAIN], blocks[PARAGRAPHS]),
            share(blocks[IN_PARAGRAPHS], blocks[CHARACTERS]),
            *(share(each, blocks[CHARACTERS]) for each in grams),
        ]
        return pa.record_batch(found, schema=self.columns)


@kernel(NOTHING(U8, I64, U8, OUT_TABLE))
def _read_blocks(data: Bytes, offsets: Offsets, classes: Bytes, n: Counts) -> None:
    """Characters, and what is repeated of lines and paragraphs."""
    of_lines, of_paragraphs = np.zeros((1024, 2), np.int64), np.zeros((1024, 2), np.int64)
    for row in range(len(offsets) - 1):
        base, end = offsets[row], offsets[row + 1]
        n[CHARACTERS, row] = characters(data, base, end)
        most = lines(data, offsets, row)
        of_lines, lines_seen = emptied(of_lines, most)
        of_paragraphs, paragraphs_seen = emptied(of_paragraphs, most)
        at, begin, stop = base, base, base  # the paragraph so far is [begin, stop)
        while at <= end:
            line, at = at, line_end(data, at, end)
            first, last = trim(data, line, at, classes)
            at += 1
            if first < last:
                begin = first if begin == stop else begin
                stop = last
                if seen(data, first, last, lines_seen):
                    n[IN_LINES, row] += characters(data, first, last)
            if begin < stop and (first == last or at > end):
                n[PARAGRAPHS, row] += 1
                if seen(data, begin, stop, paragraphs_seen):
                    n[AGAIN, row] += 1
                    n[IN_PARAGRAPHS, row] += characters(data, begin, stop)
                begin = stop


@helper
def _placed(key: np.int64, slots: Slots) -> int:
    """The place of a key, where it is counted once more."""
    mask = len(slots) - 1
    value = np.uint64(key) * GOLDEN
    slot = signed((value ^ (value >> HALF)) & np.uint64(mask))
    while slots[slot, 1] > 0 and slots[slot, 0] != key:
        slot = (slot + 1) & mask
    slots[slot, 0] = key
    slots[slot, 1] += 1
    return slot


@helper
def _lengthened(numbers: Offsets, count: int, slots: Slots) -> None:
    """Number so many n-grams by the numbers of their two (n-1)-grams; -1 where one occurs once."""
    for i in range(count):
        if numbers[i] >= 0 and numbers[i + 1] >= 0:
            numbers[i] = _placed(numbers[i] << 32 | numbers[i + 1], slots)
        else:
            numbers[i] = -1


@helper
def _recurring(numbers: Offsets, count: int, slots: Slots) -> int:
    """Set to -1 the numbers of what occurs once; how many are left."""
    left = 0
    for i in range(count):
        if numbers[i] >= 0 and slots[numbers[i], 1] < 2:
            numbers[i] = -1
        left += numbers[i] >= 0
    return left


@helper
def _top(numbers: Offsets, count: int, size: int, upto: Offsets, slots: Slots) -> int:
    """Characters of the most frequent n-gram, times its occurrences."""
    times, place = 1, 0
    for i in range(count):
        if numbers[i] >= 0 and slots[numbers[i], 1] > times:
            times, place = slots[numbers[i], 1], i
    return times * (upto[place + size] - upto[place] + size - 1) if count > 0 else 0


@helper
def _again(numbers: Offsets, count: int, size: int, upto: Offsets, slots: Slots) -> int:
    """Characters in n-grams that were there before; the counts are used up."""
    total, i = 0, 0
    while i < count:
        if numbers[i] < 0:
            i += 1
        elif slots[numbers[i], 1] > 0:
            slots[numbers[i], 1] = -1
            i += 1
        else:
            total += upto[i + size] - upto[i]
            i += size
    return total


@kernel(NOTHING(U8, I64, I64, I32, I32, OUT_TABLE))
def _read_grams(
    data: Bytes, offsets: Offsets, rows: Offsets, starts: Positions, ends: Positions, n: Counts
) -> None:
    """Characters in the most frequent, or in repeated, n-grams: a row for each of their sizes."""
    memory = np.zeros((1024, 2), np.int64)
    most = longest(rows)
    numbers, upto = np.empty(most, np.int64), np.zeros(most + 1, np.int64)
    for row in range(len(offsets) - 1):
        words = rows[row + 1] - rows[row]
        memory, slots = emptied(memory, words)
        for i in range(words):
            limit, word = offsets[row + 1], rows[row] + i
            end = min(offsets[row] + ends[word], limit)  # spans of another text lead nowhere
            start = min(offsets[row] + starts[word], end)
            upto[i + 1] = upto[i] + characters(data, start, end)
            numbers[i] = _placed(np.int64(word_hash(data, start, end)), slots)
        left = _recurring(numbers, words, slots)
        for size in range(FIRST, LAST + 1):
            if size > LAST_TOP and not left:
                break
            count = max(0, words - size + 1)
            memory, slots = emptied(memory, left)
            _lengthened(numbers, count, slots)
            if size <= LAST_TOP:
                n[size - FIRST, row] = _top(numbers, count, size, upto, slots)
            left = _recurring(numbers, count, slots)
            if size > LAST_TOP:
                n[size - FIRST, row] = _again(numbers, count, size, upto, slots)
