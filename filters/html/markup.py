"""A page's mark-up, byte by byte: tags, what their attributes say, comments.

What is never closed is never believed to go on: an attribute without its quote ends with the tag, a
comment without its end at the next ``>``, and an element that would be left out stays.  Where a
search for an end has failed, it is not made again, so the work is linear in the bytes of the page.

Source: WHATWG, HTML Standard, section 13.2.5 (tokenization).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Positions
from filters.html.tags import (
    BASIS,
    CLASS,
    COMMENT,
    DT,
    H1,
    HIDDEN,
    HIDE,
    ID,
    KINDS,
    LAST_HEADING,
    OF_ATTRIBUTE,
    OF_NAME,
    OF_PART,
    OF_PROP,
    OF_ROLE,
    OF_TAG,
    PRIME,
    PROP,
    RAW,
    ROLE,
    SKIPPED,
    STYLE,
    TAGS,
    TYPE,
    Hashes,
)
from filters.kernels import helper, part, signed
from filters.registers import EACH, eight, equal, lowest_bit

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

TAG, PARENT, LEVEL, START, CONTENT, END, SIGN, IMAGES = range(8)
"""Columns of elements: tag, parent, elements open around it, byte of its tag, byte after it, byte
where its content ends, hash of its tag and classes, how many images it holds."""

MOST, LEAST, TOP_MOST, TOP_LEAST, TOTAL = range(5)
"""Columns of scores: the highest and lowest of an element's own words; of all around it and itself;
their sum."""

FROM, TO, ELEMENT, BREAK, KIND = range(5)
"""Columns of segments: bytes of a run of text, the innermost element, what parts it from the one
before (0: nothing, 1: a line, 2: a block), low bits of its flags."""

HEIGHT, ELEMENTS, SEGMENTS, PENDING, CAPPED, TITLE_FROM, TITLE_TO = range(7)
NO_DOUBLE, NO_SINGLE, NO_COMMENT, NO_CDATA, DATA, TYPED, PIECE = range(7, 14)
PIECES = 8  # of JSON-LD
AHEAD = PIECE + 2 * PIECES
REGISTERS = AHEAD + len(TAGS)
"""Registers: open elements; elements, segments so far; the break before what comes; what was left
out (`MANY`, `LONG`, `DEEP`); bytes of the title; whether no such end is ahead; pieces of JSON-LD so
far; hash of the type of the tag; bytes of each piece, from and to by turns; where the next end of a
tag is, by tag, before the place: not known."""

BY_CLASS = len(TAGS)
OVER = BY_CLASS + 16
"""Of `Page.open`, after the tags: by class; not opened for depth or number, by tag."""

MANY, LONG, DEEP = 1, 2, 4
"""Of a page: more elements, more pieces of text, more depth than is kept."""

LONGEST = 2_000  # bytes of a class or style that are looked at

LESS, MORE = np.uint8(60), np.uint8(62)
"""``<`` and ``>``: as plain numbers, `find` would be compiled for each of them."""

_BASIS, _PRIME, _ONE = np.uint64(BASIS), np.uint64(PRIME), np.uint64(1)
_OF_TAG, _OF_ATTRIBUTE, _OF_PART, _OF_NAME, _OF_ROLE, _OF_PROP = map(
    np.uint64, (OF_TAG, OF_ATTRIBUTE, OF_PART, OF_NAME, OF_ROLE, OF_PROP)
)
_HIDDEN, _COMMENT = HIDDEN, COMMENT
_DISPLAY, _NONE = tuple(b"display"), tuple(b"none")
CDATA = tuple(b"<![CDATA[")


class Page(NamedTuple):
    """A page and what is known of it so far: all that the helpers share.

    Attributes:
        data: UTF-8.
        tags, names: of tags, of attributes, see `filters.html.tags.table`.
        of, tag_flags: by tag, see `filters.html.tags.Known`.
        words, word_scores: see `filters.html.tags.Words`.
        elements: shape (most, 8).
        flags: shape (most,), bits of an element and of those around it.
        scores: shape (most, 5).
        segments: shape (most, 5).
        stack: numbers of the open elements, outermost first.
        open: how many are open, by tag; by class, and others from `BY_CLASS` on.
        own: bits and sign of the tag at hand.
        said: highest, lowest and sum of the scores of its words.
        at: registers.
    """

    data: Bytes
    tags: Hashes
    names: Hashes
    of: Positions
    tag_flags: Hashes
    words: Hashes
    word_scores: Floats
    elements: Positions
    flags: Hashes
    scores: Floats
    segments: Positions
    stack: Positions
    open: Positions
    own: Hashes
    said: Floats
    at: Offsets


@part
def find(data: Bytes, at: int, byte: int | np.uint8) -> int:
    """Where a byte is next, from there on; the end where it is not."""
    wanted = EACH * np.uint64(byte)
    while at + 8 <= len(data):
        found = equal(eight(data, at), wanted)
        if found:
            return at + (lowest_bit(found) >> 3)
        at += 8
    while at < len(data) and data[at] != byte:
        at += 1
    return at


@helper
def is_space(byte: int) -> bool:
    """Whether a byte is white space of HTML."""
    return byte == 32 or byte == 10 or byte == 9 or byte == 13 or byte == 12


@helper
def is_letter(byte: int) -> bool:
    """Whether a byte is a letter of ASCII."""
    return 97 <= (byte | 32) <= 122


@helper
def lower(byte: int) -> int:
    """A byte, in lower case if it is a letter of ASCII."""
    return byte | 32 if 65 <= byte <= 90 else byte


@helper
def more(value: np.uint64, byte: int) -> np.uint64:
    """The hash of a name with one byte more."""
    return (value ^ np.uint64(byte)) * _PRIME


@part
def place(key: np.uint64, keys: Hashes) -> int:
    """Where a hash is in an open-addressed table; -1: nowhere."""
    mask = np.uint64(len(keys) - 1)
    at = key & mask
    while keys[at]:
        if keys[at] == key:
            return signed(at)
        at = (at + _ONE) & mask
    return -1


@helper
def tag_at(page: Page, at: int) -> tuple[int, int]:
    """The tag whose name begins there: its number, and where the name ends."""
    return _tag(page.data, at, page.tags)


@part
def _tag(data: Bytes, at: int, tags: Hashes) -> tuple[int, int]:
    """See `tag_at`."""
    value = _OF_TAG
    while at < len(data) and not (is_space(data[at]) or data[at] == 47 or data[at] == 62):
        value = more(value, lower(signed(data[at])))
        at += 1
    found = place(max(value, _ONE), tags[0])
    return (signed(tags[1, found]) if found >= 0 else 0), at


@helper
def _say(page: Page, key: np.uint64) -> None:
    """Take in what a word of an element's class says."""
    _add(key, page.words, page.word_scores, page.own, page.said)


