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
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Positions, share, spans, utf8
from filters.kernels import I32, I64, NOTHING, OUT_TABLE, U8, helper, kernel
from filters.seen import emptied, lines, seen
from filters.unicode import DIGIT, IDEOGRAPH, LETTER, SPACE, UPPER, decode, read, table

BULLETS = "•‣⁃◦▪▫■□●○▶◀➢❖·∙"
DASHES = "-*–+"
"""A line begins with a bullet, or with one of these and a space."""

TERMINALS = ".!?…‼⁇⁈⁉‽。．｡！？؟۔؞։።፧፨।॥᙮᠃᠉។៕၊။༎༑꓿꘎꘏꛳꛷꡶꡷꣎꣏"
QUOTES = '"“”’»」』｣'
"""A line is punctuated if it ends with a sentence's end, or with a closing quote as in C4."""

# rows of the counts that the kernels fill
CHARACTERS, SPACES, DIGITS, LETTERS, CAPITALS, SYMBOLS = range(6)
LINES, BULLET, ELLIPSIS, PUNCTUATED, REPEATED = range(6, 11)
SPELLED, ALPHABETIC, DISTINCT = range(11, 14)

Counts = NDArray[np.int64]
"""Shape (14, rows)."""


def _codes(characters: str) -> Positions:
    return np.array(sorted(map(ord, characters)), np.int32)


