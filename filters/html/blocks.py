"""The blocks of a page, the runs of text that a reader sees as one, and what is counted in them.

A block begins and ends where an element of the kind begins or ends that stands by itself, and at
two line breaks.  Words are told roughly, by bytes: these counts only feed `filters.html.features`.
"""

import numpy as np

from filters.buffers import Bytes, Offsets, Out, Positions, Table
from filters.html.markup import (
    BREAK,
    CAPPED,
    DATA,
    ELEMENT,
    FROM,
    KIND,
    LONG,
    PARENT,
    PIECE,
    SEGMENTS,
    TAG,
    TITLE_FROM,
    TITLE_TO,
    TO,
    lower,
    more,
    place,
)
from filters.html.tags import BLOCK, BOLD, LINK, OF_TAG, Hashes
from filters.kernels import helper, kernel, part
from filters.kernels import signed as number

(FIRST, LAST, OWNER, CHARS, WORDS, LINKED, LINKS, COMMAS, STOPS, DIGITS) = range(10)
(CAPITALS, QUOTES, BOLDED, WIDE, MARKS, LINES, TITLED, TOLD, ENDS, HASH) = range(10, 20)
COLUMNS = 20
"""Of a block: segments from, to; the element that stands by itself around its beginning; characters
but for white space; words; characters in links; links; commas; ends of sentences; digits; capitals
at the beginning of words; quotes; bold characters; characters of scripts without spaces; other
signs; line breaks; words of the title; words that JSON-LD has as well; whether it ends a sentence;
hash of its words."""

SPACE, LETTER, CAPITAL, DIGIT, COMMA, STOP, QUOTE, MARK, ENTITY, BEYOND = range(10)
"""What a byte is."""

TITLE_WORDS, TOLD_WORDS = 100, 8_000  # at most, in tables of at least twice as many
BODY_WORDS = 1_000  # of one articleBody
TITLE_SLOTS, TOLD_SLOTS = 256, 16_384
LONGEST_ENTITY = 10  # bytes
_START = np.uint64(OF_TAG)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_LINK, _BOLD = int(LINK), int(BOLD)
_KEY = tuple(b'"articleBody"')


def classes() -> Bytes:
    """What each byte is, shape (256,)."""
    made = np.full(256, MARK, np.uint8)
    kinds = {
        SPACE: bytes(range(33)) + b"\x7f",
        CAPITAL: bytes(range(65, 91)),
        LETTER: bytes(range(97, 123)) + b"_",
        DIGIT: b"0123456789",
        COMMA: b",;",
        STOP: b".!?:",
        QUOTE: b"\"'",
        ENTITY: b"&",
        BEYOND: bytes(range(128, 256)),
    }
    for kind, those in kinds.items():
        made[np.frombuffer(those, np.uint8)] = kind
    return made


@part
def _beyond(data: Bytes, at: int, end: int) -> tuple[int, int, bool]:
    """A character that is not ASCII: what it is, its bytes, whether its script has no spaces."""
    lead = number(data[at])
    size = 1 if lead < 0xC2 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    size = min(size, end - at)
    if size == 2:
        point = (lead & 31) << 6 | (number(data[at + 1]) & 63)
        if point == 0xA0:
            return SPACE, size, False
        if point in (0xAB, 0xBB):
            return QUOTE, size, False
        if point in (0x60C, 0x61B):
            return COMMA, size, False
        return (STOP if point == 0x61F else LETTER), size, False
    if size == 3:
        point = (lead & 15) << 12 | (number(data[at + 1]) & 63) << 6 | (number(data[at + 2]) & 63)
        return _third(point), size, 0xE00 <= point <= 0xE7F or 0x3005 <= point <= 0x9FFF
    return (
        (LETTER if size == 4 else MARK),
        size,
        size == 4 and lead == 0xF0 and data[at + 1] >= 0xA0,
    )


@helper
def _third(point: int) -> int:
    """What a character of three bytes is."""
    if 0x2018 <= point <= 0x201F or 0x300C <= point <= 0x300F:
        return QUOTE
    if point in (0x2002, 0x2003, 0x2009, 0x200A, 0x202F, 0x3000, 0x2028, 0x2029):
        return SPACE
    if point in (0x3001, 0xFF0C, 0xFF1B):
        return COMMA
    if point in (0x3002, 0xFF01, 0xFF1F, 0xFF0E, 0x964, 0x2026):
        return STOP
    return MARK if 0x2010 <= point <= 0x2BFF or 0xFF00 <= point <= 0xFF20 else LETTER


