"""fastText's answers from the kernel: those of the library, whatever the model and the text."""

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fasttext.FastText import load_model
from hypothesis import given
from hypothesis import strategies as st

from filters.fasttext import classifier
from filters.fasttext.classifier import Classifier
from filters.fasttext.file import EACH, MAGIC, NEGATIVE, SOFTMAX, TREE, read
from filters.language import MODEL
from tests.helpers.command import ROOT
from tests.test_language import SENTENCES

COLOURS = ["red", "green", "blue", "grün", "rot", "синий", "青", "ocean", "grass", "fire"]
MODELS: dict[str, dict[str, Any]] = {
    "tree": {"loss": TREE, "least": 2, "most": 4, "buckets": 5000},
    "softmax": {"loss": SOFTMAX},
    "each": {"loss": EACH, "least": 1, "most": 3, "buckets": 1000},
    "negative": {"loss": NEGATIVE, "least": 3, "most": 5, "buckets": 777, "run": 2},
    "runs": {"loss": SOFTMAX, "run": 3, "buckets": 3000},
    "wide": {"loss": TREE, "dim": 37, "least": 2, "most": 3, "buckets": 2000},
    "quantised": {"loss": TREE, "least": 2, "most": 4, "buckets": 900, "kept": 400, "normed": True},
    "quantised, without norms": {"loss": SOFTMAX, "dim": 13, "run": 2, "buckets": 50, "kept": 20},
    "quantised, whole": {"loss": SOFTMAX, "run": 2, "buckets": 50, "kept": -1, "normed": True},
}


