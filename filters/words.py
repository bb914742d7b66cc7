"""The one tokenisation: where the words of a text are.  Every text measure counts these words.

A word is a run of letters, marks, digits and connectors (``_``) that holds a letter or a digit.
One character that stands inside words stays in: an apostrophe, a full stop or a middle dot between
two letters (don't, example.com, and of "U.S." all but the last stop), an apostrophe, a full stop, a
comma or a semicolon between two digits (3.14, 1,000).  In scripts that put no space between words
(Han, kana, Thai, Lao, Khmer, Myanmar, …) every letter, with its marks, is a word: counts of words
are counts of letters there, more than a dictionary would find, and n-grams are runs of letters.

Source: Unicode Standard Annex #29, default word boundaries, simplified: katakana are words of one
letter each (against WB13), quotes in Hebrew abbreviations part words (WB7a to c), a colon parts
words (as in CLDR), and a mark may not follow the character inside a word (WB4).  It breaks between
all Han and hiragana, and leaves the scripts of class SA (Annex #14) to a dictionary; there is none.
"""

from functools import cache

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Out, Positions, listed, utf8
from filters.kernels import helper, kernel, longest, signed
from filters.registers import EACH, HIGH, eight, gathered, lowest_bit
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
    kinds_of,
    read,
    table,
)

# What a byte is, as flags; all bytes of a character have the same, save BEGINS.
WORD = 1  # of a word
OF_LETTER, OF_DIGIT = 2, 4
BEGINS = 8  # a word, though one ends before it: an ideograph, and what follows one
JOINS_LETTERS, JOINS_DIGITS = OF_LETTER << 3, OF_DIGIT << 3
CONNECTS = 64
WIDE = 128  # begins or goes on with a character that is not ASCII, and is not looked at yet

INHERITED = WORD | OF_LETTER | OF_DIGIT | CONNECTS  # by a mark from what it stands on
LEAD = 8  # bytes before the flags of a text, and more than a block of them after it: all 0
ROOM = LEAD + 80
OF_CLASS = 256
OF_TWO = OF_CLASS + IDEOGRAPH + 1 - 0x80  # where `known_flags` has that of code point 0

ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
BEGINNINGS, CONNECTIONS = np.uint64(BEGINS) * EACH, np.uint64(CONNECTS) * EACH


def words(texts: pa.StringArray) -> pa.ListArray:
    """The words of each text.

    Returns:
        `SPANS`: bytes of each text.  A null has no words.
    """
    body, offsets = utf8(texts)
    most = int(offsets[-1] - offsets[0] + len(texts)) // 2  # no two words of one byte touch
    starts, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    rows = np.empty(len(texts) + 1, np.int64)
    count = _words(body, offsets, table(), known_flags(), starts, ends, rows)
    return listed(rows, starts[:count], ends[:count])


@cache
def known_flags() -> Bytes:
    """The flags of each byte by its value, of each class, of each character of two bytes.

    Returns:
        shape (256 + 17 + 1920,); `WIDE` where its neighbours decide.
    """
    of_class = np.zeros(IDEOGRAPH + 1, np.uint8)
    of_class[LETTER:IDEOGRAPH] = WORD | OF_LETTER
    of_class[DIGIT] = WORD | OF_DIGIT
    of_class[CONNECTOR] = WORD | CONNECTS
    of_class[IDEOGRAPH] = WORD | BEGINS
    of_class[[MID_LETTER, MID_BOTH]] |= JOINS_LETTERS
    of_class[[MID_NUMBER, MID_BOTH]] |= JOINS_DIGITS
    kinds = kinds_of(np.arange(0x800))
    plain = (kinds < MID_LETTER) | ((kinds > FORMAT) & (kinds < IDEOGRAPH))
    of_two = np.where(plain, of_class[kinds], WIDE)[0x80:].astype(np.uint8)
    wide = np.full(256 - WIDE, WIDE, np.uint8)
    return np.concatenate([of_class[kinds[:WIDE]], wide, of_class, of_two])


