"""N-gram entropy over a corpus: the slow twin's, whatever the texts; each half judges the other."""

import math
from collections import Counter
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.hashed import Ngram
from filters.runcounts import HALF, LEAN, SALTS, WORDS, table
from filters.shingles import FIRST, GOLDEN, SECOND
from filters.wordhashes import of_texts, of_words
from pipelines.errors import RecipeError
from pipelines.recipe.given import given as given_files
from pipelines.recipe.measures import MEASURES, made
from tests.helpers.measuring import TEXT, spoken

Row = tuple[str, str, str | None]  # id, text, language
Text = tuple[list[int], int]  # hashes of words, and of the language

TARGET = "the water of the hill comes down in a tunnel that people dug by hand " * 8
PIECES = [
    "the water",
    "of",
    "the hill",
    "Hand",
    "ü e\u0301",
    "水 שלום",
    "\r\n",
    "👩\u200d🚀",
    "3.14",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join) | TEXT | st.text(max_size=9)
LANGUAGES = st.sampled_from(["en", "de", None])
ROWS = st.lists(st.tuples(st.text("0123456789abcdef", max_size=3), TEXTS, LANGUAGES), max_size=7)
FEW: Any = {"buckets": 1 << 6}  # runs of a test share slots
MANY: Any = {"buckets": 1 << 20}


def measured(asked: Ngram, corpus: list[Row], told: list[Row]) -> list[dict[str, Any]]:
    counts, sample = asked.count(spoken(corpus)), asked.given()
    model = asked.fitted(counts if sample is None else counts + sample)
    return list(model.measure(spoken(told)).to_pylist())


def half(row: Row) -> int:
    return int(of_texts(pa.array([row[0]]))[0]) % 2


def joined(before: int, word: int) -> int:
    """The hash of a run, in Python's own numbers."""
    value = (before * int(GOLDEN) ^ word) * int(FIRST) % 2**64
    value = (value ^ value >> 32) * int(SECOND) % 2**64
    return max(value ^ value >> 32, 1)


def hashes(rows: list[Row]) -> list[Text]:
    """The hashes of the words of each text, and of its language."""
    table = spoken(rows)
    found = of_words(table["text"], table["words"])
    salts = of_texts(table["language"]).tolist()
    ends = found.rows.tolist()
    return [(found.hashes[a:b].tolist(), s) for a, b, s in zip(ends, ends[1:], salts, strict=False)]


