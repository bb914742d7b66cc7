"""The chosen blocks of a page as plain text: one line a block, character references undone.

Soft hyphens are left out: they say where a word may be parted, and part it for whoever reads bytes.
"""

from itertools import pairwise

import numpy as np

from filters.buffers import Bytes, Offsets, Positions
from filters.entities import SPELLING, entities, reference
from filters.kernels import (
    I32,
    I32_TABLE,
    NOTHING,
    OUT_I64,
    OUT_U8,
    U8,
    U64,
    helper,
    kernel,
)
from filters.mainblocks import Blocks
from filters.markup import BREAK, FROM, KIND, TO, is_space
from filters.pageblocks import FIRST, LAST
from filters.tags import PRE, Hashes

_PRE = int(PRE)
_HARD, _SOFT = 0xA0, 0xAD  # second bytes of a space, and of a hyphen
TO_BYTE, BEGIN, GAP = range(3)
"""Registers: bytes written, where the line begins, whether white space is due."""


def text(page: Blocks, keep: Bytes) -> tuple[Bytes, Offsets]:
    """The text of some blocks.

    Args:
        page: valid still.
        keep: shape (blocks,); 0: the block is left out.

    Returns:
        the bytes, valid UTF-8 if the page is; and of shape (blocks + 1,), where each block's begin.
        A block's text ends in a line feed, but for the last one's.
    """
    pieces = page.segments
    held = np.concatenate([[0], np.cumsum(pieces[:, TO] - pieces[:, FROM], dtype=np.int64)])
    chosen = page.blocks[keep != 0]
    size = int((held[chosen[:, LAST]] - held[chosen[:, FIRST]]).sum())
    size += size // 4 + int((chosen[:, LAST] - chosen[:, FIRST] + 1).sum()) + SPELLING
    out = np.empty(size, np.uint8)
    begins = np.empty(len(page.blocks) + 1, np.int64)
    _render(page.data, pieces, page.blocks, keep, *entities(), out, begins)
    end = begins[-1]
    if end and out[end - 1] == 10:
        end -= 1
    return out[:end], begins


def texts(page: Blocks) -> list[str]:
    """The text of each block, lines but the last ended by a line feed; "" where there is none.

    Args:
        page: valid still.
    """
    out, at = text(page, np.ones(len(page.blocks), np.uint8))
    whole = out.tobytes()
    return [whole[a:b].decode("utf-8", "replace") for a, b in pairwise(at.tolist())]


@helper
def _blank(out: Bytes, at: Offsets, byte: int, preserved: bool) -> None:
    """White space: kept where it is preserved, else one space between two words."""
    if preserved:
        out[at[TO_BYTE]] = 10 if byte == 10 else 9 if byte == 9 else 32
        at[TO_BYTE] += 1
    elif at[TO_BYTE] > at[BEGIN]:
        at[GAP] = 1


@helper
def _write(out: Bytes, at: Offsets, spelled: Bytes, size: int) -> None:
    """A character, after the space that is due."""
    if at[GAP]:
        out[at[TO_BYTE]] = 32
        at[TO_BYTE] += 1
        at[GAP] = 0
    for i in range(size):
        out[at[TO_BYTE] + i] = spelled[i]
    at[TO_BYTE] += size


@helper
def _line(out: Bytes, at: Offsets) -> None:
    """End a line, without white space before its end."""
    while at[TO_BYTE] > at[BEGIN] and is_space(out[at[TO_BYTE] - 1]):
        at[TO_BYTE] -= 1
    out[at[TO_BYTE]] = 10
    at[TO_BYTE] += 1
    at[BEGIN], at[GAP] = at[TO_BYTE], 0


@helper
def _run(
    data: Bytes,
    segment: Positions,
    keys: Hashes,
    spelled: Hashes,
    codes: Positions,
    one: Bytes,
    out: Bytes,
    at: Offsets,
) -> None:
    """The text of one run."""
    place, end = segment[FROM], segment[TO]
    preserved = segment[KIND] & _PRE != 0
    while place < end:
        used = size = 1
        one[0] = data[place]
        if one[0] == 38:
            used, size = reference(data, place, end, keys, spelled, codes, one)
        elif one[0] == 0xC2 and place + 1 < end:
            used = size = 2
            one[1] = data[place + 1]
        if size == 2 and one[0] == 0xC2 and one[1] in (_HARD, _SOFT):
            size, one[0] = 1, 32 if one[1] == _HARD else 0
        if size == 1 and is_space(one[0]):
            if one[0] != 13 or not preserved:
                _blank(out, at, one[0], preserved)
        elif size > 1 or (one[0] > 32 and one[0] != 127):  # no control characters
            _write(out, at, one, size)
        place += used


@kernel(NOTHING(U8, I32_TABLE, I32_TABLE, U8, U64, U64, I32, OUT_U8, OUT_I64))
def _render(
    data: Bytes,
    segments: Positions,
    blocks: Positions,
    keep: Bytes,
    keys: Hashes,
    spelled: Hashes,
    codes: Positions,
    out: Bytes,
    begins: Offsets,
) -> None:
    """Write the blocks; see `text`."""
    at, one = np.zeros(3, np.int64), np.empty(SPELLING, np.uint8)
    for block in range(len(blocks)):
        begins[block] = at[BEGIN] = at[TO_BYTE]
        at[GAP] = 0
        if not keep[block]:
            continue
        for i in range(blocks[block, FIRST], blocks[block, LAST]):
            if segments[i, BREAK] == 1 and at[TO_BYTE] > begins[block]:
                _line(out, at)
            _run(data, segments[i], keys, spelled, codes, one, out, at)
        _line(out, at)
        if at[TO_BYTE] == begins[block] + 1:  # nothing was there
            at[TO_BYTE] -= 1
    begins[len(blocks)] = at[TO_BYTE]
