"""A page's tree in one pass over its bytes: its elements, and its text in pieces.

A small model of the HTML Standard's tree builder: end tags are implied where the Standard implies
them, an end tag that matches nothing is no more than a break, and formatting that is closed across
a block ends there.  What is beyond the limits is told, never silent: its text stays, with the
element around it.

Source: WHATWG, HTML Standard, section 13.2.6 (tree construction).
"""

import numpy as np

from filters.buffers import Bytes, Offsets, Out, Positions, Table
from filters.html.markup import (
    AHEAD,
    BREAK,
    BY_CLASS,
    CAPPED,
    CDATA,
    CONTENT,
    DATA,
    DEEP,
    ELEMENT,
    ELEMENTS,
    END,
    FROM,
    HEIGHT,
    IMAGES,
    KIND,
    LEAST,
    LESS,
    LEVEL,
    LONG,
    MANY,
    MOST,
    OVER,
    PARENT,
    PENDING,
    PIECE,
    PIECES,
    SEGMENTS,
    SIGN,
    START,
    TAG,
    TITLE_FROM,
    TITLE_TO,
    TO,
    TOP_LEAST,
    TOP_MOST,
    TOTAL,
    TYPED,
    Floats,
    Page,
    attributes,
    closing,
    find,
    is_letter,
    is_space,
    past_cdata,
    past_comment,
    past_tag,
    tag_at,
)
from filters.html.tags import (
    ASIDE,
    BARS,
    BASIS,
    BLOCK,
    BR,
    CLASSES,
    COMMENT,
    ENDS,
    HR,
    IMG,
    KINDS,
    NOSCRIPT,
    NOTE,
    ONCE,
    PLAINTEXT,
    PRE,
    RAW,
    SCRIPT,
    SECTION,
    SKIPPED,
    STOPS,
    TITLE,
    VOID,
    Hashes,
    hash_of,
)
from filters.kernels import helper, kernel, part, signed

DEPTH = 512  # elements open at once, as in browsers
TITLE_BYTES = 4_000  # of a title; one that is longer was not closed
FALLBACK_BYTES = 3_000  # of a noscript, beyond which it is the page itself, as in forums' software
LOW = np.uint64(0x7FFFFFFF)

_JSON_LD = hash_of(BASIS, "application/ld+json") >> 1
_PRE, _COMMENT, _NOTE = PRE, COMMENT, NOTE
_BEGIN, _ROOT = np.int64(0), np.int64(1)  # as plain numbers, helpers would be compiled for them


@helper
def _top(page: Page) -> int:
    """The innermost open element."""
    return signed(page.stack[page.at[HEIGHT] - 1])


@helper
def _pop(page: Page, height: int, at: int) -> None:
    """Close the elements from a height on, at a byte."""
    _closed(height, at, page.stack, page.elements, page.of, page.open, page.at)


@part
def _closed(
    height: int,
    at: int,
    stack: Positions,
    elements: Positions,
    of: Positions,
    open_: Positions,
    registers: Offsets,
) -> None:
    """See `_pop`."""
    while registers[HEIGHT] > height:
        registers[HEIGHT] -= 1
        element = stack[registers[HEIGHT]]
        elements[element, END] = at
        tag = elements[element, TAG]
        if open_[tag] > 0:
            open_[tag] -= 1
        group = BY_CLASS + of[CLASSES, tag]
        if group > BY_CLASS and open_[group] > 0:
            open_[group] -= 1


@helper
def _imply(page: Page, tag: int, at: int) -> None:
    """Close what a start tag implies is at its end."""
    wanted, stops = page.of[ENDS, tag], page.of[STOPS, tag]
    if not wanted or page.open[BY_CLASS + wanted] == 0:
        return
    height = page.at[HEIGHT] - 1
    while height > 0:
        other = page.elements[page.stack[height], TAG]
        if page.of[CLASSES, other] == wanted:
            _pop(page, height, at)
            return
        if page.of[KINDS, other] & stops:
            return
        height -= 1


