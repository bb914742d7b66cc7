"""fastText's training of a classifier, by one thread: the same samples and seed, the same weights.

A text is the mean of the vectors of its words and of its runs of words; a softmax over the labels
stands on it.  Both are learned by gradient descent, text by text, with a rate that falls to zero.

Source: A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of Tricks for Efficient Text
Classification", 2017, section 2.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Out, Positions, Table, utf8
from filters.fasttext.file import SOFTMAX, File, Numbers
from filters.fasttext.labels import values_of
from filters.fasttext.words import (
    END_BYTES,
    LABEL,
    LABEL_BYTES,
    add,
    begins_as_end,
    begins_with,
    find,
    index,
    joined_to,
    number_of,
    token,
)
from filters.kernels import kernel, longest, signed
from filters.shingles import Hashes, word_hash

KNOWN = 500_000  # words that have a vector of their own, at most: the most frequent


class Shape(NamedTuple):
    """How a classifier is made.

    Attributes:
        dimensions: of a vector.
        run: words of a run, at most.
        buckets: that runs are hashed into.
        least: times a word must stand in the samples to have a vector of its own.
        epochs: times each text is learned from.
        rate: of learning, at the beginning.
    """

    dimensions: int = 16
    run: int = 2
    buckets: int = 1 << 18
    least: int = 2
    epochs: int = 5
    rate: float = 0.5


def train(
    texts: pa.StringArray, labels: Numbers, names: Sequence[str], seed: int, shape: Shape
) -> File:
    """A classifier that tells the labels of texts.

    Args:
        texts: to learn from, shape (n,).
        labels: shape (n,), the number of each one's label.
        names: of the labels, by their numbers.
        seed: of the first vectors, and of the order in which texts are learned from.
        shape: how it is made.

    Returns:
        a model whose labels stand in the order of `names`.
    """
    body, offsets = utf8(texts)
    words = _vocabulary(body, offsets, shape.least)
    known = index(words)
    features = np.empty(_most(body, offsets) * shape.run, np.int32)
    at = np.empty(len(texts) + 1, np.int64)
    size = np.array([shape.run, shape.buckets], np.int64)
    features = features[: _features(body, offsets, *known, size, features, at)]
    draw = np.random.Generator(np.random.PCG64(seed))
    near = np.float32(1 / shape.dimensions)
    rows = len(words) + (shape.buckets if shape.run > 1 else 0)
    vectors = draw.random((rows, shape.dimensions), np.float32) * (2 * near) - near
    outputs = np.zeros((len(names), shape.dimensions), np.float32)
    for epoch in range(shape.epochs):
        order = draw.permutation(len(texts)).astype(np.int64)
        rates = np.array([shape.rate * (1 - (epoch + i) / shape.epochs) for i in (0, 1)])
        _learn(features, at, order, labels, rates, vectors, outputs)
    counts = np.bincount(labels, minlength=len(names))
    tags = [LABEL + name.encode() for name in names]
    buckets = shape.buckets if shape.run > 1 else 0
    return File(words, tags, counts, None, vectors, outputs, SOFTMAX, buckets, 0, 0, shape.run)


def _most(body: Bytes, offsets: Offsets) -> int:
    """Words that texts hold, their ends included, at most."""
    return int(offsets[-1] - offsets[0]) // 2 + 2 * (len(offsets) - 1)


def _vocabulary(body: Bytes, offsets: Offsets, least: int) -> list[bytes]:
    """The words that stand so often in texts, the most frequent first; then by their bytes."""
    hashes = np.empty(_most(body, offsets), np.uint64)
    starts, ends = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
    count = _tokens(body, offsets, hashes, starts, ends)
    _, first, times = np.unique(hashes[:count], return_index=True, return_counts=True)
    often = np.flatnonzero(times >= least)
    found = [(-times[i], body[starts[first[i]] : ends[first[i]]].tobytes()) for i in often.tolist()]
    end = bytes(END_BYTES)
    return [end, *(word for _, word in sorted(found)[:KNOWN])]


@kernel
def _tokens(
    data: Bytes, offsets: Offsets, hashes: Out[Hashes], starts: Out[Offsets], ends: Out[Offsets]
) -> int:
    """Fill hash, start and end of every word that is no label: how many there are."""
    count = 0
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        while True:
            first, at = token(data, at, end)
            if first == at or begins_as_end(data, first, at):
                break
            if not begins_with(data, first, at, LABEL_BYTES):
                hashes[count], starts[count], ends[count] = word_hash(data, first, at), first, at
                count += 1
    return count


@kernel
def _features(
    data: Bytes,
    offsets: Offsets,
    words: Bytes,
    begins: Offsets,
    slots: Positions,
    shape: Numbers,
    features: Out[Positions],
    at: Out[Offsets],
) -> int:
    """Fill the rows of the vectors that each text is the mean of: how many there are in all."""
    run, buckets, before = shape[0], shape[1], len(begins) - 1
    known = (words, begins, slots)
    line_end = np.array(END_BYTES, np.uint8)
    end_hash = np.int32(number_of(line_end, 0, len(line_end)))
    hashes = np.empty(longest(offsets) // 2 + 2, np.int32)
    count = 0
    for text in range(len(offsets) - 1):
        at[text] = count
        here, end, size = offsets[text], offsets[text + 1], 0
        while True:
            first, here = token(data, here, end)
            if first == here or begins_as_end(data, first, here):
                break
            value = number_of(data, first, here)
            if begins_with(data, first, here, LABEL_BYTES):
                continue
            hashes[size] = np.int32(value)
            size += 1
            row = find(data, first, here, value, known)
            if row >= 0:
                features[count] = row
                count += 1
        hashes[size] = end_hash
        features[count] = 0  # the end's vector is the first
        count += 1
        for i in range(size + 1):
            number = np.uint64(np.int64(hashes[i]))
            for j in range(i + 1, min(size + 1, i + run)):
                number = joined_to(number, hashes[j])
                features[count] = before + signed(number % np.uint64(buckets))
                count += 1
    at[-1] = count
    return count


@kernel
def _learn(
    features: Positions,
    at: Offsets,
    order: Numbers,
    labels: Numbers,
    rates: NDArray[np.float64],
    vectors: Out[Table[np.float32]],
    outputs: Out[Table[np.float32]],
) -> None:
    """Learn from each text once, at a rate that goes from the first to the second of `rates`."""
    dimensions = vectors.shape[1]
    mean, step = np.empty(dimensions, np.float32), np.empty(dimensions, np.float32)
    chances = np.empty(len(outputs))
    for i in range(len(order)):
        text = order[i]
        mine = features[at[text] : at[text + 1]]
        mean[:] = 0
        for row in mine:
            add(vectors, signed(row), mean)
        mean *= np.float32(1 / len(mine))
        values_of(outputs, mean, SOFTMAX, chances)
        rate = rates[0] + (rates[1] - rates[0]) * i / len(order)
        step[:] = 0
        for label in range(len(outputs)):
            change = np.float32(rate * ((label == labels[text]) - chances[label]))
            step += change * outputs[label]
            outputs[label] += change * mean
        step *= np.float32(1 / len(mine))
        for row in mine:
            for d in range(dimensions):
                vectors[row, d] += step[d]
