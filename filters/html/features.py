"""What is said of a block by itself, by the elements around it, and by its place on the page.

Only ratios and counts: a forest does not mind their scales.

Source: Kohlschütter, Fankhauser and Nejdl, "Boilerplate Detection using Shallow Text Features",
2010, for the text of neighbours.
"""

import numpy as np

from filters.buffers import Out, Positions, Table
from filters.html.blocks import (
    BOLDED,
    CAPITALS,
    CHARS,
    COMMAS,
    DIGITS,
    ENDS,
    FIRST,
    LAST,
    LINES,
    LINKED,
    LINKS,
    MARKS,
    OWNER,
    QUOTES,
    STOPS,
    TITLED,
    TOLD,
    WIDE,
)
from filters.html.markup import DATA, END, FROM, LEVEL, PARENT, TAG, TO, Floats, Numbers
from filters.html.sums import (
    E_ALIKE,
    E_BLOCKS,
    E_CHARS,
    E_CHILDREN,
    E_GOOD,
    E_IMAGES,
    E_LAST,
    E_LINKED,
    E_P,
    E_STOPS,
    E_TAGS,
    E_WORDS,
    add_up,
    alike,
    articles,
    best,
    is_good,
    per,
    same,
    within,
    words_of,
)
from filters.html.tags import BIT, FLAGS, H1, LAST_HEADING, Hashes
from filters.kernels import helper, kernel, part

OWN = (
    *("chars", "words", "linked", "links", "commas", "stops", "digits", "capitals", "quotes"),
    *("bold", "wide", "lines", "titled", "title words", "told", "length", "stop rate"),
    *("comma rate", "ends", "marks"),
)
PAGE = ("blocks", "chars", "linked", "good", "articles", "has told", "p", "density", "images")
PLACE = ("share", "from start", "to end", "chars before", "good before", "bytes before")
SAID = ("most", "least", "path most", "path least", "path total", "parent most", "parent least")
AROUND = (
    "tag",
    "chars",
    "linked",
    "blocks",
    "words a block",
    "stops",
    "good",
    "p",
    "tags",
    "images",
)
REGION = ("inside", "levels", "where", "chars", "linked")
NAMES = (
    *(f"block {name}" for name in OWN),
    *(f"page {name}" for name in PAGE),
    *(f"place {name}" for name in PLACE),
    *(f"is {name}" for name in FLAGS),
    *(f"said {name}" for name in SAID),
    *(f"around {up} {name}" for up in range(4) for name in AROUND),
    *(f"{name} {up}" for up in range(3) for name in ("alike", "children")),
    *("same text", "level"),
    *(f"{region} {name}" for region in ("top", "most", "main") for name in REGION),
    *("article", "in article", "best article"),
    *("since heading", "heading level", "since h1", "heading titled"),
    *(
        f"{way} {name}"
        for way in ("before 1", "before 2", "after 1", "after 2")
        for name in ("words", "linked", "same owner", "tag", "stops", "titled")
    ),
    *("gap before", "gap after"),
)
WIDTH = len(NAMES)

FAR, MANY, LONG = 40, 300, 20_000  # blocks away, blocks, characters: beyond, all pages are alike
_ONE = np.uint64(1)
_HEADING = BIT["heading"]
_FLAGS = len(FLAGS)


@part
def _own(block: Positions, row: Floats, at: int) -> int:
    """What a block says by itself."""
    chars, words = block[CHARS], words_of(block)
    row[at], row[at + 1], row[at + 2] = chars, words, per(block[LINKED], chars)
    row[at + 3], row[at + 4], row[at + 5] = block[LINKS], block[COMMAS], block[STOPS]
    row[at + 6], row[at + 7] = per(block[DIGITS], chars), per(block[CAPITALS], words)
    row[at + 8], row[at + 9] = block[QUOTES], per(block[BOLDED], chars)
    row[at + 10], row[at + 11] = per(block[WIDE], chars), block[LINES]
    row[at + 12], row[at + 13] = per(block[TITLED], words), block[TITLED]
    row[at + 14], row[at + 15] = per(block[TOLD], words), per(chars, words)
    row[at + 16], row[at + 17] = per(block[STOPS], words), per(block[COMMAS], words)
    row[at + 18], row[at + 19] = block[ENDS], per(block[MARKS], chars)
    return at + len(OWN)


