"""The benchmark of selection: its figures are right, and a bar that is missed is told as missed."""

import pytest

from tests.bench import selection, selection_languages


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
