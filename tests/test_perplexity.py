"""Perplexity: the slow twin's, whatever the texts; its probabilities add up to one."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import perplexity
from filters.perplexity import Perplexity
from pipelines.opened import Opened
from tests.helpers.command import ROOT, here
from tests.helpers.measuring import batch, words_of

Run = tuple[str, ...]
Sentence = list[str]

ALPHABET = ["a", "b", "C", "ü", "水", "x y"]
TEXTS = st.lists(st.lists(st.sampled_from(ALPHABET), max_size=9).map(" ".join), max_size=6)


def said(texts: list[str]) -> list[Sentence]:
    """The words of each text, as they compare."""
    return [[word.lower() for word in words_of(text)] for text in texts]


class Slow:
    """The same model from Python's own counts, and fractions of floats."""

    def __init__(self, texts: list[Sentence]) -> None:
        self.counts: Counter[Run] = Counter()
        self.total: Counter[Run] = Counter()
        for sentence in texts:
            for i in range(len(sentence)):
                for n in (1, 2, 3):
                    if i + 1 >= n:
                        run = tuple(sentence[i + 1 - n : i + 1])
                        self.counts[run] += 1
                        self.total[run[:-1]] += 1
        self.kept = {r: c for r, c in self.counts.items() if len(r) < 3 or c > 1}
        self.vocabulary = [r[0] for r in self.counts if len(r) == 1]

    def chance(self, history: Run, word: str) -> float:
        shorter = self.chance(history[1:], word) if history else 1 / (len(self.vocabulary) + 1)
        total = self.total[history]
        if not total or (history and history not in self.kept):
            return shorter
        given = {r: c - 0.75 for r, c in self.kept.items() if r[:-1] == history}
        left = total - sum(given.values())
        return (given.get((*history, word), 0) + left * shorter) / total

    def perplexity(self, sentence: Sentence) -> float | None:
        bits = 0.0
        for i, word in enumerate(sentence):
            bits -= math.log2(self.chance(tuple(sentence[max(0, i - 2) : i]), word))
        return 2 ** (bits / len(sentence)) if sentence else None


def fast(sample: list[str], asked: list[str]) -> list[float | None]:
    measure = Perplexity(sample=tuple(sample))
    ready, rows = measure.fitted(measure.fit(0).model), batch(*asked)
    found: list[float | None] = ready.measure(rows)["perplexity"].to_pylist()
    assert ready.measure(rows[1:])["perplexity"].to_pylist() == found[1:]
    return found


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perplexity, "LEAST", 1)


@given(TEXTS, TEXTS)
def test_it_is_that_of_the_slow_twin(sample: list[str], asked: list[str]) -> None:
    sample = ["a b", *sample]
    slow = Slow(said(sample))
    wanted = [slow.perplexity(sentence) or 0 for sentence in said(asked)]
    found = fast(sample, asked)
    assert [value or 0 for value in found] == pytest.approx(wanted, rel=1e-6)
    assert [value is None for value in found] == [not sentence for sentence in said(asked)]


def test_the_chances_of_all_words_add_up_to_one() -> None:
    sample = ["a b a b c", "a b a d", "b a b a", "d d d d d"]
    slow = Slow(said(sample))
    for history in [(), ("a",), ("a", "b"), ("d", "d"), ("b", "c"), ("x", "a"), ("x", "y")]:
        known = sum(slow.chance(history, word) for word in slow.vocabulary)
        assert known + slow.chance(history, "never seen") == pytest.approx(1)


def test_a_long_text_does_not_run_out_of_numbers() -> None:
    sample = [" ".join(f"w{i}" for i in range(2000))]
    odd, long = "new " * 30_000, "w1 w2 w3 " * 30_000
    (of_odd, of_long) = fast(sample, [odd, long])
    assert of_odd == pytest.approx(Slow(said(sample)).perplexity(["new"] * 60), rel=0.05)
    assert of_long is not None and of_long < 100


def test_prose_like_the_sample_is_less_surprising_than_other_text(tmp_path: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "docs/recipe.md", ROOT / "docs/selection.md"]
    parts = [part for page in pages for part in page.read_text().split("\n\n")]
    text = "\n\n".join(parts[::2] + parts[1::2])  # both halves of every page
    half = len(text) // 2
    (tmp_path / "in").mkdir()
    (tmp_path / "sample.txt").write_text(text[:half])
    shuffled = text[half:].split()
    np.random.default_rng(0).shuffle(shuffled)
    (tmp_path / "in/prose.txt").write_text(text[half:])
    (tmp_path / "in/shuffled.txt").write_text(" ".join(shuffled))
    (tmp_path / "in/other.txt").write_text("Das Wasser kommt durch einen Stollen. " * 20)
    (tmp_path / "in/empty.txt").write_text("")
    recipe = (
        'name = "a"\n[[source]]\nkind = "text"\npaths = ["in/*.txt"]\n'
        '[measure]\nodd = { is = "perplexity", sample = ["sample.txt"] }\n'
    )
    (tmp_path / "r.toml").write_text(recipe)
    done = here("run", "r.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = Opened(tmp_path / "runs/a").arrow(["source", "odd"]).to_pylist()
    found = {row["source"]: row["odd"] for row in rows}
    assert found["prose.txt"] < 0.8 * found["shuffled.txt"] < found["other.txt"]
    assert found["empty.txt"] is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("", "names no file: sample = ["),
        (', sample = ["few.txt"]', "sample has 3 words; want 5 and more"),
        (', sample = ["gone.txt"]', "no such file"),
        (', sample = "few.txt"', "want a list of files"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    tmp_path: Path, options: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perplexity, "LEAST", 5)
    (tmp_path / "few.txt").write_text("three words only")
    recipe = 'name = "a"\n[[source]]\nkind = "text"\npaths = ["few.txt"]\n[measure]\n'
    (tmp_path / "r.toml").write_text(f'{recipe}odd = {{ is = "perplexity"{options} }}\n')
    done = here("run", "r.toml", cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert why in done.stdout + done.stderr


def test_too_much_of_a_sample_and_files_of_others_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(perplexity, "MOST", 10)
    with pytest.raises(ValueError, match="more than 10 characters; name fewer files"):
        Perplexity(sample=("a b c d e f g h",)).fit(0)
    with pytest.raises(ValueError, match="is no model of n-grams"):
        Perplexity().fitted(b"something else")
