"""A hash of the text as it reads: equal hashes are exact duplicates, whatever the white space.

Source: Aumasson et al. 2013 (BLAKE2).
"""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, utf8
from filters.kernels import I64, NOTHING, OUT_I64, OUT_U8, U8, kernel, signed
from filters.unicode import SPACE, SPACES, read, table


@dataclass(frozen=True, slots=True)
class Exact:
    """A hash of each text, white space aside; case and punctuation count.

    Columns:
        text_hash: BLAKE2b with 16 bytes, of the text with every run of white space made one space
            and none at its ends; null where nothing is left.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    @property
    def columns(self) -> pa.Schema:
        """One column of 16 bytes."""
        return pa.schema([("text_hash", pa.binary(16))])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The column.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        plain = np.empty(offsets[-1] - offsets[0], np.uint8)
        ends = np.zeros(len(offsets), np.int64)
        _squeeze(body, offsets, table(), _blanks(), plain, ends)
        pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        text = plain.data
        hashes = [blake2b(text[a:b], digest_size=16).digest() if b > a else None for a, b in pairs]
        return pa.record_batch([pa.array(hashes, pa.binary(16))], schema=self.columns)


@cache
def _blanks() -> Bytes:
    """Of each byte: 1 if it is white space, 2 if white space of several bytes begins with it."""
    known = np.zeros(256, np.uint8)
    for character in SPACES:
        first, *rest = character.encode()
        known[first] = 2 if rest else 1
    return known


@kernel(NOTHING(U8, I64, U8, U8, OUT_U8, OUT_I64))
def _squeeze(
    data: Bytes, offsets: Offsets, classes: Bytes, blanks: Bytes, out: Bytes, ends: Offsets
) -> None:
    """The texts with their white space squeezed: bytes, and where each begins and ends."""
    to = 0
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        begin, gap = to, 1  # 1: what was put out last is a space, or nothing was
        while at < end:
            while at < end and blanks[data[at]] < 2:
                blank = signed(blanks[data[at]])
                out[to] = np.uint8(32) if blank else data[at]
                to += 1 - (blank & gap)  # or the next takes its place
                gap = blank
                at += 1
            if at == end:
                break
            kind, length = read(data, at, end, classes)
            if kind != SPACE:
                out[to], length = data[at], 1  # its other bytes begin no white space
                to += 1
            elif not gap:
                out[to] = 32
                to += 1
            gap = int(kind == SPACE)
            at += length
        if gap and to > begin:
            to -= 1
        ends[row + 1] = to
