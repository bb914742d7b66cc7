"""Cuts: the bytes of passages and lines that go, in the edited texts and in the raw ones."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.buffers import Bytes, Offsets, Out, Positions, Texts, spans, utf8, with_words
from filters.edits import Spans, listed_edits
from filters.kernels import helper, kernel
from filters.passages import Masks
from filters.seen import line_end
from filters.unicode import SPACE, read, table


class Cuts(NamedTuple):
    """Bytes of texts to cut, each array of shape (cuts,), sorted and disjoint within a text."""

    rows: Positions
    starts: Spans
    ends: Spans


def passages(
    texts: pa.StringArray, words: pa.ListArray, size: int, rows: Positions, at: Positions,
    masks: Masks,
) -> Cuts:  # fmt: skip
    """The bytes of windows, those that touch or overlap as one.

    A cut begins with its first word, or with the line if no other word stands before it there.  It
    ends with the white space before what follows; where a line feed stands before the next word, it
    ends with that, or before it if the line has words that stay.

    Args:
        texts: with their words, `SPANS`.
        words: of each text.
        size: words a window.
        rows: the text of each anchor, sorted.
        at: where its first window begins.
        masks: which of its windows are meant.
    """
    most = int(np.bitwise_count(masks).sum())
    found, (begin, stop) = np.empty(most, np.int32), np.empty((2, most), np.int64)
    given = with_words(texts, words)
    count = _passages(given, table(), size, rows, at, masks, found, begin, stop)
    return Cuts(found[:count], begin[:count], stop[:count])


def paragraphs(texts: pa.StringArray, rows: Positions, numbers: Positions) -> Cuts:
    """The bytes of lines, each with its line feed.

    Args:
        texts: any.
        rows: the text of each line, sorted.
        numbers: of the lines, from 0; of one text sorted, each once.
    """
    body, offsets = utf8(texts)
    starts, ends = np.empty((2, len(rows)), np.int64)
    _paragraphs(body, offsets, rows, numbers, starts, ends)
    return Cuts(rows, starts, ends)


def in_raw(cuts: Cuts, edits: pa.ListArray, reason: str) -> pa.ListArray:
    """Cuts of edited texts as edits of the raw ones; a replacement is cut whole or not at all.

    Args:
        cuts: of the edited texts.
        edits: `EDITS` that were made.
        reason: of the cuts.

    Returns:
        `EDITS`; they may overlap one another and those that were made, see `filters.edits.merge`.
    """
    offsets, starts, ends = spans(edits)
    new = pc.binary_length(edits.values.field("replacement")).to_numpy().astype(np.int32)
    first, last = np.empty((2, len(cuts.rows)), np.int64)
    _in_raw(*cuts, offsets, starts, ends, new, first, last)
    counts = np.bincount(cuts.rows, minlength=len(edits))
    text = [pa.repeat(value, len(first)) for value in ("", reason)]
    return listed_edits(counts, first, last, *text)


@helper
def _start(data: Bytes, before: int, word: int) -> int:
    """Where a cut begins whose first word does: with its line, if it is the line's first word."""
    at = word
    while at > before and data[at - 1] != 10:
        at -= 1
    return at if at > before or before == 0 else word


@helper
def _end(data: Bytes, start: int, at: int, next_: int, classes: Bytes) -> int:
    """Where a cut ends whose last word ends at a byte, and after which a word or the text's end is.

    Bytes that are no white space and touch the next word, an opening bracket, stay with it.
    """
    end = next_
    while at < next_:
        kind, length = read(data, at, next_, classes)
        if data[at] == 10:
            if start == 0 or data[start - 1] == 10:
                return at + 1
            return at - 1 if data[at - 1] == 13 else at
        at += length
        if kind == SPACE:
            end = at
    return end if next_ < len(data) else next_


@kernel
def _passages(
    texts: Texts,
    classes: Bytes,
    size: int,
    rows: Positions,
    at: Positions,
    masks: Masks,
    out: Out[Positions],
    first: Out[Spans],
    last: Out[Spans],
) -> int:
    data, offsets, words, starts, ends = texts
    count, anchor = 0, 0
    while anchor < len(rows):
        row = rows[anchor]
        begin, end = words[row], words[row + 1]
        opened = np.zeros(end - begin + 1, np.int32)  # windows that begin, less those that end
        while anchor < len(rows) and rows[anchor] == row:
            for bit in range(32):
                if masks[anchor] >> np.uint32(bit) & np.uint32(1):
                    opened[at[anchor] + bit] += 1
                    opened[at[anchor] + bit + size] -= 1
            anchor += 1
        text = data[offsets[row] : offsets[row + 1]]
        inside = 0
        for word in range(end - begin + 1):
            before = inside
            inside += opened[word]
            here = begin + word
            if before == 0 and inside > 0:
                left = ends[here - 1] if word else 0
                out[count], first[count] = row, _start(text, left, starts[here])
            elif before > 0 and inside == 0:
                right = starts[here] if here < end else len(text)
                last[count] = _end(text, first[count], ends[here - 1], right, classes)
                count += 1
    return count


@kernel
def _paragraphs(
    data: Bytes,
    offsets: Offsets,
    rows: Positions,
    numbers: Positions,
    first: Out[Spans],
    last: Out[Spans],
) -> None:
    row, number, at = -1, 0, 0
    for i in range(len(rows)):
        if rows[i] != row:
            row, number, at = rows[i], 0, offsets[rows[i]]
        end = offsets[row + 1]
        while True:
            begin, at = at, min(line_end(data, at, end) + 1, end)
            number += 1
            if number > numbers[i]:
                break
        first[i], last[i] = begin - offsets[row], at - offsets[row]


@kernel
def _in_raw(
    rows: Positions,
    starts: Spans,
    ends: Spans,
    offsets: Offsets,
    from_: Positions,
    to: Positions,
    new: Positions,
    first: Out[Spans],
    last: Out[Spans],
) -> None:
    row, edit, shift = -1, np.int64(0), np.int64(0)
    for i in range(len(rows)):
        if rows[i] != row:
            row, edit, shift = rows[i], offsets[rows[i]], np.int64(0)
        # edits that end at or before the cut; `shift` is what they took from the text
        while edit < offsets[row + 1] and from_[edit] - shift + new[edit] <= starts[i]:
            shift += to[edit] - from_[edit] - new[edit]
            edit += 1
        first[i] = starts[i] + shift
        if edit < offsets[row + 1]:
            first[i] = min(first[i], np.int64(from_[edit]))
        inner, gone = edit, shift
        last[i] = -1
        while inner < offsets[row + 1] and from_[inner] - gone < ends[i]:  # begin before its end
            if from_[inner] - gone + new[inner] > ends[i]:
                last[i] = to[inner]
                break
            gone += to[inner] - from_[inner] - new[inner]
            inner += 1
        if last[i] < 0:
            last[i] = ends[i] + gone