@helper
def _flags(page: Page, tag: int) -> np.uint64:
    """What a start tag says, by its name and its attributes; they were just read."""
    own, by_tag = page.own[0], page.tag_flags[tag]
    if tag == SECTION and not page.own[1]:  # no class: by its id a chapter, called "Comments"
        own &= ~_COMMENT
    if tag == ASIDE and own & _NOTE:  # docutils writes footnotes so
        by_tag = np.uint64(0)
    return own | by_tag


@helper
def _push(page: Page, tag: int, at: int, content: int) -> None:
    """Open an element; its attributes were just read."""
    number, parent = page.at[ELEMENTS], _top(page)
    if number >= len(page.elements) or page.at[HEIGHT] >= DEPTH:
        page.open[OVER + tag] += 1
        page.at[CAPPED] |= DEEP if page.at[HEIGHT] >= DEPTH else MANY
        return
    page.elements[number, TAG], page.elements[number, PARENT] = tag, parent
    page.elements[number, LEVEL] = page.at[HEIGHT]
    page.elements[number, START], page.elements[number, CONTENT] = at, content
    page.elements[number, END] = len(page.data)
    sign = (page.own[1] ^ np.uint64(tag)) * np.uint64(0x9E3779B97F4A7C15)
    page.elements[number, SIGN] = signed((sign >> np.uint64(32)) & LOW)
    page.elements[number, IMAGES] = 0
    page.flags[number] = page.flags[parent] | _flags(page, tag)
    said = page.said
    page.scores[number, MOST], page.scores[number, LEAST] = said[0], said[1]
    page.scores[number, TOP_MOST] = max(page.scores[parent, TOP_MOST], said[0])
    page.scores[number, TOP_LEAST] = min(page.scores[parent, TOP_LEAST], said[1])
    page.scores[number, TOTAL] = page.scores[parent, TOTAL] + said[2]
    page.stack[page.at[HEIGHT]] = number
    page.at[HEIGHT] += 1
    page.at[ELEMENTS] += 1
    page.open[tag] += 1
    if page.of[CLASSES, tag]:
        page.open[BY_CLASS + page.of[CLASSES, tag]] += 1


@helper
def _left_out(page: Page, tag: int, content: int) -> int:
    """Where to go on after an element whose content is no text of the page; -1: it is one."""
    end = closing(page, tag, content)
    if tag == SCRIPT and page.at[TYPED] == _JSON_LD and page.at[DATA] < PIECES and end >= 0:
        piece = page.at[DATA]
        page.at[PIECE + 2 * piece], page.at[PIECE + 2 * piece + 1] = content, end
        page.at[DATA] += 1
    most = TITLE_BYTES if tag == TITLE else FALLBACK_BYTES if tag == NOSCRIPT else len(page.data)
    if end - content > most:
        return -1
    if end < 0:
        return -1 if page.of[KINDS, tag] & SKIPPED else len(page.data)
    if tag == TITLE and page.at[TITLE_TO] == 0:
        page.at[TITLE_FROM], page.at[TITLE_TO] = content, end
    return past_tag(page, end)


@helper
def _void(page: Page, tag: int) -> None:
    """An element without content."""
    if tag == BR:
        page.at[PENDING] = min(page.at[PENDING] + 1, 2)
    elif tag == HR:
        page.at[PENDING] = 2
    elif tag == IMG:
        page.elements[_top(page), IMAGES] += 1


@helper
def _start(page: Page, at: int) -> int:
    """A start tag: where to go on."""
    tag, name_end = tag_at(page, at + 1)
    content = attributes(page, tag, name_end)
    kind = page.of[KINDS, tag]
    if kind & (RAW | SKIPPED):
        after = _left_out(page, tag, content)
        if after >= 0:
            return after
    if kind & VOID:
        _void(page, tag)
        return content
    if kind & BLOCK:
        page.at[PENDING] = 2
    if not kind & ONCE or page.open[tag] == 0:
        _imply(page, tag, at)
        _push(page, tag, at, content)
    return content


@helper
def _unmark(page: Page, tag: int) -> None:
    """End a format across blocks: what follows in the open ones is no link, or not bold."""
    page.open[tag] = 0
    if page.of[CLASSES, tag]:
        page.open[BY_CLASS + page.of[CLASSES, tag]] = 0
    for height in range(1, page.at[HEIGHT]):
        page.flags[page.stack[height]] &= ~page.tag_flags[tag]


