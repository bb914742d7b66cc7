"""Edits of lines as C4 made them: what is no sentence, what talks of scripts and cookies.

Source: Raffel et al. 2020 (C4), section 2.2, and the code that goes with it, c4_utils.py of
TensorFlow Datasets, which also cuts lines with very long words, lines about policies, and the marks
of citations.  Its words are what stands between white space, `len(line.split())`.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Out, Positions, Table, utf8
from filters.citations import BRACKETS, cited, uncited
from filters.edits import Spans, listed_edits
from filters.kernels import helper, kernel
from filters.punctuation import TERMINALS, among, codes, ends_in_dots, stands
from filters.repeats import take_newline
from filters.seen import line_end, upto
from filters.unicode import IDEOGRAPH, SPACE, decode, read, table, trim

POLICIES = (
    *("terms of use", "privacy policy", "cookie policy"),
    *("uses cookies", "use of cookies", "use cookies"),
)
ENDS = TERMINALS + "\"'”»」』｣"
"""What a line must end with; ’ is not among it, as it closes words as well."""

RARE = "jvkf"  # letters that few words hold, and each of these phrases
LONG_WORD, NO_END, FEW_WORDS, JAVASCRIPT, POLICY, CITATION = range(6)
REASONS = ("long word", "no sentence end", "few words", "javascript", "policy", "citation")
KEPT = -1


@dataclass(frozen=True, slots=True)
class C4Lines:
    """Cut lines that are no prose; the first reason that holds, in this order, is the edit's.

    Blank lines after a cut line go with it.  White space around a line is no part of it.

    Attributes:
        longest: "long word": more characters than these without white space; letters of scripts
            that have none between words do not count.
        ended: cut a line as "no sentence end" that ends with none of `ENDS`, marks of citations
            aside, or with an ellipsis.
        words: "few words": fewer than these between white space, marks of citations aside; one
            that holds letters of scripts without spaces is as many words as it has of these.
        javascript: cut a line that says so.
        policies: cut a line with one of `POLICIES`, as "policy".
        citations: cut [1], [edit] and [citation needed], as "citation", out of lines that stay;
            `filters.citations` says which they are.
    """

    longest: int = 1000
    ended: bool = True
    words: int = 3
    javascript: bool = True
    policies: bool = True
    citations: bool = True

    version: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        for name, least in (("longest", 1), ("words", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value < 1 << 31:
                raise ValueError(f"{name} wants a whole number, at least {least}, got {value!r}")
        for name in ("ended", "javascript", "policies", "citations"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} is true or false, not {getattr(self, name)!r}")

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reasons above."""
        body, offsets = utf8(batch["text"])
        most = np.count_nonzero(body[offsets[0] : offsets[-1]] == 10) + batch.num_rows
        if self.citations:
            most += np.count_nonzero(body[offsets[0] : offsets[-1]] == 93)
        out, counts = np.empty((3, most), np.int64), np.zeros(batch.num_rows, np.int64)
        phrases = ("javascript",) * self.javascript + POLICIES * self.policies
        gaps = np.array([next(p.index(c) for c in RARE if c in p) for p in phrases], np.int64)
        rare = np.zeros(256, np.uint8)
        rare[[*map(ord, RARE + RARE.upper())]] = 1
        asked = np.array([self.longest, self.ended, self.words, self.javascript, self.citations])
        said = (rare, gaps, *utf8(pa.array(phrases, pa.string())))
        count = _cut(body, offsets, table(), codes(ENDS), *said, asked, out, counts)
        starts, ends, reasons = out[:, :count]
        named = pa.array(REASONS).take(pa.array(reasons))
        return listed_edits(counts, starts, ends, pa.repeat("", count), named)


class Phrases(NamedTuple):
    """Phrases to look for.

    Attributes:
        rare: of each byte: whether it is one of `RARE`, in either case.
        gaps: where the first of these stands in each phrase.
        body: of the phrases, in lower case.
        offsets: of each in it.
    """

    rare: Bytes
    gaps: Offsets
    body: Bytes
    offsets: Offsets


@helper
def _is_long(data: Bytes, at: int, end: int, most: int, classes: Bytes) -> bool:
    """Whether more characters than `most` stand without white space between them."""
    size = 0
    if end - at <= most:
        return False
    while at < end and size <= most:
        kind, length = read(data, at, end, classes)
        size = 0 if kind in (SPACE, IDEOGRAPH) else size + 1
        at += length
    return size > most


