"""Lines and blocks of lines that a text repeats: found by one kernel."""

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Out, utf8
from filters.edits import Spans, listed_edits
from filters.kernels import helper, kernel, longest
from filters.seen import emptied, line_end, lines, seen
from filters.unicode import table, trim
from filters.words import ROOM, known_flags, split


def repeated(texts: pa.StringArray, words: int, blocks: bool, reason: str) -> pa.ListArray:
    """`EDITS` that cut what each text already had.

    Args:
        texts: raw.
        words: what has fewer stays.
        blocks: lines up to a blank one go together, rather than each line by itself.
        reason: of the edits.
    """
    body, offsets = utf8(texts)
    most = np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + len(texts)
    starts, ends = np.empty((2, most), np.int64)
    counts = np.zeros(len(texts), np.int64)
    given = (body, offsets, table(), known_flags(), words, int(blocks))
    count = _repeated(*given, starts, ends, counts)
    text = [pa.repeat(value, count) for value in ("", reason)]
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


@helper
def _line(data: Bytes, at: int, end: int, classes: Bytes) -> tuple[int, int, int]:
    """The line that begins there: its bytes without white space around it, and where it ends."""
    stop = line_end(data, at, end)
    first, last = trim(data, at, stop, classes)
    return first, last, min(stop + 1, end)


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


@kernel
def _repeated(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    known: Bytes,
    words: int,
    blocks: int,
    starts: Out[Spans],
    ends: Out[Spans],
    counts: Out[Offsets],
) -> int:
    """What to cut: how many, the bytes of each in its text, how many in every text."""
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
            unit = at
            if blocks:
                first, last, at = _block(data, unit, end, classes)
            else:
                first, last, at = _line(data, unit, end, classes)
            if first == last or not seen(data, first, last, slots):
                continue
            held = split(data, first, last, classes, known, flags, edges) // 2
            if held >= words:
                starts[count], ends[count] = unit - base, at - base
                count += 1
        if count > begin and ends[count - 1] == end - base and data[end - 1] != 10:
            take_newline(data, base, starts[begin:count], ends[begin:count])
        counts[row] = count - begin
    return count
