"""Counts and shares that tell prose from menus, tables, code and boilerplate.

Everything is counted in whole numbers by two kernels and divided at the end, so the figures are the
same on every machine.  A line ends with a line feed; white space around it is no part of it, and
where there is nothing else there is no line.

Sources: Rae et al. 2021 ("Gopher"), table A1; Raffel et al. 2020 (C4), section 2.2; Penedo et al.
2024 (FineWeb), section 3.6.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters import check_whole
from filters.buffers import Bytes, Counts, Offsets, Out, Positions, Texts, share, utf8, with_words
from filters.kernels import helper, kernel, longest
from filters.punctuation import ELLIPSIS, QUOTES, TERMINALS, among, codes, ends_in_dots, is_ellipsis
from filters.registers import lower_case
from filters.seen import emptied, lines, seen
from filters.unicode import (
    DIGIT,
    IDEOGRAPH,
    LETTER,
    LOWER,
    SPACE,
    UPPER,
    characters,
    decode,
    read,
    table,
)
from filters.words import words

BULLETS = "•‣⁃◦▪▫■□●○▶◀➢❖·∙"
DASHES = "-*–+"
"""A line begins with a bullet, or with one of these and a space."""

ENDS = TERMINALS + ELLIPSIS + QUOTES
"""A line is punctuated if it ends with one of these: as a sentence does, or a quote as in C4."""

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # Gopher's

# rows of the counts that the kernels fill
CHARACTERS, SPACES, DIGITS, LETTERS, CAPITALS, HASHES, ELLIPSES, NEWLINES = range(8)
LINES, BULLET, TRAILING, PUNCTUATED, SHORT, REPEATED = range(8, 14)
SPELLED, ALPHABETIC, STOP = range(14, 17)


@dataclass(frozen=True, slots=True)
class Quality:
    """What the quality rules of Gopher and FineWeb ask about one text.

    Attributes:
        stop_words: frequent words of a language, as they are written; of scripts without spaces one
            letter each, as words are there.
        short_line: characters of a short line, at most.

    Columns:
        characters: code points.
        words: as `filters.words` finds them.
        lines: those that are not blank.
        newlines: line feeds.
        stop_words: how many of the stop words the text has.
        mean_word_length: code points a word; null without words, as the next two.
        alphabetic_words: share of the words that hold a letter.
        digits: share of the characters that are no white space; null without any.
        uppercase: share of the letters; null without letters.
        hashes: number of "#" over number of words; null without words.
        ellipses: number of "…" and "..." over number of words; null without words.
        bullet_lines: share of the lines that begin with a bullet; null without lines, as all below.
        ellipsis_lines: share of the lines that end with an ellipsis.
        punctuated_lines: share of the lines that end as a sentence does.
        short_lines: share of the lines of at most `short_line` characters.
        duplicate_lines: share of the lines that the text already had.
    """

    stop_words: tuple[str, ...] = STOP_WORDS
    short_line: int = 30

    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    def __post_init__(self) -> None:
        given = self.stop_words
        if not isinstance(given, (list, tuple)) or not all(isinstance(w, str) for w in given):
            raise ValueError(f'stop_words wants a list such as ["the", "of"], got {given!r}')
        for word in given:
            size = len(word.encode())
            if words(pa.array([word]))[0].as_py() != [{"start": 0, "end": size}]:
                raise ValueError(f"stop_words: {word!r} is not one word, so no text can have it")
        check_whole("short_line", self.short_line, 0)
        object.__setattr__(self, "stop_words", tuple(dict.fromkeys(given)))

    @property
    def columns(self) -> pa.Schema:
        """Counts as int32, shares and means as float64."""
        counts = ["characters", "words", "lines", "newlines", "stop_words"]
        shares = ["mean_word_length", "alphabetic_words", "digits", "uppercase"]
        shares += ["hashes", "ellipses", "bullet_lines", "ellipsis_lines", "punctuated_lines"]
        shares += ["short_lines", "duplicate_lines"]
        return pa.schema([(n, pa.int32()) for n in counts] + [(n, pa.float64()) for n in shares])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        texts = body, offsets, rows, _, _ = with_words(batch["text"], batch["words"])
        n = np.zeros((17, batch.num_rows), np.int64)
        bullets, dashes, stops = map(codes, (BULLETS, DASHES, ENDS))
        _read_lines(body, offsets, table(), bullets, dashes, stops, self.short_line, n)
        stop_words = utf8(pa.array(self.stop_words, pa.string()))
        _read_words(texts, table(), *stop_words, n)
        words = np.diff(rows)
        whole = (n[CHARACTERS], words, n[LINES], n[NEWLINES], n[STOP])
        counts = [pa.array(count, pa.int32()) for count in whole]
        parts = [(SPELLED, words), (ALPHABETIC, words), (DIGITS, n[CHARACTERS] - n[SPACES])]
        parts += [(CAPITALS, n[LETTERS]), (HASHES, words), (ELLIPSES, words)]
        parts += [(i, n[LINES]) for i in range(BULLET, REPEATED + 1)]
        shares = [share(n[i], of) for i, of in parts]
        return pa.record_batch(counts + shares, schema=self.columns)


@helper
def _read_line(
    data: Bytes, at: int, end: int, classes: Bytes, kinds: Offsets
) -> tuple[int, int, int, int, int, int]:
    """Count the classes of a line's characters in `kinds`.

    Returns:
        where its first and its last character stand that are no space (-1: none), how many there
        are from one to the other, where the next line begins, and the number of "#" and ellipses.
    """
    first, last, hashes, ellipses, dots = -1, -1, 0, 0, 0
    count, size = 0, 0
    while at < end:
        run = lower_case(data, at, end) - at
        if run:
            kinds[LOWER] += run
            first = at if first < 0 else first
            at += run
            count += run
            last, size, dots = at - 1, count, 0
            continue
        kind, length = read(data, at, end, classes)
        kinds[kind] += 1
        byte = data[at]
        if kind == SPACE:
            dots = 0
            at += length
            if byte == 10:
                break
            count += first >= 0
            continue
        dots = dots + 1 if byte == 46 else 0  # full stops
        hashes += byte == 35
        ellipses += dots > 0 and dots % 3 == 0
        ellipses += length == 3 and is_ellipsis(data, at)
        count += 1
        last, size = at, count
        if first < 0:
            first = at
        at += length
    return first, last, size, at, hashes, ellipses


@helper
def _begins(
    data: Bytes, at: int, end: int, classes: Bytes, bullets: Positions, dashes: Positions
) -> bool:
    """Whether a bullet stands at a byte, or a dash and white space."""
    point, length = decode(data, at, end)
    if among(point, dashes):
        return at + length < end and read(data, at + length, end, classes)[0] == SPACE
    return among(point, bullets)


@helper
def _is_alphabetic(data: Bytes, at: int, end: int, classes: Bytes) -> bool:
    while at < end:
        kind, length = read(data, at, end, classes)
        if kind >= LETTER:
            return True
        at += length
    return False


@kernel
def _read_lines(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    bullets: Positions,
    dashes: Positions,
    stops: Positions,
    short: int,
    n: Out[Counts],
) -> None:
    """Every count but those of words."""
    memory = np.zeros((1024, 2), np.int64)
    kinds = np.empty(IDEOGRAPH + 1, np.int64)
    for row in range(len(offsets) - 1):
        kinds[:] = 0
        n[NEWLINES, row] = lines(data, offsets, row) - 1
        memory, slots = emptied(memory, n[NEWLINES, row] + 1)
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            first, last, size, at, hashes, ellipses = _read_line(data, at, end, classes, kinds)
            n[HASHES, row] += hashes
            n[ELLIPSES, row] += ellipses
            if last < 0:  # blank
                continue
            point, length = decode(data, last, end)
            stop = last + length
            n[LINES, row] += 1
            n[SHORT, row] += size <= short
            n[PUNCTUATED, row] += among(point, stops)
            n[TRAILING, row] += point == 0x2026 or ends_in_dots(data, first, stop)
            n[BULLET, row] += _begins(data, first, stop, classes, bullets, dashes)
            n[REPEATED, row] += seen(data, first, stop, slots)
        n[CHARACTERS, row] = kinds.sum()
        n[SPACES, row] = kinds[SPACE]
        n[DIGITS, row] = kinds[DIGIT]
        n[LETTERS, row] = kinds[LETTER:].sum()
        n[CAPITALS, row] = kinds[UPPER]


@helper
def _is_new(data: Bytes, start: int, end: int, listed: Bytes, at: Offsets, had: Bytes) -> bool:
    """Whether [start, end) is a word of a list that was not there before; then it is noted."""
    size = end - start
    for i in range(len(at) - 1):
        if at[i + 1] - at[i] == size and not had[i]:
            byte = 0
            while byte < size and data[start + byte] == listed[at[i] + byte]:
                byte += 1
            if byte == size:
                had[i] = 1
                return True
    return False


@kernel
def _read_words(
    texts: Texts,
    classes: Bytes,
    stop_words: Bytes,
    stop_offsets: Offsets,
    n: Out[Counts],
) -> None:
    """The counts of words."""
    data, offsets, rows, starts, ends = texts
    had = np.empty(len(stop_offsets) - 1, np.uint8)
    most = longest(stop_offsets)
    for row in range(len(offsets) - 1):
        had[:] = 0
        base, limit = offsets[row], offsets[row + 1]
        for word in range(rows[row], rows[row + 1]):
            start = base + starts[word]
            end = min(base + ends[word], limit)  # spans of another text must not lead us out
            if start >= end:
                continue
            n[SPELLED, row] += characters(data, start, end)
            n[ALPHABETIC, row] += _is_alphabetic(data, start, end, classes)
            if end - start <= most:
                n[STOP, row] += _is_new(data, start, end, stop_words, stop_offsets, had)
