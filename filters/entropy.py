"""Byte entropy and compression: how surprising the bytes of a text are, alone and in their order.

Menus and boilerplate sit low, base64 and mojibake sit high, prose sits between.  The entropy is
computed in whole numbers, with logarithms made by squaring, so it is the same on every machine.

Sources: C. E. Shannon, "A Mathematical Theory of Communication", 1948, section 6; the logarithm
digit by digit: D. E. Knuth, The Art of Computer Programming, volume 1, section 1.2.2.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from zstandard import ZstdCompressor

from filters.buffers import Bytes, Offsets, Out, share, utf8
from filters.kernels import helper, kernel

BITS = 26  # of a logarithm behind the point: c * log2(c) fits 63 bits for every c below 2**31
SMALL = 4096  # counts whose logarithm is looked up
LEVEL = 3  # of Zstandard: on texts of 4 kB it costs a tenth more than level 1


@dataclass(frozen=True, slots=True)
class Entropy:
    """Entropy and compressibility of one text.

    Columns:
        entropy: of the histogram of bytes, bits per byte in [0, 8]; null for an empty text.
        compression_ratio: bytes over bytes compressed by Zstandard; null for an empty text.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema(
        dict.fromkeys(("entropy", "compression_ratio"), pa.float64())
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        lengths = np.diff(offsets)
        surprise = np.empty(len(lengths), np.int64)
        _surprise(body, offsets, surprise)
        return pa.record_batch(
            [share(surprise, lengths << BITS), share(lengths, _compressed(body, offsets))],
            schema=self.columns,
        )


def _compressed(body: Bytes, offsets: Offsets) -> Offsets:
    """Bytes of every text after compression; 0 for an empty text."""
    compress, text = ZstdCompressor(level=LEVEL).compress, body.data
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    sizes = [len(compress(text[a:b])) if b > a else 0 for a, b in pairs]
    return np.array(sizes, np.int64)


@helper
def log2(count: int) -> int:
    """log2 of a whole number in [1, 2**31), rounded down to units of 2**-BITS (by 1.1 at most)."""
    exponent = 0
    while count >> exponent > 1:
        exponent += 1
    digits = exponent
    power = np.uint64(count) << np.uint64(31 - exponent)  # [1, 2) in units of 2**-31
    for _ in range(BITS):
        power = (power * power) >> np.uint64(31)
        digits <<= 1
        if power >> np.uint64(32):
            power >>= np.uint64(1)
            digits |= 1
    return digits


@helper
def _weighted(count: int, logs: Offsets) -> int:
    """The product count * log2(count)."""
    return count * (logs[count] if count < SMALL else log2(count))


@kernel
def _surprise(data: Bytes, offsets: Offsets, out: Out[Offsets]) -> None:
    """Of every text, n log2(n) - sum of c log2(c) over the histogram of its n bytes."""
    logs = np.zeros(SMALL, np.int64)
    for count in range(1, SMALL):
        logs[count] = log2(count)
    counts = np.empty((4, 256), np.int64)  # four, as equal neighbours would wait for each other
    for row in range(len(offsets) - 1):
        counts[:] = 0
        start, end = offsets[row], offsets[row + 1]
        for at in range(start, end):
            counts[at & 3, data[at]] += 1
        total = _weighted(end - start, logs)
        for byte in range(256):
            four = counts[0, byte] + counts[1, byte] + counts[2, byte] + counts[3, byte]
            total -= _weighted(four, logs)
        out[row] = total
