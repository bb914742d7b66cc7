"""Classifiers that are learned: the features are fastText's, the weights follow the gradient."""

from collections.abc import Sized
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from fasttext.FastText import load_model
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters.buffers import utf8
from filters.fasttext.classifier import Classifier
from filters.fasttext.file import parsed, read, written
from filters.fasttext.training import Shape, train

WATER = ["the water comes down from the hills", "people dug a tunnel for water", "hills and water"]
WORDS = [
    *("of words </s> after", "__label__x y", "Ein Weg ü 水 🏞", "", "  ", "a"),
    *("a a a a", "\0 \r\n\t"),
]
SHAPE = Shape(dimensions=4, buckets=50, least=1, epochs=2, rate=0.3)


def texts() -> pa.StringArray:
    return pa.array([*WATER, *WORDS] * 2)


def labels(some: Sized) -> np.ndarray:
    return np.arange(len(some)) % 3


class Slow(NamedTuple):
    words: list[bytes]
    vectors: NDArray[np.float64]
    outputs: NDArray[np.float64]


def slow(some: list[str], labels: list[int], names: list[str], seed: int, shape: Shape) -> Slow:
    """The same, from Python's own strings and numbers."""
    tokens = []
    for text in some:
        words = text.replace("\0", " ").encode().split()
        words = words[: words.index(b"</s>")] if b"</s>" in words else words
        tokens.append([w for w in words if not w.startswith(b"__label__")])
    counts: dict[bytes, int] = {}
    for word in (w for words in tokens for w in words):
        counts[word] = counts.get(word, 0) + 1
    often = sorted((w for w in counts if counts[w] >= shape.least), key=lambda w: (-counts[w], w))
    known = [b"</s>", *often]
    rows = []
    for words in tokens:
        ended = [*words, b"</s>"]
        mine = [known.index(w) for w in ended if w in known]
        hashes = [number(w) for w in ended]
        for i in range(len(ended)):
            value = hashes[i] % 2**64
            for j in range(i + 1, min(len(ended), i + shape.run)):
                value = (value * 116049371 + hashes[j]) % 2**64
                mine.append(len(known) + value % shape.buckets)
        rows.append(mine)
    draw = np.random.Generator(np.random.PCG64(seed))
    size = len(known) + (shape.buckets if shape.run > 1 else 0)
    near = 1 / shape.dimensions
    vectors = draw.random((size, shape.dimensions), np.float32).astype(float) * 2 * near - near
    outputs = np.zeros((len(names), shape.dimensions))
    done = 0
    for _ in range(shape.epochs):
        for text in draw.permutation(len(some)):
            rate = shape.rate * (1 - done / (shape.epochs * len(some)))
            mean = vectors[rows[text]].sum(axis=0) / len(rows[text])
            values = np.exp(outputs @ mean - (outputs @ mean).max())
            error = np.eye(len(names))[labels[text]] - values / values.sum()
            step = rate * error @ outputs / len(rows[text])
            outputs += rate * np.outer(error, mean)
            np.add.at(vectors, rows[text], step)
            done += 1
    return Slow(known, vectors, outputs)


def number(word: bytes) -> int:
    """FNV-1a over signed bytes, as a signed number of 32 bits."""
    value = 2166136261
    for byte in word:
        value = ((value ^ (byte if byte < 128 else byte + 0xFFFFFF00)) * 16777619) % 2**32
    return value - 2**32 if value >= 2**31 else value


@pytest.mark.parametrize("shape", [SHAPE, SHAPE._replace(run=1), SHAPE._replace(run=3, least=3)])
def test_the_weights_are_those_of_the_slow_twin(shape: Shape) -> None:
    some = texts()
    ours = train(some, labels(some), ["a", "b", "c"], 7, shape)
    twin = slow(some.to_pylist(), labels(some).tolist(), ["a", "b", "c"], 7, shape)
    assert ours.words == twin.words
    assert len(ours.words) > 3
    np.testing.assert_allclose(ours.vectors, twin.vectors, atol=1e-5)
    np.testing.assert_allclose(ours.outputs, twin.outputs, atol=1e-5)


@given(st.lists(st.text(max_size=30), min_size=3, max_size=12))
def test_any_text_can_be_learned_from(some: list[str]) -> None:
    ours = train(pa.array(some), labels(some), ["a", "b", "c"], 1, SHAPE)
    twin = slow(some, labels(some).tolist(), ["a", "b", "c"], 1, SHAPE)
    assert ours.words == twin.words
    np.testing.assert_allclose(ours.vectors, twin.vectors, atol=1e-5)


def test_the_library_opens_what_was_learned_and_answers_alike(tmp_path: Path) -> None:
    some = texts()
    file = train(some, labels(some), ["a", "b", "ü"], 0, Shape(epochs=20, least=1, buckets=500))
    path = tmp_path / "model.bin"
    path.write_bytes(written(file))
    assert written(read(path)) == written(file)
    asked = [*WATER, "water in a tunnel", "nothing known"]
    body, at = utf8(pa.array(asked))
    chances = Classifier(parsed(written(file))).chances(body, at[:-1], at[1:])
    lines = [text + "\n" for text in asked]
    names, scores = load_model(str(path)).f.multilinePredict(lines, 3, 0.0, "strict")
    for mine, theirs, said in zip(chances, names, scores, strict=True):
        wanted = dict(zip(theirs, said, strict=True))
        found = dict(zip(["__label__a", "__label__b", "__label__ü"], mine.tolist(), strict=True))
        assert found == pytest.approx(wanted, abs=2e-5)


def test_it_learns_and_the_seed_decides() -> None:
    some = pa.array([f"{word} {i}" for i in range(200) for word in ("red", "blue")])
    which = np.arange(400) % 2
    model = train(some, which, ["warm", "cold"], 3, Shape())
    body, at = utf8(pa.array(["a red one", "something blue"]))
    said, scores = Classifier(model).answers(body, at[:-1], at[1:])
    assert said.tolist() == [0, 1]
    assert scores.min() > 0.9
    assert written(train(some, which, ["warm", "cold"], 3, Shape())) == written(model)
    assert written(train(some, which, ["warm", "cold"], 4, Shape())) != written(model)
