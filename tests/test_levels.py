"""The level of a budget: found in brackets over partitions, it is the one that sorting finds."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.steps.select import levels
from pipelines.steps.select.levels import BEFORE, POINTS, Pair

Row = tuple[float, int, int]


def slow(rows: list[Row], level: int) -> set[tuple[float, int]]:
    """Rows in their order as long as those of one place fit together."""
    taken: set[tuple[float, int]] = set()
    total = 0
    for place in sorted({row[:2] for row in rows}):
        total += sum(row[2] for row in rows if row[:2] == place)
        if total > level:
            break
        taken.add(place)
    return taken


def fast(parts: list[list[Row]], level: int) -> tuple[set[tuple[float, int]], int]:
    """The same by stretches and a bracket; and how many rows were in it."""
    columns = [
        (
            levels.ordinal(np.array([r[0] for r in part])),
            np.array([r[1] for r in part], np.uint64),
            np.array([r[2] for r in part], np.int64),
        )
        for part in parts
        if part
    ]
    known = levels.known(pa.concat_tables([levels.sketch(*each) for each in columns]))
    low, high = known.bracket(level)
    before, border = 0, []
    for rank, ids, tokens in columns:
        sure = levels.upto(rank, ids, low)
        inside = levels.upto(rank, ids, high) & ~sure
        before += int(tokens[sure].sum())
        border.append([each[inside] for each in (rank, ids, tokens)])
    rank, ids, tokens = (np.concatenate(each) for each in zip(*border, strict=True))
    last = levels.settle(rank, ids, tokens, level - before) or low
    taken = {
        row[:2]
        for part, (rank, ids, _) in zip([p for p in parts if p], columns, strict=True)
        for row, mine in zip(part, levels.upto(rank, ids, last), strict=True)
        if mine
    }
    return taken, len(rank)


ROWS = st.tuples(
    st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False).map(lambda x: x + 0.0)),
    st.integers(0, 9),
    st.integers(0, 50),
)


@settings(max_examples=300)
@given(st.lists(st.lists(ROWS, max_size=40), min_size=1, max_size=4), st.integers(0, 2000))
def test_the_level_is_the_one_that_sorting_finds(parts: list[list[Row]], level: int) -> None:
    rows = [row for part in parts for row in part]
    if rows:
        assert fast(parts, level)[0] == slow(rows, level)


@pytest.mark.parametrize("ties", [False, True])
def test_few_rows_meet_whatever_ties(ties: bool) -> None:
    """What settles a level is a 200th of the rows, where all ranks are equal too."""
    draw = np.random.default_rng(5)
    rows = [
        (0.0 if ties else float(draw.normal()), int(i), int(draw.integers(1, 100)))
        for i in draw.permutation(40_000)
    ]
    parts = [rows[i::4] for i in range(4)]
    level = sum(row[2] for row in rows) // 3
    taken, met = fast(parts, level)
    order = sorted(rows)
    fit = int(np.searchsorted(np.cumsum([row[2] for row in order]), level, "right"))
    assert taken == {row[:2] for row in order[:fit]}
    assert met < len(rows) // 200


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=50))
def test_ordinals_keep_the_order(values: list[float]) -> None:
    told = levels.ordinal(np.array(values)).tolist()
    for (a, x), (b, y) in pairwise(zip(values, told, strict=True)):
        assert (a < b) == (x < y) and (a == b) == (x == y)
    assert Pair(min(told), 0) > BEFORE and max(told) < levels.ALL


def test_a_partition_tells_little() -> None:
    ids = np.arange(100_000, dtype=np.uint64)
    told = levels.sketch(ids, ids, np.ones(len(ids), np.int64))
    assert told.num_rows <= POINTS + 1 and sum(told["tokens"].to_pylist()) == len(ids)