@helper
def split(
    data: Bytes, begin: int, end: int, classes: Bytes, known: Bytes, flags: Bytes, edges: Positions
) -> int:
    """Where the words of one text begin and end: edges in turn, counted from its first byte.

    Args:
        data: bytes of all texts; this one's are [begin, end).
        begin: its first byte.
        end: where it ends.
        classes: see `filters.unicode`.
        known: see `known_flags`.
        flags: room for as many bytes and `ROOM` more.
        edges: room for as many and two more.

    Returns:
        how many edges there are, two a word.
    """
    size = end - begin
    flags[:LEAD] = 0
    for i in range(size):
        flags[LEAD + i] = known[data[begin + i]]
    flags[LEAD + size : ROOM + size] = 0
    _widen(data, begin, end, classes, known, flags)
    count, connects, inside = 0, False, np.uint64(0)
    for base in range(0, size + 1, 64):
        word, seen = np.uint64(0), np.uint64(0)
        for i in range(0, 64, 8):
            at = LEAD + base + i
            mine = eight(flags, at)
            joined = mine >> THREE & eight(flags, at - 1) & eight(flags, at + 1)
            bits = (mine | joined >> ONE | joined >> TWO) & EACH
            word |= gathered(bits) << np.uint64(i)
            seen |= mine
        before = word << ONE | inside
        inside = word >> np.uint64(63)
        twice = word & before
        if seen & BEGINNINGS:
            twice &= _beginnings(flags, LEAD + base)
        else:
            twice = np.uint64(0)
        connects = connects or seen & CONNECTIONS != 0
        left = (word ^ before) | twice
        while left:
            bit = left & (~left + ONE)
            edges[count] = base + lowest_bit(left)
            count += 1
            if twice & bit:
                edges[count] = edges[count - 1]
                count += 1
            left ^= bit
    return _real(flags, edges, count) if connects else count


@helper
def _beginnings(flags: Bytes, at: int) -> np.uint64:
    """Which of 64 bytes begin a word in any case."""
    found = np.uint64(0)
    for i in range(0, 64, 8):
        bits = eight(flags, at + i) >> THREE & EACH
        found |= gathered(bits) << np.uint64(i)
    return found


@helper
def _real(flags: Bytes, edges: Positions, count: int) -> int:
    """The edges without words that are connectors alone: how many are left."""
    left = 0
    for i in range(0, count, 2):
        at = edges[i]
        while at < edges[i + 1] and flags[LEAD + at] & CONNECTS:
            at += 1
        if at < edges[i + 1]:
            edges[left], edges[left + 1] = edges[i], edges[i + 1]
            left += 2
    return left


@helper
def _widen(data: Bytes, begin: int, end: int, classes: Bytes, known: Bytes, flags: Bytes) -> None:
    """The flags of the characters that are not ASCII, from left to right."""
    at = begin
    while at < end:
        wide = eight(flags, LEAD + at - begin) & HIGH
        at += lowest_bit(wide) >> 3 if wide else 8
        while at < end and data[at] >= WIDE:
            to = LEAD + at - begin
            first, second = signed(data[at]), signed(data[at + 1]) if at + 1 < end else 0
            if 0xC2 <= first < 0xE0 and second & 0xC0 == 0x80:
                mine = known[OF_TWO + ((first & 0x1F) << 6 | (second & 0x3F))]
                if mine < WIDE:
                    flags[to], flags[to + 1] = mine | flags[to] & BEGINS, mine
                    at += 2
                    continue
            kind, length = read(data, at, end, classes)
            after = 0
            if MID_LETTER <= kind <= MID_BOTH and at + length < end:
                after = known[OF_CLASS + read(data, at + length, end, classes)[0]]
            _put(kind, known[OF_CLASS + kind], after, length, flags, to)
            at += length


@helper
def _put(kind: int, mine: int, after: int, length: int, flags: Bytes, to: int) -> None:
    """Set the flags of one character, by those of its neighbours; what joins is settled here."""
    before, begins = flags[to - 1], flags[to] & BEGINS
    if kind in (MARK, FORMAT):
        mine = before & INHERITED
        flags[to + length] |= begins
        begins = 0
    elif MID_LETTER <= kind <= MID_BOTH:
        mine = WORD | OF_LETTER if mine >> 3 & before & after else 0
    elif kind == IDEOGRAPH:
        flags[to + length] |= BEGINS
    flags[to] = mine | begins
    for i in range(1, length):
        flags[to + i] = mine & ~BEGINS


@kernel
def _words(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    known: Bytes,
    starts: Out[Positions],
    ends: Out[Positions],
    rows: Out[Offsets],
) -> int:
    most = longest(offsets)
    flags, edges = np.empty(most + ROOM, np.uint8), np.empty(most + 2, np.int32)
    count = 0
    for row in range(len(offsets) - 1):
        rows[row] = count
        found = split(data, offsets[row], offsets[row + 1], classes, known, flags, edges)
        for i in range(0, found, 2):
            starts[count], ends[count] = edges[i], edges[i + 1]
            count += 1
    rows[-1] = count
    return count