class Slow:
    """The same model from Python's own counts, in fractions."""

    def __init__(self, texts: list[Text], asked: Ngram) -> None:
        self.prior, self.buckets = asked.prior, asked.buckets
        self.slots, self.total = Counter[int](), Counter[int]()
        for words_, salt in texts:
            self.total[salt] += len(words_)
            for i in range(len(words_)):
                for n in range(1, min(asked.order, i + 1) + 1):
                    self.slots[self.slot(words_[i + 1 - n : i + 1], salt)] += 1
        every = sorted(self.slots[slot] for slot in range(self.buckets))
        self.median = every[self.buckets // 2]

    def slot(self, run: list[int], salt: int) -> int:
        return reduce(joined, run, salt) % self.buckets

    def seen(self, run: list[int], salt: int) -> int:
        own = max(self.slots[self.slot(run, salt)] - self.median, 0)
        parts = [self.seen(part, salt) for part in (run[1:], run[:-1])] if len(run) > 1 else []
        return min(own, *parts) if parts else own

    def chance(self, run: list[int], salt: int) -> Fraction:
        if len(run) == 1:
            return Fraction(self.seen(run, salt) + 1, self.total[salt] + WORDS)
        return self.smoothed(run, salt, self.chance(run[1:], salt))

    def smoothed(self, run: list[int], salt: int, base: Fraction) -> Fraction:
        history = self.seen(run[:-1], salt) if len(run) > 1 else self.total[salt]
        return (self.seen(run, salt) + self.prior * base) / (history + self.prior)

    def like(self, run: list[int], salt: int, corpus: "Slow") -> Fraction:
        """By this one as the target's model."""
        base = corpus.chance(run, salt)
        if len(run) > 1:
            base = (self.like(run[1:], salt, corpus) + (LEAN - 1) * base) / LEAN
        return self.smoothed(run, salt, base)


def slow(asked: Ngram, corpus: list[Row], told: list[Row]) -> list[list[float] | None]:
    texts = list(zip(hashes(corpus), corpus, strict=True))
    models = [Slow([text for text, row in texts if half(row) == side], asked) for side in (1, 0)]
    target = Slow(hashes([("", text, asked.language) for text in asked.sample]), asked)
    answers: list[list[float] | None] = []
    for (found, salt), row in zip(hashes(told), told, strict=True):
        corpus_bits = target_bits = 0.0
        for i in range(len(found)):
            run = found[max(0, i + 1 - asked.order) : i + 1]
            corpus_bits -= math.log2(models[half(row)].chance(run, salt))
            target_bits -= math.log2(target.like(run, salt, models[half(row)]))
        pair = [bits / max(len(found), 1) for bits in (corpus_bits, target_bits)]
        answers.append([*pair, pair[1] - pair[0]] if found else None)
    return answers


@given(ROWS, ROWS, st.integers(1, 4), st.sampled_from([1, 7, 512]))
@settings(max_examples=60)
def test_it_is_that_of_the_slow_twin(
    corpus: list[Row], told: list[Row], order: int, prior: int
) -> None:
    asked = Ngram(sample=(TARGET,), language="en", order=order, prior=prior, **FEW)
    found = measured(asked, corpus, told)
    for row, wanted in zip(found, slow(asked, corpus, told), strict=True):
        if wanted is None:
            assert set(row.values()) == {None}
        else:
            assert list(row.values()) == pytest.approx(wanted, abs=1e-6)
    plain = Ngram(order=order, prior=prior, **FEW)
    alone = measured(plain, corpus, told)
    assert alone == [{"ngram_entropy": row["ngram_entropy"]} for row in found]


def test_a_text_does_not_make_its_own_words_expected() -> None:
    rows: list[Row] = [(f"{i}", f"odd{i} words{i} of{i} one{i}", "en") for i in range(40)]
    found = measured(Ngram(**MANY), rows, rows)
    assert len({row["ngram_entropy"] for row in found if row["ngram_entropy"] >= 16}) == 2
    assert len({half(row) for row in rows}) == 2


def test_a_language_does_not_make_another_one_surprising() -> None:
    many: list[Row] = [(f"{i}", "the water of the hill " * 100, "en") for i in range(1000)]
    few: list[Row] = [(f"d{i}", "das Wasser von dem Berg", "de") for i in range(10)]
    alone = measured(Ngram(**MANY), few, few)
    assert measured(Ngram(**MANY), many + few, few) == alone
    as_one: list[Row] = [(key, text, "en") for key, text, _ in few]
    (mixed, *_) = measured(Ngram(**MANY), many + as_one, as_one)
    assert mixed["ngram_entropy"] > alone[0]["ngram_entropy"]
    unknown: list[Row] = [(key, text, None) for key, text, _ in few]
    assert measured(Ngram(**MANY), many + unknown, unknown) == alone


def test_a_full_table_still_tells_text_from_shuffled_words() -> None:
    rng = np.random.default_rng(1)
    verbs = [f"v{i}" for i in range(400)]
    nouns = {verb: [f"n{v}" for v in rng.integers(0, 4000, 3)] for verb in verbs}
    rows: list[Row] = []
    for i in range(1000):
        said_ = [w for v in rng.choice(verbs, 40) for w in (v, rng.choice(nouns[v]))]
        rows.append((f"{i}", " ".join(said_), "en"))
    shuffled: list[Row] = [
        (key, " ".join(rng.permutation(text.split())), language) for key, text, language in rows
    ]
    asked = Ngram(buckets=1 << 12)
    counts = asked.count(spoken(rows))
    assert np.count_nonzero(counts[: asked.buckets]) > 0.9 * asked.buckets
    model = asked.fitted(counts)
    real, odd = (model.measure(spoken(r))["ngram_entropy"].to_numpy() for r in (rows, shuffled))
    assert np.mean(real < odd) > 0.95


def test_the_median_of_a_slot_is_noise() -> None:
    counts = np.zeros(8 + 2 * SALTS, np.int64)
    counts[:8] = np.array([5, 5, 5, 5, 5, 9, 1, 5]) + (np.array([2] * 7 + [1 << 30]) << HALF)
    found, _ = table([counts])
    assert found[:, 0].tolist() == [0, 0, 0, 0, 0, 4, 0, 0]
    assert found[:, 1].tolist() == [0] * 7 + [(1 << 30) - 2]


def test_the_target_is_less_surprising_to_its_own_model_than_to_the_corpus() -> None:
    corpus: list[Row] = [(f"{i}", "offers of the day for you", "en") for i in range(50)]
    told: list[Row] = [("1", TARGET[: len(TARGET) // 2], "en"), ("2", "offers of the day", "en")]
    for sample in ((TARGET,), tuple(TARGET.split("dug"))):
        like, unlike = measured(Ngram(sample=sample, **MANY), corpus, told)
        assert like["entropy_difference"] < -1 < 0 < unlike["entropy_difference"]


@pytest.mark.parametrize("text", ["", "a", "a " * 500_000, "!" * 1000, "x" * 1_000_000])
def test_odd_texts_have_a_finite_entropy_or_none(text: str) -> None:
    rows: list[Row] = [("1", text, None), ("2", text, "en")]
    for row in measured(Ngram(sample=(TARGET,), **MANY), rows, rows):
        for value in row.values():
            assert value is None if not text.strip("!") else math.isfinite(value)


def test_without_a_corpus_each_word_of_a_long_text_is_one_of_a_vocabulary() -> None:
    rows: list[Row] = [("1", " ".join(f"w{i}" for i in range(3000)), "en")]
    (row,) = measured(Ngram(**MANY), [], rows)
    assert row["ngram_entropy"] == pytest.approx(math.log2(WORDS))


def test_the_sample_may_be_left_out_but_not_be_empty() -> None:
    assert given_files({"ngrams": made("ngrams", {}, MEASURES, "[measure]")}) == []
    empty = made("ngrams", {"sample": []}, MEASURES, "[measure]")
    with pytest.raises(RecipeError, match="ngrams: names no file: sample = "):
        given_files({"ngrams": empty})
