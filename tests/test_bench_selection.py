"""The benchmark of selection: its figures are right, and a bar that is missed is told as missed."""

import numpy as np
import pytest

from tests.bench import selection, selection_languages, selection_noise


def test_what_is_kept_of_a_language_is_told_in_bytes() -> None:
    sizes = {"a": ("en", 600), "b": ("en", 200), "c": ("sl", 200)}
    assert selection_languages.kept(sizes, {"a"}) == {"en": (0.8, 0.75), "sl": (0.2, 0.0)}
    every = selection_languages.kept(sizes, set(sizes))
    assert [part for _, part in every.values()] == [1, 1]


@pytest.mark.parametrize(("karez", "word"), [(2.4, "met"), (2.5, "MISSED"), (2.6, "MISSED")])
def test_the_end_of_the_curves_decides(karez: float, word: str) -> None:
    def curves(end: float) -> list[list[tuple[int, float]]]:
        return [[(1000, 3.0), (2000, end - 0.1)], [(1000, 1.0), (2000, end + 0.1)]]

    target = {"karez": curves(karez), "dsir": curves(2.5)}
    told = selection.beats({"target": target, "general": {}})
    assert told.startswith(f"{word}: {karez:.4f}") and "2.5000" in told


def test_noise_is_found_by_how_far_out_it_lies() -> None:
    values = np.concatenate([np.arange(1.0, 101), [0.0, 500.0, 50.0, np.nan]])
    kinds = np.array([""] * 100 + ["low", "high", "inside", "none"])
    out = selection_noise.outness(values, kinds == "")
    assert out[100] == out[101] == out[103] == 0 and out[102] == 1
    assert [out[0], out[99]] == pytest.approx([0.02, 0.02])
    told = selection_noise.found(out, kinds, [0.0, 0.1])
    assert told == {"low": [1, 1], "high": [1, 1], "none": [1, 1], "inside": [0, 0]}
    lost = [(out[:100] < np.sort(out[:100])[int(loss * 100)]).mean() for loss in (0.0, 0.1, 0.5)]
    assert lost == [0, 0.1, 0.5]