@part
def _add(key: np.uint64, words: Hashes, scores: Floats, own: Hashes, said: Floats) -> None:
    """See `_say`."""
    found = place(max(key, _ONE), words[0])
    if found >= 0:
        own[0] |= words[1, found]
        said[0] = max(said[0], scores[found])
        said[1] = min(said[1], scores[found])
        said[2] += scores[found]


@part
def _class(page: Page, at: int, end: int, signs: bool) -> None:
    """Take in the names in a class or id, whole and by their parts: post-body, postBody."""
    part, name, before, data = _OF_PART, _OF_NAME, 32, page.data
    sign = np.uint64(0)
    while at <= end:
        byte = signed(data[at]) if at < end else 32
        low = lower(byte)
        inside = is_letter(byte) or byte > 127
        if not inside or (65 <= byte <= 90 and 97 <= before <= 122):
            if part != _OF_PART:
                _say(page, part)
            part = _OF_PART
        if inside:
            part = more(part, low)
        if not is_space(byte):
            name = more(name, low)
        elif name != _OF_NAME:
            _say(page, name)
            sign ^= name
            name = _OF_NAME
        before = byte
        at += 1
    if signs:
        page.own[1] ^= sign


@part
def _value(data: Bytes, basis: np.uint64, at: int, end: int) -> np.uint64:
    """The hash of a whole value without white space around it, in lower case."""
    value = basis
    for i in range(at, end):
        if not is_space(data[i]):
            value = more(value, lower(signed(data[i])))
    return value


@part
def _hides(data: Bytes, at: int, end: int) -> bool:
    """Whether a style says ``display: none``."""
    start, size = at, len(_DISPLAY)
    while at + size < end:
        same = 0
        while same < size and data[at + same] | 32 == _DISPLAY[same]:
            same += 1
        at += max(same, 1)
        alone = at - same == start or is_space(data[at - same - 1]) or data[at - same - 1] == 59
        if same == size and alone:
            while at < end and (is_space(data[at]) or data[at] == 58):
                at += 1
            word = 0
            while word < 4 and at + word < end and data[at + word] | 32 == _NONE[word]:
                word += 1
            return word == 4
    return False


@helper
def _is_named(data: Bytes, tag: int, at: int, end: int) -> bool:
    """Whether an id is a name that is told of: of a heading, a term, or with a full stop in it."""
    if H1 <= tag <= LAST_HEADING or tag == DT:
        return True
    while at < end and data[at] != 46:
        at += 1
    return at < end


