"""From curves of loss to figures: what is left at the end, and how many tokens that took.

All comparisons are with `random`, seed by seed: the same seed begins with the same weights, so what
is said of the difference is surer than what is said of each.  Intervals are of 95 %, by Student's t
over the seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, stdev

RANDOM, KAREZ = "random", "karez"
BARS = {"saved": 0.27, "general": 0.05}
"""Of karez: tokens saved on the target set, at least; loss on the general one above `random`, at
most.  Both as shares."""

T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t for 2 to 10 values; 1.96 stands for more."""

Curve = Sequence[tuple[int, float]]
"""(Tokens, bits per byte), in the order they were measured."""

SeedCurves = Sequence[Curve]
"""One a seed, the same seeds in the same order for every arm."""

Curves = Mapping[str, SeedCurves]
"""Of each arm."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds, with its interval; low and high are None where there is one seed."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a set says of an arm.

    Attributes:
        loss: bits per byte at the end.
        excess: of the loss above that of `random`, as a share of it.
        tokens: to reach the last loss of `random`; None: never, with one seed at least.
        saved: share of the tokens that `random` took for it; None like tokens.
        worth: how much more a token is worth, as a share: 1 / (1 - saved) - 1.
        never: seeds that did not reach it.
    """

    loss: Mean
    excess: Mean
    tokens: Mean | None
    saved: Mean | None
    worth: Mean | None
    never: int


def mean(values: Sequence[float]) -> Mean:
    """A mean with its interval."""
    value = fmean(values)
    if len(values) < 2:
        return Mean(value, None, None)
    t = T95[len(values) - 2] if len(values) - 2 < len(T95) else 1.96
    half = t * stdev(values) / sqrt(len(values))
    return Mean(value, value - half, value + half)


def reached(curve: Curve, loss: float) -> float | None:
    """Tokens from which on a curve is at a loss or below it; None: never.

    Between two points the loss goes straight with the logarithm of the tokens.
    """
    above = [number for number, (_, bits) in enumerate(curve) if bits > loss]
    if not above:
        return float(curve[0][0])
    if above[-1] == len(curve) - 1:
        return None
    (first, high), (last, low) = curve[above[-1]], curve[above[-1] + 1]
    return exp(log(first) + (high - loss) / (high - low) * (log(last) - log(first)))


def figures(curves: Curves) -> dict[str, Figures]:
    """What one set says of each arm; `RANDOM` is one of them."""
    ends = [curve[-1][1] for curve in curves[RANDOM]]
    own = [
        reached(curve, end) or curve[-1][0] for curve, end in zip(curves[RANDOM], ends, strict=True)
    ]
    found = {}
    for arm, mine in curves.items():
        took = [reached(curve, end) for curve, end in zip(mine, ends, strict=True)]
        sure = [tokens for tokens in took if tokens is not None]
        never = len(took) - len(sure)
        saved = None if never else mean([1 - n / a for n, a in zip(sure, own, strict=True)])
        found[arm] = Figures(
            mean([curve[-1][1] for curve in mine]),
            mean([curve[-1][1] / end - 1 for curve, end in zip(mine, ends, strict=True)]),
            None if never else mean(sure),
            saved,
            saved and worth(saved),
            never,
        )
    return found


def worth(saved: Mean) -> Mean:
    """How much more a token is worth, where such a share of them is saved."""

    def more(share: float) -> float:
        return 1 / (1 - min(share, 0.999)) - 1

    low, high = (None if end is None else more(end) for end in (saved.low, saved.high))
    return Mean(more(saved.value), low, high)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a bar was met.

    Attributes:
        what: is measured.
        said: the figure, or why there is none.
        bar: the share that was to be reached.
        verdict: "met", "met on average" (the interval holds the bar), or "missed".
    """

    what: str
    said: str
    bar: float
    verdict: str


def verdicts(of: Mapping[str, Mapping[str, Figures]]) -> list[Verdict]:
    """How `KAREZ` stands to the bars, by set and arm; a bar without its set is not judged."""
    made = []
    if "target" in of:
        mine = of["target"][KAREZ]
        made.append(_judged("tokens saved on target, at least", mine.saved, BARS["saved"], 1))
    if "general" in of:
        excess = of["general"][KAREZ].excess
        made.append(_judged("loss above random on general, at most", excess, BARS["general"], -1))
    return made


def _judged(what: str, found: Mean | None, bar: float, sign: int) -> Verdict:
    if found is None:
        return Verdict(what, "never as good as random", bar, "missed")
    worst = found.low if sign > 0 else found.high
    verdict = "missed"
    if sign * found.value >= sign * bar:
        sure = worst is not None and sign * worst >= sign * bar
        verdict = "met" if sure else "met on average"
    return Verdict(what, f"{found.value:.1%}", bar, verdict)
