"""Marks of citations, as encyclopaedias put them: [1], [edit], [citation needed].

C4's code cuts a bracket with any digits, or none, which in texts about software is an index or a
size as well.  Narrower here: a number has a digit and begins with no nought, so "[]" and "[0]" are
no citations; nor is one right behind a name or a bracket that closes (argv[1], f(x)[1], a[n][1]),
that of another citation aside.  So "the right to vote[51]" keeps its mark, and "= [1]" in code
loses it.  Letters of scripts without spaces make no name: a citation follows them directly.

Source: the code that goes with Raffel et al. 2020 (C4), c4_utils.py of TensorFlow Datasets.
"""

import numpy as np

from filters.buffers import Bytes
from filters.kernels import helper
from filters.punctuation import stands
from filters.registers import EACH
from filters.seen import upto
from filters.unicode import CONNECTOR, IDEOGRAPH, MARK, read, trim

EDIT, NEEDED = tuple(b"edit]"), tuple(b"citation needed]")  # after a bracket, as well as digits

BRACKETS = EACH * np.uint64(91)
"""An opening one, eight times."""


@helper
def _is_index(data: Bytes, first: int, at: int, classes: Bytes) -> bool:
    """Whether what stands before a bracket, in a line from `first` on, makes it an index."""
    before = at - 1
    while before > first and data[before] & 0xC0 == 0x80:
        before -= 1
    if before < first:
        return False
    kind, length = read(data, before, at, classes)
    if before + length != at:
        return False
    closes = data[before] == 41 or data[before] == 93
    return closes or kind == MARK or CONNECTOR <= kind < IDEOGRAPH


@helper
def cited(data: Bytes, first: int, at: int, last: int, after: int, classes: Bytes) -> int:
    """Where the mark of a citation ends that begins at a bracket; 0: there is none.

    Args:
        data: bytes.
        first: where the line begins.
        at: the bracket.
        last: where the line ends.
        after: where the citation before it ended.
        classes: of characters.
    """
    begin = at + 1
    if stands(data, begin, last, EDIT):
        return begin + len(EDIT)
    if stands(data, begin, last, NEEDED):
        return begin + len(NEEDED)
    end = begin
    while end < last and 48 <= data[end] <= 57:
        end += 1
    if end in (begin, last) or data[end] != 93 or data[begin] == 48:
        return 0
    return 0 if at != after and _is_index(data, first, at, classes) else end + 1


@helper
def uncited(data: Bytes, first: int, last: int, classes: Bytes) -> int:
    """Where the line [first, last) ends, its last citations and the space before them aside."""
    at, after, stop = first, 0, first
    while at < last:
        bracket = upto(data, at, last, BRACKETS)
        begin, end = trim(data, at, bracket, classes)
        stop = end if begin < end else stop
        at = bracket
        if at < last:
            after = cited(data, first, at, last, after, classes) or after
            stop = stop if after > at else at + 1
            at = max(after, at + 1)
    return stop
