"""Scores of extracted text, each page's counts apart, and their intervals.

Three ways to score, each a function from text to the counts of one page, and one from the counts of
many pages to figures; the last axis of counts is (true, false, missed):

- shingles: 4-grams of words, each page's counts as shares.  Source: the article extraction
  benchmark of Scrapinghub (evaluate.py), whose figures this gives again.
- snippets: what must and must not be in the text, white space aside, counted over all pages.
  Source: trafilatura's evaluation (eval_common.py).
- tokens: the multiset of words and of CJK characters, F1 of each page, averaged.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GRAM = 4  # words of a shingle
DRAWS = 2_000  # of the bootstrap
SEED = 7

Counts = tuple[float, float, float]
"""True, false and missed."""

Figures = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Counts (…, pages, 3) to precision, recall and F1 (…, 3)."""

_WORD = re.compile(r"\w+")
_TOKEN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|[^\\W_]+")
_CJK = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])")


class Score(NamedTuple):
    """A figure and its 95 % interval by bootstrap over pages."""

    value: float
    low: float
    high: float


def shingles(found: str, gold: str) -> Counts:
    """Of 4-grams of words, as shares of all; a text of fewer words is one gram."""
    true, false, missed = _overlap(_grams(found), _grams(gold))
    total = true + false + missed
    return (true / total, false / total, missed / total) if total else (0.0, 0.0, 0.0)


def tokens(found: str, gold: str) -> Counts:
    """Of words in lower case and single CJK characters."""
    return _overlap(_tokens(found), _tokens(gold))


def snippets(found: str, wanted: Sequence[str], unwanted: Sequence[str]) -> Counts:
    """Of what must be in the text, and must not; runs of white space count as one space."""
    text = _spaced(found)
    true = sum(_spaced(each) in text for each in wanted)
    return true, sum(_spaced(each) in text for each in unwanted), len(wanted) - true


def of_shingles(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the pages' precision and recall, where they have one, and F1 of the means."""
    true, false, missed = np.moveaxis(counts, -1, 0)
    precision = _mean(true, true + false)
    recall = _mean(true, true + missed)
    return np.stack([precision, recall, _ratio(2 * precision * recall, precision + recall)], -1)


def of_snippets(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the sums over pages."""
    true, false, missed = np.moveaxis(counts.sum(-2), -1, 0)
    f1 = _ratio(2 * true, 2 * true + false + missed)
    return np.stack([_ratio(true, true + false), _ratio(true, true + missed), f1], -1)


def of_tokens(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the pages' precision, recall and F1; all 1 where text and gold are empty."""
    true, false, missed = np.moveaxis(counts, -1, 0)
    none = true + false + missed == 0
    each = (
        np.where(none, 1, _ratio(true, true + false)),
        np.where(none, 1, _ratio(true, true + missed)),
        np.where(none, 1, _ratio(2 * true, 2 * true + false + missed)),
    )
    return np.stack([values.mean(-1) for values in each], -1)


def scored(counts: Sequence[Counts], figures: Figures) -> list[Score]:
    """Precision, recall and F1 of pages, with intervals."""
    array = np.array(counts, np.float64)
    drawn = _resampled(array, figures)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [Score(*map(float, each)) for each in zip(figures(array), low, high, strict=True)]


def difference(ours: Sequence[Counts], theirs: Sequence[Counts], figures: Figures) -> Score:
    """Our F1 less theirs on the same pages; both are drawn together."""
    mine, other = np.array(ours, np.float64), np.array(theirs, np.float64)
    drawn = _resampled(mine, figures)[:, 2] - _resampled(other, figures)[:, 2]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Score(float(figures(mine)[2] - figures(other)[2]), float(low), float(high))


def _resampled(counts: NDArray[np.float64], figures: Figures) -> NDArray[np.float64]:
    """Figures of `DRAWS` samples of the pages, the same for every call with as many pages."""
    draw = np.random.default_rng(SEED)
    size = len(counts)
    return np.stack([figures(counts[draw.integers(size, size=size)]) for _ in range(DRAWS)])


def _overlap(found: Counter[Hashable], gold: Counter[Hashable]) -> Counts:
    true = (found & gold).total()
    return true, found.total() - true, gold.total() - true


def _grams(text: str) -> Counter[Hashable]:
    words = _WORD.findall(text)
    each: Iterable[Hashable] = (
        tuple(words[i : i + GRAM]) for i in range(max(1, len(words) - GRAM + 1))
    )
    return Counter(each if words else ())


def _tokens(text: str) -> Counter[Hashable]:
    return Counter(_TOKEN.findall(_CJK.sub(r" \1 ", text.lower())))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the ratios that are defined."""
    return _ratio(_ratio(part, whole).sum(-1), (whole > 0).sum(-1).astype(np.float64))