@part
def _entity(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """What an ampersand begins: a space, a letter, or a sign; and how many bytes that are."""
    stop = min(end, at + LONGEST_ENTITY)
    for i in range(at + 1, stop):
        if data[i] == 59:
            blank = i - at == 5 and data[at + 1] == 110 and data[at + 2] == 98  # &nbsp;
            return (SPACE if blank else LETTER), i + 1 - at
    return MARK, 1


@helper
def _character(data: Bytes, at: int, end: int, kinds: Bytes) -> tuple[int, int, bool]:
    """A character: what it is, its bytes, whether it is a word by itself."""
    kind = number(kinds[data[at]])
    if kind == ENTITY:
        kind, size = _entity(data, at, end)
        return kind, size, False
    if kind == BEYOND:
        return _beyond(data, at, end)
    return kind, 1, False


@helper
def _put(keys: Hashes, value: np.uint64) -> None:
    """Put a hash into a table that has room."""
    mask = np.uint64(len(keys) - 1)
    at = value & mask
    while keys[at] and keys[at] != value:
        at = (at + np.uint64(1)) & mask
    keys[at] = value


@part
def _collect(data: Bytes, at: int, end: int, kinds: Bytes, keys: Hashes, most: int) -> int:
    """Put the words of a text into a table, up to so many: how many."""
    value, count = _START, 0
    while at <= end and count < most:
        kind, size, alone = SPACE, 1, False
        if at < end:
            kind, size, alone = _character(data, at, end, kinds)
            if data[at] == 92 and at + 1 < end:  # an escape of JSON
                kind, size = SPACE, 2
        letter = kind in (LETTER, CAPITAL, DIGIT)
        if value != _START and (alone or not letter):
            _put(keys, value | np.uint64(1))
            count += 1
            value = _START
        if letter:
            for i in range(at, at + size):
                value = more(value, lower(number(data[i])))
        at += size
    return count


@helper
def _told(data: Bytes, at: int, end: int, kinds: Bytes, keys: Hashes, room: int) -> int:
    """Put the words of each articleBody of a piece of JSON-LD into a table: what room is left."""
    size = len(_KEY)
    while at + size < end:
        same = 0
        while same < size and data[at + same] == _KEY[same]:
            same += 1
        at += max(same, 1)
        if same < size:
            continue
        while at < end and data[at] != 34:
            at += 1
        begin = at + 1
        at = begin
        while at < end and data[at] != 34:
            at += 2 if data[at] == 92 else 1
        room -= _collect(data, begin, min(at, end), kinds, keys, min(room, BODY_WORDS))
    return room


@part
def _word(block: Positions, value: np.uint64, title: Hashes, told: Hashes) -> np.uint64:
    """Take in a word that has ended."""
    key = value | np.uint64(1)
    if place(key, title) >= 0:
        block[TITLED] += 1
    if place(key, told) >= 0:
        block[TOLD] += 1
    mixed = (np.uint64(number(block[HASH])) ^ value) * _MIX
    block[HASH] = np.int32(number(mixed >> np.uint64(33)))
    block[WORDS] += 1
    return _START


@helper
def _count(
    data: Bytes, segment: Positions, kinds: Bytes, block: Positions, title: Hashes, told: Hashes
) -> None:
    """Count what a run of text adds to its block."""
    before = block[CHARS]
    _letters(data, segment[FROM], segment[TO], kinds, block, title, told)
    block[LINES] += segment[BREAK] == 1
    if segment[KIND] & _LINK:
        block[LINKED] += block[CHARS] - before
    if segment[KIND] & _BOLD:
        block[BOLDED] += block[CHARS] - before


@helper
def _letters(
    data: Bytes, at: int, end: int, kinds: Bytes, block: Positions, title: Hashes, told: Hashes
) -> None:
    """Count characters and words of a run of text."""
    value = _START
    while at < end:
        kind, size, alone = _character(data, at, end, kinds)
        letter = kind in (LETTER, CAPITAL, DIGIT)
        if value != _START and (alone or not letter):
            value = _word(block, value, title, told)
        if kind != SPACE:
            block[CHARS] += 1
            block[ENDS] = int(kind == STOP or (kind == QUOTE and block[ENDS] == 1))
        if letter:
            if value == _START and kind == CAPITAL:
                block[CAPITALS] += 1
            for i in range(at, at + size):
                value = more(value, lower(number(data[i])))
        block[DIGITS] += int(kind == DIGIT)
        block[COMMAS] += int(kind == COMMA)
        block[STOPS] += int(kind == STOP)
        block[QUOTES] += int(kind == QUOTE)
        block[MARKS] += int(kind == MARK)
        block[WIDE] += int(alone)
        at += size
    if value != _START:
        _word(block, value, title, told)


@helper
def _begin(
    block: Positions, segment: int, element: int, elements: Positions, of: Positions
) -> None:
    """An empty block from a segment on."""
    block[:] = 0
    while elements[element, PARENT] >= 0 and not of[elements[element, TAG]] & BLOCK:
        element = elements[element, PARENT]
    block[FIRST], block[OWNER] = segment, element


@kernel
def count(
    data: Bytes,
    kinds: Bytes,
    of: Positions,
    elements: Table[np.int32],
    segments: Table[np.int32],
    title: Out[Hashes],
    told: Out[Hashes],
    blocks: Out[Table[np.int32]],
    at: Out[Offsets],
) -> int:
    """The blocks of a page: how many.

    Args:
        data: the page.
        kinds: see `classes`.
        of: kinds of tags.
        elements: see `filters.html.markup.Page`.
        segments: see there.
        title: shape (TITLE_SLOTS,); overwritten.
        told: shape (TOLD_SLOTS,); overwritten.
        blocks: shape (most, COLUMNS); the answer.
        at: registers of the page.
    """
    title[:], told[:] = np.uint64(0), np.uint64(0)
    _collect(data, at[TITLE_FROM], at[TITLE_TO], kinds, title, TITLE_WORDS)
    room = TOLD_WORDS
    for piece in range(at[DATA]):
        begin = PIECE + 2 * piece
        room = _told(data, at[begin], at[begin + 1], kinds, told, room)
    made, link = -1, -1
    for i in range(at[SEGMENTS]):
        if made < 0 or segments[i, BREAK] == 2:
            if made >= 0 and blocks[made, CHARS] == 0:
                made -= 1
            if made + 1 == len(blocks):
                at[CAPPED] |= LONG
                break
            made += 1
            _begin(blocks[made], i, segments[i, ELEMENT], elements, of)
        _count(data, segments[i], kinds, blocks[made], title, told)
        blocks[made, LAST] = i + 1
        if segments[i, KIND] & _LINK:
            blocks[made, LINKS] += link != segments[i, ELEMENT]
            link = segments[i, ELEMENT]
    if made >= 0 and blocks[made, CHARS] == 0:
        made -= 1
    return made + 1
