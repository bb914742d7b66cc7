"""Passages and paragraphs that stand in a text before, against slow twins over strings."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import cuts, winnowing
from filters.buffers import spans
from filters.edits import apply, merge
from filters.passages import chosen, copies
from filters.unicode import SPACES
from filters.words import words
from tests.helpers.measuring import lines_of, words_of
from tests.test_edits import Edit, array, disjoint

Texts = list[str]


def cut(texts: Texts, size: int) -> Texts:
    """The texts without the passages that stand in one before."""
    column, found = pa.array(texts, pa.string()), words(pa.array(texts, pa.string()))
    anchors = winnowing.anchors(column, found, size)
    hashes = winnowing.windows(column, found, size, anchors)
    offsets = np.append(0, np.cumsum(anchors.counts)).astype(np.int64)
    order = np.lexsort((anchors.rows, anchors.keys))
    masks = copies(anchors.keys, order, anchors.rows.astype(np.uint64), offsets, hashes)
    gone = cuts.passages(column, found, size, anchors.rows, anchors.at, masks)
    return _left(texts, gone)


def _left(texts: Texts, gone: cuts.Cuts) -> Texts:
    column, none = pa.array(texts, pa.string()), array([[] for _ in texts])
    edits = cuts.in_raw(gone, none, "gone")
    assert merge([edits]).equals(edits)
    return [str(text) for text in apply(column, edits)]


def runs(one: Texts, other: Texts) -> list[tuple[int, int]]:
    """All runs of `one`, [from, to), that `other` has and that no longer one holds in both."""
    found, above = list[tuple[int, int]](), [0] * (len(other) + 1)
    for i, word in enumerate(one, 1):
        row = [0] * (len(other) + 1)
        for j, same in enumerate(other, 1):
            row[j] = above[j - 1] + 1 if word == same else 0
            if row[j] and (i == len(one) or j == len(other) or one[i] != other[j]):
                found.append((i - row[j], i))
        above = row
    return found


def slow_cut(texts: Texts, size: int) -> Texts:
    """The twin: the words of texts of words and spaces that are left."""
    left, before = list[str](), list[Texts]()
    for text in texts:
        mine = text.split()
        gone = {
            at
            for other in before
            for start, end in runs(mine, other)
            if end - start >= size
            for at in range(start, end)
        }
        left.append(" ".join(word for at, word in enumerate(mine) if at not in gone))
        before.append(mine)
    return left


WORD = st.sampled_from("abc")
PIECE = st.integers(0, 3).map(lambda seed: " ".join("abcdefgh"[seed : seed + 5]))
PROSE = st.lists(WORD | PIECE, max_size=20).map(" ".join)


@given(st.lists(PROSE, max_size=6), st.integers(2, 9))
@settings(max_examples=400)
def test_every_shared_run_is_cut_from_the_later_text_and_nothing_else(
    texts: Texts, size: int
) -> None:
    assert [" ".join(text.split()) for text in cut(texts, size)] == slow_cut(texts, size)


@given(st.integers(0, 2**32), st.sampled_from([10, 31, 32, 50, 63, 64, 90]))
@settings(max_examples=60)
def test_a_run_is_found_wherever_it_stands(seed: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    long, short = ([f"s{n}" for n in draw.integers(0, 10**9, n)] for n in (size, size - 1))
    texts = list[str]()
    for text in range(4):
        parts = [[f"w{n}" for n in draw.integers(0, 10**9, draw.integers(0, 80))] for _ in range(3)]
        shared = [long, short] if draw.random() < 0.5 else [short, long]
        parts[1:1] = [shared[0], *([[f"x{text}"]] if text else [])]
        texts.append(" ".join(word for part in [*parts, shared[1]] for word in part))
    assert [" ".join(text.split()) for text in cut(texts, size)] == slow_cut(texts, size)


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ("x RUN y", "x y"),
        ("x RUN", "x "),
        ("RUN", ""),
        ("- RUN.\n- y", "- y"),
        ("x\n(RUN)\ny", "x\ny"),
        ("x RUN.\ny", "x \ny"),
        ("x RUN.\r\ny", "x \r\ny"),
        ("x RUN. (y", "x (y"),
        ("RUN y\nz", "y\nz"),
        ("x\n\n\nRUN\n\n\ny", "x\n\n\n\n\ny"),
        ("x-RUN-y", "x-y"),
        ("漢RUN字", "漢字"),
        ("x RUN\u3000y", "x y"),
        ("x RUN y RUN z", "x y z"),
        ("RUN RUN", ""),
        ("x one two THREE four y", "x one two THREE four y"),
    ],
)
def test_what_goes_with_the_words(later: str, left: str) -> None:
    for run in ("one two three four", "一二三四"):
        first = f"before {run}, after"
        assert cut([first, later.replace("RUN", run)], 4) == [first, left]


def test_punctuation_and_line_ends_do_not_matter_and_case_does() -> None:
    first, capital = "one two three four", "One two three four"
    assert cut([first, "one, two\n(three) four", capital], 4) == [first, "", capital]


def test_a_text_of_one_word_costs_what_its_length_costs() -> None:
    long = "a " * 1_000_000
    assert cut([long, long + "b", "a b"], 50) == [long, "b", "a b"]


@pytest.mark.parametrize("texts", [[], [""], ["", "a"], ["a b c"] * 3])
def test_texts_that_are_shorter_than_a_run_stay(texts: Texts) -> None:
    assert cut(texts, 4) == texts


@given(st.lists(st.text("ab \n", max_size=40), max_size=5), st.integers(2, 20))
def test_anchors_are_the_least_of_every_window_and_have_it_once(texts: Texts, size: int) -> None:
    column = pa.array(texts, pa.string())
    found = words(column)
    anchors = winnowing.anchors(column, found, size)
    had = [
        (row, first + i)
        for row, first, count in zip(anchors.rows, anchors.at, anchors.counts, strict=True)
        for i in range(count)
    ]
    lengths = np.diff(spans(found)[0])
    assert had == [(row, at) for row, n in enumerate(lengths) for at in range(n - size + 1)]
    assert all(0 < count <= winnowing.shingles_of(size) for count in anchors.counts)


def test_few_words_are_anchors() -> None:
    draw = np.random.default_rng(1)
    text = pa.array([" ".join(map(str, draw.integers(0, 10**9, 100_000)))])
    count = len(winnowing.anchors(text, words(text), 50).keys)
    assert abs(100_000 / count - 27 / 2) < 0.2


LINE = st.sampled_from(["a b", "a b c", " a b c", "漢字x", "\n", "\n", "\r\n", "\u3000", "", "x"])
PAGE = st.lists(LINE, max_size=9).map("".join)


@given(st.lists(PAGE, max_size=6), st.integers(1, 3))
def test_the_twin_of_paragraphs_agrees(texts: Texts, least: int) -> None:
    column = pa.array(texts, pa.string())
    anchors, checks = winnowing.lines(column, words(column), least)
    offsets = np.arange(len(checks) + 1)
    order = np.lexsort((anchors.rows, anchors.keys))
    masks = copies(anchors.keys, order, anchors.rows.astype(np.uint64), offsets, checks) > 0
    gone = cuts.paragraphs(column, anchors.rows[masks], ~anchors.at[masks])
    expected, seen = list[str](), set[str]()
    for text in texts:
        lines = lines_of(text)
        known = {line.strip(SPACES) for line in lines}
        expected.append("".join(x for x in lines if not _goes(x, seen, least)))
        seen |= known
    assert _left(texts, gone) == expected


def _goes(line: str, seen: set[str], least: int) -> bool:
    plain = line.strip(SPACES)
    return plain in seen and len(words_of(plain)) >= least


@given(
    st.text("abcdefghij", min_size=21, max_size=30),
    disjoint("xy"),
    st.sets(st.integers(0, 40), max_size=6).map(sorted),
)
def test_a_cut_of_the_edited_text_is_made_in_the_raw_one(
    text: str, edits: list[Edit], at: list[int]
) -> None:
    edits = [(start, end, new.replace("é", "e"), why) for start, end, new, why in edits]
    made = array([[], edits])
    edited, marks = _marked(text, edits)
    at = sorted({min(i, len(edited)) for i in at})
    pairs = list(zip(at[::2], at[1::2], strict=False))
    starts, ends = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    new = cuts.in_raw(cuts.Cuts(np.ones(len(pairs), np.int32), starts, ends), made, "gone")
    gone = {i for start, end in pairs for i in range(start, end)}
    hit = {marks[i] for i in gone} - {None}
    left = [c for i, c in enumerate(edited) if i not in gone and marks[i] not in hit]
    assert str(apply(pa.array(["", text]), merge([new, made]))[1]) == "".join(left)


def _marked(text: str, edits: list[Edit]) -> tuple[str, list[int | None]]:
    """The edited text, and of each character which replacement it is of."""
    out, marks, at = "", list[int | None](), 0
    for number, (start, end, new, _) in enumerate(edits):
        out, marks = out + text[at:start] + new, marks + [None] * (start - at) + [number] * len(new)
        at = end
    return out + text[at:], marks + [None] * (len(text) - at)


def test_chosen_are_those_with_a_wanted_key() -> None:
    text = pa.array(["a b c d e f g", "q r s t"])
    anchors = winnowing.anchors(text, words(text), 4)
    some = np.sort(anchors.keys[::2])
    assert anchors.take(chosen(anchors, some)).keys.tolist() == anchors.keys[::2].tolist()
    assert not len(chosen(anchors, some[:0]))
