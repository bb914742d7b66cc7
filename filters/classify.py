"""Classify: what a text is, by a classifier learned from samples or taken from a fastText file.

It is learned before anything is measured, from nine tenths of the samples; the last tenth, drawn by
a hash of each text so that equal texts fall together, tells how often it is right.  Words are what
stands between white space, runs of two of them count as well, and case counts.

Sources: A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of Tricks for Efficient Text
Classification", 2017; for telling good text from bad by it: Brown et al. 2020 (GPT-3), appendix A;
Li et al. 2024 (DCLM), section 4.4.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import Learned, check_name, check_whole
from filters.buffers import utf8
from filters.fasttext.classifier import Classifier
from filters.fasttext.file import SOFTMAX, TREE, Numbers, parsed, written
from filters.fasttext.training import Shape, train

TENTH = 10  # one text in so many is held out
LEAST = 20  # texts of a label, at least
MOST = 1_000_000_000  # bytes of samples: they and their words are held in memory


class File(Protocol):
    """A file of the user's."""

    def read(self) -> bytes:
        """The whole of it."""


@dataclass(frozen=True, slots=True)
class Classify:
    """What a classifier says about one text.

    Columns, of one that is called ``prose``:
        prose: probability of `label`; not there without one; null where nothing of the text is
            known, as the next two.
        prose_label: the likeliest label.
        prose_entropy: of the probabilities of all labels, bits: how unsure it is; null, too, for a
            model that answers for each label alone.

    Attributes:
        name: the measure's name in the recipe.
        samples: texts by label, of two labels at least.
        model: a fastText classifier's file, quantised or not, in place of samples.
        label: whose probability is told: of samples the first unless named.
        text: field of the rows that hold samples.
        epochs: times each sample is learned from.
        rate: of learning, at the beginning.
        dimensions: of a vector.
        run: words of a run, at most.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    name: str = field(default="classifier", metadata={"named": True})
    samples: Mapping[str, Iterable[str]] = field(
        default_factory=dict, metadata={"files": "samples"}
    )
    model: File | None = field(default=None, metadata={"files": "model"})
    label: str = ""
    text: str = "text"
    epochs: int = 10
    rate: float = 0.5
    dimensions: int = 16
    run: int = 2

    def __post_init__(self) -> None:
        check_name(self.name)
        self._check_labels()
        for option in ("epochs", "dimensions", "run"):
            check_whole(option, getattr(self, option))
        if type(self.rate) not in (int, float) or not 0 < self.rate <= 10:
            raise ValueError(f"rate wants a number above 0, 10 at most, got {self.rate!r}")

    def _check_labels(self) -> None:
        if self.samples and self.model:
            raise ValueError("samples and model are both given; take one")
        if self.samples and len(self.samples) < 2:
            raise ValueError(f"samples have one label, {next(iter(self.samples))!r}; want two")
        odd = [label for label in self.samples if not label or re.search(r"\s", label)]
        if odd:
            raise ValueError(f"label {odd[0]!r}: want a word without white space")
        if self.samples and self.label and self.label not in self.samples:
            raise ValueError(f"label {self.label!r} is none of {', '.join(self.samples)}")

    @property
    def wanted(self) -> str:
        """The label whose probability is told; "" if none is."""
        return self.label or next(iter(self.samples), "")

    @property
    def columns(self) -> pa.Schema:
        """A probability, a label and an entropy."""
        first = [(self.name, pa.float64())] if self.wanted or not self.model else []
        rest = [(f"{self.name}_label", pa.string()), (f"{self.name}_entropy", pa.float64())]
        return pa.schema([*first, *rest])

    def fit(self, seed: int) -> Learned:
        """Learn from the samples, or take the file.

        Raises:
            ValueError: if they are too few or too many, or the file is no classifier.
        """
        if self.model is not None:
            given = self.model.read()
            parsed(given)
            return Learned(given, {})
        names = list(self.samples)
        texts, labels = _read(self.samples)
        held = np.array([_is_held_out(text) for text in texts], np.bool_)
        for number, name in enumerate(names):
            mine = labels == number
            if mine.sum() < LEAST or held[mine].all() or not held[mine].any():
                raise ValueError(f"label {name!r} has {mine.sum()} texts; want {LEAST} and more")
        known = pa.array(texts, pa.large_string())
        shape = Shape(self.dimensions, self.run, epochs=self.epochs, rate=self.rate)
        learned = known.filter(pa.array(~held))
        file = train(learned, labels[~held], names, seed, shape)
        told = known.filter(pa.array(held))
        body, at = utf8(told)
        said, _ = Classifier(file).answers(body, at[:-1], at[1:])
        pairs = zip(labels[held].tolist(), said.tolist(), strict=True)
        return Learned(written(file), Counter((names[a], names[b]) for a, b in pairs))

    def fitted(self, model: bytes) -> "Fitted":
        """What measures, by the bytes of what was learned."""
        return Fitted(self, model)


class Fitted:
    """A classifier that measures."""

    version = Classify.version
    needs = Classify.needs

    def __init__(self, asked: Classify, model: bytes) -> None:
        file = parsed(model)
        self._classifier = Classifier(file)
        self._sums_to_one = file.loss in (SOFTMAX, TREE)
        self.columns = asked.columns
        labels = self._classifier.labels
        if asked.wanted and asked.wanted not in labels:
            some = ", ".join(labels[:9]) + (" …" if len(labels) > 9 else "")
            raise ValueError(f"label {asked.wanted!r} is none of the model's: {some}")
        self._place = labels.index(asked.wanted) if asked.wanted else None

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns.  A null text counts as an empty one."""
        body, at = utf8(batch["text"])
        chances = self._classifier.chances(body, at[:-1], at[1:])
        none = ~chances.any(axis=1)
        best = chances.argmax(axis=1)
        names = pa.array(self._classifier.labels)
        label = names.take(pa.array(best, mask=none))
        unsure = none if self._sums_to_one else np.ones_like(none)
        arrays = [label, pa.array(_entropy(chances), mask=unsure)]
        if self._place is not None:
            mine = chances[:, self._place].astype(np.float64)
            arrays.insert(0, pa.array(mine, mask=none))
        return pa.record_batch(arrays, schema=self.columns)


def _entropy(chances: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each row of probabilities, in bits."""
    wide = chances.astype(np.float64)
    return -np.sum(wide * np.log2(np.where(wide > 0, wide, 1)), axis=1) + 0.0


def _read(samples: Mapping[str, Iterable[str]]) -> tuple[list[str], Numbers]:
    """All texts, and the number of each one's label."""
    texts, counts, size = list[str](), list[int](), 0
    for some in samples.values():
        before = len(texts)
        for text in some:
            texts.append(text)
            size += len(text)
            if size > MOST:
                raise ValueError(f"samples of more than {MOST:,} characters; name fewer files")
        counts.append(len(texts) - before)
    return texts, np.repeat(np.arange(len(counts)), counts)


def _is_held_out(text: str) -> bool:
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % TENTH == 0