@dataclass(frozen=True, slots=True)
class Quality:
    """What the rules of Gopher, C4 and FineWeb ask about one text.

    Columns:
        characters: code points.
        words: as `filters.words` finds them.
        lines: those that are not blank.
        mean_word_length: code points a word; null without words, as the next two.
        alphabetic_words: share of the words that hold a letter.
        unique_words: number of different words over number of words; case counts.
        digits: share of the characters that are no white space; null without any.
        uppercase: share of the letters; null without letters.
        symbols: number of "#", "…" and "..." over number of words; null without words.
        bullet_lines: share of the lines that begin with a bullet; null without lines, as all below.
        ellipsis_lines: share of the lines that end with an ellipsis.
        punctuated_lines: share of the lines that end as a sentence does.
        duplicate_lines: share of the lines that the text already had.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    @property
    def columns(self) -> pa.Schema:
        """Counts as int32, shares and means as float64."""
        counts = ["characters", "words", "lines"]
        shares = ["mean_word_length", "alphabetic_words", "unique_words", "digits", "uppercase"]
        shares += ["symbols"]
        shares += ["bullet_lines", "ellipsis_lines", "punctuated_lines", "duplicate_lines"]
        return pa.schema([(n, pa.int32()) for n in counts] + [(n, pa.float64()) for n in shares])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        rows, starts, ends = spans(batch["words"])
        n = np.zeros((14, batch.num_rows), np.int64)
        bullets, dashes, stops = map(_codes, (BULLETS, DASHES, TERMINALS + QUOTES))
        _read_lines(body, offsets, table(), bullets, dashes, stops, n)
        _read_words(body, offsets, table(), rows, starts, ends, n)
        words = np.diff(rows)
        counts = [pa.array(count, pa.int32()) for count in (n[CHARACTERS], words, n[LINES])]
        of_words = [share(n[i], words) for i in (SPELLED, ALPHABETIC, DISTINCT)]
        digits = share(n[DIGITS], n[CHARACTERS] - n[SPACES])
        of_words += [digits, share(n[CAPITALS], n[LETTERS]), share(n[SYMBOLS], words)]
        of_lines = [share(n[i], n[LINES]) for i in (BULLET, ELLIPSIS, PUNCTUATED, REPEATED)]
        return pa.record_batch(counts + of_words + of_lines, schema=self.columns)


@helper
def _read_line(
    data: Bytes, at: int, end: int, classes: Bytes, kinds: Offsets
) -> tuple[int, int, int, int]:
    """Count the classes of a line's characters in `kinds`.

    Returns:
        where its first and its last character stand that are no space (-1: none), where the next
        line begins, and the number of symbols.
    """
    first, last, symbols, dots = -1, -1, 0, 0
    while at < end:
        kind, length = read(data, at, end, classes)
        kinds[kind] += 1
        byte = data[at]
        if kind == SPACE:
            dots = 0
            at += length
            if byte == 10:
                break
            continue
        if byte == 46:  # a full stop
            dots += 1
            symbols += dots % 3 == 0
        else:
            dots = 0
            symbols += byte == 35 or (byte == 0xE2 and length == 3 and _is_ellipsis(data, at))
        last = at
        if first < 0:
            first = at
        at += length
    return first, last, at, symbols


@helper
def _is_ellipsis(data: Bytes, at: int) -> bool:
    return data[at + 1] == 0x80 and data[at + 2] == 0xA6


@helper
def _dots(data: Bytes, start: int, end: int) -> bool:
    """Whether [start, end) ends with three full stops."""
    return end - start >= 3 and data[end - 1] == data[end - 2] == data[end - 3] == 46


@helper
def _among(point: int, codes: Positions) -> bool:
    for code in codes:  # noqa: SIM110  (Numba compiles no generators)
        if code == point:
            return True
    return False


@helper
def _begins(
    data: Bytes, at: int, end: int, classes: Bytes, bullets: Positions, dashes: Positions
) -> bool:
    """Whether a bullet stands at a byte, or a dash and white space."""
    point, length = decode(data, at, end)
    if _among(point, dashes):
        return at + length < end and read(data, at + length, end, classes)[0] == SPACE
    return _among(point, bullets)


@helper
def _spelled(data: Bytes, start: int, end: int) -> int:
    """How many characters [start, end) holds: bytes that begin one."""
    count = 0
    for at in range(start, end):
        count += data[at] & 0xC0 != 0x80
    return count


@helper
def _is_alphabetic(data: Bytes, at: int, end: int, classes: Bytes) -> bool:
    while at < end:
        kind, length = read(data, at, end, classes)
        if kind >= LETTER:
            return True
        at += length
    return False


@kernel(NOTHING(U8, I64, U8, I32, I32, I32, OUT_TABLE))
def _read_lines(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    bullets: Positions,
    dashes: Positions,
    stops: Positions,
    n: Counts,
) -> None:
    """Every count but those of words."""
    memory = np.zeros((1024, 2), np.int64)
    kinds = np.empty(IDEOGRAPH + 1, np.int64)
    for row in range(len(offsets) - 1):
        kinds[:] = 0
        memory, slots = emptied(memory, lines(data, offsets, row))
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            first, last, at, symbols = _read_line(data, at, end, classes, kinds)
            n[SYMBOLS, row] += symbols
            if last < 0:  # blank
                continue
            point, length = decode(data, last, end)
            stop = last + length
            n[LINES, row] += 1
            n[PUNCTUATED, row] += _among(point, stops)
            n[ELLIPSIS, row] += point == 0x2026 or _dots(data, first, stop)
            n[BULLET, row] += _begins(data, first, stop, classes, bullets, dashes)
            n[REPEATED, row] += seen(data, first, stop, slots)
        n[CHARACTERS, row] = kinds.sum()
        n[SPACES, row] = kinds[SPACE]
        n[DIGITS, row] = kinds[DIGIT]
        n[LETTERS, row] = kinds[LETTER:].sum()
        n[CAPITALS, row] = kinds[UPPER]


@kernel(NOTHING(U8, I64, U8, I64, I32, I32, OUT_TABLE))
def _read_words(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    rows: Offsets,
    starts: Positions,
    ends: Positions,
    n: Counts,
) -> None:
    """The counts of words."""
    memory = np.zeros((1024, 2), np.int64)
    for row in range(len(offsets) - 1):
        memory, slots = emptied(memory, rows[row + 1] - rows[row])
        base, limit = offsets[row], offsets[row + 1]
        for word in range(rows[row], rows[row + 1]):
            start = base + starts[word]
            end = min(base + ends[word], limit)  # spans of another text must not lead us out
            if start >= end:
                continue
            n[SPELLED, row] += _spelled(data, start, end)
            n[ALPHABETIC, row] += _is_alphabetic(data, start, end, classes)
            n[DISTINCT, row] += not seen(data, start, end, slots)
