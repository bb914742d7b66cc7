"""A hash of the text as it reads: equal hashes are exact duplicates, whatever the white space.

The hash is made for speed: 128 bits, so that no two texts of a corpus share one by chance, but
whoever wants to can make two that do.  So who asks for duplicates compares something else as well.

Source: Appleby 2011 (MurmurHash3), for the multipliers.
"""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Out, Table, binary, utf8
from filters.kernels import helper, kernel, longest, signed
from filters.registers import EACH, HIGH, LOW, eight, equal, put_eight
from filters.shingles import FIRST, GOLDEN, HALF, SECOND, Hashes
from filters.unicode import SPACE, SPACES, read, table

ABOVE_SPACE = np.uint64(0x80 - 0x21) * EACH  # sets the high bit of a byte above the space
BLANKS, FEEDS = np.uint64(0x20) * EACH, np.uint64(0x0A) * EACH
FEED_TO_BLANK = np.uint64(0x0A ^ 0x20)
SEVEN, EIGHT = np.uint64(7), np.uint64(8)


@dataclass(frozen=True, slots=True)
class Exact:
    """A hash of each text, white space aside; case and punctuation count.

    Columns:
        text_hash: 16 bytes, of the text with every run of white space made one space and none at
            its ends; null where nothing is left.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema(
        [("text_hash", pa.binary(16))], {"scheme": f"exact {version}"}
    )
    """The scheme is what must agree if hashes are compared."""

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The column.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        hashes, sizes = np.empty((batch.num_rows, 2), np.uint64), np.empty(batch.num_rows, np.int64)
        _hashes(body, offsets, table(), *_blanks(), hashes, sizes)
        return pa.record_batch([binary(hashes.astype("<u8"), sizes > 0)], schema=self.columns)


@cache
def _blanks() -> tuple[Bytes, Hashes]:
    """Of each byte, 1 if it is white space and 2 if white space of several begins with it; these.

    Returns:
        shape (256,), and eight times each of the latter bytes.
    """
    known = np.zeros(256, np.uint8)
    for character in SPACES:
        first, *rest = character.encode()
        known[first] = 2 if rest else 1
    return known, np.flatnonzero(known == 2).astype(np.uint64) * EACH


@helper
def _squeezed(
    data: Bytes, at: int, end: int, classes: Bytes, blanks: Bytes, wide: Hashes, out: Bytes
) -> int:
    """Put out the text [at, end) with its white space squeezed: how many bytes."""
    to, gap = 0, 1  # 1: what was put out last is a space, or nothing was
    while at < end:
        some = eight(data, at) if at + 8 <= end else np.uint64(0)
        least = ~(((some & LOW) + ABOVE_SPACE) | some) & HIGH  # control characters and spaces
        feeds = equal(some, FEEDS)
        odd = (least ^ (equal(some, BLANKS) | feeds)) | (
            least & (least << EIGHT | np.uint64(gap) << SEVEN)
        )
        if some & HIGH:
            for i in range(len(wide)):
                odd |= equal(some, wide[i])
        if odd == 0:  # eight bytes, of which each stays
            put_eight(some ^ (feeds >> SEVEN) * FEED_TO_BLANK, out, to)
            gap = signed(least >> np.uint64(63))
            to, at = to + 8, at + 8
            continue
        stop = min(at + 8, end)
        while at < stop:
            blank, length = signed(blanks[data[at]]), 1
            if blank == 2:
                kind, length = read(data, at, end, classes)
                blank = int(kind == SPACE)
                length = length if blank else 1  # its other bytes begin no white space
            out[to] = np.uint8(32) if blank else data[at]
            to += 1 - (blank & gap)  # or the next takes its place
            gap = blank
            at += length
    return to - gap if to else 0


@helper
def _hash(data: Bytes, size: int, out: Hashes) -> None:
    """Two hashes of the first bytes, of which eight more can be written."""
    one, two = np.uint64(size) * GOLDEN, np.uint64(size) ^ SECOND
    put_eight(np.uint64(0), data, size)
    for at in range(0, size, 8):
        some = eight(data, at)
        one = (one ^ some) * FIRST
        one ^= one >> HALF
        two = (two ^ some) * SECOND
        two ^= two >> np.uint64(29)
    one, two = one * SECOND, two * FIRST
    out[0], out[1] = one ^ (one >> HALF), two ^ (two >> HALF)


@kernel
def _hashes(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    blanks: Bytes,
    wide: Hashes,
    hashes: Out[Table[np.uint64]],
    sizes: Out[Offsets],
) -> None:
    """The hashes of the texts without superfluous white space, and how many bytes that left."""
    text = np.empty(longest(offsets) + 8, np.uint8)
    for row in range(len(sizes)):
        end = offsets[row + 1]
        sizes[row] = _squeezed(data, offsets[row], end, classes, blanks, wide, text)
        _hash(text, sizes[row], hashes[row])
