"""A hash of the text as it reads: equal hashes are exact duplicates, whatever the white space.

Source: Aumasson et al. 2013 (BLAKE2).
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, utf8
from filters.kernels import I64, NOTHING, OUT_I64, OUT_U8, U8, kernel
from filters.unicode import SPACE, read, table


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
        _squeeze(body, offsets, table(), plain, ends)
        pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        text = plain.data
        hashes = [blake2b(text[a:b], digest_size=16).digest() if b > a else None for a, b in pairs]
        return pa.record_batch([pa.array(hashes, pa.binary(16))], schema=self.columns)


@kernel(NOTHING(U8, I64, U8, OUT_U8, OUT_I64))
def _squeeze(data: Bytes, offsets: Offsets, classes: Bytes, out: Bytes, ends: Offsets) -> None:
    """The texts with their white space squeezed: bytes, and where each begins and ends."""
    to = 0
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        begin, gap = to, False
        while at < end:
            kind, length = read(data, at, end, classes)
            if kind == SPACE:
                gap = to > begin
                at += length
                continue
            if gap:
                out[to] = 32
                to += 1
                gap = False
            for byte in range(at, at + length):
                out[to] = data[byte]
                to += 1
            at += length
        ends[row + 1] = to
