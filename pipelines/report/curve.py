"""The S-curve of near-duplicates: which share of pairs theory finds, and which was found."""

from collections.abc import Callable

from markupsafe import Markup

from pipelines.report.plots import drawn, level, path, said
from pipelines.steps.dedup.recall import Bin, Recall, Theory

HEIGHT = 250
LEFT, RIGHT, TOP, BOTTOM = 40.0, 348.0, 22.0, 224.0  # of the ground
LOW = 0.4  # similarity at the left
STEPS = 120  # of a line
RADIUS = 3.5


def curve(theory: Theory, threshold: float, recall: Recall | None) -> Markup:
    """Similarity to the right, the share of pairs that are found upwards.

    A thin line for pairs that share a band, a strong one for those that are confirmed too; a point
    for what was measured in each bin, with its interval.
    """
    points = [_point(each) for each in recall.bins if each.found.whole] if recall else []
    inside = [*_ground(threshold), _line("shared", theory.shared), _line("found", theory.found)]
    text = "Share of pairs that are found, by their similarity"
    return drawn("curve", HEIGHT, text, [*inside, *points])


def _x(j: float) -> float:
    return LEFT + (RIGHT - LEFT) * (j - LOW) / (1 - LOW)


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _ground(threshold: float) -> list[Markup]:
    """Lines at round shares, round similarities below, and the threshold."""
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    made = [level(LEFT, RIGHT, _y(share), f"{share:.0%}") for share in shares]
    for tenth in range(round(10 * LOW), 11):
        made.append(said(_x(tenth / 10), BOTTOM + 16, f"{tenth / 10:g}", "middle"))
    if threshold >= LOW:
        x = _x(threshold)
        made.append(path("mark", f"M{x:.1f} {TOP - 8:.1f}V{BOTTOM:.1f}"))
        made.append(said(x - 4, TOP - 10, f"threshold {threshold:g}", "end", "mark"))
    return made


def _line(kind: str, share: Callable[[float], float]) -> Markup:
    places = [LOW + (1 - LOW) * step / STEPS for step in range(STEPS + 1)]
    return path(kind, "M" + "L".join(f"{_x(j):.1f} {_y(share(j)):.1f}" for j in places))


def _point(each: Bin) -> Markup:
    low, high = each.found.interval
    x = _x(each.mean)
    what = "equal texts" if each.equal else f"similarity {each.low:g} to {each.high:g}"
    pairs = f"{each.found.part:,} of {each.found.whole:,} pairs found"
    line = path("interval", f"M{x:.1f} {_y(high):.1f}V{_y(low):.1f}")
    return Markup(
        '<g class="measured"><title>{}: {}, {:.1%} to {:.1%}</title>{}'
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}"/></g>'
    ).format(what, pairs, low, high, line, x, _y(each.found.value), RADIUS)
