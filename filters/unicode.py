"""Classes of characters: one byte for every code point, and reading UTF-8 by them.

The classes come from the general category and the name of a character.  They are shipped as a
table, ``unicode.bin``, so that an answer does not depend on the Python version: ``python -m
filters.unicode`` writes it from the `unicodedata` of the Python that runs it, and says the version.

Sources: The Unicode Standard, chapter 4; its annexes #29 (which characters stand inside a word) and
#14 (class SA: scripts that put no space between words).
"""

import sys
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes
from filters.kernels import helper, signed
from filters.registers import EACH, TOP, eight

OTHER = 0  # unassigned, private, surrogate, and every byte that is no part of a character
CONTROL = 1  # and zero width space
SPACE = 2  # White_Space, so with U+0085, U+2028, no-break and ideographic space
PUNCTUATION = 3
SYMBOL = 4
NUMBER = 5  # ², ½, ①: a number, but no decimal digit
MID_LETTER = 6  # · inside a word
MID_NUMBER = 7  # , inside a number
MID_BOTH = 8  # ' ’ . inside either
MARK = 9  # combining marks, and the joiners U+200C, U+200D
FORMAT = 10  # soft hyphen, directional marks
CONNECTOR = 11  # _
DIGIT = 12  # decimal digits of any script
LETTER = 13  # of a script without case, or a modifier
UPPER = 14  # and titlecase
LOWER = 15
IDEOGRAPH = 16  # a letter of a script that puts no space between words

MIDDLE = {
    MID_LETTER: "·\u0387\u055f\u05f4\u2027\ufe13\ufe55",
    MID_NUMBER: ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b",
    MID_BOTH: "'.\u2018\u2019\u2024\ufe52\uff07\uff0e",
}
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
SPACES += "".join(map(chr, range(0x2000, 0x200B)))
SINGLY = {c: kind for kind, those in MIDDLE.items() for c in those} | dict.fromkeys(SPACES, SPACE)
SINGLY |= {"\u200b": CONTROL, "\u200c": MARK, "\u200d": MARK}
UNSPACED = (
    *("AHOM ", "CJK ", "HALFWIDTH KATAKANA", "HANGZHOU ", "HENTAIGANA ", "HIRAGANA "),
    *("IDEOGRAPHIC ", "KATAKANA", "KHITAN ", "KHMER ", "LAO ", "MYANMAR ", "NEW TAI "),
    *("NUSHU ", "TAI ", "TANGUT ", "THAI "),
)
CATEGORIES = {"Cc": CONTROL, "Cf": FORMAT, "Lu": UPPER, "Lt": UPPER, "Ll": LOWER, "Nd": DIGIT}
CATEGORIES |= {"Lm": LETTER, "Lo": LETTER, "Nl": LETTER, "No": NUMBER, "Pc": CONNECTOR}
CATEGORIES |= {"Z": SPACE, "M": MARK, "P": PUNCTUATION, "S": SYMBOL}

HEAD = 16  # bytes: the Unicode version, in ASCII
BLOCK = 128  # code points
FIRST = 0x110000 // BLOCK  # entries of the first stage
SIX, SEVEN = np.uint64(6), np.uint64(7)
BAD = 0xDC00  # what a byte that is no part of a character counts as: a surrogate, so OTHER
PATH = Path(__file__).with_suffix(".bin")


def classify(character: str) -> int:
    """The class of one character, from `unicodedata`."""
    if character in SINGLY:
        return SINGLY[character]
    category = unicodedata.category(character)
    if 0x20000 <= ord(character) <= 0x3FFFD and category in ("Lo", "Cn"):
        return IDEOGRAPH  # these planes are reserved for ideographs, those to come as well
    kind = CATEGORIES.get(category, CATEGORIES.get(category[0], OTHER))
    if kind == LETTER and unicodedata.name(character, "").startswith(UNSPACED):
        return IDEOGRAPH
    return kind


def build() -> bytes:
    """The table as it is stored: version, number of the block of each 128 code points, blocks."""
    kinds = bytes(map(classify, map(chr, range(sys.maxunicode + 1))))
    blocks = dict[bytes, int]()  # the block of ASCII is the first
    stage = [
        blocks.setdefault(kinds[at : at + BLOCK], len(blocks)) for at in range(0, len(kinds), BLOCK)
    ]
    return unicodedata.unidata_version.encode().ljust(HEAD) + bytes(stage) + b"".join(blocks)


def version() -> str:
    """The Unicode version of the table that is shipped."""
    return PATH.read_bytes()[:HEAD].decode().strip()


@cache
def table() -> Bytes:
    """The classes as `kind_of` reads them, shape (FIRST + BLOCK * blocks,)."""
    return np.frombuffer(PATH.read_bytes()[HEAD:], np.uint8)


def kinds_of(points: NDArray[np.int64]) -> Bytes:
    """The classes of code points."""
    classes = table()
    return classes[FIRST + BLOCK * classes[points >> 7].astype(np.int64) + (points & 127)]


@helper
def kind_of(point: int, classes: Bytes) -> int:
    """The class of a code point."""
    return signed(classes[FIRST + (signed(classes[point >> 7]) << 7) + (point & 127)])


@helper
def decode(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The character at a byte, at < end: code point, and length in bytes.

    A byte that begins no valid character is one of its own: `BAD`, length 1.
    """
    lead = signed(data[at])
    if lead < 0x80:
        return lead, 1
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or at + length > end:
        return BAD, 1
    point = lead & (0x7F >> length)
    for i in range(at + 1, at + length):
        byte = signed(data[i])
        if byte & 0xC0 != 0x80:
            return BAD, 1
        point = point << 6 | (byte & 0x3F)
    least = 0x80 if length == 2 else 0x800 if length == 3 else 0x10000
    if point < least or point > 0x10FFFF or point >> 11 == 0x1B:  # overlong, beyond, surrogate
        return BAD, 1
    return point, length


@helper
def read(data: Bytes, at: int, end: int, classes: Bytes) -> tuple[int, int]:
    """The character at a byte, at < end: class, and length in bytes."""
    lead = data[at]
    if lead < 0x80:  # the first block is ASCII, so one look is enough
        return signed(classes[FIRST + lead]), 1
    point, length = decode(data, at, end)
    return kind_of(point, classes), length


@helper
def characters(data: Bytes, start: int, end: int) -> int:
    """How many characters [start, end) holds: bytes that begin one."""
    count, at = end - start, start
    while at < end and at + 8 <= len(data):
        some = eight(data, at)
        inside = some >> SEVEN & ~some >> SIX & EACH  # bytes 10xxxxxx
        if end - at < 8:
            inside <<= np.uint64(8 * (at + 8 - end))
        if inside:
            count -= signed(inside * EACH >> TOP)
        at += 8
    while at < end:
        count -= data[at] & 0xC0 == 0x80
        at += 1
    return count


@helper
def trim(data: Bytes, start: int, end: int, classes: Bytes) -> tuple[int, int]:
    """The bytes [start, end) without the white space at both ends."""
    while start < end:
        kind, length = read(data, start, end, classes)
        if kind != SPACE:
            break
        start += length
    while start < end:
        last = end - 1
        while last > start and last > end - 4 and data[last] & 0xC0 == 0x80:
            last -= 1
        kind, length = read(data, last, end, classes)
        if last + length != end or kind != SPACE:
            break
        end = last
    return start, end


if __name__ == "__main__":
    PATH.write_bytes(build())
    print(f"{PATH.name}: Unicode {version()}, {PATH.stat().st_size:,} bytes")