@helper
def _page(
    sums: Positions, elements: Positions, count: int, articles: int, told: int, row: Floats, at: int
) -> int:
    """What is said of the whole page."""
    whole = sums[0]
    row[at], row[at + 1], row[at + 2] = (
        min(count, MANY),
        min(whole[E_CHARS], LONG),
        per(whole[E_LINKED], whole[E_CHARS]),
    )
    row[at + 3], row[at + 4], row[at + 5] = min(whole[E_GOOD], LONG), articles, told
    row[at + 6] = per(whole[E_P], whole[E_CHARS])
    row[at + 7] = per(whole[E_CHARS], elements[0, END])
    row[at + 8] = whole[E_IMAGES]
    return at + len(PAGE)


@helper
def _place(
    sums: Positions,
    i: int,
    count: int,
    chars: int,
    good: int,
    bytes_: np.float32,
    row: Floats,
    at: int,
) -> int:
    """Where a block is on its page."""
    row[at], row[at + 1], row[at + 2] = per(i, count), min(i, FAR), min(count - i, FAR)
    row[at + 3], row[at + 4] = per(chars, sums[0, E_CHARS]), per(good, sums[0, E_GOOD])
    row[at + 5] = bytes_
    return at + len(PLACE)


@helper
def _said(scores: Floats, element: int, parent: int, row: Floats, at: int) -> int:
    """What the words of classes and ids say."""
    for i in range(5):
        row[at + i] = scores[element, i]
    row[at + 5], row[at + 6] = scores[parent, 0], scores[parent, 1]
    return at + len(SAID)


@part
def _around(sums: Positions, elements: Positions, element: int, row: Floats, at: int) -> int:
    """What is in an element around a block."""
    its = sums[element]
    row[at], row[at + 1] = elements[element, TAG], its[E_CHARS]
    row[at + 2], row[at + 3] = per(its[E_LINKED], its[E_CHARS]), its[E_BLOCKS]
    row[at + 4] = per(its[E_WORDS], its[E_BLOCKS])
    row[at + 5] = per(its[E_STOPS], its[E_WORDS])
    row[at + 6] = per(its[E_GOOD], sums[0, E_GOOD])
    row[at + 7] = per(its[E_P], its[E_CHARS])
    row[at + 8], row[at + 9] = per(its[E_CHARS], its[E_TAGS]), its[E_IMAGES]
    return at + len(AROUND)


@part
def _region(
    sums: Positions, elements: Positions, element: int, region: int, row: Floats, at: int
) -> int:
    """How a block stands to a part of the page."""
    inside = region <= element <= sums[region, E_LAST]
    row[at] = inside
    row[at + 1] = elements[element, LEVEL] - elements[region, LEVEL]
    row[at + 2] = 0 if inside else -1 if element < region else 1
    row[at + 3] = per(sums[region, E_CHARS], sums[0, E_CHARS])
    row[at + 4] = per(sums[region, E_LINKED], sums[region, E_CHARS])
    return at + len(REGION)


@part
def _neighbour(
    blocks: Positions, elements: Positions, count: int, i: int, way: int, row: Floats, at: int
) -> int:
    """What is said of a block nearby."""
    other = i + way
    if other < 0 or other >= count:
        row[at : at + 6] = np.float32(-1)
        return at + 6
    block = blocks[other]
    row[at], row[at + 1] = words_of(block), per(block[LINKED], block[CHARS])
    row[at + 2], row[at + 3] = block[OWNER] == blocks[i, OWNER], elements[block[OWNER], TAG]
    row[at + 4], row[at + 5] = block[STOPS], per(block[TITLED], words_of(block))
    return at + 6


@helper
def _heading(blocks: Positions, elements: Positions, flags: Hashes, i: int, last: Numbers) -> None:
    """Remember the last heading, and the last one of the first level: blocks, level, its title."""
    element = blocks[i, OWNER]
    if not flags[element] & _HEADING:
        return
    last[0], last[1], last[3] = i, 0, blocks[i, TITLED]
    while element > 0:
        tag = elements[element, TAG]
        if H1 <= tag <= LAST_HEADING:
            last[1] = tag - H1 + 1
            break
        element = elements[element, PARENT]
    if last[1] == 1:
        last[2] = i


