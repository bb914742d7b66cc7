"""C4's edits of lines, against a slow twin over strings."""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.c4 import C4
from filters.c4_lines import ENDS, POLICIES, C4Lines
from filters.edits import apply, merge
from filters.unicode import (
    CONNECTOR,
    DIGIT,
    IDEOGRAPH,
    LETTER,
    LOWER,
    MARK,
    SPACES,
    UPPER,
    classify,
)
from tests.helpers.measuring import bytes_at, column
from tests.test_lines import to_the_end

CITATION = re.compile(r"\[[0-9]+\]|\[edit\]|\[citation needed\]", re.IGNORECASE | re.ASCII)
WITHIN = "".join(map(chr, range(0xDC80, 0xDCC0)))  # a byte of a letter that does not begin it
NAMES = {MARK, CONNECTOR, DIGIT, LETTER, UPPER, LOWER}
Cut = tuple[int, int, str]


def edits(texts: Sequence[str | bytes], edit: C4Lines) -> pa.ListArray:
    return edit.edit(pa.record_batch({"text": column(texts)}))


def cut(text: str, **options: Any) -> str:
    return str(apply(pa.array([text]), edits([text], C4Lines(**options)))[0])


def reasons(text: str, **options: Any) -> list[str]:
    return [e["reason"] for e in edits([text], C4Lines(**options))[0].as_py()]


def lower(text: str) -> str:
    return text.encode(errors="surrogateescape").lower().decode(errors="surrogateescape")


def number_of_words(line: str) -> int:
    """As many as str.split finds; of a script without spaces as many as letters."""
    found = filter(None, re.split(f"[{SPACES}]", line))
    return sum(max(1, sum(classify(c) == IDEOGRAPH for c in word)) for word in found)


def citations(line: str) -> list[tuple[int, int]]:
    """Where they stand: what C4 cuts, but "[]", "[0]" and what follows a name or a bracket."""
    found = list[tuple[int, int]]()
    for m in CITATION.finditer(line):
        before = line[m.start() - 1] if m.start() else " "
        follows = bool(found) and found[-1][1] == m.start()
        is_index = not follows and (classify(before) in NAMES or before in ")]")
        if not m[0][1].isdigit() or (m[0][1] != "0" and not is_index):
            found.append(m.span())
    return found


def without(line: str) -> str:
    for start, end in reversed(citations(line)):
        line = line[:start] + line[end:]
    return line


def why(line: str, edit: C4Lines) -> str | None:
    spaced = "".join(" " if classify(c) == IDEOGRAPH else c for c in line)
    if max(map(len, re.split(f"[{SPACES}]", spaced))) > edit.longest:
        return "long word"
    rest = line
    for start, end in reversed(citations(line) if edit.citations else []):
        rest = rest[:start].strip(SPACES) if end == len(rest) else rest
    if edit.ended and (rest.rstrip(WITHIN)[-1:] not in [*ENDS] or rest.endswith("...")):
        return "no sentence end"
    if number_of_words(without(line) if edit.citations else line) < edit.words:
        return "few words"
    if edit.javascript and "javascript" in lower(line):
        return "javascript"
    return "policy" if edit.policies and any(p in lower(line) for p in POLICIES) else None


def twin(text: str, edit: C4Lines) -> list[Cut]:
    """The cuts, in code points."""
    at, cuts, gone = 0, list[Cut](), False
    for line in text.split("\n"):
        plain, end = line.strip(SPACES), min(at + len(line) + 1, len(text))
        reason = why(plain, edit) if plain else None
        if reason:
            cuts.append((at, end, reason))
        elif plain and edit.citations:
            first = at + line.index(plain)
            cuts += [(first + a, first + b, "citation") for a, b in citations(plain)]
        elif not plain and gone and at < end:
            cuts[-1] = (cuts[-1][0], end, cuts[-1][2])
        gone = bool(reason) or (gone and not plain)
        at = end
    if gone:
        spans = to_the_end(text, [(start, end) for start, end, _ in cuts])
        cuts = [(*span, reason) for span, (_, _, reason) in zip(spans, cuts, strict=True)]
    return cuts


LINES = st.sampled_from(
    [
        *("A good line.", "Another good one!", "no end here", "Too few.", "漢字文字。"),
        *("שלום לך ידיד.", "ที่นี่."),
        *("\n", "\n", "\n", "\r\n", " \n", "\u3000", " ", ""),
        *("[1]", "[]", "[Edit]", "[citation needed]", "[0]", "[20]", "x", "x_", "f(x)"),
        *("e\u0301[1]", "漢[3]", "“So.”[4]"),
        *("[", "]", "...", "…", '"', "'", "’", "e\u0301", "😀", "\0", "[12", "abcdefghijklm"),
        *("See JavaScript for more.", "We use COOKIES a lot.", "Terms of use: none at all."),
    ]
)
TEXTS = st.lists(LINES, max_size=12).map("".join)
OPTIONS = st.builds(
    C4Lines,
    longest=st.sampled_from([10, 1000]),
    ended=st.booleans(),
    words=st.integers(0, 4),
    javascript=st.booleans(),
    policies=st.booleans(),
    citations=st.booleans(),
)


