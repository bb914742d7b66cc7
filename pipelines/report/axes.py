"""The bins of a histogram: round edges, logarithmic where the numbers have a long tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 40  # in a histogram, about
TAIL = 20  # times the median that the largest number must be for a logarithmic axis
DECADES = 12  # of a logarithmic axis, at most


@dataclass(frozen=True)
class Axis:
    """The bins of a histogram.

    Attributes:
        edges: rising; a number on an edge belongs to the bin on its right.
        log: whether the bins are about equally wide in the logarithm.
        zero: whether zeros have a bin of their own, before the first.
    """

    edges: tuple[float, ...]
    log: bool = False
    zero: bool = False

    @property
    def single(self) -> bool:
        """Whether every bin is one whole number."""
        return not self.log and self.edges[0] % 1 == 0.5 and self.edges[1] - self.edges[0] == 1

    def counts(self, values: Floats) -> NDArray[np.int64]:
        """How many values fall into each bin, those beyond the ends into the outermost."""
        inner = np.array(self.edges[1:-1])
        places = np.searchsorted(inner, values, side="right") + self.zero
        if self.zero:
            places[values == 0] = 0
        return np.bincount(places, minlength=len(self.edges) - 1 + self.zero)


def axis(
    sample: Floats, low: float, high: float, whole: bool, numbers: Sequence[float]
) -> Axis | None:
    """Bins for numbers between `low` and `high`; None if these are as good as equal, or not there.

    Thresholds that are not too far off are taken in.  Edges are round, so that a threshold that is
    round falls between two bins.

    Args:
        sample: of the numbers, sorted.
        low: the least of all.
        high: the greatest.
        whole: whether all are whole numbers.
        numbers: the thresholds.
    """
    if not high - low > max(1e-300, 1e-12 * max(abs(low), abs(high))):
        return None
    positive = sample[sample > 0]
    few = whole and high - low <= BINS
    if low >= 0 and len(positive) and not few and high > TAIL * positive[len(positive) // 2]:
        least = max(positive[0], positive[len(positive) // 100] / 10, high / 10**DECADES)
        return _logarithmic(float(least), high, bool(low == 0), whole, numbers)
    return _linear(low, high, whole, numbers)


def _linear(low: float, high: float, whole: bool, numbers: Sequence[float]) -> Axis:
    near = [n for n in numbers if max(high, n) - min(low, n) <= 3 * (high - low)]
    low, high = min([low, *near]), max([high, *near])
    step = _step((high - low) / BINS, near)
    if whole:
        step = max(1.0, step)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    first -= 2 * any(n / step <= first + 1e-9 for n in near)  # room to see which side it drops
    last += 2 * any(n / step >= last - 1e-9 for n in near)
    if whole and step == 1:  # a bin of one number stands around it
        return Axis(tuple(i - 0.5 for i in range(first, last + 2)))
    return Axis(tuple(float(f"{i * step:.15g}") for i in range(first, last + 1)))


def _logarithmic(
    low: float, high: float, zero: bool, whole: bool, numbers: Sequence[float]
) -> Axis:
    near = [n for n in numbers if n > 0 and low / 100 <= n <= high * 100]
    low, high = min([low, *near]), max([high, *near])
    decades = log10(high / low)
    fine = next((f for limit, f in ((1.5, 20), (4.5, 10), (9, 5)) if decades <= limit), 2)
    first, last = floor(log10(low) * fine + 1e-9), ceil(log10(high) * fine - 1e-9)
    first -= 2 * any(n <= 10 ** (first / fine) * 1.001 for n in near)
    last += 2 * any(n >= 10 ** (last / fine) / 1.001 for n in near)
    edges = [float(f"{10 ** (p / fine):.15g}") for p in range(first, last + 1)]
    if whole:
        edges = sorted({max(1.0, float(round(edge))) - 0.5 for edge in edges})
    return Axis(tuple(edges), log=True, zero=zero)


def _step(about: float, numbers: Sequence[float]) -> float:
    """A round step, if there is one near enough one that falls on all the numbers."""
    steps = [round_step(about * factor) for factor in (1, 2.2, 0.45)]
    return next(
        (s for s in steps if all(abs(n / s - round(n / s)) < 1e-6 for n in numbers)), steps[0]
    )


def round_step(step: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that is about as large."""
    power = 10.0 ** floor(log10(step))
    return float(next(f * power for f in (1, 2, 5, 10) if f >= 0.75 * step / power))
