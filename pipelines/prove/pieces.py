"""Pieces of documents: what a proof trains and measures on, so that no long document decides it."""

import re
from collections.abc import Iterable, Iterator

PIECE = 2_000
"""Characters of a piece, at most."""

_PIECE = re.compile(rf"(?s).{{1,{PIECE - 1}}}(?:\s|\Z)|.{{1,{PIECE}}}")


def pieces(texts: Iterable[str]) -> Iterator[str]:
    """Each text in pieces that end after white space where there is some; joined they are it."""
    for text in texts:
        yield from _PIECE.findall(text)
