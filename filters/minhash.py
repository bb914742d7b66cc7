"""MinHash signatures: how similar two texts are, told from 112 bytes of each; and their LSH keys.

A slot is the least value that a permutation gives to the hashes of a text's shingles.  Two texts
agree in a slot with a probability that is the Jaccard similarity of their shingles.  The
permutations are datasketch's scheme "affine32": a·x + b modulo 2 ** 32 with odd a, where x is the
upper half of a shingle's hash, mixed once.

Sources: Broder 1997; Zhu's datasketch 2.0, for the permutations.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole, lsh
from filters.buffers import Out, Table, Texts, binary, spans, with_words
from filters.kernels import helper, kernel, longest
from filters.shingles import FIRST, GOLDEN, HALF, SECOND, shingle_hashes

Slots = NDArray[np.uint32]
"""Shape (n, slots)."""

NONE = np.uint32(0xFFFFFFFF)
"""Every slot of a text without words."""

BANDS, ROWS, ROOM = 14, 8, 112
MOST = 4096  # slots, and words a shingle


@dataclass(frozen=True, slots=True)
class MinHash:
    """A signature of each text, and keys that two similar texts are likely to share.

    Columns:
        minhash: one byte a slot, the lowest of its four; see `filters.lsh.similarity`.
        bands: eight bytes a band, little-endian: a key of the band's slots, in full.
        Both are null for a text without words.

    Attributes:
        shingle: words a shingle.
        bands: keys a text.
        rows: slots a band.
        seed: draws the permutations.
        target: the similarity from which on pairs are wanted; bands and rows are then the best for
            it within 112 slots.  None: they are as given.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "words")

    shingle: int = 5
    bands: int = BANDS
    rows: int = ROWS
    seed: int = 1
    target: float | None = None

    def __post_init__(self) -> None:
        for name, most in (("shingle", MOST), ("bands", MOST), ("rows", MOST), ("seed", 2**32 - 1)):
            check_whole(name, getattr(self, name), int(name != "seed"), most)
        if self.slots > MOST:
            raise ValueError(f"bands times rows is {self.slots}, more than {MOST}")
        if self.target is None:
            return
        if not isinstance(self.target, float) or not 0 < self.target < 1:
            raise ValueError(f"target: want a number between 0 and 1, got {self.target!r}")
        found = lsh.best(self.target, ROOM)
        if (self.bands, self.rows) not in ((BANDS, ROWS), found):
            raise ValueError(f"target = {self.target} means {found[0]} bands of {found[1]} rows")
        object.__setattr__(self, "bands", found[0])
        object.__setattr__(self, "rows", found[1])

    @property
    def slots(self) -> int:
        """Length of a signature."""
        return self.bands * self.rows

    @property
    def scheme(self) -> str:
        """What must agree if signatures and keys are to be compared."""
        return (
            f"minhash {self.version}: affine32, shingle {self.shingle}, slots {self.slots}, "
            f"rows {self.rows}, seed {self.seed}"
        )

    @property
    def columns(self) -> pa.Schema:
        """Two columns of fixed width, and the scheme as metadata."""
        fields = [("minhash", pa.binary(self.slots)), ("bands", pa.binary(8 * self.bands))]
        return pa.schema(fields, metadata={"scheme": self.scheme})

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        low = self.signatures(batch)
        some = np.diff(spans(batch["words"])[0]) > 0
        columns = [low.astype(np.uint8), keys(low, self.rows).astype("<u8")]
        return pa.record_batch([binary(each, some) for each in columns], schema=self.columns)

    def signatures(self, batch: pa.RecordBatch) -> Slots:
        """The slots in full.

        ``datasketch.MinHash(hashvalues=slots, permutations=permutations(…), seed=…,
        scheme="affine32")`` can be made of a row.

        Returns:
            shape (rows, slots); all `NONE` for a text without words.
        """
        low = np.full((batch.num_rows, self.slots), NONE, np.uint32)
        a, b = permutations(self.slots, self.seed)
        _minima(with_words(batch["text"], batch["words"]), self.shingle, a, b, low)
        return low


def permutations(slots: int, seed: int) -> Slots:
    """The numbers a and b of each permutation, as datasketch draws them.

    Returns:
        shape (2, slots); a is odd.
    """
    draw = np.random.RandomState(seed)  # as datasketch does; its stream is frozen
    a = draw.randint(0, 2**31, slots, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.array([a, draw.randint(0, 2**32, slots, dtype=np.uint32)])


def keys(low: NDArray[np.unsignedinteger[Any]], rows: int) -> NDArray[np.uint64]:
    """A key of each band: 64 bits of its slots and its number, so that bands do not mix.

    Args:
        low: shape (n, slots).
        rows: slots a band; divides slots.

    Returns:
        shape (n, bands).
    """
    bands = low.shape[1] // rows
    table = low.reshape(len(low), bands, rows)
    value = np.tile(np.arange(1, bands + 1, dtype=np.uint64) * GOLDEN, (len(low), 1))
    for i in range(rows):
        value = (value ^ table[:, :, i]) * FIRST
        value ^= value >> HALF
    value *= SECOND
    return value ^ (value >> HALF)


@helper
def _mix(x: Slots) -> None:
    """MurmurHash3's finaliser of each, as datasketch has it.

    Numba makes 64 bits of the product of 32; cut back at once, the loop becomes vectors.
    """
    for i in range(len(x)):
        v = x[i]
        v = np.uint32(v ^ np.uint32(v >> np.uint32(16)))
        v = np.uint32(v * np.uint32(0x85EBCA6B))
        v = np.uint32(v ^ np.uint32(v >> np.uint32(13)))
        v = np.uint32(v * np.uint32(0xC2B2AE35))
        x[i] = np.uint32(v ^ np.uint32(v >> np.uint32(16)))


@helper
def _lower(x: Slots, a: Slots, b: Slots, low: Slots) -> None:
    """Lower the slots of a text by its shingles, four at a time: a multiple of four."""
    for s in range(0, len(x), 4):
        x0, x1, x2, x3 = x[s], x[s + 1], x[s + 2], x[s + 3]
        for k in range(len(low)):  # 32 bits throughout, so that this loop becomes vectors
            p, q = np.uint32(a[k] * x0 + b[k]), np.uint32(a[k] * x1 + b[k])
            r, t = np.uint32(a[k] * x2 + b[k]), np.uint32(a[k] * x3 + b[k])
            low[k] = min(low[k], min(min(p, q), min(r, t)))


@kernel
def _minima(
    texts: Texts,
    size: int,
    a: Slots,
    b: Slots,
    low: Out[Table[np.uint32]],
) -> None:
    data, offsets, rows, starts, ends = texts
    most = longest(rows)
    words, shingles = np.empty(most, np.uint64), np.empty(most, np.uint64)
    x = np.empty(most + 3, np.uint32)
    for row in range(len(low)):
        mine = slice(rows[row], rows[row + 1])
        begin, limit = offsets[row], offsets[row + 1]
        count = shingle_hashes(data, begin, limit, starts[mine], ends[mine], size, words, shingles)
        for i in range(count):
            x[i] = np.uint32(shingles[i] >> HALF)
        _mix(x[:count])
        while count % 4:  # the last one again, which lowers nothing
            x[count] = x[count - 1]
            count += 1
        _lower(x[:count], a, b, low[row])
