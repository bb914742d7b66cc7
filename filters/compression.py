"""Greedy selection by compression: next comes what can least be told from what was chosen before.

By the entropy law a model learns more from a set of texts the less it can be compressed.  Texts are
chosen round by round: of the `look` candidates that seemed most novel so far the novelty is
measured again, as bytes after compression with the texts chosen last as a dictionary, over bytes;
the most novel `take` of them are chosen, one by one, each against those before it in the round.

Source: Yin et al. 2024 (ZIP), algorithm 1; there what was chosen is compressed whole, here its last
`WINDOW` bytes are known to the compressor, so that a choice costs the same however many were made.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor

from filters.buffers import utf8
from filters.strategies import by_id, in_turn

LEVEL = 3  # of Zstandard
WINDOW = 1 << 17  # bytes of what was chosen that a candidate is compared with
PART = 1 << 14  # bytes of a candidate that are compressed, at most


@dataclass(frozen=True, slots=True)
class Compression:
    """What adds most to what was chosen.

    Attributes:
        look: candidates whose novelty is measured again in a round.
        take: of these, how many are chosen.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    look: int = 256
    take: int = 32

    def __post_init__(self) -> None:
        if not 0 < self.take <= self.look:
            raise ValueError(f"take is at least 1 and at most look, not {self.take} of {self.look}")

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """The share of the partition's tokens that is chosen before; null for an empty text."""
        order = by_id(candidates)
        texts = _texts(candidates["text"].combine_chunks(), order)
        chosen = np.array(greedy(texts, self.look, self.take), np.int64)
        return in_turn(candidates, order[chosen])


def _texts(texts: pa.StringArray, order: NDArray[np.int64]) -> list[memoryview]:
    """The first bytes of each text, in an order."""
    body, offsets = utf8(texts)
    ends = np.minimum(offsets[1:], offsets[:-1] + PART)
    pairs = zip(offsets[order].tolist(), ends[order].tolist(), strict=True)
    return [body.data[start:end] for start, end in pairs]


def greedy(texts: list[memoryview], look: int, take: int) -> list[int]:
    """Texts in the order in which they are chosen, without the empty ones.

    Args:
        texts: bytes, in the order that breaks ties.
        look: see `Compression`.
        take: the same.
    """
    alone = ZstdCompressor(level=LEVEL)
    left = [(-_novelty(text, alone), row) for row, text in enumerate(texts) if len(text)]
    heapify(left)
    chosen: list[int] = []
    known = bytearray()
    while left:
        compressor = _knowing(known)
        some = [heappop(left)[1] for _ in range(min(look, len(left)))]
        novel = sorted((-_novelty(texts[row], compressor), row) for row in some)
        mine, known = _picked(texts, [row for _, row in novel], take, known)
        chosen += mine
        gone = set(mine)
        for each in novel:
            if each[1] not in gone:
                heappush(left, each)
    return chosen


def _picked(
    texts: list[memoryview], some: list[int], take: int, known: bytearray
) -> tuple[list[int], bytearray]:
    """The most novel of some, no two of which say the same; and what is known then."""
    chosen: list[int] = []
    fresh = bytearray()
    for row in some:
        if len(chosen) == take:
            break
        alone = _novelty(texts[row], ZstdCompressor(level=LEVEL))
        beside = _novelty(texts[row], _knowing(fresh)) if fresh else alone
        if chosen and beside < alone / 2:  # what was chosen in this round says it
            continue
        chosen.append(row)
        fresh += texts[row]
    return chosen, (known + fresh)[-WINDOW:]


def _knowing(known: bytearray) -> ZstdCompressor:
    """A compressor that knows some text."""
    if len(known) < 8:  # Zstandard wants as many
        return ZstdCompressor(level=LEVEL)
    content = ZstdCompressionDict(bytes(known), dict_type=DICT_TYPE_RAWCONTENT)
    return ZstdCompressor(level=LEVEL, dict_data=content)


def _novelty(text: memoryview, compressor: ZstdCompressor) -> float:
    """Bytes after compression over bytes; 0 for no text."""
    return len(compressor.compress(text)) / len(text) if len(text) else 0.0