ANY = st.lists(TEXTS.map(str.encode) | st.binary(max_size=4)).map(b"".join)


@given(st.lists((TEXTS | st.text(max_size=10)).map(str.encode) | ANY, max_size=4), OPTIONS)
@settings(max_examples=200)
def test_the_twin_agrees(texts: list[bytes], edit: C4Lines) -> None:
    found = edits(texts, edit)
    for data, mine in zip(texts, found.to_pylist(), strict=True):
        text = data.decode(errors="surrogateescape")
        at = bytes_at(text)
        expected = [(at[a], at[b], reason) for a, b, reason in twin(text, edit)]
        assert [(e["start"], e["end"], e["reason"]) for e in mine] == expected
        assert {e["replacement"] for e in mine} <= {""}
    assert merge([found]).equals(found)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("This is a sentence.", None),
        ("“This is quoted.”", None),
        ("This one asks?", None),
        ("This one is 'quoted'", None),
        ("This is the users’", "no sentence end"),
        ("这是一个句子。", None),
        ("This is no sentence", "no sentence end"),
        ("This one goes on...", "no sentence end"),
        ("This one goes on…", "no sentence end"),
        ("Too few.", "few words"),
        ("n = 0;", "no sentence end"),
        ("Now = 0!", None),
        ("Right-to-left, state-of-the-art.", "few words"),
        ("It's [1] known.", "few words"),
        ("二字。", "few words"),
        ("ที่นี่.", "few words"),
        ("Please enable Javascript now.", "javascript"),
        ("Read our Privacy Policy now.", "policy"),
        ("javascript and our cookie policy.", "javascript"),
        (f"One very {'x' * 1001} word.", "long word"),
        (f"{'漢' * 1001}。", None),
        ("It is known.[12] [citation needed]", None),
        ("It is in x.[0]", "no sentence end"),
        ("It is known [12", "no sentence end"),
    ],
)
def test_a_line_is_cut_for_the_first_reason(line: str, reason: str | None) -> None:
    found = [r for r in reasons(line) if r != "citation"]
    assert found == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A good line here.\nmenu\nAnother good one.\n", "A good line here.\nAnother good one.\n"),
        ("menu\n\nA good line here.\n\nmenu\n \nmenu\n\nAnd one more.", None),
        ("A good line here.\r\nmenu", "A good line here."),
        ("A good line here.\nmenu\nmenu\n \n ", "A good line here."),
        ("menu", ""),
        ("It is so.[1][2] Is it?[edit]\n", "It is so. Is it?\n"),
    ],
    ids=["between", "blank lines go too", "CRLF", "the end", "everything", "citations"],
)
def test_what_is_left(text: str, left: str | None) -> None:
    assert cut(text) == (left if left is not None else "A good line here.\n\nAnd one more.")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It is so.[1][2] It is [34] so.", "It is so. It is  so."),
        ("History[edit] of it.[Citation needed][5]", "History of it."),
        ("Look at argv[1], x_2[3], x_[5] and e\u0301[4].", None),
        ("The entries a[], [], b[0], c [0] and d[n][1].", None),
        ("Say f(x)[1], not a[1][2][3].", None),
        ("漢字[1]。漢字 [2]。漢字。", "漢字。漢字 。漢字。"),
        ("It is [ 1] or [1 or [01].", None),
    ],
    ids=["cited", "words", "names", "none and nought", "calls", "unspaced", "no numbers"],
)
def test_an_index_is_no_citation(text: str, left: str | None) -> None:
    assert cut(text, words=0) == (left if left is not None else text)


@pytest.mark.parametrize(
    ("line", "brackets"),
    [("struct x {", 1), ("x {", 0), ("javascript is {here} now", 0), ("See [{it}] there now", 1)],
)
def test_brackets_are_sought_in_the_lines_that_stay(line: str, brackets: int) -> None:
    left = pa.record_batch({"text": [cut(f"A good line.\n{line}\n", ended=False)]})
    assert C4().measure(left)["curly_brackets"].to_pylist() == [brackets]


def test_each_rule_can_be_switched_off() -> None:
    for option, line in (
        ({"ended": False}, "This is no sentence"),
        ({"words": 0}, "Too few."),
        ({"javascript": False}, "Please enable Javascript now."),
        ({"policies": False}, "Read our Privacy Policy now."),
        ({"citations": False}, "It is [1] known."),
        ({"longest": 1001}, f"One very {'x' * 1001} word."),
    ):
        assert cut(line) != line and cut(line, **option) == line
