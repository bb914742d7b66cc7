"""The chosen blocks of a page as plain text: one line a block, character references undone.

What is no text within a block is left out: what is hidden, a link to the very place or to its
source, and buttons, unless the block has nothing else.
Soft hyphens are left out: they say where a word may be parted, and part it for whoever reads bytes.
"""

from itertools import pairwise

import numpy as np

from filters.buffers import Bytes, Offsets, Out, Positions, Table
from filters.html.blocks import FIRST, LAST, OWNER
from filters.html.entities import SPELLING, entities, reference
from filters.html.mainblocks import Blocks
from filters.html.markup import BREAK, FROM, KIND, TO, is_space
from filters.html.tags import BIT, HIDDEN, PRE, Hashes
from filters.kernels import helper, kernel, signed

_PRE, _HIDDEN = int(PRE), int(HIDDEN)
LEFT_OUT = int(HIDDEN | BIT["button"])
"""Of elements within a block, whose text is left out of the block's."""
_HARD, _SOFT = 0xA0, 0xAD  # second bytes of a space, and of a hyphen
TO_BYTE, BEGIN, GAP = range(3)
"""Registers: bytes written, where the line begins, whether white space is due."""


def text(page: Blocks, keep: Bytes, whole: bool = False) -> tuple[Bytes, Offsets]:
    """The text of some blocks.

    Args:
        page: valid still.
        keep: shape (blocks,); 0: the block is left out.
        whole: with what is left out of blocks otherwise.

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
    given = page.data, pieces, page.blocks, page.flags, keep
    _render(*given, *entities(), 0 if whole else LEFT_OUT, out, begins)
    end = begins[-1]
    if end and out[end - 1] == 10:
        end -= 1
    return out[:end], begins


def texts(page: Blocks) -> list[str]:
    """The whole text of each block, lines but the last ended by a line feed; "" without any.

    Args:
        page: valid still.
    """
    out, at = text(page, np.ones(len(page.blocks), np.uint8), whole=True)
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


@helper
def _block(
    data: Bytes,
    segments: Positions,
    left_out: int,
    keys: Hashes,
    spelled: Hashes,
    codes: Positions,
    one: Bytes,
    out: Bytes,
    at: Offsets,
) -> None:
    """The text of a block's runs, but for those with a bit that is left out."""
    begin, broken = at[TO_BYTE], False
    for segment in segments:
        broken = broken or segment[BREAK] == 1
        if not segment[KIND] & left_out:
            if broken and at[TO_BYTE] > begin:
                _line(out, at)
            broken = False
            _run(data, segment, keys, spelled, codes, one, out, at)


@kernel
def _render(
    data: Bytes,
    segments: Table[np.int32],
    blocks: Table[np.int32],
    flags: Hashes,
    keep: Bytes,
    keys: Hashes,
    spelled: Hashes,
    codes: Positions,
    left_out: int,
    out: Out[Bytes],
    begins: Out[Offsets],
) -> None:
    """Write the blocks; see `text`."""
    at, one = np.zeros(3, np.int64), np.empty(SPELLING, np.uint8)
    for block in range(len(blocks)):
        begins[block] = at[BEGIN] = at[TO_BYTE]
        at[GAP] = 0
        if not keep[block]:
            continue
        inside = left_out & ~signed(flags[blocks[block, OWNER]])
        some = segments[blocks[block, FIRST] : blocks[block, LAST]]
        _block(data, some, inside, keys, spelled, codes, one, out, at)
        if at[TO_BYTE] == begins[block]:
            _block(data, some, inside & _HIDDEN, keys, spelled, codes, one, out, at)
        _line(out, at)
        if at[TO_BYTE] == begins[block] + 1:  # nothing was there
            at[TO_BYTE] -= 1
    begins[len(blocks)] = at[TO_BYTE]
