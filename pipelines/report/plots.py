"""Numbers to pictures: small SVG strings, coloured by the classes of report.css."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from pipelines.plain import plain
from pipelines.report.axes import Axis, round_step
from pipelines.report.spread import Mark, Numbers

WIDTH = 360
LEFT, RIGHT = 40.0, 352.0  # of the bars
KEPT, DROPPED = 88.0, 40.0  # heights of the two halves
ROW = 15  # height of a line of text
SLOT = 14  # width of the bin of zeros, with the gap after it
WIDEST = 32  # of the bars
NAME = 24  # letters of a rule's name beside its line
LETTER = 6.2  # width of a digit, about


def short(value: float) -> str:
    """A number in at most six characters or so: 0.0123, 4.56, 1,234, 12.3k, 1.2M."""
    size = abs(value)
    if size >= 10_000:
        for unit, scale in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
            if size < 999.5 * scale:
                return f"{_digits(value / scale)}{unit}"
        return f"{value:.2g}"
    if value == floor(value):
        return f"{value:,.0f}"
    return _digits(value) if size >= 0.001 else f"{value:.1e}".replace("e-0", "e-")


def brief(value: float) -> str:
    """The same with two digits where there is less than 0.1, for narrow columns."""
    return _digits(value, 2) if 0.001 <= abs(value) < 0.1 else short(value)


def _digits(value: float, significant: int = 3) -> str:
    """Without trailing zeros."""
    places = max(0, significant - 1 - floor(log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: float) -> str:
    """A number as a rule says it."""
    return f"{value:,.0f}" if value == floor(value) and abs(value) < 1e15 else f"{value:.10g}"


def bar(parts: Sequence[tuple[float, str]]) -> Markup:
    """A bar in pieces, each a share of its cell with a class; what is not nothing can be seen."""
    at, pieces = 0.0, Markup("")
    for share, kind in parts:
        if share > 0:
            width = max(share * 100, 0.6)
            pieces += Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" height="100%"/>').format(
                kind, at, width
            )
            at += width
    rail = Markup('<rect class="rail" width="100%" height="100%"/>')
    return Markup('<svg class="bar" aria-hidden="true">{}{}</svg>').format(rail, pieces)


def strip(parts: Sequence[tuple[str, int, str]], label: str) -> Markup:
    """One bar in pieces (name, count and class); `label` is said to those who do not see it."""
    total, at, pieces = sum(count for _, count, _ in parts), 0.0, []
    for name, count, kind in parts:
        width = 100 * count / total if total else 0
        pieces.append(
            Markup(
                '<rect class="{}" x="{:.3f}%" width="{:.3f}%" height="100%">'
                "<title>{}: {:,}</title></rect>"
            ).format(kind, at, width, name, count)
        )
        at += width
    return Markup('<svg class="strip" role="img" aria-label="{}">{}</svg>').format(
        label, Markup("").join(pieces)
    )


def histogram(numbers: Numbers) -> Markup:
    """Kept documents above the line, dropped ones below it, each to a scale of its own.

    A dashed line stands at each number that a rule compares the column with; on the side where the
    comparison holds, the ground is tinted.
    """
    axis = numbers.axis
    if axis is None:
        return Markup("")
    picture = _Picture(axis, numbers)
    marks = [picture.mark(mark, row) for row, mark in enumerate(numbers.marks)]
    inside = [*(tint for tint, _ in marks), *picture.bars(), *(line for _, line in marks)]
    text = (
        f"Histogram of {numbers.name}: {sum(numbers.kept):,} kept, {sum(numbers.dropped):,} dropped"
    )
    return drawn("histogram", picture.height, text, [*inside, *picture.ticks()])


class _Picture:
    """Where things stand in one histogram."""

    def __init__(self, axis: Axis, numbers: Numbers) -> None:
        self.axis, self.numbers = axis, numbers
        self.start = LEFT + SLOT * axis.zero
        kept = KEPT if any(numbers.kept) else 0.0
        self.top = 4 + ROW * len(numbers.marks) + 4
        self.line = self.top + kept
        self.bottom = self.line + (DROPPED if any(numbers.dropped) else 0.0)
        self.height = self.bottom + ROW + 3

    def x(self, value: float) -> float:
        """Where a number stands."""
        low, high = self.axis.edges[0], self.axis.edges[-1]
        if self.axis.log:
            value, low, high = log10(max(value, low)), log10(low), log10(high)
        return self.start + (RIGHT - self.start) * (value - low) / (high - low)

    def bins(self) -> list[tuple[float, float, str]]:
        """Left, right and name of every bin."""
        edges = self.axis.edges
        names = [f"{short(a)} to {short(b)}" for a, b in pairwise(edges)]
        if self.axis.single:
            names = [exact(edge + 0.5) for edge in edges[:-1]]
        made = []
        for (low, high), name in zip(pairwise(edges), names, strict=True):
            left, right = self.x(low), self.x(high)
            slack = max(0.0, right - left - WIDEST) / 2
            made.append((left + slack, right - slack, name))
        return [(LEFT, LEFT + SLOT - 4, "0"), *made] if self.axis.zero else made

    def bars(self) -> list[Markup]:
        """A bar for each bin that is not empty, and the greatest counts at the side."""
        kept, dropped = self.numbers.kept, self.numbers.dropped
        most = max([1, *kept]), max([1, *dropped])
        made = []
        for (left, right, name), up, down in zip(self.bins(), kept, dropped, strict=True):
            rects = Markup("")
            if up:
                height = max(KEPT * up / most[0], 1)
                rects += _rect("kept", left, self.line - height, right - left - 0.6, height)
            if down:
                height = max((DROPPED - 2) * down / most[1], 1)
                rects += _rect("dropped", left, self.line + 2, right - left - 0.6, height)
            if rects:
                title = f"{name}: {up:,} kept, {down:,} dropped"
                made.append(Markup("<g><title>{}</title>{}</g>").format(title, rects))
        if any(kept):
            made.append(said(LEFT - 5, self.top + 8, short(most[0]), "end"))
        if any(dropped):
            made.append(said(LEFT - 5, self.bottom, short(most[1]), "end"))
        return made

    def mark(self, mark: Mark, row: int) -> tuple[Markup, Markup]:
        """A threshold: the tinted ground, and the line with its label."""
        low, high = self.axis.edges[0], self.axis.edges[-1]
        rule = mark.rule if len(mark.rule) <= NAME else f"{mark.rule[: NAME - 1]}…"
        label = f"{rule} {mark.operator} {exact(mark.number)}"
        y = 4 + ROW * (row + 1) - 4
        if not low <= mark.number <= high:
            beyond = mark.number > high
            x, anchor = (RIGHT, "end") if beyond else (LEFT, "start")
            arrow = f"{label} \u2192" if beyond else f"\u2190 {label}"
            return Markup(""), said(x, y, arrow, anchor, "mark")
        x = self.x(mark.number)
        if self.axis.single:
            x = self.x(mark.number + (0.5 if mark.operator in (">", "<=") else -0.5))
        left = LEFT if mark.operator in ("<", "<=") else x
        right = RIGHT if mark.operator in (">", ">=") else x
        tint = _rect("tint", left, self.top, right - left, self.bottom - self.top)
        line = path("mark", f"M{x:.1f} {y - 9:.1f}V{self.bottom:.1f}")
        fits = x + 5 + LETTER * len(label) < WIDTH
        name = said(x + 4 if fits else x - 4, y, label, "start" if fits else "end", "mark")
        return tint, line + name

    def ticks(self) -> list[Markup]:
        """The line between the halves and the numbers below."""
        made = [path("axis", f"M{LEFT:.0f} {self.line + 1:.0f}H{RIGHT:.0f}")]
        places = [(LEFT + (SLOT - 4) / 2, 0.0)] if self.axis.zero else []
        places += [(self.x(t), t) for t in ticks(self.axis)]
        free = 0.0
        for x, value in places:
            label = short(value)
            half = LETTER * len(label) / 2
            x = min(max(x, half), WIDTH - half)
            if x - half >= free:
                made.append(said(x, self.bottom + ROW - 1, label, "middle"))
                free = x + half + 6
        return made


def ticks(axis: Axis) -> list[float]:
    """Round numbers along an axis."""
    low, high = axis.edges[0], axis.edges[-1]
    if not axis.log:
        step = max(round_step((high - low) / 5), float(axis.single))
        return [
            float(f"{i * step:.12g}")
            for i in range(ceil(low / step), floor(high / step + 1e-9) + 1)
        ]
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    factors = (1,) if high / low > 500 else (1, 2, 5)
    return [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, y, max(width, 0), height
    )


def drawn(kind: str, height: float, text: str, inside: Iterable[Markup]) -> Markup:
    """A picture; `text` is said to those who do not see it."""
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
    ).format(kind, WIDTH, height, text, Markup("").join(inside))


def path(kind: str, d: str) -> Markup:
    """A line, straight or not."""
    return Markup('<path class="{}" d="{}"/>').format(kind, d)


def level(left: float, right: float, y: float, text: str) -> Markup:
    """A line across the ground, with what it stands for at its left."""
    line = path("axis", f"M{left:.0f} {y:.1f}H{right:.0f}")
    return line + said(left - 6, y + 4, text, "end")


def said(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> Markup:
    """A line of text in a picture."""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, plain(text)
    )
