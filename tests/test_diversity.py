"""Lexical diversity: the slow twin's; MTLD does not depend on a text's length as the share does."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters.diversity import Diversity
from filters.wordhashes import of_words
from tests.helpers.command import ROOT
from tests.helpers.measuring import TEXT, batch, measured

WORDS = st.sampled_from(["a", "A", "b", "c", "ü", "水", "שלום", "e\u0301", "\r\n", "👩\u200d🚀"])
TEXTS = st.lists(st.lists(WORDS).map(" ".join) | TEXT | st.text(), max_size=5)
LICENCE = (ROOT / "tests/data/sample/MPL-2.0.txt").read_text()


def stretches(sentence: list[int]) -> Fraction:
    whole, open_ = Fraction(0), list[int]()
    for word in sentence:
        open_.append(word)
        if Fraction(len(set(open_)), len(open_)) <= Fraction("0.72"):
            whole, open_ = whole + 1, []
    rest = Fraction(len(set(open_)), len(open_)) if open_ else Fraction(1)
    return whole + (1 - rest) / (1 - Fraction("0.72"))


EXACTLY = " ".join([*(f"w{i}" for i in [*range(18), *range(7)]), "new"])  # 18 of 25 are new


@given(TEXTS)
@example([EXACTLY])
def test_it_is_that_of_the_slow_twin(texts: list[str]) -> None:
    rows = batch(*texts)
    hashes, at = of_words(rows["text"], rows["words"])
    for row, begin, end in zip(measured(Diversity(), *texts), at[:-1], at[1:], strict=True):
        sentence = hashes[begin:end].tolist()
        n, different = len(sentence), len(set(sentence))
        assert row["type_token"] == (different / n if n else None)
        if n == different:
            assert row["mtld"] is None
        else:
            both = n / stretches(sentence) + n / stretches(sentence[::-1])
            assert row["mtld"] == pytest.approx(float(both / 2), rel=1e-12)


def test_repeating_a_text_lowers_the_share_and_leaves_mtld() -> None:
    once, often = measured(Diversity(), LICENCE, LICENCE * 8)
    assert often["type_token"] < once["type_token"] / 4
    assert often["mtld"] == pytest.approx(once["mtld"], rel=0.02)


def test_prose_is_more_diverse_than_a_menu_and_less_than_a_list_of_names() -> None:
    names = np.random.default_rng(0).integers(0, 5000, 2000)
    menu_ = "home about contact login home " * 99
    listed_ = " ".join(f"w{i}" for i in names)
    prose, menu, listed = measured(Diversity(), LICENCE, menu_, listed_)
    assert 2 * menu["mtld"] < prose["mtld"] < listed["mtld"] / 2


@pytest.mark.parametrize("text", ["word " * 300_000, " ".join(map(str, range(300_000)))])
def test_a_constant_and_an_all_different_text(text: str) -> None:
    (row,) = measured(Diversity(), text)
    constant = text.startswith("word")
    assert row["mtld"] == (2 if constant else None)
    assert row["type_token"] == (1 / 300_000 if constant else 1)
