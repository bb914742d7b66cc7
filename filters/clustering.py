"""Cluster and diversify: something of every subject, the best of each first.

The candidates of a partition are put into clusters by spherical k-means over a column of features;
each cluster gives its documents in turn, so that all are drawn from alike, or by their size.  The
arithmetic is in whole numbers below 2**24, which 32-bit floats hold, so any order of sums and any
processor gives the same clusters.

Sources: Dhillon and Modha 2001, for spherical k-means; Chang et al. 2021, for training samples by
clusters.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import check_whole
from filters.buffers import table as bytes_of
from filters.strategies import Top, floats, ranked, uniform

ROUNDS = 8  # of k-means
SCALE = 100  # the length of a centre, as whole numbers of one byte
ROWS = 1 << 14  # that are compared with all centres at a time

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Documents of all clusters in turn.

    Attributes:
        features: the column with the features of a text, one signed byte each.
        clusters: of a partition, at most.
        balance: exponent of a cluster's share: 0, all alike; 1, by their tokens.
        by: column that says who of a cluster comes first, with ``asc`` or ``desc``; "": by chance.
    """

    version: ClassVar[int] = 1
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    features: str = "features"
    clusters: int = 64
    balance: float = 0.5
    by: str = ""

    def __post_init__(self) -> None:
        check_whole("clusters", self.clusters)
        if not 0 <= self.balance <= 1:
            raise ValueError(f"balance is a number in [0, 1], not {self.balance:g}")
        if self.by:
            Top(self.by)

    @property
    def needs(self) -> tuple[str, ...]:
        """The features, and the column that orders."""
        return (self.features, *(Top(self.by).needs if self.by else ()))

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """How far into its cluster a document stands, against the cluster's share."""
        draw = candidates["draw"].to_numpy()
        column = candidates[self.features].combine_chunks()
        vectors = bytes_of(column.fill_null(bytes(column.type.byte_width))).view(np.int8)
        cluster = assigned(vectors, draw, self.clusters)
        first = (
            floats(Top(self.by).rank(candidates, seed)) if self.by else uniform(candidates["draw"])
        )
        tokens = candidates["tokens"].to_numpy().astype(np.float64)
        order = np.lexsort((draw, first, cluster))
        total = np.bincount(cluster, tokens, self.clusters)
        before = np.cumsum(tokens[order]) - tokens[order]
        starts = np.cumsum(total) - total
        rank = np.empty(len(order))
        share = np.maximum(total, 1.0) ** self.balance
        rank[order] = (before - starts[cluster[order]]) / share[cluster[order]]
        return ranked(np.where(np.isnan(first) | column.is_null().to_numpy(False), np.nan, rank))


def assigned(vectors: NDArray[np.int8], draw: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """The cluster of each row.

    Args:
        vectors: shape (rows, features); a row of zeros is in cluster 0.
        draw: random numbers of the rows; the lowest are the first centres.
        count: of clusters, at most.

    Returns:
        shape (rows,).
    """
    data = vectors.astype(np.float32)
    filled = np.flatnonzero(vectors.any(axis=1))
    centres = _unit(data[filled[np.argsort(draw[filled], kind="stable")[:count]]])
    cluster = np.zeros(len(data), np.int64)
    if not len(centres):
        return cluster
    for _ in range(ROUNDS):
        before, cluster = cluster, _nearest(data, centres)
        if (before == cluster).all():
            break
        sums = np.zeros((len(centres), data.shape[1]), np.int64)
        np.add.at(sums, cluster[filled], vectors[filled].astype(np.int64))
        kept = sums.any(axis=1)
        centres[kept] = _unit(sums[kept])
    return cluster


def _unit(rows: NDArray[np.generic]) -> Floats32:
    """Rows of one length, in whole numbers."""
    exact = rows.astype(np.float64)
    length = np.sqrt((rows.astype(np.int64) ** 2).sum(axis=1)).astype(np.float64)
    return np.rint(SCALE * exact / np.maximum(length, 1)[:, None]).astype(np.float32)


def _nearest(data: Floats32, centres: Floats32) -> NDArray[np.int64]:
    """The centre that each row has the largest product with; the first of equals."""
    pieces = [
        (data[start : start + ROWS] @ centres.T).argmax(axis=1)
        for start in range(0, len(data), ROWS)
    ]
    return np.concatenate([np.empty(0, np.int64), *pieces])