@helper
def _attribute(page: Page, tag: int, kind: int, at: int, end: int) -> None:
    """Take in what an attribute of a tag says."""
    if kind in (CLASS, ID):
        before, end = page.own[0], min(end, at + LONGEST)
        _class(page, at, end, kind == CLASS)
        if kind == ID and _is_named(page.data, tag, at, end):
            page.own[0] &= before | ~_COMMENT
    elif kind in (ROLE, PROP):
        _say(page, _value(page.data, _OF_ROLE if kind == ROLE else _OF_PROP, at, end))
    elif kind == HIDE or (kind == STYLE and _hides(page.data, at, min(end, at + LONGEST))):
        page.own[0] |= _HIDDEN
    elif kind == TYPE:
        page.at[TYPED] = signed(_value(page.data, _BASIS, at, end) >> _ONE)


@helper
def _quoted(page: Page, at: int) -> int:
    """Where the value ends whose opening quote is there; -1 where it is never closed."""
    quote = page.data[at]
    register = NO_DOUBLE if quote == 34 else NO_SINGLE
    if page.at[register]:
        return -1
    end = find(page.data, at + 1, quote)
    if end == len(page.data):
        page.at[register] = 1
        return -1
    return end


@helper
def attributes(page: Page, tag: int, at: int) -> int:
    """Take in the attributes of a tag, from the end of its name on: where the tag ends."""
    data = page.data
    page.own[:] = np.uint64(0)
    page.said[:] = np.float32(0)
    page.at[TYPED] = 0
    while at < len(data) and data[at] != 62:
        if is_space(data[at]) or data[at] == 47:
            at += 1
            continue
        value, first = _OF_ATTRIBUTE, at
        while at < len(data) and not (is_space(data[at]) or data[at] == 62 or data[at] == 47):
            if data[at] == 61 and at > first:
                break
            value = more(value, lower(signed(data[at])))
            at += 1
        kind = place(max(value, _ONE), page.names[0])
        while at < len(data) and is_space(data[at]):
            at += 1
        begin = end = at
        if at < len(data) and data[at] == 61:
            begin, end, at = _given(page, at + 1)
        if kind >= 0:
            _attribute(page, tag, signed(page.names[1, kind]), begin, end)
    return min(at + 1, len(data))


@helper
def _given(page: Page, at: int) -> tuple[int, int, int]:
    """The value after an equals sign: its bytes, and where to go on."""
    data = page.data
    while at < len(data) and is_space(data[at]):
        at += 1
    if at < len(data) and (data[at] == 34 or data[at] == 39):
        end = _quoted(page, at)
        if end >= 0:
            return at + 1, end, end + 1
    begin = at
    while at < len(data) and not is_space(data[at]) and data[at] != 62:
        at += 1
    return begin, at, at


@helper
def past_tag(page: Page, at: int) -> int:
    """Where a tag ends whose attributes do not matter."""
    return min(find(page.data, at, MORE) + 1, len(page.data))


@helper
def past_comment(page: Page, at: int) -> int:
    """Where a comment ends, or whatever else begins with ``<!`` or ``<?``."""
    data = page.data
    if at + 3 >= len(data) or data[at + 1] != 33 or data[at + 2] != 45 or data[at + 3] != 45:
        return past_tag(page, at)
    end = at + 4
    if end < len(data) and data[end] == 62:
        return end + 1
    while not page.at[NO_COMMENT]:
        end = find(data, end, MORE)
        if end == len(data):
            page.at[NO_COMMENT] = 1
        else:
            last = end - 2 if data[end - 1] == 33 else end - 1  # --!> will do
            if data[last] == 45 and data[last - 1] == 45:
                return end + 1
        end += 1
    return past_tag(page, at)


@helper
def past_cdata(page: Page, at: int) -> int:
    """Where the ``]]>`` is that ends what XML calls a CDATA section; -1: there is none."""
    data, end = page.data, at + len(CDATA)
    if page.at[NO_CDATA] or end > len(data):
        return -1
    for i in range(len(CDATA)):
        if data[at + i] != CDATA[i]:
            return -1
    while end < len(data):
        end = find(data, end, MORE)
        if end < len(data) and data[end - 1] == 93 and data[end - 2] == 93:
            return end - 2
        end += 1
    page.at[NO_CDATA] = 1
    return -1


@helper
def closing(page: Page, tag: int, at: int) -> int:
    """Where the end tag begins of what is left out from there on; -1 where it is not closed.

    What begins again before it ends is not closed either, unless its content is no mark-up.
    """
    if page.at[AHEAD + tag] >= at:
        return page.at[AHEAD + tag] if page.at[AHEAD + tag] < len(page.data) else -1
    data, raw = page.data, page.of[KINDS, tag] & (RAW | SKIPPED) == RAW
    begin = at
    while True:
        at = find(data, at, LESS)
        if at + 2 >= len(data):
            page.at[AHEAD + tag] = len(data)
            return -1
        ends = data[at + 1] == 47
        if ends or (not raw and is_letter(data[at + 1])):
            found, _ = tag_at(page, at + 1 + int(ends))
            if found == tag:
                return at if ends and at >= begin else -1
        at += 1