@helper
def _bits(flags: np.uint64, row: Floats, at: int) -> int:
    """Each flag by itself."""
    for i in range(_FLAGS):
        row[at + i] = np.float32((flags >> np.uint64(i)) & _ONE)
    return at + _FLAGS


@helper
def _siblings(sums: Positions, elements: Positions, element: int, row: Floats, at: int) -> int:
    """How many there are of an element's kind, and of those around it."""
    for up in range(3):
        row[at + 2 * up], row[at + 2 * up + 1] = sums[element, E_ALIKE], sums[element, E_CHILDREN]
        element = max(elements[element, PARENT], 0)
    return at + 6


@helper
def _gaps(blocks: Positions, segments: Positions, count: int, i: int, row: Floats, at: int) -> int:
    """Bytes of mark-up before and after a block."""
    begin, end = segments[blocks[i, FIRST], FROM], segments[blocks[i, LAST] - 1, TO]
    row[at] = begin - (segments[blocks[i - 1, LAST] - 1, TO] if i > 0 else 0)
    row[at + 1] = (segments[blocks[i + 1, FIRST], FROM] if i + 1 < count else begin) - end
    return at + 2


@kernel
def features(
    elements: Table[np.int32],
    flags: Hashes,
    scores: Table[np.float32],
    segments: Table[np.int32],
    blocks: Table[np.int32],
    at: Numbers,
    sums: Out[Table[np.int32]],
    keys: Out[Hashes],
    room: Out[Table[np.int64]],
    rows: Out[Table[np.float32]],
) -> None:
    """What is said of each block.

    Args:
        elements: shape (elements, 8), see `filters.html.markup.Page`.
        flags: see there.
        scores: see there.
        segments: see there.
        blocks: shape (blocks, COLUMNS), see `filters.html.blocks`.
        at: registers of the page.
        sums: shape (elements, SUMS); overwritten, see `filters.html.sums`.
        keys: shape (a power of two, at least twice the elements and the blocks); overwritten.
        room: shape (3, as many as keys); overwritten.
        rows: shape (blocks, WIDTH); the answer.
    """
    count = len(blocks)
    add_up(elements, flags, blocks, count, sums)
    alike(elements, sums, keys, room[0])
    same(blocks, count, room[1], keys, room[0])
    articles_, best_article = articles(elements, sums, room[2])
    regions = (best(sums), within(sums, 0.85), within(sums, 0.6))
    last = np.array([-1, 0, -1, 0], np.int64)
    chars = good = 0
    for i in range(count):
        block, row, element = blocks[i], rows[i], blocks[i, OWNER]
        to = _own(block, row, 0)
        to = _page(sums, elements, count, articles_, at[DATA], row, to)
        byte = per(segments[block[FIRST], FROM], elements[0, END])
        to = _place(sums, i, count, chars, good, byte, row, to)
        chars += block[CHARS]
        good += block[CHARS] * is_good(block, flags[element])
        to = _bits(flags[element], row, to)
        to = _said(scores, element, max(elements[element, PARENT], 0), row, to)
        outer = element
        for _ in range(4):
            to = _around(sums, elements, outer, row, to)
            outer = max(elements[outer, PARENT], 0)
        to = _siblings(sums, elements, element, row, to)
        row[to], row[to + 1] = room[1, i], elements[element, LEVEL]
        to += 2
        for region in regions:
            to = _region(sums, elements, element, region, row, to)
        article = room[2, element]
        row[to], row[to + 1] = article, article > 0
        row[to + 2] = article > 0 and article == best_article
        _heading(blocks, elements, flags, i, last)
        row[to + 3], row[to + 4] = (min(i - last[0], FAR) if last[0] >= 0 else -1), last[1]
        row[to + 5], row[to + 6] = (min(i - last[2], FAR) if last[2] >= 0 else -1), last[3]
        to += 7
        for way in (-1, -2, 1, 2):
            to = _neighbour(blocks, elements, count, i, way, row, to)
        _gaps(blocks, segments, count, i, row, to)
