import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import EDITS
from filters.edits import apply, merge
from tests.helpers.measuring import bytes_at, structs

Edit = tuple[int, int, str, str]
"""Start, end, replacement, reason."""


def array(rows: list[list[Edit]]) -> pa.ListArray:
    return structs(EDITS, rows)


def listed(edits: pa.ListArray) -> list[list[Edit]]:
    assert edits.type == EDITS
    return [[(*e.values(),) for e in row] for row in edits.to_pylist()]


def merged(*parts: list[Edit]) -> list[Edit]:
    return listed(merge([array([part]) for part in parts]))[0]


@st.composite
def disjoint(draw: st.DrawFn, reason: str) -> list[Edit]:
    at = sorted(draw(st.sets(st.integers(0, 20), max_size=8)))
    new = st.sampled_from(["", "<x>", "é"])
    pairs = zip(at[::2], at[1::2], strict=False)
    return [(a, b, draw(new), f"{reason}{a}") for a, b in pairs]


def slow_merge(parts: list[list[Edit]]) -> list[Edit]:
    """Grow each span until it meets no other, then ask who names it."""
    todo = [(edit, number) for number, part in enumerate(parts) for edit in part]
    done = list[Edit]()
    while todo:
        group, start, end = [todo[0]], *todo[0][0][:2]
        while more := [t for t in todo if t not in group and t[0][0] < end and start < t[0][1]]:
            group += more
            start, end = min(t[0][0] for t in group), max(t[0][1] for t in group)
        todo = [t for t in todo if t not in group]
        cuts = sorted((t for t in group if not t[0][2]), key=lambda t: (t[1], t[0][0]))
        first = sorted(group, key=lambda t: (t[0][0], t[1]))
        done.append((start, end, *(cuts or first)[0][0][2:]))
    return sorted(done)


@given(st.lists(st.tuples(disjoint("a"), disjoint("b"), disjoint("c")), min_size=1, max_size=4))
def test_the_twin_of_merge_agrees(rows: list[tuple[list[Edit], ...]]) -> None:
    parts = [array([row[i] for row in rows]) for i in range(3)]
    assert listed(merge(parts)) == [slow_merge([*row]) for row in rows]
    assert listed(merge([part[1:] for part in parts])) == [slow_merge([*row]) for row in rows[1:]]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([[(4, 8, "<ip>", "ip")], [(0, 9, "", "line")]], [(0, 9, "", "line")]),
        ([[(4, 8, "<ip>", "ip")], [(0, 5, "", "line")]], [(0, 8, "", "line")]),
        ([[(0, 5, "", "b")], [(3, 9, "", "a")]], [(0, 9, "", "b")]),
        ([[(3, 9, "", "b")], [(0, 5, "", "a")]], [(0, 9, "", "b")]),
        ([[(3, 9, "<b>", "b")], [(0, 5, "<a>", "a")]], [(0, 9, "<a>", "a")]),
        ([[(0, 9, "<b>", "b")], [(0, 5, "<a>", "a")]], [(0, 9, "<b>", "b")]),
        ([[(0, 5, "", "b")], [(5, 9, "", "a")]], [(0, 5, "", "b"), (5, 9, "", "a")]),
        ([[], []], []),
    ],
    ids=["cut", "no rest of an address", "cuts unite", "earlier", "first", "tie", "touch", "none"],
)
def test_merge(parts: list[list[Edit]], expected: list[Edit]) -> None:
    assert merged(*parts) == expected


@pytest.mark.parametrize("bad", [(3, 3, "x", "r"), (5, 3, "", "r"), (-1, 3, "", "r")])
def test_merge_refuses_spans_of_nothing(bad: Edit) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        merged([bad])


def test_merge_refuses_parts_of_other_texts() -> None:
    with pytest.raises(ValueError, match=r"\[1, 2\] rows"):
        merge([array([[]]), array([[], []])])


@given(
    st.lists(st.tuples(st.text("aé漢😀\n", min_size=12, max_size=30), disjoint("a")), max_size=5)
)
def test_the_twin_of_apply_agrees(rows: list[tuple[str, list[Edit]]]) -> None:
    texts, edits, expected = list[str](), list[list[Edit]](), list[str]()
    for text, spans in rows:
        at = bytes_at(text)
        kept = [e for e in spans if e[1] < len(at)]
        edits.append([(at[a], at[b], new, reason) for a, b, new, reason in kept])
        texts.append(text)
        for a, b, new, _ in reversed(kept):
            text = text[:a] + new + text[b:]
        expected.append(text)
    for kind in (pa.string(), pa.large_string()):
        edited = apply(pa.array(["before", *texts], kind)[1:], array([[], *edits])[1:])
        edited.validate(full=True)
        assert edited.equals(pa.array(expected, kind))


def test_texts_without_edits_are_the_same_array() -> None:
    texts = pa.array(["a", "b"])
    assert apply(texts, array([[], []])) is texts


def test_a_null_stays_null() -> None:
    edited = apply(pa.array(["abc", None, ""]), array([[(1, 2, "--", "r")], [], []]))
    assert edited.to_pylist() == ["a--c", None, ""]


@pytest.mark.parametrize(
    ("spans", "why"),
    [
        ([(0, 9, "", "r")], "inside their text"),
        ([(0, 3, "", "r"), (2, 4, "", "r")], "disjoint"),
        ([(3, 4, "", "r"), (0, 1, "", "r")], "sorted"),
        ([(0, 2, "", "r")], "inside a character"),
    ],
)
def test_apply_refuses_what_would_spoil_the_text(spans: list[Edit], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        apply(pa.array(["aébc", "more"]), array([spans, []]))
