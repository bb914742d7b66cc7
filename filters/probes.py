"""Brute force for a few: whom a probe resembles among all signatures, and by how much in truth.

Signatures are compared a tile at a time, transposed, so that one byte of a probe meets the same
slot of a whole tile of texts.  No index, no bands: this is what those are checked against.

Source: Broder 1997, for both: the similarity of two texts is that of their sets of shingles, and
what a signature says is an estimate of it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Out, Positions, Table, Texts, with_words
from filters.kernels import helper, kernel
from filters.lsh import Signatures
from filters.shingles import Hashes, shingle_hashes

Rows = NDArray[np.int64]

TILE = 256  # texts that a byte meets at once
BLOCK = 240  # slots whose agreements are counted in a byte: a multiple of four below 256


class Near(NamedTuple):
    """What resembles the probes.

    Attributes:
        probes: shape (pairs,): which probe.
        rows: shape (pairs,): the row that resembles it.
        agreements: shape (pairs,): in how many slots the two agree.
        found: shape (probes,): rows that resemble each, all of them.
    """

    probes: Rows
    rows: Rows
    agreements: Rows
    found: Rows


def near(probes: Signatures, signatures: Signatures, own: Rows, least: int, most: int) -> Near:
    """The first rows that resemble each probe, and the nearest one if it is not among them.

    Args:
        probes: shape (p, slots).
        signatures: shape (n, slots); their order decides which are first.
        own: shape (p,): the row that is the probe itself and is passed over; -1: none is.
        least: in how many slots two must agree.
        most: rows a probe, beside the nearest.

    Raises:
        ValueError: if the shapes do not agree.
    """
    if probes.shape[1] != signatures.shape[1] or len(own) != len(probes):
        raise ValueError(f"probes {probes.shape}, own {own.shape}, rows {signatures.shape}")
    rows = np.full((len(probes), most + 1), -1, np.int64)
    agreeing = np.zeros((len(probes), most + 1), np.int64)
    found = np.zeros(len(probes), np.int64)
    gap = -probes.shape[1] % 4  # a byte that no tile holds there
    padded = np.pad(probes, ((0, 0), (0, gap)), constant_values=1)
    _near(padded, signatures, own, least, rows, agreeing, found)
    again = (rows[:, :most] == rows[:, most:]).any(axis=1)
    rows[again, most] = -1
    which, column = np.nonzero(rows >= 0)
    return Near(which, rows[which, column], agreeing[which, column], found)


def shingle_sets(batch: pa.RecordBatch, size: int) -> Iterator[Hashes]:
    """The hashes of each text's shingles, sorted, each once.

    Args:
        batch: `text` and `words`.
        size: words a shingle.
    """
    texts = with_words(batch["text"], batch["words"])
    out = np.empty(len(texts[-1]), np.uint64)
    bounds = np.empty(batch.num_rows + 1, np.int64)
    _shingles(texts, size, out, bounds)
    for start, end in pairwise(bounds.tolist()):
        yield np.unique(out[start:end])


def jaccard(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity of two sets, each sorted and without repetition; of two empty ones, 1."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    every = len(one) + len(other) - both
    return both / every if every else 1.0


@helper
def _turned(signatures: Signatures, first: int, count: int, tile: Signatures) -> None:
    """Slot k of text d to row k, column d."""
    for d in range(count):
        for k in range(signatures.shape[1]):
            tile[k, d] = signatures[first + d, k]


@helper
def _counted(probe: Bytes, tile: Signatures, some: Bytes, total: Positions) -> int:
    """In how many slots each text of a tile agrees with a probe, and the most of these."""
    total[:] = 0
    for start in range(0, len(probe), BLOCK):
        some[:] = 0
        for k in range(start, min(start + BLOCK, len(probe)), 4):
            a, b, c, e = probe[k], probe[k + 1], probe[k + 2], probe[k + 3]
            for d in range(TILE):  # eight bits throughout, so that this loop becomes vectors
                one = np.uint8(tile[k, d] == a) + np.uint8(tile[k + 1, d] == b)
                two = np.uint8(tile[k + 2, d] == c) + np.uint8(tile[k + 3, d] == e)
                some[d] = np.uint8(some[d] + one + two)
        for d in range(TILE):
            total[d] += some[d]
    return max(total)


@kernel
def _near(
    probes: Signatures,
    signatures: Signatures,
    own: Rows,
    least: int,
    rows: Out[Table[np.int64]],
    agreeing: Out[Table[np.int64]],
    found: Out[Rows],
) -> None:
    """The last column of `rows` and `agreeing` is the nearest's."""
    most = rows.shape[1] - 1
    tile = np.zeros((probes.shape[1], TILE), np.uint8)
    some, total = np.empty(TILE, np.uint8), np.empty(TILE, np.int32)
    for first in range(0, len(signatures), TILE):
        count = min(TILE, len(signatures) - first)
        _turned(signatures, first, count, tile)
        for p in range(len(probes)):
            if _counted(probes[p], tile, some, total) < least:
                continue
            for d in range(count):
                if total[d] >= least and first + d != own[p]:
                    if found[p] < most:
                        rows[p, found[p]], agreeing[p, found[p]] = first + d, total[d]
                    if total[d] > agreeing[p, most]:
                        rows[p, most], agreeing[p, most] = first + d, total[d]
                    found[p] += 1


@kernel
def _shingles(
    texts: Texts,
    size: int,
    out: Out[Hashes],
    bounds: Out[Offsets],
) -> None:
    """A text has no more shingles than words, so its words' room in `out` will do."""
    data, offsets, rows, starts, ends = texts
    words = np.empty(len(starts), np.uint64)
    at = 0
    for row in range(len(rows) - 1):
        bounds[row] = at
        mine = slice(rows[row], rows[row + 1])
        begin, limit = offsets[row], offsets[row + 1]
        room = out[at:]
        at += shingle_hashes(data, begin, limit, starts[mine], ends[mine], size, words, room)
    bounds[len(rows) - 1] = at
