"""Importance: the slow twin's; a text like the target weighs more, in its own language."""

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import importance
from filters.entropy import BITS
from filters.importance import Importance
from filters.wordhashes import of_words
from tests.helpers.measuring import spoken
from tests.test_hashed import TARGET, TEXTS, joined

Row = tuple[str, str | None]  # text, language

ROWS = st.lists(st.tuples(TEXTS, st.sampled_from(["en", "de", "zz", None])), max_size=7)


def batch(rows: list[Row]) -> pa.RecordBatch:
    return spoken([("", *row) for row in rows])


def measured(asked: Importance, corpus: list[Row], told: list[Row]) -> list[dict[str, Any]]:
    model = asked.fitted(asked.count(batch(corpus)) + asked.given())
    return list(model.measure(batch(told)).to_pylist())


def runs(rows: list[Row], buckets: int) -> list[list[int]]:
    """The buckets of the words and pairs of each text."""
    table = batch(rows)
    hashes, at = of_words(table["text"], table["words"])
    found = []
    for begin, end in pairwise(at.tolist()):
        mine = hashes[begin:end].tolist()
        pairs = [joined(*pair) for pair in pairwise(mine)]
        found.append([key % buckets for key in mine + pairs])
    return found


def shares(rows: list[Row], language: str | None, buckets: int) -> list[float]:
    """log2 of each bucket's share in what is held against a text of a language."""
    known = language if language in ("en", "de") else None
    each = list(zip(runs(rows, buckets), rows, strict=True))
    own = [b for found, row in each for b in found if (row[1] if row[1] != "zz" else None) == known]
    held = own if len(own) >= importance.ENOUGH else [b for found, _ in each for b in found]
    counts = Counter(held)
    return [math.log2((counts[b] + 1) / (len(held) + buckets)) for b in range(buckets)]


@given(ROWS, ROWS, st.sampled_from([2, 13, 10_000]), st.sampled_from([0, 12, 10_000]))
@settings(max_examples=60)
def test_it_is_that_of_the_slow_twin(
    corpus: list[Row], told: list[Row], buckets: int, enough: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "ENOUGH", enough)
        asked = Importance(sample=(TARGET,), language="en", buckets=buckets)
        found = measured(asked, corpus, told)
        sample: list[Row] = [(TARGET, "en")]
        for row, keys, (_, language) in zip(found, runs(told, buckets), told, strict=True):
            if not keys:
                assert set(row.values()) == {None}
                continue
            target, here = (shares(rows, language, buckets) for rows in (sample, corpus))
            bits = sum(target[key] - here[key] for key in keys)
            n = (len(keys) + 1) / 2
            assert row["importance"] == pytest.approx(bits, abs=1e-5)
            assert row["importance_per_word"] == pytest.approx(bits / n, abs=1e-5)


def test_a_text_like_the_target_weighs_more_whatever_its_length() -> None:
    corpus: list[Row] = [("offers of the day for you and your friends", "en")] * 50
    told: list[Row] = [(TARGET[:60], "en"), (TARGET[:60] * 30, "en"), ("offers of the day", "en")]
    short, long, other = measured(Importance(sample=(TARGET,)), corpus, told)
    assert long["importance"] > 20 * short["importance"] > 0 > other["importance"]
    assert long["importance_per_word"] == pytest.approx(short["importance_per_word"], rel=0.1)


def test_a_text_is_held_against_its_own_language_where_that_is_enough() -> None:
    english: list[Row] = [("the water of the hill " * 400, "en")] * 10
    german: list[Row] = [("das Wasser von dem Berg " * 400, "de")]
    asked = Importance(sample=(TARGET,), language="en")
    told = german[:1]
    few = measured(asked, english + german, told)
    assert few == measured(asked, [*english, (german[0][0], "en")], told)  # of all
    enough = measured(asked, english + german * 10, told)
    assert enough == measured(asked, english * 2 + german * 10, told)  # of its own
    assert enough[0]["importance"] < few[0]["importance"]


def test_counts_beyond_a_logarithm_are_shortened() -> None:
    counts = np.full((1, 4), 1 << 40)
    found = importance.shares(counts) / 2.0**BITS
    assert found == pytest.approx(-2 * np.ones((1, 4)))


@pytest.mark.parametrize("text", ["", "a", "a " * 300_000, "!" * 1000, "x" * 1_000_000])
def test_odd_texts_have_a_finite_weight_or_none(text: str) -> None:
    for row in measured(Importance(sample=(TARGET,)), [(text, None)], [(text, None), (text, "en")]):
        for value in row.values():
            assert value is None if not text.strip("!") else math.isfinite(value)
