"""Files of fastText's classifiers, quantised or not: read once, into arrays that a kernel reads.

Sources: P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching Word Vectors with Subword
Information", 2017; A. Joulin et al., "FastText.zip: Compressing text classification models", 2016;
the format is that of fastText 0.9, version 12.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

MAGIC, VERSIONS = 793712314, (11, 12)
WINDOW, RATE = 5, 100  # settings of fastText's training that say nothing about a classifier
CENTROIDS = 256  # of each part of a quantised vector
SUPERVISED = 3
TREE, NEGATIVE, SOFTMAX, EACH = 1, 2, 3, 4
"""The losses, as files name them: hierarchical softmax, negative sampling, softmax, one against
all."""


class File(NamedTuple):
    """What a file holds.

    Attributes:
        words: UTF-8, in the order of their rows of `vectors`.
        labels: in the order of `outputs`, most frequent first.
        counts: of the labels.
        kept: numbers of the n-grams' buckets that have a row; None: all have one, in their order.
        vectors: shape (words + kept buckets, dimensions).
        outputs: shape (labels, dimensions); of a tree: (its inner nodes, dimensions).
        loss: `TREE`, `NEGATIVE`, `SOFTMAX` or `EACH`.
        buckets: that n-grams are hashed into.
        least: characters of a word's n-gram, at least.
        most: the same, at most; 0: words have none.
        run: words of an n-gram of words, at most.
    """

    words: list[bytes]
    labels: list[bytes]
    counts: Numbers
    kept: NDArray[np.int32] | None
    vectors: Floats
    outputs: Floats
    loss: int
    buckets: int
    least: int
    most: int
    run: int


def read(path: Path) -> File:
    """A classifier from its file.

    Raises:
        ValueError: if it is none, of another version, or cut; says which.
        OSError: if it cannot be read.
    """
    try:
        return parsed(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parsed(data: bytes) -> File:
    """A classifier from the bytes of its file.

    Raises:
        ValueError: if it is none, of another version, or cut; says which.
    """
    try:
        return _File(data).whole()
    except (struct.error, IndexError) as error:
        raise ValueError(f"ends in the middle, after {len(data):,} bytes") from error


def written(file: File) -> bytes:
    """A classifier that is not quantised as a file, which fastText reads as well."""
    rows, dim = file.vectors.shape
    entries = [*((word, 1, 0) for word in file.words)]
    entries += [
        (label, int(count), 1) for label, count in zip(file.labels, file.counts, strict=True)
    ]
    shape = (file.run, file.loss, SUPERVISED, file.buckets, file.least, file.most, RATE)
    out = [
        struct.pack("<2i", MAGIC, VERSIONS[-1]),
        struct.pack("<12id", dim, WINDOW, 1, 1, 1, *shape, 0.0),
        struct.pack("<3i2q", len(entries), len(file.words), len(file.labels), len(entries), -1),
        *(word + b"\0" + struct.pack("<qb", count, kind) for word, count, kind in entries),
        struct.pack("<b2q", 0, rows, dim),
        file.vectors.astype("<f4").tobytes(),
        struct.pack("<b2q", 0, *file.outputs.shape),
        file.outputs.astype("<f4").tobytes(),
    ]
    return b"".join(out)


class _File:
    """A file and how far it was read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def numbers(self, form: str) -> tuple[int, ...]:
        """The next numbers, as `struct` spells them."""
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """The next numbers, all of one kind."""
        size = np.dtype(kind).itemsize * count
        if count < 0 or self.at + size > len(self.data):
            raise IndexError
        found = np.frombuffer(self.data, kind, count, self.at)
        self.at += size
        return found

    def whole(self) -> File:
        """Everything, from the beginning."""
        magic, version = self.numbers("ii") if len(self.data) >= 8 else (0, 0)
        if magic != MAGIC:
            raise ValueError("is no fastText model")
        if version not in VERSIONS:
            raise ValueError(f"is of version {version}; {VERSIONS[-1]} is known")
        dim, _, _, _, _, run, loss, model, buckets, least, most, _ = self.numbers("12i")
        self.numbers("d")
        if model != SUPERVISED:
            raise ValueError("is a model of words, no classifier")
        if version == VERSIONS[0]:
            most = 0
        words, labels, counts, kept = self._dictionary()
        quantised = bool(self.numbers("b")[0])
        vectors = self._matrix(quantised)
        outputs = self._matrix(bool(self.numbers("b")[0]) and quantised)
        if vectors.shape[1] != dim or outputs.shape[1] != dim:
            raise ValueError(f"has vectors of {vectors.shape[1]} dimensions and not of {dim}")
        return File(words, labels, counts, kept, vectors, outputs, loss, buckets, least, most, run)

    def _dictionary(self) -> tuple[list[bytes], list[bytes], Numbers, NDArray[np.int32] | None]:
        size, _, _, _, pruned = self.numbers("iiiqq")
        words, labels, counts = list[bytes](), list[bytes](), list[int]()
        for _ in range(size):
            end = self.data.find(0, self.at)
            if end < 0:
                raise IndexError
            word, self.at = self.data[self.at : end], end + 1
            count, kind = self.numbers("qb")
            if kind == 0:
                words.append(word)
            else:
                labels.append(word)
                counts.append(count)
        kept = None
        if pruned >= 0:
            pairs = self.array("<i4", 2 * pruned).reshape(-1, 2)
            kept = np.empty(pruned, np.int32)
            kept[pairs[:, 1]] = pairs[:, 0]
        return words, labels, np.array(counts, np.int64), kept

    def _matrix(self, quantised: bool) -> Floats:
        if quantised:
            return self._quantised()
        rows, columns = self.numbers("qq")
        return self.array("<f4", rows * columns).reshape(rows, columns).astype(np.float32)

    def _quantised(self) -> Floats:
        """Each vector is put together from pieces that the file numbers, times its norm."""
        (normed,), (rows, columns, codes) = self.numbers("b"), self.numbers("qqi")
        of = self.array("u1", codes)
        vectors = self._product(of.reshape(rows, -1), columns)
        if normed:
            norms = self.array("u1", rows)
            vectors *= self._product(norms.reshape(rows, 1), 1)
        return vectors

    def _product(self, codes: NDArray[np.generic], columns: int) -> Floats:
        dim, pieces, width, last = self.numbers("iiii")
        if not codes.shape[1] == pieces or not columns == dim == (pieces - 1) * width + last:
            raise ValueError(f"has {pieces} pieces of {width} for vectors of {columns} dimensions")
        centroids = self.array("<f4", dim * CENTROIDS)
        vectors = np.empty((len(codes), columns), np.float32)
        for piece in range(pieces):
            wide = last if piece == pieces - 1 else width
            start = piece * CENTROIDS * width
            table = centroids[start : start + CENTROIDS * wide].reshape(CENTROIDS, wide)
            vectors[:, piece * width : piece * width + wide] = table[codes[:, piece].astype(int)]
        return vectors
