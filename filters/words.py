"""The one tokenisation: where the words of a text are.  Every text measure counts these words.

A word is a run of letters, marks, digits and connectors (``_``) that holds a letter or a digit.
One character that stands inside words stays in: an apostrophe, a full stop or a middle dot between
two letters (don't, example.com, and of "U.S." all but the last stop), an apostrophe, a full stop, a
comma or a semicolon between two digits (3.14, 1,000).  In scripts that put no space between words
(Han, kana, Thai, Lao, Khmer, Myanmar, …) every letter, with its marks, is a word.

Source: Unicode Standard Annex #29, default word boundaries, simplified: katakana are words of one
letter each (against WB13), quotes in Hebrew abbreviations part words (WB7a to c), a colon parts
words (as in CLDR), and a mark may not follow the character inside a word (WB4).
"""

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Positions, listed, utf8
from filters.kernels import I64, INT, OUT_I32, OUT_I64, U8, helper, kernel
from filters.unicode import (
    CONNECTOR,
    DIGIT,
    FORMAT,
    IDEOGRAPH,
    LETTER,
    MARK,
    MID_BOTH,
    MID_LETTER,
    MID_NUMBER,
    read,
    table,
)


def words(texts: pa.StringArray) -> pa.ListArray:
    """The words of each text.

    Returns:
        `SPANS`: bytes of each text.  A null has no words.
    """
    body, offsets = utf8(texts)
    most = int(offsets[-1] - offsets[0] + len(texts)) // 2  # no two words of one byte touch
    starts, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    rows = np.empty(len(texts) + 1, np.int64)
    count = _words(body, offsets, table(), starts, ends, rows)
    return listed(rows, starts[:count], ends[:count])


@helper
def next_word(data: Bytes, at: int, end: int, classes: Bytes) -> tuple[int, int]:
    """The first word at or after a byte: [start, end), or (end, end) where there is none."""
    while at < end:
        kind, length = read(data, at, end, classes)
        if kind < CONNECTOR:
            at += length
            continue
        start = at
        at = _rest(data, at + length, end, kind, classes)
        if at > 0:
            return start, at
        at = -at  # connectors alone are no word
    return end, end


@helper
def _rest(data: Bytes, at: int, end: int, last: int, classes: Bytes) -> int:
    """Where a word ends after its first character, of class `last`; minus that: it is no word."""
    whole = last == IDEOGRAPH
    real = last != CONNECTOR
    while at < end:
        kind, length = read(data, at, end, classes)
        if kind >= CONNECTOR:
            if whole or kind == IDEOGRAPH:
                break
            last = kind
            real = real or kind != CONNECTOR
        elif MID_LETTER <= kind <= MID_BOTH:
            if whole or not _joins(data, at + length, end, kind, last, classes):
                break
        elif kind != MARK and kind != FORMAT:
            break
        at += length
    return at if real else -at


@helper
def _joins(data: Bytes, at: int, end: int, middle: int, last: int, classes: Bytes) -> bool:
    """Whether `middle` joins the character before it, of class `last`, and the one at a byte."""
    if at >= end:
        return False
    kind, _ = read(data, at, end, classes)
    if middle != MID_NUMBER and LETTER <= last < IDEOGRAPH and LETTER <= kind < IDEOGRAPH:
        return True
    return middle != MID_LETTER and last == DIGIT and kind == DIGIT


@kernel(INT(U8, I64, U8, OUT_I32, OUT_I32, OUT_I64))
def _words(
    data: Bytes, offsets: Offsets, classes: Bytes, starts: Positions, ends: Positions, rows: Offsets
) -> int:
    count = 0
    for row in range(len(offsets) - 1):
        rows[row] = count
        first, end = offsets[row], offsets[row + 1]
        at = first
        while True:
            start, at = next_word(data, at, end, classes)
            if start == end:
                break
            starts[count] = start - first
            ends[count] = at - first
            count += 1
    rows[-1] = count
    return count
