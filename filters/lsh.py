"""What bands find, and what agreeing slots say: the numbers of MinHash and LSH, without a text.

Two texts share a band with probability j ** rows, where j is their Jaccard similarity; with one of
`bands` they meet.  Of a slot only the low byte is kept, so two slots that differ agree by chance
once in 256.

Sources: Broder 1997; Indyk and Motwani 1998, for bands; Li and König 2010, for keeping few bits;
Zhu's datasketch, for how bands and rows are chosen.
"""

import math

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Table

CHANCE = 1 / 256

Signatures = Table[np.uint8]
"""Shape (n, slots): the low byte of each slot."""


def similarity(agreeing: NDArray[np.integer], slots: int) -> NDArray[np.float64]:
    """Jaccard similarity from the number of agreeing slots, less what agrees by chance.

    Its standard error is √(j (1 - j) / slots), and within 1 % of that from j = 0.2 on.

    Returns:
        in [0, 1].
    """
    share = np.asarray(agreeing) / slots
    return np.clip((share - CHANCE) / (1 - CHANCE), 0, 1)


def needed(threshold: float, slots: int) -> int:
    """How many slots must agree, that a pair counts as similar as the threshold.

    As many as are expected two standard errors below: of pairs at the threshold, 2 % have fewer.
    """
    j = max(0.0, threshold - 2 * math.sqrt(threshold * (1 - threshold) / slots))
    return math.ceil(slots * (j + (1 - j) * CHANCE) - 1e-9)


def recall(j: float, bands: int, rows: int) -> float:
    """Probability that two texts of Jaccard similarity j share a band."""
    return float(1 - (1 - j**rows) ** bands)


def found(j: float, bands: int, rows: int, needed: int) -> float:
    """Probability that two texts of Jaccard similarity j share a band and are confirmed.

    The two are not independent: who shares a band agrees in its slots.  So it is the probability
    of enough agreements, less that of enough agreements with no band in full.

    Args:
        j: in [0, 1].
        bands: of a signature.
        rows: slots a band.
        needed: in how many slots two must agree, by chance or not.
    """
    slot = np.array([1 - j - (1 - j) * CHANCE, j + (1 - j) * CHANCE])
    band = _power(slot, rows)  # probability of each number of agreements
    lacking = band.copy()
    lacking[-1] -= j**rows
    return float((_power(band, bands) - _power(lacking, bands))[needed:].sum())


def _power(polynomial: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """A polynomial by its coefficients, multiplied n times with itself."""
    product = np.ones(1)
    for _ in range(n):
        product = np.convolve(product, polynomial)
    return product


def best(target: float, slots: int) -> tuple[int, int]:
    """Bands and rows for a similarity from which on pairs are wanted.

    Those with the least area between the S-curve and a step at the target: false positives below
    it and false negatives above count alike.

    Args:
        target: in (0, 1).
        slots: at most so many are used.
    """
    choices = [(b, r) for b in range(1, slots + 1) for r in range(1, slots // b + 1)]
    return min(choices, key=lambda choice: _error(target, *choice))


def _error(target: float, bands: int, rows: int) -> float:
    return target + _missed(1.0, bands, rows) - 2 * _missed(target, bands, rows)


def _missed(x: float, bands: int, rows: int) -> float:
    """∫ (1 - s ** rows) ** bands ds from 0 to x, by parts, from no band on."""
    area, term, none = x, x, 1 - x**rows
    for b in range(1, bands + 1):
        term *= none
        area = (term + rows * b * area) / (1 + rows * b)
    return area
