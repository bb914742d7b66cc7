"""Punctuation that ends a sentence, and phrases, found in bytes.

Sources: Raffel et al. 2020 (C4), section 2.2, for the quotes; The Unicode Standard, the property
Sentence_Terminal, for other scripts.
"""

import numpy as np

from filters.buffers import Bytes, Offsets, Positions
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
def stands(data: Bytes, at: int, end: int, phrases: Bytes, offsets: Offsets) -> int:
    """Which of some phrases stands at a byte, A to Z read as a to z; -1: none.

    Args:
        data: bytes.
        at: where it must begin.
        end: where it must have ended.
        phrases: their bytes, in lower case.
        offsets: of the phrases.
    """
    for i in range(len(offsets) - 1):
        byte, size = 0, offsets[i + 1] - offsets[i]
        if at + size <= end:
            while byte < size and _lower(data[at + byte]) == phrases[offsets[i] + byte]:
                byte += 1
            if byte == size:
                return i
    return -1


@helper
def _lower(byte: np.uint8) -> np.uint8:
    return np.uint8(byte | 0x20) if 65 <= byte <= 90 else byte
