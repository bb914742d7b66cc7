from collections.abc import Sequence
from itertools import chain
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.clusters import Components, Links, agreements, forest, leaders

SIGNATURES = st.lists(
    st.lists(st.integers(0, 1), min_size=4, max_size=4), min_size=1, max_size=12
).map(lambda rows: np.array(rows, np.uint8))


def indices(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64)


def twin(
    buckets: list[list[int]], signatures: np.ndarray, needed: int, most: int
) -> tuple[list[tuple[int, int]], int]:
    links, unled = [], 0
    for rows in buckets:
        heads: list[int] = []
        for row in rows:
            agree = [int((signatures[row] == signatures[head]).sum()) for head in heads]
            near = [(row, head) for head, n in zip(heads, agree, strict=True) if n >= needed]
            if near:
                links.append(near[0])
            elif len(heads) < most:
                heads.append(row)
            else:
                unled += 1
    return links, unled


def led(buckets: list[list[int]], signatures: np.ndarray, needed: int, most: int = 8) -> Links:
    starts = np.cumsum([0, *map(len, buckets)])
    return leaders(starts, indices([*chain(*buckets)]), signatures, needed, most)


def tied(links: Links) -> list[tuple[int, int]]:
    return list(zip(links.rows.tolist(), links.leaders.tolist(), strict=True))


@given(st.data(), SIGNATURES, st.integers(0, 5), st.integers(0, 3))
def test_leaders_of_the_twin(data: st.DataObject, s: np.ndarray, needed: int, most: int) -> None:
    buckets = data.draw(st.lists(st.lists(st.integers(0, len(s) - 1), max_size=8), max_size=4))
    found = led(buckets, s, needed, most)
    assert (tied(found), found.unled) == twin(buckets, s, needed, most)


@given(st.data(), SIGNATURES)
def test_agreements_of_the_twin(data: st.DataObject, s: np.ndarray) -> None:
    rows = st.integers(0, len(s) - 1)
    pairs = data.draw(st.lists(st.tuples(rows, rows), max_size=9))
    left, right = indices([a for a, _ in pairs]), indices([b for _, b in pairs])
    assert agreements(s, left, right).tolist() == [int((s[a] == s[b]).sum()) for a, b in pairs]


@pytest.mark.parametrize("slots", [0, 1, 31, 32, 112, 255, 256, 257, 1000])
def test_no_number_of_slots_is_too_many(slots: int) -> None:
    s = np.random.default_rng(0).integers(0, 2, (3, slots), dtype=np.uint8)
    found = agreements(s, indices([0, 0, 1]), indices([0, 1, 2])).tolist()
    assert found == [slots, int((s[0] == s[1]).sum()), int((s[1] == s[2]).sum())]


def components(n: int, edges: list[tuple[int, int]]) -> list[int]:
    of = list(range(n))
    for _ in range(n):
        for a, b in edges:
            of[a] = of[b] = min(of[a], of[b])
    return of


@given(st.data(), st.integers(1, 12))
def test_forests_of_the_twin(data: st.DataObject, n: int) -> None:
    row = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(row, row), max_size=14))
    expected = components(n, edges)
    for order in (edges, edges[::-1], [(b, a) for a, b in edges]):
        found = forest(n, indices([a for a, _ in order]), indices([b for _, b in order]))
        assert found.tolist() == expected


def test_a_forest_of_forests_is_the_forest_of_all() -> None:
    draw = np.random.default_rng(3)
    left, right = draw.integers(0, 1000, (2, 900))
    halves = [forest(1000, left[cut], right[cut]) for cut in (slice(450), slice(450, None))]
    left2 = np.concatenate([np.arange(1000)] * 2)
    assert (forest(1000, left2, np.concatenate(halves)) == forest(1000, left, right)).all()


def drifting(length: int, slots: int, step: int) -> np.ndarray:
    """Each row agrees with the next in all but `step` slots, and with the one after in fewer."""
    table = np.zeros((length, slots), np.uint8)
    for row in range(1, length):
        table[row] = table[row - 1]
        at = np.arange(row * step, (row + 1) * step) % slots
        table[row, at] += 1
    return table


