"""Edits of lines: cutting those that a text repeats."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, utf8
from filters.edits import Spans, listed_edits
from filters.kernels import I64, INT, OUT_I64, U8, helper, kernel, longest
from filters.seen import emptied, line_end, lines, seen
from filters.unicode import table, trim
from filters.words import ROOM, known_flags, split


@dataclass(frozen=True, slots=True)
class RepeatedLines:
    """Cut a line that the text already had, white space around it aside.

    A cut line goes with its line feed, those that end the text without one with that before them.

    Attributes:
        words: a line with fewer words stays (a rule, a bracket, "Read more").
    """

    words: int = 3

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        if self.words < 1:
            raise ValueError(f"words must be at least 1, got {self.words}")

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reason "repeated_lines"."""
        body, offsets = utf8(batch["text"])
        most = np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + batch.num_rows
        starts, ends = np.empty((2, most), np.int64)
        counts = np.zeros(batch.num_rows, np.int64)
        count = _repeated(body, offsets, table(), known_flags(), self.words, starts, ends, counts)
        text = [pa.repeat(value, count) for value in ("", "repeated_lines")]
        return listed_edits(counts, starts[:count], ends[:count], *text)


@helper
def take_newline(data: Bytes, base: int, starts: Spans, ends: Spans) -> None:
    """Let the cuts that touch the end, and one another, begin with the line feed before them."""
    i = len(starts) - 1
    while i > 0 and ends[i - 1] == starts[i]:
        i -= 1
    if starts[i] == 0:  # the whole text is cut
        return
    starts[i] -= 1
    if starts[i] > 0 and data[base + starts[i] - 1] == 13:
        starts[i] -= 1


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
    """The lines to cut: how many, the bytes of each in its text, how many in every text."""
    count = 0
    memory = np.zeros((1024, 2), np.int64)
    most = longest(offsets)
    flags, edges = np.empty(most + ROOM, np.uint8), np.empty(most + 2, np.int32)
    for row in range(len(offsets) - 1):
        memory, slots = emptied(memory, lines(data, offsets, row))
        base, end = offsets[row], offsets[row + 1]
        begin = count
        at = base
        while at < end:
            line, at = at, line_end(data, at, end)
            first, last = trim(data, line, at, classes)
            at = min(at + 1, end)
            if first == last or not seen(data, first, last, slots):
                continue
            held = split(data, first, last, classes, known, flags, edges) // 2
            if held >= words:
                starts[count], ends[count] = line - base, at - base
                count += 1
        if count > begin and ends[count - 1] == end - base and data[end - 1] != 10:
            take_newline(data, base, starts[begin:count], ends[begin:count])
        counts[row] = count - begin
    return count
