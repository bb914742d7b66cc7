"""Punctuation that ends a sentence, and phrases, found in bytes.

Sources: Raffel et al. 2020 (C4), section 2.2, for the quotes; The Unicode Standard, the property
Sentence_Terminal, for other scripts.
"""

import numpy as np

from filters.buffers import Bytes, Positions
from filters.kernels import helper

ELLIPSIS = "…"
TERMINALS = ".!?‼⁇⁈⁉‽。．｡！？؟۔؞։።፧፨।॥᙮᠃᠉។៕၊။༎༑꓿꘎꘏꛳꛷꡶꡷꣎꣏"
"""What ends a sentence; an ellipsis may, and stands apart."""
QUOTES = '"“”’»」』｣'
"""What may close after it."""


def codes(characters: str) -> Positions:
    """The code points of some characters, sorted."""
    return np.array(sorted(map(ord, characters)), np.int32)


@helper
def among(point: int, codes: Positions) -> bool:
    """Whether a code point is one of some, which are sorted."""
    for code in codes:
        if code >= point:
            return bool(code == point)
    return False


@helper
def is_ellipsis(data: Bytes, at: int) -> bool:
    """Whether the three bytes from here on are "…"."""
    return data[at] == 0xE2 and data[at + 1] == 0x80 and data[at + 2] == 0xA6


@helper
def ends_in_dots(data: Bytes, start: int, end: int) -> bool:
    """Whether [start, end) ends with three full stops."""
    return end - start >= 3 and data[end - 1] == data[end - 2] == data[end - 3] == 46


@helper
def stands(data: Bytes, at: int, end: int, phrase: Bytes | tuple[int, ...]) -> bool:
    """Whether a phrase stands at a byte and ends by another, A to Z read as a to z.

    Args:
        data: bytes.
        at: where it must begin.
        end: where it must have ended.
        phrase: its bytes, in lower case.
    """
    byte, size = 0, len(phrase)
    if at + size > end:
        return False
    while byte < size and _lower(data[at + byte]) == phrase[byte]:
        byte += 1
    return byte == size


@helper
def _lower(byte: np.uint8) -> np.uint8:
    return np.uint8(byte | 0x20) if 65 <= byte <= 90 else byte