def test_a_chain_is_one_component_and_its_ends_are_strangers() -> None:
    s = drifting(8, 112, 20)
    found = led([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7]], s, 82)
    assert tied(found) == [(i + 1, i) for i in range(7)]
    assert set(forest(8, found.rows, found.leaders).tolist()) == {0}
    assert agreements(s, indices([0]), indices([7])) < 82


def test_a_chain_in_one_bucket_has_a_leader_now_and_then() -> None:
    found = led([[0, 1, 2, 3, 4]], drifting(5, 112, 20), 82)
    assert tied(found) == [(1, 0), (3, 2)]


def test_strangers_in_a_bucket_are_not_tied() -> None:
    s = np.repeat(np.arange(20, dtype=np.uint8)[:, None], 112, axis=1)
    found = led([list(range(20))], s, 82)
    assert (tied(found), found.unled) == ([], 12)
    found = led([[*range(20), 7, 8]], s, 82)
    assert (tied(found), found.unled) == ([(7, 7)], 13)


def test_documents_that_are_all_equal_have_one_leader() -> None:
    s = np.ones((1, 112), np.uint8)
    found = led([[0] * 5], s, 112)
    assert tied(found) == [(0, 0)] * 4
    n = 1_000_000
    rows = np.arange(n)
    begun = process_time()
    found = leaders(indices([0, n]), rows, np.zeros((n, 112), np.uint8), 82)
    assert process_time() - begun < 5
    assert (found.leaders == 0).all() and (found.rows == rows[1:]).all() and not found.unled
    assert not forest(n, found.rows, found.leaders).any()


def test_a_bucket_of_a_hundred_thousand_is_linear() -> None:
    n = 100_000
    s = np.random.default_rng(0).integers(0, 256, (n, 112), dtype=np.uint8)
    begun = process_time()
    found = leaders(indices([0, n]), np.arange(n), s, 82)
    assert process_time() - begun < 2
    assert (len(found.rows), found.unled) == (0, n - 8)


def test_a_long_path_is_halved_whenever_it_is_walked() -> None:
    n = 60_000
    down = np.arange(n - 1)[::-1]  # each edge makes the path longer by one
    ends = np.full(n, n - 1)
    begun = process_time()
    assert not forest(n, np.concatenate([down, ends]), np.concatenate([down + 1, ends])).any()
    assert process_time() - begun < 2


def test_nothing_makes_nothing() -> None:
    none = indices([])
    s = np.zeros((0, 112), np.uint8)
    assert led([], s, 82).unled == 0 and tied(led([[], []], s, 82)) == []
    assert agreements(s, none, none).tolist() == [] == forest(0, none, none).tolist()
    assert forest(3, none, none).tolist() == [0, 1, 2]


def test_what_lies_outside_is_refused() -> None:
    s, inside = np.zeros((2, 4), np.uint8), indices([0, 1])
    for outside in (indices([0, 2]), indices([-1, 0])):
        for arguments in ((outside, inside), (inside, outside)):
            with pytest.raises(IndexError):
                agreements(s, *arguments)
            with pytest.raises(IndexError):
                forest(2, *arguments)
        with pytest.raises(IndexError):
            leaders(inside, outside, s, 1)
    with pytest.raises(IndexError):
        leaders(indices([0, 3]), inside, s, 1)
    with pytest.raises(ValueError):
        agreements(s, inside, indices([0]))


@given(st.data(), st.integers(1, 12), st.integers(1, 4))
def test_components_that_grow_are_those_of_all_pairs_at_once(
    data: st.DataObject, n: int, times: int
) -> None:
    row = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(row, row), max_size=20))
    found = Components()
    for start in range(times):
        mine = np.array(edges[start::times], np.uint64).reshape(-1, 2)
        found.add(mine[:, 0] * np.uint64(7), mine[:, 1] * np.uint64(7))
    named = sorted({end for edge in edges for end in edge})
    whole = forest(n, indices([a for a, _ in edges]), indices([b for _, b in edges]))
    assert found.rows.tolist() == [7 * row for row in named]
    assert found.roots().tolist() == [7 * int(whole[row]) for row in named]
