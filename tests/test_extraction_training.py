"""What the model of main text is trained with: labels by alignment, trees made flat."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.extraction.flat import below, forest
from infra.extraction.labels import GRAM, RUN, SNIPPET, aligned, held, labels, shares, told

FEW = st.lists(st.integers(0, 2), max_size=6)


def worth(pairs: list[tuple[int, int]]) -> float:
    """What an alignment is worth: a match is 1, one that follows the one before it RUN more."""
    held = set(pairs)
    return len(pairs) + RUN * sum((i - 1, j - 1) in held for i, j in pairs)


def best(page: list[int], gold: list[int]) -> float:
    """The best alignment, by trying them all."""
    matches = [(i, j) for i, a in enumerate(page) for j, b in enumerate(gold) if a == b]
    most = 0.0
    for size in range(1, min(len(page), len(gold)) + 1):
        for some in itertools.combinations(matches, size):
            if all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(some)):
                most = max(most, worth(list(some)))
    return most


@given(FEW, FEW)
def test_no_alignment_is_better(page: list[int], gold: list[int]) -> None:
    found = aligned(np.array(page, np.int32), np.array(gold, np.int32))
    kept = [word for word, yes in zip(page, found, strict=True) if yes]
    places = [i for i, yes in enumerate(found) if yes]
    fits = [
        [(i, j) for i, j in zip(places, some, strict=True)]
        for some in itertools.combinations(range(len(gold)), len(kept))
        if [gold[j] for j in some] == kept
    ]
    assert fits and max(map(worth, fits)) == pytest.approx(best(page, gold))


def test_a_block_is_labelled_by_its_share_of_the_gold_in_its_order() -> None:
    blocks = ["Home News", "The news of today, at home.", "More news", "", "漢字 here"]
    found = shares(blocks, "The news of today at home. 漢字")
    assert found.tolist() == pytest.approx([0, 1, 0, 0, 2 / 3])
    assert shares([], "x").tolist() == shares(["x"], "")[:0].tolist() == []


@given(FEW, FEW)
def test_what_is_long_is_labelled_by_runs_of_words(page: list[int], gold: list[int]) -> None:
    runs = [gold[i : i + GRAM] for i in range(len(gold) - GRAM + 1)]
    found = held(np.array(page, np.int32), np.array(gold, np.int32)).tolist()
    for i in range(len(page)):
        those = [page[j : j + GRAM] for j in range(max(i - GRAM + 1, 0), i + 1)]
        assert found[i] == any(len(run) == GRAM and run in runs for run in those)


def test_a_snippet_labels_the_one_block_that_holds_it() -> None:
    blocks = ["a  b c", "b", "d b", "e"]
    assert told(blocks, ["a b", "b", "nowhere"]) == [0]
    value, weight = labels(blocks, "d b", [], ["e"], ["a b"])
    assert value.tolist() == [0, 0, 1, 1] and weight.tolist() == [SNIPPET, 1, 1, SNIPPET]


def test_teachers_count_as_much_as_they_agree() -> None:
    blocks = ["one two three", "four five six", "seven eight"]
    teachers = [("one two three four five six", 1.0), ("four five six", 1.0)]
    value, weight = labels(blocks, None, teachers, ["four"], [])
    assert value.tolist() == [0.5, 1, 0] and weight.tolist() == [0, SNIPPET, 1]


@given(st.floats(-(2**90), 2**90), st.floats(-(2**90), 2**90, width=32))
def test_a_limit_parts_the_same_numbers_in_fewer_bits(limit: float, number: float) -> None:
    assert (np.float32(number) <= below(limit)) == (number <= limit)


class Booster:
    """What is asked of LightGBM's."""

    def dump_model(self) -> dict[str, Any]:
        leaf = [{"leaf_value": float(value)} for value in range(3)]
        inner = {"split_feature": 2, "threshold": 0.5, "decision_type": "<="}
        lower = {**inner, "split_feature": 1, "left_child": leaf[1], "right_child": leaf[2]}
        tree = {**inner, "left_child": leaf[0], "right_child": lower}
        return {"tree_info": [{"tree_structure": tree}]}


def test_trees_are_made_flat() -> None:
    flat = forest(Booster())
    assert len(flat.roots) == 4  # three empty ones
    assert flat.nodes.tolist()[:5] == [[2, 1], [0, 1], [1, 3], [0, 3], [0, 4]]
    assert flat.limits.tolist()[:5] == [0.5, np.inf, 0.5, np.inf, np.inf]
    assert flat.values.tolist()[:5] == [0, 0, 0, 1, 2]
