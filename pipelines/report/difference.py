"""Two texts side by side: where they first differ, and which words are not those of the other."""

from difflib import SequenceMatcher
from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa

from filters.buffers import spans
from filters.words import words

LENGTH = 600  # characters of each that are shown
BEFORE = 120  # of them before the first difference, about

Piece = tuple[str, bool]
"""A stretch of text, and whether it has no counterpart in the other text."""

Pieces = tuple[Piece, ...]


def sides(one: str, other: str) -> tuple[int, Pieces, Pieces]:
    """What there is to see of two texts.

    Returns:
        where both begin, in characters; and `LENGTH` characters of each from there.
    """
    same = _same(one, other)
    start = max(0, same - BEFORE) if same < max(len(one), len(other)) else 0
    if start:  # not in the middle of a word, if there is an end of one near
        low = max(0, start - BEFORE)
        start = max(one.rfind(space, low, start) for space in " \n") + 1 or start
    # a wider view than is shown, so that what only stands further down is not taken for a change
    left, right = (_tokens(text[start : start + 2 * LENGTH]) for text in (one, other))
    matched = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return (
        start,
        _cut([("".join(left[a:b]), tag != "equal") for tag, a, b, _, _ in matched]),
        _cut([("".join(right[c:d]), tag != "equal") for tag, _, _, c, d in matched]),
    )


def _cut(pieces: list[Piece]) -> Pieces:
    """The first `LENGTH` characters of them."""
    ends = accumulate(len(text) for text, _ in pieces)
    cut = [
        (text[: max(0, LENGTH - end + len(text))], alone)
        for (text, alone), end in zip(pieces, ends, strict=True)
    ]
    return tuple(piece for piece in cut if piece[0])


def _same(one: str, other: str) -> int:
    """How many characters the two begin with alike."""
    least = min(len(one), len(other))
    left, right = (np.frombuffer(t[:least].encode("utf-32-le"), np.uint32) for t in (one, other))
    return int(np.argmax(np.append(left != right, True)))


def _tokens(text: str) -> list[str]:
    """Words, and what stands between them."""
    body = text.encode()
    _, starts, ends = spans(words(pa.array([text], pa.string())))
    edges = [0, *np.stack([starts, ends], axis=1).ravel().tolist(), len(body)]
    return [body[a:b].decode() for a, b in pairwise(edges) if b > a]
