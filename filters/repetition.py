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

from filters.buffers import Bytes, Counts, Offsets, Out, Texts, share, with_words
from filters.kernels import helper, kernel, longest, signed
from filters.seen import Slots, emptied, line_end, lines, seen
from filters.shingles import GOLDEN, HALF, word_hash
from filters.unicode import characters, table, trim

TOPS, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)
FIRST, LAST, LAST_TOP = TOPS[0], REPEATED[-1], TOPS[-1]  # words of an n-gram

CHARACTERS, IN_LINES, PARAGRAPHS, AGAIN, IN_PARAGRAPHS = range(5)  # rows of the counts of blocks


@dataclass(frozen=True, slots=True)
class Repetition:
    """What the repetition rules of Gopher, and one of FineWeb, ask about one text.

    Columns: shares of all characters of the text, white space included, unless said otherwise; null
    for a text without characters.
        unique_words: number of different words over number of words; null without words.
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
        names = ["unique_words", "duplicate_line_characters", "duplicate_paragraphs"]
        names += ["duplicate_paragraph_characters"]
        names += [*(f"top_{n}gram" for n in TOPS), *(f"duplicate_{n}grams" for n in REPEATED)]
        return pa.schema([(name, pa.float64()) for name in names])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        texts = body, offsets, rows, _, _ = with_words(batch["text"], batch["words"])
        blocks = np.zeros((5, batch.num_rows), np.int64)
        grams = np.zeros((LAST + 1, batch.num_rows), np.int64)
        _read_blocks(body, offsets, table(), blocks)
        _read_grams(texts, grams)
        found = [
            share(grams[0], np.diff(rows)),
            share(blocks[IN_LINES], blocks[CHARACTERS]),
            share(blocks[AGAIN], blocks[PARAGRAPHS]),
            share(blocks[IN_PARAGRAPHS], blocks[CHARACTERS]),
            *(share(each, blocks[CHARACTERS]) for each in grams[FIRST:]),
        ]
        return pa.record_batch(found, schema=self.columns)


@kernel
def _read_blocks(data: Bytes, offsets: Offsets, classes: Bytes, n: Out[Counts]) -> None:
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
def _lengthened(places: Offsets, numbers: Offsets, count: int, slots: Slots) -> int:
    """Number n-grams by their two (n-1)-grams, where both recur; how many there are.

    Args:
        places: words where the (n-1)-grams begin that recur, in order; then the n-grams.
        numbers: their numbers; then those of the n-grams, which are their places in `slots`.
        count: how many (n-1)-grams there are.
        slots: an empty set.
    """
    found = 0
    for i in range(count - 1):
        if places[i + 1] == places[i] + 1:
            places[found] = places[i]
            numbers[found] = _placed(numbers[i] << 32 | numbers[i + 1], slots)
            found += 1
    return found


@helper
def _recurring(places: Offsets, numbers: Offsets, count: int, slots: Slots) -> tuple[int, int, int]:
    """Leave out what occurs once.

    Returns:
        how many are left; how often the most frequent occurs, and where first: 1, 0 if none recurs.
    """
    left, most, place = 0, 1, 0
    for i in range(count):
        times = slots[numbers[i], 1]
        if times > 1:
            places[left], numbers[left] = places[i], numbers[i]
            left += 1
            if times > most:
                most, place = times, places[i]
    return left, most, place


@helper
def _again(
    places: Offsets, numbers: Offsets, count: int, size: int, upto: Offsets, slots: Slots
) -> int:
    """Characters in n-grams that were there before; the counts are used up."""
    total, free = 0, 0
    for i in range(count):
        place = places[i]
        if place < free:
            continue
        if slots[numbers[i], 1] > 0:
            slots[numbers[i], 1] = -1
        else:
            free = place + size
            total += upto[free] - upto[place]
    return total


@kernel
def _read_grams(texts: Texts, n: Out[Counts]) -> None:
    """Characters in n-grams, the most frequent or repeated, by size; in row 0 different words."""
    data, offsets, rows, starts, ends = texts
    memory = np.zeros((1024, 2), np.int64)
    most = longest(rows)
    places, numbers = np.empty(most, np.int64), np.empty(most, np.int64)
    upto = np.zeros(most + 1, np.int64)  # characters in the words before
    for row in range(len(offsets) - 1):
        words, limit = rows[row + 1] - rows[row], offsets[row + 1]
        memory, slots = emptied(memory, words)
        for i in range(words):
            word = rows[row] + i
            end = min(offsets[row] + ends[word], limit)  # spans of another text lead nowhere
            start = min(offsets[row] + starts[word], end)
            upto[i + 1] = upto[i] + characters(data, start, end)
            places[i], numbers[i] = i, _placed(np.int64(word_hash(data, start, end)), slots)
            n[0, row] += slots[numbers[i], 1] == 1
        left, times, place = _recurring(places, numbers, words, slots)
        for size in range(FIRST, min(words, LAST) + 1):
            memory, slots = emptied(memory, left)
            left = _lengthened(places, numbers, left, slots)
            left, times, place = _recurring(places, numbers, left, slots)
            if size <= LAST_TOP:
                length = upto[place + size] - upto[place] + size - 1
                n[size, row] = times * length
            elif left:
                n[size, row] = _again(places, numbers, left, size, upto, slots)
            else:
                break
