"""Edits of blocks, lines up to a blank one: cutting those that a text repeats."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, utf8
from filters.edits import Spans, listed_edits
from filters.kernels import I64, INT, OUT_I64, U8, helper, kernel, longest
from filters.lines import take_newline
from filters.seen import emptied, line_end, lines, seen
from filters.unicode import table, trim
from filters.words import ROOM, known_flags, split


@dataclass(frozen=True, slots=True)
class RepeatedBlocks:
    """Cut a block that the text already had: lines up to a blank one, white space around it aside.

    A cut block goes with the blank lines after it, those that end a text without a line feed with
    the one before them.

    Attributes:
        words: a block with fewer words stays.
    """

    words: int = 8

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        if type(self.words) is not int or self.words < 1:
            raise ValueError(f"words must be at least 1, got {self.words!r}")

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reason "repeated_blocks"."""
        body, offsets = utf8(batch["text"])
        most = np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + batch.num_rows
        starts, ends = np.empty((2, most), np.int64)
        counts = np.zeros(batch.num_rows, np.int64)
        count = _repeated(body, offsets, table(), known_flags(), self.words, starts, ends, counts)
        text = [pa.repeat(value, count) for value in ("", "repeated_blocks")]
        return listed_edits(counts, starts[:count], ends[:count], *text)


@helper
def _block(data: Bytes, at: int, end: int, classes: Bytes) -> tuple[int, int, int]:
    """The block that begins there: its bytes without white space around it, and where it ends.

    A blank line before a block is one of its own.
    """
    first = last = at
    blank = False
    while at < end:
        line, at = at, line_end(data, at, end)
        begin, stop = trim(data, line, at, classes)
        if begin < stop and blank:
            return first, last, line
        at = min(at + 1, end)
        blank = begin == stop
        if first == last:
            first, last = begin, stop
            if blank:
                break
        elif not blank:
            last = stop
    return first, last, at


@kernel(INT(U8, I64, U8, U8, INT, OUT_I64, OUT_I64, OUT_I64))
def _repeated(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    known: Bytes,
    words: int,
    starts: Spans,
    ends: Spans,
    counts: Offsets,
) -> int:
    """The blocks to cut: how many, the bytes of each in its text, how many in every text."""
    count = 0
    memory = np.zeros((1024, 2), np.int64)
    most = longest(offsets)
    flags, edges = np.empty(most + ROOM, np.uint8), np.empty(most + 2, np.int32)
    for row in range(len(offsets) - 1):
        memory, slots = emptied(memory, lines(data, offsets, row))
        base, end = offsets[row], offsets[row + 1]
        begin, at = count, base
        while at < end:
            block = at
            first, last, at = _block(data, block, end, classes)
            if first == last or not seen(data, first, last, slots):
                continue
            held = split(data, first, last, classes, known, flags, edges) // 2
            if held >= words:
                starts[count], ends[count] = block - base, at - base
                count += 1
        if count > begin and ends[count - 1] == end - base and data[end - 1] != 10:
            take_newline(data, base, starts[begin:count], ends[begin:count])
        counts[row] = count - begin
    return count