@helper
def _has_end(
    data: Bytes, first: int, last: int, classes: Bytes, stops: Positions, citations: int
) -> bool:
    """Whether a line ends with one of the stops, and with no ellipsis."""
    if citations and data[last - 1] == 93:
        last = uncited(data, first, last, classes)
    if first == last or ends_in_dots(data, first, last):
        return False
    at = last - 1
    while at > first and data[at] & 0xC0 == 0x80:
        at -= 1
    return among(decode(data, at, last)[0], stops)


@helper
def _is_short(
    data: Bytes, first: int, last: int, words: int, classes: Bytes, citations: int
) -> bool:
    """Whether a line has fewer words than these."""
    inside, unspaced = False, False  # a word, of which a letter of such a script was there
    at, after = first, 0
    while at < last and words > 0:
        if citations and data[at] == 91:
            after = cited(data, first, at, last, after, classes) or after
            if after > at:
                at = after
                continue
        kind, length = read(data, at, last, classes)
        words -= kind != SPACE and (not inside or (unspaced and kind == IDEOGRAPH))
        inside = kind != SPACE
        unspaced = inside and (unspaced or kind == IDEOGRAPH)
        at += length
    return words > 0


@helper
def _said(data: Bytes, first: int, last: int, phrases: Phrases, javascript: int) -> int:
    """Why a line is cut that holds one of the phrases, of which JavaScript's may be the first."""
    rare, gaps, body, offsets = phrases
    reason = KEPT
    for at in range(first, last):
        if not rare[data[at]]:
            continue
        for i in range(len(gaps)):
            start = at - gaps[i]
            if start >= first and stands(data, start, last, body[offsets[i] : offsets[i + 1]]):
                if i == 0 and javascript:
                    return JAVASCRIPT
                reason = POLICY
    return reason


@helper
def _judged(
    data: Bytes, first: int, last: int, classes: Bytes, stops: Positions, phrases: Phrases,
    asked: Spans,
) -> int:  # fmt: skip
    """Why the line [first, last) is cut."""
    longest, ended, words = asked[0], asked[1], asked[2]
    if _is_long(data, first, last, longest, classes):
        return LONG_WORD
    if ended and not _has_end(data, first, last, classes, stops, asked[4]):
        return NO_END
    if _is_short(data, first, last, words, classes, asked[4]):
        return FEW_WORDS
    return _said(data, first, last, phrases, asked[3])


@helper
def _citations(
    data: Bytes, first: int, last: int, base: int, classes: Bytes, out: Table[np.int64], count: int
) -> int:
    """Put down the citations of a line that stays; how many cuts there are then."""
    at, after = upto(data, first, last, BRACKETS), 0
    while at < last:
        after = cited(data, first, at, last, after, classes) or after
        if after > at:
            out[0, count], out[1, count], out[2, count] = at - base, after - base, CITATION
            count += 1
        at = upto(data, max(after, at + 1), last, BRACKETS)
    return count


@kernel
def _cut(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    stops: Positions,
    rare: Bytes,
    gaps: Offsets,
    phrases: Bytes,
    of_phrases: Offsets,
    asked: Spans,
    out: Out[Table[np.int64]],
    counts: Out[Offsets],
) -> int:
    """What to cut: how much, the bytes of each in its text and why, and how many in every text."""
    said = Phrases(rare, gaps, phrases, of_phrases)
    count = 0
    for row in range(len(offsets) - 1):
        base, end = offsets[row], offsets[row + 1]
        at, begin, was_cut = base, count, False
        while at < end:
            line, at = at, line_end(data, at, end)
            first, last = trim(data, line, at, classes)
            at = min(at + 1, end)
            if first == last:
                if was_cut:
                    out[1, count - 1] = at - base
                continue
            why = _judged(data, first, last, classes, stops, said, asked)
            was_cut = why != KEPT
            if was_cut:
                out[0, count], out[1, count], out[2, count] = line - base, at - base, why
                count += 1
            elif asked[4]:
                count = _citations(data, first, last, base, classes, out, count)
        if was_cut and out[1, count - 1] == end - base and data[end - 1] != 10:
            take_newline(data, base, out[0, begin:count], out[1, begin:count])
        counts[row] = count - begin
    return count
