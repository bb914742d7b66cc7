"""Repeated lines, against a slow twin over strings."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.edits import apply, merge
from filters.lines import RepeatedLines
from filters.unicode import SPACES
from filters.words import words


def cut(text: str, least: int = 3) -> str:
    texts = pa.array([text])
    return str(apply(texts, RepeatedLines(least).edit(pa.record_batch({"text": texts})))[0])


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
    ids=[
        "later one",
        "white space",
        "CRLF",
        "run at the end",
        "line feed",
        "short",
        "case",
        "han",
        "empty",
    ],
)
def test_repeated_lines(text: str, left: str) -> None:
    assert cut(text) == left


def slow_cut(text: str, least: int) -> list[tuple[int, int]]:
    """The lines to cut, in code points."""
    spans, seen, at = list[tuple[int, int]](), set[str](), 0
    for line in text.split("\n"):
        plain, end = line.strip(SPACES), min(at + len(line) + 1, len(text))
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
    ["a b", "a b c", " a b c", "漢字x", "\n", "\n", "\n", "\r\n", "\u3000", "", "x"]
)


@given(st.lists(st.lists(LINES).map("".join)), st.integers(1, 3))
def test_the_twin_of_repeated_lines_agrees(texts: list[str], least: int) -> None:
    edits = RepeatedLines(least).edit(pa.record_batch({"text": pa.array(texts, pa.string())}))
    for text, found in zip(texts, edits.to_pylist(), strict=True):
        at = [len(text[:i].encode()) for i in range(len(text) + 1)]
        cuts = [(at[a], at[b]) for a, b in slow_cut(text, least)]
        assert [(e["start"], e["end"]) for e in found] == cuts
        assert {(e["replacement"], e["reason"]) for e in found} <= {("", "repeated_lines")}
    assert merge([edits]).equals(edits)


def test_lines_that_share_a_slot_are_told_apart() -> None:
    lines = [f"line number {i} {i * i}" for i in range(3000)]
    assert cut("\n".join(lines)) == "\n".join(lines)
    assert cut("\n".join(lines + lines)) == "\n".join(lines)