@helper
def _close(page: Page, tag: int, at: int) -> None:
    """Close the innermost element of a tag that is open, if nothing bars the way."""
    height = page.at[HEIGHT] - 1
    while height > 0:
        other = page.elements[page.stack[height], TAG]
        if other == tag:
            _pop(page, height, at)
            return
        if page.of[KINDS, other] & page.of[BARS, tag]:
            break
        height -= 1
    if not page.of[KINDS, tag] & BLOCK:
        _unmark(page, tag)


@helper
def _end(page: Page, at: int) -> int:
    """An end tag: where to go on."""
    tag, name_end = tag_at(page, at + 2)
    kind = page.of[KINDS, tag]
    if kind & BLOCK:
        page.at[PENDING] = 2
    if kind & VOID:
        _void(page, tag)
    elif page.open[OVER + tag] > 0:
        page.open[OVER + tag] -= 1
    elif page.open[tag] > 0 and not kind & ONCE:
        _close(page, tag, at)
    return past_tag(page, name_end)


@helper
def _text(page: Page, at: int, end: int) -> None:
    """Keep a run of text, unless it is nothing but white space between blocks."""
    element, first, data = _top(page), at, page.data
    preserved = page.flags[element] & _PRE
    while first < end and is_space(data[first]):
        first += 1
    if first == end and page.at[PENDING] and not preserved:
        return
    count = page.at[SEGMENTS]
    if count >= len(page.segments):
        page.at[CAPPED] |= LONG
        return
    page.segments[count, FROM], page.segments[count, TO] = at, end
    page.segments[count, ELEMENT], page.segments[count, BREAK] = element, page.at[PENDING]
    page.segments[count, KIND] = signed(page.flags[element] & LOW)
    page.at[SEGMENTS] += 1
    page.at[PENDING] = 0


@helper
def _is_markup(data: Bytes, at: int) -> bool:
    """Whether a ``<`` begins a tag or a comment, and is no text."""
    if at + 1 >= len(data):
        return False
    byte = data[at + 1]
    if byte == 47:
        return at + 2 < len(data)
    return is_letter(byte) or byte in (33, 63)


@helper
def _markup(page: Page, at: int) -> int:
    """A tag or a comment: where to go on."""
    byte = page.data[at + 1]
    if is_letter(byte):
        return _start(page, at)
    if byte == 47:
        return _end(page, at) if is_letter(page.data[at + 2]) else past_tag(page, at)
    end = past_cdata(page, at)
    if end < 0:
        return past_comment(page, at)
    _text(page, at + len(CDATA), end)
    return end + 3


@kernel
def parse(
    data: Bytes,
    tags: Table[np.uint64],
    names: Table[np.uint64],
    of: Table[np.int32],
    tag_flags: Hashes,
    words: Table[np.uint64],
    word_scores: Floats,
    elements: Out[Table[np.int32]],
    flags: Out[Hashes],
    scores: Out[Table[np.float32]],
    segments: Out[Table[np.int32]],
    stack: Out[Positions],
    open_: Out[Positions],
    own: Out[Hashes],
    said: Out[Floats],
    at: Out[Offsets],
) -> None:
    """Read a page; see `filters.html.markup.Page`.  The first element is the page."""
    page = Page(
        *(data, tags, names, of, tag_flags, words, word_scores, elements, flags, scores),
        *(segments, stack, open_, own, said, at),
    )
    open_[:], at[:AHEAD], at[AHEAD:] = 0, 0, -1
    elements[0, :], flags[0], scores[0, :] = 0, np.uint64(0), np.float32(0)
    elements[0, PARENT], elements[0, END] = -1, len(data)
    stack[0] = 0
    at[HEIGHT], at[ELEMENTS], at[PENDING] = 1, 1, 2
    text = int(_BEGIN)
    place = find(data, text, LESS)
    while text < len(data):
        if place == len(data) or _is_markup(data, place):
            if place > text:
                _text(page, text, place)
            text = _markup(page, place) if place < len(data) else place
            plain = elements[_top(page), TAG] == PLAINTEXT  # what follows is no mark-up
            place = len(data) if plain else find(data, text, LESS)
        else:
            place = find(data, place + 1, LESS)
    _pop(page, int(_ROOT), len(data))
