"""Words as they compare: without case, and without what typesetters change inside them.

Case is folded in Latin, Greek, Cyrillic and Armenian.  Apostrophes (don't, don’t), soft hyphens and
joiners are left out.
"""

from functools import cache
from itertools import chain

import numpy as np

from filters.buffers import Bytes, Positions
from filters.kernels import helper
from filters.registers import EACH, HIGH, eight, put_eight
from filters.unicode import decode

FOLDED = (range(0x600), range(0x1E00, 0x2000))  # scripts with case; stable since Unicode 7
LEFT_OUT = "'\u2018\u2019\u02bc\xad\u200c\u200d"  # apostrophes, soft hyphen, joiners

APOSTROPHES = EACH * np.uint64(0x27)
FROM_A, BEYOND_Z = EACH * np.uint64(0x80 - ord("A")), EACH * np.uint64(0x80 - ord("Z") - 1)
"""Eight bytes: what sets the high bit of an ASCII byte from A on, and of one beyond Z."""


@cache
def folds() -> Positions:
    """What each code point counts as, -1: nothing; those beyond the table count as themselves.

    Lower case, unless that is more than one character or more bytes.
    """
    table = np.arange(FOLDED[-1].stop + 0x100, dtype=np.int32)
    for point in chain(*FOLDED):
        letter = chr(point)
        ways = [way for way in (letter.casefold(), letter.lower(), letter) if len(way) == 1]
        table[point] = ord(next(w for w in ways if len(w.encode()) <= len(letter.encode())))
    table[[*map(ord, LEFT_OUT)]] = -1
    return table


@helper
def _put(point: int, out: Bytes, to: int) -> int:
    """Write a code point below 0x10000 as UTF-8; where it ends."""
    if point < 0x80:
        out[to] = point
        return to + 1
    if point < 0x800:
        out[to] = 0xC0 | (point >> 6)
        out[to + 1] = 0x80 | (point & 0x3F)
        return to + 2
    out[to] = 0xE0 | (point >> 12)
    out[to + 1] = 0x80 | ((point >> 6) & 0x3F)
    out[to + 2] = 0x80 | (point & 0x3F)
    return to + 3


@helper
def fold(data: Bytes, at: int, end: int, table: Positions, out: Bytes, to: int) -> int:
    """Write the bytes [at, end) as they count; where that ends.

    Args:
        data: bytes.
        at: where to begin.
        end: where to end.
        table: of `folds`.
        out: room for as many, and eight more.
        to: where in it they begin.
    """
    while at < end:
        if at + 8 <= len(data):
            n = min(8, end - at)
            eight_bytes = eight(data, at)
            wild = eight_bytes ^ APOSTROPHES  # a byte of 0: an apostrophe
            wild = eight_bytes | ((wild - EACH) & ~wild)
            if not (wild & HIGH) << np.uint64(64 - 8 * n):  # all of them ASCII, and no apostrophe
                capital = (eight_bytes + FROM_A) & ~(eight_bytes + BEYOND_Z) & HIGH
                put_eight(eight_bytes | capital >> np.uint64(2), out, to)
                at += n
                to += n
                continue
        point, length = decode(data, at, end)
        folded = table[point] if point < len(table) else point
        if folded == point:
            for i in range(length):
                out[to + i] = data[at + i]
            to += length
        elif folded >= 0:
            to = _put(folded, out, to)
        at += length
    return to
