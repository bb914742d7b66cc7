"""Repeated blocks, against a slow twin over strings."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.blocks import RepeatedBlocks
from filters.edits import apply, merge
from filters.unicode import SPACES
from filters.words import words


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
    texts = pa.array([text])
    edits = RepeatedBlocks(3).edit(pa.record_batch({"text": texts}))
    assert apply(texts, edits).to_pylist() == [left]


def blocks(text: str) -> list[str]:
    """Each with the blank lines after it; blank ones at the beginning are their own."""
    found, blank = list[str](), True
    for line in text.splitlines(keepends=True) if "\n" in text else [text]:
        says = bool(line.strip(SPACES))
        if found and found[-1].strip(SPACES) and not (blank and says):
            found[-1] += line
        else:
            found.append(line)
        blank = not says
    return found


def slow_cut(text: str, least: int) -> list[tuple[int, int]]:
    """The blocks to cut, in code points."""
    spans, seen, at = list[tuple[int, int]](), set[str](), 0
    for block in blocks(text):
        plain, end = block.strip(SPACES), at + len(block)
        if plain in seen and len(words(pa.array([plain]))[0]) >= least:
            spans.append((at, end))
        seen.add(plain)
        at = end
    if spans and spans[-1][1] == len(text) and not text.endswith("\n"):
        i = next(i for i in reversed(range(len(spans))) if not i or spans[i - 1][1] != spans[i][0])
        start, end = spans[i]
        spans[i] = (start - (2 if text[:start].endswith("\r\n") else 1), end)
    return spans


LINES = st.sampled_from(
    [
        *("a b", "a b c", " a b c", "漢字x", "\n", "\n", "\n", "\n", "\r\n", "\u3000", ""),
        *("x", "e\u0301👩"),
    ]
)


@given(st.lists(st.lists(LINES, max_size=14).map("".join)), st.integers(1, 3))
def test_the_twin_agrees(texts: list[str], least: int) -> None:
    edits = RepeatedBlocks(least).edit(pa.record_batch({"text": pa.array(texts, pa.string())}))
    for text, found in zip(texts, edits.to_pylist(), strict=True):
        at = [len(text[:i].encode()) for i in range(len(text) + 1)]
        cuts = [(at[a], at[b]) for a, b in slow_cut(text, least)]
        assert [(e["start"], e["end"]) for e in found] == cuts
        assert {(e["replacement"], e["reason"]) for e in found} <= {("", "repeated_blocks")}
    assert merge([edits]).equals(edits)