def written(
    path: Path,
    loss: int,
    dim: int = 12,
    least: int = 0,
    most: int = 0,
    buckets: int = 0,
    run: int = 1,
    kept: int | None = None,
    normed: bool = False,
) -> Path:
    """A model file with drawn weights; quantised if told how many buckets are kept (-1: all)."""
    draw = np.random.default_rng(7)
    out = struct.pack("<2i", MAGIC, 12)
    out += struct.pack("<12id", dim, 5, 1, 1, 5, run, loss, 3, buckets, least, most, 100, 0.0)
    labels, counts = [f"__label__{i}" for i in range(9)], [500, 90, 80, 70, 6, 5, 4, 3, 2]
    entries = [(word, 10, 0) for word in ["</s>", *COLOURS]]
    entries += [(label, count, 1) for label, count in zip(labels, counts, strict=True)]
    pruned = -1 if kept is None else kept
    out += struct.pack("<3i2q", len(entries), len(COLOURS) + 1, len(labels), 1000, pruned)
    for word, count, kind in entries:
        out += word.encode() + b"\0" + struct.pack("<qb", count, kind)
    if pruned > 0:
        chosen = draw.choice(buckets, pruned, replace=False)
        out += np.stack([chosen, np.arange(pruned)], 1).astype("<i4").tobytes()
    rows = len(COLOURS) + 1 + (buckets if pruned < 0 else pruned)
    if kept is None:
        vectors = draw.normal(size=rows * dim).astype("<f4").tobytes()
        out += struct.pack("<b2q", 0, rows, dim) + vectors
    else:
        pieces = -(-dim // 2)
        codes = draw.integers(0, 256, rows * pieces, np.uint8).tobytes()
        out += struct.pack("<2b2qi", 1, normed, rows, dim, len(codes)) + codes
        out += struct.pack("<4i", dim, pieces, 2, dim - 2 * (pieces - 1))
        out += draw.normal(size=dim * 256).astype("<f4").tobytes()
        if normed:
            out += draw.integers(0, 256, rows, np.uint8).tobytes() + struct.pack("<4i", 1, 1, 1, 1)
            out += draw.uniform(0.5, 2, 256).astype("<f4").tobytes()
    weights = draw.normal(size=len(labels) * dim).astype("<f4").tobytes()
    path.write_bytes(out + struct.pack("<b2q", 0, len(labels), dim) + weights)
    return path


def answers(model: Classifier, texts: list[bytes]) -> list[tuple[str | None, float]]:
    sizes = np.array([len(text) for text in texts], np.int64)
    ends = np.cumsum(sizes)
    body = np.frombuffer(b"".join(texts), np.uint8)
    codes, scores = model.answers(body, ends - sizes, ends)
    names = [model.labels[code] if code >= 0 else None for code in codes]
    return list(zip(names, scores.tolist(), strict=True))


def library(path: Path, texts: list[bytes]) -> list[tuple[str | None, float]]:
    lines = [text.replace(b"\n", b" ").decode() + "\n" for text in texts]
    labels, scores = load_model(str(path)).f.multilinePredict(lines, 1, 0.0, "strict")
    found = zip(labels, scores, strict=True)
    return [(la[0].removeprefix("__label__"), sc[0]) if la else (None, 0.0) for la, sc in found]


def agree(model: Classifier, path: Path, texts: list[bytes]) -> bool:
    ours, theirs = answers(model, texts), library(path, texts)
    for text, (name, score), (wanted, exact) in zip(texts, ours, theirs, strict=True):
        assert score == pytest.approx(min(exact, 1), abs=2e-5), text
        near = name != wanted and score == pytest.approx(exact, abs=2e-5)
        assert name == wanted or near, text  # of two equals, either
    return len(ours) == len(texts) > 0


WORDS = st.sampled_from([*COLOURS, "</s>", "__label__warm", "__label__x", "reds", "ré", "a", ""])
TEXT = st.lists(WORDS | st.text(max_size=5), max_size=12).map(" ".join)
SPACED = st.tuples(TEXT, st.sampled_from([" ", "\n", "\t", "\x0b", "\r\n", "\0", "\xa0", "\u3000"]))


@pytest.mark.parametrize("name", MODELS)
def test_answers_are_those_of_the_library(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "model", **MODELS[name])
    model = Classifier.of(path)

    @given(st.lists(SPACED.map(lambda both: both[0].replace(" ", both[1])), min_size=1, max_size=8))
    def check(texts: list[str]) -> None:
        assert agree(model, path, [text.encode() for text in texts])

    check()


def test_the_model_that_ships_answers_as_the_library_does() -> None:
    texts = [*(ROOT / "README.md").read_text().split("\n"), *SENTENCES.values()]
    assert agree(Classifier.of(MODEL), MODEL, [text.strip().encode() for text in texts if text])


def test_what_is_remembered_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, whole = random.Random(1), Classifier.of(MODEL)
    words = ["".join(draw.choices("abcdéфы", k=draw.randrange(1, 9))) for _ in range(3000)]
    texts = [" ".join(draw.choices(words, k=20)).encode() for _ in range(500)]
    found = answers(whole, texts)
    assert answers(whole, texts[::-1])[::-1] == found
    monkeypatch.setattr(classifier, "MEMORY", 16 * 4 * 8)  # eight words
    assert answers(Classifier.of(MODEL), texts) == found


def test_bytes_that_are_no_utf8_are_answered() -> None:
    (found,) = answers(Classifier.of(MODEL), [b"\xff\xfe \xed\xa0\x80 \xc3 das ist ein Satz"])
    assert found[0] is not None


@pytest.mark.parametrize("size", [0, 7, 8, 100, 5000, 900_000, 938_012])
def test_a_cut_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.ftz"
    path.write_bytes(MODEL.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"model\.ftz: (ends in the middle|is no fastText model)"):
        read(path)


def test_what_is_no_classifier_is_refused(tmp_path: Path) -> None:
    path, known = tmp_path / "model.bin", MODEL.read_bytes()
    path.write_bytes(known[:4] + (13).to_bytes(4, "little") + known[8:])
    with pytest.raises(ValueError, match="is of version 13; 12 is known"):
        read(path)
    path.write_bytes(known[: 8 + 4 * 7] + (2).to_bytes(4, "little") + known[8 + 4 * 8 :])
    with pytest.raises(ValueError, match="is a model of words, no classifier"):
        read(path)
