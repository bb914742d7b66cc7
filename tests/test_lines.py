"""Repeated lines and blocks, against a slow twin over strings."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.blocks import RepeatedBlocks
from filters.edits import apply, merge
from filters.lines import RepeatedLines
from filters.unicode import SPACES
from tests.helpers.measuring import bytes_at, column, lines_of, words_of

Kind = type[RepeatedLines] | type[RepeatedBlocks]


def cut(text: str, least: int = 3, kind: Kind = RepeatedLines) -> str:
    texts = pa.array([text])
    return str(apply(texts, kind(least).edit(pa.record_batch({"text": texts})))[0])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a b c\nx\na b c\ny\n", "a b c\nx\ny\n"),
        ("a b c\n  a b c\t\n\na b c", "a b c\n"),
        ("a b c\r\nx\r\na b c", "a b c\r\nx"),
        ("a b c\nx\na b c\na b c", "a b c\nx"),
        ("a b c\na b c\n", "a b c\n"),
        ("a b\na b\n---\n---\n", "a b\na b\n---\n---\n"),
        ("A b c\na b c\n", "A b c\na b c\n"),
        ("漢字文\n漢字文\n", "漢字文\n"),
        ("", ""),
    ],
    ids=["later", "space", "CRLF", "run at the end", "line feed", "short", "case", "han", "empty"],
)
def test_repeated_lines(text: str, left: str) -> None:
    assert cut(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a b\nc\n\nx\n\na b\nc\n\ny\n", "a b\nc\n\nx\n\ny\n"),
        ("a b\nc\n\na b\nc", "a b\nc\n"),
        ("a b\nc\r\n\r\na b\nc", "a b\nc\r\n"),
        ("a b\nc\n \t\n  a b\nc \n\n\n", "a b\nc\n \t\n"),
        ("a b c\na b c\n", "a b c\na b c\n"),
        ("a b c\n\nx\na b c\n", "a b c\n\nx\na b c\n"),
        ("a b\n\na b\n", "a b\n\na b\n"),
        ("", ""),
    ],
    ids=["later", "line feed", "CRLF", "white space", "one block", "a part", "short", "empty"],
)
def test_repeated_blocks(text: str, left: str) -> None:
    assert cut(text, kind=RepeatedBlocks) == left


def blocks(text: str) -> list[str]:
    """Each with the blank lines after it; blank ones at the beginning are their own."""
    found, blank = list[str](), True
    for line in lines_of(text):
        says = bool(line.strip(SPACES))
        if found and found[-1].strip(SPACES) and not (blank and says):
            found[-1] += line
        else:
            found.append(line)
        blank = not says
    return found


def slow_cut(text: str, pieces: list[str], least: int) -> list[tuple[int, int]]:
    """The pieces to cut, in code points."""
    spans, seen, at = list[tuple[int, int]](), set[str](), 0
    for piece in pieces:
        plain, end = piece.strip(SPACES), at + len(piece)
        if plain in seen and len(words_of(plain)) >= least:
            spans.append((at, end))
        seen.add(plain)
        at = end
    return to_the_end(text, spans)


def to_the_end(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A cut that runs to the end of a text takes along the line end before it."""
    if spans and spans[-1][1] == len(text) and not text.endswith("\n"):
        i = next(i for i in reversed(range(len(spans))) if not i or spans[i - 1][1] != spans[i][0])
        start, end = spans[i]
        start -= start > 0
        spans[i] = (start - text[:start].endswith("\r"), end)
    return spans


PIECES = st.sampled_from(
    [
        *("a b", "a b c", " a b c", "漢字x", "\u3000", "", "x", "e\u0301👩"),
        *("\n", "\n", "\n", "\n", "\r\n"),
    ]
)


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [(RepeatedLines, lines_of), (RepeatedBlocks, blocks)],
    ids=["lines", "blocks"],
)
@given(texts=st.lists(st.lists(PIECES, max_size=14).map("".join)), least=st.integers(1, 3))
def test_the_twin_agrees(
    kind: Kind, pieces: Callable[[str], list[str]], texts: list[str], least: int
) -> None:
    edits = kind(least).edit(pa.record_batch({"text": column(texts)}))
    for text, found in zip(texts, edits.to_pylist(), strict=True):
        at = bytes_at(text)
        cuts = [(at[a], at[b]) for a, b in slow_cut(text, pieces(text), least)]
        assert [(e["start"], e["end"]) for e in found] == cuts
        reason = "repeated_lines" if kind is RepeatedLines else "repeated_blocks"
        assert {(e["replacement"], e["reason"]) for e in found} <= {("", reason)}
    assert merge([edits]).equals(edits)


def test_lines_that_share_a_slot_are_told_apart() -> None:
    lines = [f"line number {i} {i * i}" for i in range(3000)]
    assert cut("\n".join(lines)) == "\n".join(lines)
    assert cut("\n".join(lines + lines)) == "\n".join(lines)
