"""Character references: ``&amp;`` and ``&#8217;`` as the characters that they stand for.

They are read as Python's `html.unescape` reads them.

Source: WHATWG, HTML Standard, section 13.5 (named character references).
"""

from functools import cache
from html import unescape
from html.entities import html5
from typing import NamedTuple

import numpy as np

from filters.buffers import Bytes, Positions
from filters.html.markup import more, place
from filters.html.tags import BASIS, Hashes, table
from filters.kernels import helper
from filters.kernels import signed as number

LONGEST = 32  # characters of a name
SPELLING = 8  # bytes that a reference stands for, at most
_START, _ONE = np.uint64(BASIS), np.uint64(1)
FIRST_CODE, LAST_CODE = 0x80, 0x9F  # numbers that are read as Windows-1252


class Entities(NamedTuple):
    """What references stand for.

    Attributes:
        keys: hashes of names, with the semicolon where it is needed.
        spelled: UTF-8, the first byte lowest; the highest byte is how many there are.
        codes: code points of the numbers from `FIRST_CODE` to `LAST_CODE`; 0: none.
    """

    keys: Hashes
    spelled: Hashes
    codes: Positions


@cache
def entities() -> Entities:
    """All of them."""
    found = dict[int, int]()
    for name, text in html5.items():
        value = BASIS
        for byte in name.encode():
            value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
        spelled = text.encode()
        found[value] = int.from_bytes(spelled, "little") | len(spelled) << 56
    said = [unescape(f"&#{code};") for code in range(FIRST_CODE, LAST_CODE + 1)]
    codes = np.array([ord(text) if text else 0 for text in said], np.int32)
    keys, texts = table(found)
    return Entities(keys, texts, codes)


@helper
def spell(point: int, out: Bytes) -> int:
    """A code point as UTF-8: how many bytes."""
    if point < 0x80:
        out[0] = point
        return 1
    size = 2 if point < 0x800 else 3 if point < 0x10000 else 4
    for i in range(size - 1, 0, -1):
        out[i] = 0x80 | (point & 63)
        point >>= 6
    out[0] = ((0xF00 >> size) & 0xFF) | point
    return size


@helper
def _meant(point: int, codes: Positions, out: Bytes) -> int:
    """What a number stands for: how many bytes; 0 where it stands for nothing."""
    if FIRST_CODE <= point <= LAST_CODE:
        point = number(codes[point - FIRST_CODE])
        return spell(point, out) if point else 0
    if point == 0 or point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        return spell(0xFFFD, out)
    control = point < 32 and point not in (9, 10, 12, 13)
    if control or point == 127 or 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE:
        return 0
    return spell(point, out)


@helper
def _digit(byte: int, base: int) -> int:
    """The value of a digit; -1 where it is none."""
    if 48 <= byte <= 57:
        return byte - 48
    return (byte | 32) - 87 if base == 16 and 97 <= (byte | 32) <= 102 else -1


@helper
def _numbered(data: Bytes, at: int, end: int, codes: Positions, out: Bytes) -> tuple[int, int]:
    """A reference by number, from its ``#`` on: bytes read, bytes written; 0 read: it is none."""
    base, first = 10, at + 1
    if first < end and data[first] | 32 == 120:
        base, first = 16, first + 1
    point, i = 0, first
    while i < end and _digit(number(data[i]), base) >= 0:
        point = min(point * base + _digit(number(data[i]), base), 0x110000)
        i += 1
    if i == first:
        return 0, 0
    size = _meant(point, codes, out)
    return i - at + (i < end and data[i] == 59), size


@helper
def _named(
    data: Bytes, at: int, end: int, keys: Hashes, spelled: Hashes, out: Bytes
) -> tuple[int, int]:
    """A reference by name, from its first letter on: bytes read, bytes written; 0 read: none.

    Of a name that is not known its longest beginning counts that is one without a semicolon.
    """
    value, found, used = _START, -1, 0
    i = at
    while i < min(end, at + LONGEST + 1):
        byte = number(data[i])
        if byte in (9, 10, 12, 32, 60, 38, 35):
            break
        value = more(value, byte)
        i += 1
        there = place(max(value, _ONE), keys) if byte == 59 or i - at <= 6 else -1
        if there >= 0:
            found, used = there, i - at
        if byte == 59:
            break
    if found < 0:
        return 0, 0
    packed = spelled[found]
    size = number(packed >> np.uint64(56))
    for i in range(size):
        out[i] = np.uint8(packed >> np.uint64(8 * i) & np.uint64(255))
    return used, size


@helper
def reference(
    data: Bytes, at: int, end: int, keys: Hashes, spelled: Hashes, codes: Positions, out: Bytes
) -> tuple[int, int]:
    """What an ampersand begins: bytes read, bytes written; an ampersand where it begins nothing."""
    used = size = 0
    if at + 1 < end:
        if data[at + 1] == 35:
            used, size = _numbered(data, at + 1, end, codes, out)
        else:
            used, size = _named(data, at + 1, end, keys, spelled, out)
    if used == 0:
        out[0] = 38
        return 1, 1
    return used + 1, size
