import math

import numpy as np
import pytest

from filters.lsh import best, needed, recall, similarity


def test_two_are_similar_by_what_agrees_beyond_chance() -> None:
    half = (0.5 - 1 / 256) / (1 - 1 / 256)
    lone = (1 / 112 - 1 / 256) / (1 - 1 / 256)
    found = similarity(np.array([112, 56, 0, 1]), 112).tolist()
    assert found == pytest.approx([1, half, 0, lone]) and found[0] == 1


def test_the_similarity_of_strangers_is_nothing() -> None:
    draw = np.random.default_rng(0)
    one, other = draw.integers(0, 256, (2, 20_000, 112), dtype=np.uint8)
    agreeing = np.count_nonzero(one == other, axis=1)
    share = (agreeing / 112 - 1 / 256) / (1 - 1 / 256)
    assert abs(share.mean()) < 3 * share.std() / math.sqrt(20_000)


@pytest.mark.parametrize(
    ("threshold", "slots", "count"),
    [(0.8, 112, 82), (0.7, 112, 69), (0.5, 112, 46), (1.0, 112, 112), (0.0, 112, 1), (0.8, 1, 1)],
)
def test_how_many_slots_are_needed(threshold: float, slots: int, count: int) -> None:
    assert needed(threshold, slots) == count


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_at_the_threshold_few_pairs_are_missed(threshold: float) -> None:
    p = threshold + (1 - threshold) / 256
    count = needed(threshold, 112)
    short = sum(math.comb(112, i) * p**i * (1 - p) ** (112 - i) for i in range(count))
    assert 0.01 < short < 0.04


def test_recall_is_the_chance_of_a_common_band() -> None:
    assert recall(0.8, 14, 8) == pytest.approx(1 - (1 - 0.8**8) ** 14)
    assert recall(0.8, 14, 8) == pytest.approx(0.924, abs=1e-3)
    assert (recall(0, 14, 8), recall(1, 14, 8)) == (0, 1)
    draw = np.random.default_rng(1)
    agree = draw.random((20_000, 14, 8)) < 0.7
    met = np.count_nonzero(np.all(agree, axis=2).max(axis=1)) / 20_000
    assert recall(0.7, 14, 8) == pytest.approx(met, abs=0.015)


def test_bands_and_rows_that_are_best() -> None:
    def error(b: int, r: int) -> float:
        s = (np.arange(20_000) + 0.5) / 20_000
        found = 1 - (1 - s**r) ** b
        return float(np.where(s < 0.6, found, 1 - found).mean())

    choices = [(b, r) for b in range(1, 21) for r in range(1, 20 // b + 1)]
    assert best(0.6, 20) == min(choices, key=lambda choice: error(*choice))
