"""Recall and precision of dedup, from the pairs whose true similarity was computed.

A pair was found if not both of its documents are kept.  Pairs of one probe tell less than as many
pairs of different ones, since what is found of a cluster is found together; so intervals count
them as if all pairs of a probe told the same (Kish's effective size), which is the worst case.

Sources: E. B. Wilson 1927, for the interval; L. Kish 1965, for the effective size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import sqrt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import lsh
from pipelines.recipe import Dedup, Recipe
from pipelines.recipe.measures import selected
from pipelines.runs import Run
from pipelines.steps.dedup import truth

EDGES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0)
DEVIATIONS = 1.959964  # standard ones around the mean, within which 95 % lie

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Theory:
    """What bands and threshold find, if slots are as independent as they should be.

    Attributes:
        least: slots that must agree.
    """

    bands: int
    rows: int
    least: int

    def shared(self, j: float) -> float:
        """Probability that a pair of similarity j shares a band."""
        return lsh.recall(j, self.bands, self.rows)

    def found(self, j: float) -> float:
        """Probability that it shares one and is confirmed; j is rounded to a thousandth."""
        return _found(round(j, 3), self.bands, self.rows, self.least)


_found = lru_cache(maxsize=2048)(lsh.found)


def theory(recipe: Recipe, dedup: Dedup) -> Theory:
    """That of a recipe."""
    minhash = selected(recipe).measures["minhash"]
    bands, rows = minhash.bands, minhash.rows  # type: ignore[attr-defined]
    return Theory(bands, rows, lsh.needed(dedup.threshold, bands * rows))


@dataclass(frozen=True)
class Share:
    """A share of a sample.

    Attributes:
        part: of `whole`.
        size: how many independent ones the whole is worth.
    """

    part: int
    whole: int
    size: float

    @property
    def value(self) -> float:
        """In [0, 1]; of nothing, 0."""
        return self.part / max(1, self.whole)

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the share of all lies, 95 times of 100."""
        return wilson(self.value, self.size)


@dataclass(frozen=True)
class Bin:
    """Pairs of about one similarity.

    Attributes:
        low, high: of the true similarity; high is meant too where it is 1.
        equal: whether their texts are equal, white space aside; other bins hold none that are.
        mean: of the true similarity; of no pairs, the middle.
        found: of the pairs.
        expected: the mean of what theory says for each.
    """

    low: float
    high: float
    equal: bool
    mean: float
    found: Share
    expected: float


@dataclass(frozen=True)
class Recall:
    """What was measured.

    Attributes:
        probes: documents that were drawn.
        resembling: pairs whose signatures agree enough to be looked into.
        compared: those of them whose texts were compared.
        bins: by true similarity; the last one holds equal texts.
        above: found, of the pairs from the threshold on whose texts are not equal.
        half: of the probes that were removed, those with a partner of similarity 0.5 or more.
        similar: the same, with a partner from the threshold on.
    """

    probes: int
    threshold: float
    resembling: int
    compared: int
    bins: tuple[Bin, ...]
    above: Share
    half: Share
    similar: Share


def wilson(share: float, size: float) -> tuple[float, float]:
    """The 95 % interval around a share of a sample; of an empty one, everything.

    Args:
        share: in [0, 1].
        size: of the sample, which need not be whole.
    """
    if size <= 0:
        return 0.0, 1.0
    z = DEVIATIONS**2 / size
    middle = (share + z / 2) / (1 + z)
    half = sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)


def effective(groups: Sequence[str]) -> float:
    """How many independent ones a sample is worth whose groups are of one mind each.

    Args:
        groups: the group of each member.
    """
    sizes = np.unique(np.asarray(groups, str), return_counts=True)[1]
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def measured(run: Run, recipe: Recipe) -> Recall | None:
    """What the run's check came to; None if it is switched off, or has not been done."""
    dedup = recipe.dedup
    if dedup is None or not dedup.probes or truth.TABLE not in run.manifest.tables:
        return None
    counts = run.manifest.steps["check"]["counts"]
    pairs = run.open_part(truth.TABLE, 0).read()
    once = pairs.filter(pa.array(~_mask(pairs, "again")))
    near = ~_mask(once, "equal") & (once["jaccard"].to_numpy() >= dedup.threshold)
    removed = counts.get("probes removed", 0)
    return Recall(
        probes=counts.get("probes", 0),
        threshold=dedup.threshold,
        resembling=counts.get("resembling", 0),
        compared=counts.get("compared", 0),
        bins=tuple(_bins(once, theory(recipe, dedup))),
        above=_share(once, near),
        half=_partnered(pairs, removed, 0.5),
        similar=_partnered(pairs, removed, dedup.threshold),
    )


def _mask(table: pa.Table, name: str) -> Mask:
    return np.asarray(table[name].to_numpy(), np.bool_)


def _bins(once: pa.Table, expects: Theory) -> list[Bin]:
    true, equal = once["jaccard"].to_numpy(), _mask(once, "equal")
    made = []
    for low, high in pairwise(EDGES):
        inside = ~equal & (true >= low) & ((true < high) | (high == EDGES[-1]))
        mine = true[inside].tolist() or [(low + high) / 2]
        told = [expects.found(j) for j in mine]
        mean, expected = sum(mine) / len(mine), sum(told) / len(told)
        made.append(Bin(low, high, False, mean, _share(once, inside), expected))
    return [*made, Bin(1.0, 1.0, True, 1.0, _share(once, equal), 1.0)]


def _share(once: pa.Table, inside: Mask) -> Share:
    """Of these pairs, those of which not both documents are kept."""
    gone = _mask(once, "probe_removed") | _mask(once, "other_removed")
    groups = once["probe"].filter(pa.array(inside)).to_pylist()
    return Share(int(gone[inside].sum()), len(groups), effective(groups))


def _partnered(pairs: pa.Table, removed: int, least: float) -> Share:
    """Of the probes that were removed, those that resemble another document so much at least."""
    near = _mask(pairs, "probe_removed") & (pairs["jaccard"].to_numpy() >= least)
    return Share(len(set(pairs["probe"].filter(pa.array(near)).to_pylist())), removed, removed)
