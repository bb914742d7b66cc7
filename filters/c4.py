"""What C4 asks about a page: how many sentences it has, and two signs that it is no prose.

Sources: Raffel et al. 2020 (C4), section 2.2; Kiss and Strunk 2006, for initials and ellipses that
end no sentence.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Counts, Offsets, Out, Positions, utf8
from filters.kernels import helper, kernel, signed
from filters.punctuation import TERMINALS, among, codes, stands
from filters.registers import lower_case
from filters.unicode import DIGIT, IDEOGRAPH, LETTER, MARK, SPACE, decode, read, table

FILLER = tuple(b"lorem ipsum")
GAP = FILLER.index(32)

SENTENCES, BRACKETS, FILLERS = range(3)  # rows of the counts
NONE, BEGUN, ENDED, CLOSED = range(4)  # how far a sentence is


@dataclass(frozen=True, slots=True)
class C4:
    """What the page rules of C4 ask about one text.

    Columns:
        sentences: a sentence holds a letter or a digit.  It ends with its line, or with a terminal:
            with one of ASCII before white space, quotes and brackets between them aside, with one
            of another script anywhere.  No terminal is a full stop beside another, or after a
            letter that stands alone (J. Smith, e.g.).
        curly_brackets: number of "{".  The paper drops a page with one; its code looks at the lines
            that it leaves, as a rule does here after the edit of `filters.c4_lines`; but those cut
            for a policy it has seen as well.
        lorem_ipsum: how often these words stand there, whatever their case.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema(
        dict.fromkeys(("sentences", "curly_brackets", "lorem_ipsum"), pa.int32())
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        body, offsets = utf8(batch["text"])
        n = np.zeros((3, batch.num_rows), np.int64)
        _read(body, offsets, table(), codes(TERMINALS), n)
        return pa.record_batch([pa.array(each, pa.int32()) for each in n], schema=self.columns)


@helper
def _may_end(
    data: Bytes, at: int, begin: int, end: int, point: int, alone: bool, stops: Positions
) -> bool:
    """Whether a character ends a sentence, if what follows lets it."""
    if point != 46:
        return among(point, stops)
    dotted = (at > begin and data[at - 1] == 46) or (at + 1 < end and data[at + 1] == 46)
    return not dotted and not alone


@helper
def _moved(
    data: Bytes,
    at: int,
    begin: int,
    end: int,
    kind: int,
    point: int,
    state: int,
    alone: bool,
    stops: Positions,
) -> tuple[int, int]:
    """How far the sentence is after a character, and whether one is over."""
    if kind == SPACE:
        if state in (ENDED, CLOSED) or (state == BEGUN and point == 10):
            return NONE, 1
    elif kind >= DIGIT:
        return BEGUN, int(state == CLOSED)
    elif state >= BEGUN and _may_end(data, at, begin, end, point, alone, stops):
        return ENDED if point < 0x80 else CLOSED, 0
    return state, 0


@kernel
def _read(data: Bytes, offsets: Offsets, classes: Bytes, stops: Positions, n: Out[Counts]) -> None:
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        at, state, letters = begin, NONE, 0
        sentences, brackets = 0, 0
        while at < end:
            run = lower_case(data, at, end) - at
            if run:
                sentences += state == CLOSED
                state = BEGUN
                letters += run
                at += run
                continue
            kind, length = read(data, at, end, classes)
            point = decode(data, at, end)[0] if length > 1 else signed(data[at])
            brackets += point == 123
            if point == 32 and at - begin >= GAP and data[at - 1] | 0x20 == FILLER[GAP - 1]:
                n[FILLERS, row] += stands(data, at - GAP, end, FILLER)
            alone = letters == 1
            state, ended = _moved(data, at, begin, end, kind, point, state, alone, stops)
            sentences += ended
            if kind != MARK:
                letters = letters + 1 if LETTER <= kind < IDEOGRAPH else 0
            at += length
        n[SENTENCES, row] = sentences + (state != NONE)
        n[BRACKETS, row] = brackets
