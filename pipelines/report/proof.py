"""Curves of a proof: tokens to the right, bits per byte upwards, a band for the interval."""

from collections.abc import Mapping, Sequence
from math import ceil, floor

from markupsafe import Markup

from pipelines.prove.figures import Curve, Mean, mean
from pipelines.report.axes import round_step
from pipelines.report.plots import WIDTH, drawn, level, said, short

HEIGHT = 260
LEFT, RIGHT, TOP, BOTTOM = 44.0, 350.0, 12.0, 230.0  # of the ground
SKIPPED = 0.15  # share of the way that is not shown: there all curves fall alike
STYLES = 7  # of lines, in report.css

Points = Sequence[tuple[int, Mean]]


def plot(curves: Mapping[str, Sequence[Curve]], name: str) -> Markup:
    """The curves of all arms, one a seed, on the held-out set of that name."""
    lines = {arm: _shown(mine) for arm, mine in curves.items()}
    values = [v for points in lines.values() for _, m in points for v in _ends(m)]
    ground = _Ground(max(p[-1][0] for p in lines.values()), min(values), max(values))
    inside = ground.grid()
    for number, (arm, points) in enumerate(lines.items()):
        inside.append(ground.line(arm, points, number % STYLES))
    text = f"Bits per byte on {name}, by tokens learned from"
    return drawn("proof", HEIGHT, text, inside)


def _shown(curves: Sequence[Curve]) -> Points:
    """The means over seeds, but for the first steep stretch."""
    points = [
        (int(some[0][0]), mean([bits for _, bits in some])) for some in zip(*curves, strict=True)
    ]
    later = [p for p in points if p[0] >= SKIPPED * points[-1][0]]
    return later if len(later) > 1 else points


def _ends(m: Mean) -> tuple[float, float]:
    return (m.value, m.value) if m.low is None or m.high is None else (m.low, m.high)


class _Ground:
    """Where things stand in one picture."""

    def __init__(self, tokens: int, low: float, high: float) -> None:
        room = max(1e-9, high - low)
        self.step = round_step(max(room, 0.01 * high) / 4)
        self.low = floor(low / self.step + 1e-9) * self.step
        self.high = ceil(high / self.step - 1e-9) * self.step or 1.0
        self.tokens = tokens

    def x(self, tokens: float) -> float:
        return LEFT + (RIGHT - LEFT) * tokens / self.tokens

    def y(self, bits: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (bits - self.low) / (self.high - self.low)

    def grid(self) -> list[Markup]:
        """Lines at round losses, round tokens below."""
        made = []
        for i in range(round((self.high - self.low) / self.step) + 1):
            bits = self.low + i * self.step
            made.append(level(LEFT, RIGHT, self.y(bits), f"{bits:.4g}"))
        step = round_step(self.tokens / 4)
        for i in range(int(self.tokens / step) + 1):
            x = min(self.x(i * step), WIDTH - 14)
            made.append(said(x, BOTTOM + 16, short(i * step), "middle"))
        return made

    def line(self, arm: str, points: Points, style: int) -> Markup:
        """A curve with its band; its last point tells its figures."""
        at = [(self.x(tokens), *map(self.y, (m.value, *_ends(m)))) for tokens, m in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in at)
        lower = "L".join(f"{x:.1f} {low:.1f}" for x, _, low, _ in at)
        upper = "L".join(f"{x:.1f} {high:.1f}" for x, _, _, high in reversed(at))
        last = points[-1][1]
        low, high = _ends(last)
        return Markup(
            '<g class="arm-{}"><title>{}: {:.3f} bits a byte at the end, {:.3f} to {:.3f}</title>'
            '<path class="band" d="M{}L{}Z"/><path class="way" d="M{}"/>'
            '<circle cx="{:.1f}" cy="{:.1f}" r="2.5"/></g>'
        ).format(style, arm, last.value, low, high, lower, upper, path, at[-1][0], at[-1][1])
