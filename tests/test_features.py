"""Hashed features: the slow twin's; texts on one subject point one way."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from filters.features import FINE, LARGEST, SIZE, Features
from filters.wordhashes import of_words
from tests.helpers.command import ROOT
from tests.helpers.measuring import batch
from tests.helpers.measuring import measured as said
from tests.test_diversity import TEXTS

LICENCES = ("MPL-2.0", "PSF-2.0")
PAGES = ("quickstart", "blueprints", "errorhandling", "testing", "logging", "cli")


def measured(texts: list[str]) -> list[NDArray[np.int8] | None]:
    found = [row["features"] for row in said(Features(), *texts)]
    return [None if v is None else np.frombuffer(v, np.int8) for v in found]


def slow(hashes: list[int]) -> list[int] | None:
    sums = [0] * SIZE
    for word, count in Counter(hashes).items():
        damped = math.floor(FINE * math.sqrt(count * math.sqrt(count)))
        sums[word % SIZE] += -damped if word // SIZE % 2 else damped
    most = max(1, *map(abs, sums))
    return [math.floor(LARGEST * value / most + 0.5) for value in sums] if hashes else None


@given(TEXTS)
def test_they_are_those_of_the_slow_twin(texts: list[str]) -> None:
    rows = batch(*texts)
    found = of_words(rows["text"], rows["words"])
    each = np.split(found.hashes, found.rows[1:-1]) if texts else []
    for vector, hashes in zip(measured(texts), each, strict=True):
        assert (None if vector is None else vector.tolist()) == slow(hashes.tolist())


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]*>", " ", page.read_text().partition("<body")[2])


def cosines(one: list[str], two: list[str]) -> NDArray[np.float64]:
    """Shape (len(one), len(two))."""
    tables = []
    for texts in (one, two):
        table = np.array([v for v in measured(texts) if v is not None]).astype(float)
        tables.append(table / np.linalg.norm(table, axis=1, keepdims=True))
    found: NDArray[np.float64] = tables[0] @ tables[1].T
    return found


def test_halves_of_one_text_are_nearer_than_those_of_different_ones() -> None:
    data = ROOT / "tests/data"
    texts = [(data / f"sample/{name}.txt").read_text() for name in LICENCES]
    texts += [text_of(data / f"site/{name}.html") for name in PAGES]
    halves = [[t[: len(t) // 2] for t in texts], [t[len(t) // 2 :] for t in texts]]
    found = cosines(*halves)
    own = np.eye(len(texts), dtype=bool)
    assert found[own].mean() > found[~own].mean() + 0.2
    assert np.mean(found.argmax(axis=1) == np.arange(len(texts))) > 0.7
    licence = np.arange(len(texts)) < len(LICENCES)
    across = licence[:, None] != licence[None]
    assert found[~across & ~own].mean() > found[across].mean() + 0.1


def test_order_and_case_do_not_matter_and_length_hardly_does() -> None:
    text = (ROOT / "tests/data/sample/PSF-2.0.txt").read_text()
    shuffled = " ".join(reversed(text.split()))
    found = cosines([text], [shuffled.upper(), text * 7])
    assert found[0].min() > 0.99


@pytest.mark.parametrize("text", ["", "!?", "word", "word " * 100_000, "x" * 1_000_000])
def test_odd_texts(text: str) -> None:
    (vector,) = measured([text])
    assert (vector is None) == (not text.strip("!?"))
    if vector is not None:
        assert np.abs(vector.astype(int)).tolist().count(LARGEST) == np.count_nonzero(vector) == 1
