"""Words as they compare: without case, and without what typesetters change inside them.

Case is folded in Latin, Greek, Cyrillic and Armenian.  Apostrophes (don't, don’t), soft hyphens and
joiners are left out.
"""

from functools import cache
from itertools import chain

import numpy as np

from filters.buffers import Bytes, Positions
from filters.kernels import helper
from filters.unicode import decode

FOLDED = (range(0x600), range(0x1E00, 0x2000))  # scripts with case; stable since Unicode 7
LEFT_OUT = "'\u2018\u2019\u02bc\xad\u200c\u200d"  # apostrophes, soft hyphen, joiners


@cache
def folds() -> Positions:
    """What each code point counts as, 0: nothing; those beyond the table count as themselves.

    Lower case, unless that is more than one character or more bytes.
    """
    table = np.arange(FOLDED[-1].stop + 0x100, dtype=np.int32)
    for point in chain(*FOLDED):
        letter = chr(point)
        ways = [way for way in (letter.casefold(), letter.lower(), letter) if len(way) == 1]
        table[point] = ord(next(w for w in ways if len(w.encode()) <= len(letter.encode())))
    table[[*map(ord, LEFT_OUT)]] = 0
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
    """Write the bytes [at, end) as they count, no more than they are; where that ends."""
    while at < end:
        byte = data[at]
        if byte < 0x80:
            folded = table[byte]
            if folded:
                out[to] = folded
                to += 1
            at += 1
            continue
        point, length = decode(data, at, end)
        folded = table[point] if point < len(table) else point
        if folded != point:
            if folded:
                to = _put(folded, out, to)
            at += length
            continue
        for _ in range(length):
            out[to] = data[at]
            to += 1
            at += 1
    return to
