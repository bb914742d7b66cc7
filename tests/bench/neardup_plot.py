"""The picture of the race: what each tool finds by true similarity, and what it costs."""

from collections.abc import Mapping
from html import escape
from math import log10

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 340, 50, 440, 40, 280
BARS = 560  # where bars of cost begin
COLOURS = {"karez": "#0b7285", "gaoya": "#c2410c", "rensa": "#7c3aed"}
COLOURS |= {"datasketch": "#4d7c0f", "datatrove": "#be185d"}

Shares = Mapping[str, tuple[float, float, float, int]]


def picture(
    table: Mapping[str, Mapping[str, tuple[float, float, float]]], shares: Mapping[str, Shares]
) -> str:
    """An SVG: lines with intervals to the left, a bar a tool to the right, on a log scale."""
    inside = [*_ground(), *(part for tool in shares for part in _line(tool, shares[tool]))]
    speeds = {tool: table[tool]["documents a CPU s"][0] for tool in shares}
    inside += _bars(speeds)
    style = "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}"
    body = "\n".join(inside)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n'
        f"<style>{style}</style>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _x(j: float) -> float:
    return LEFT + (RIGHT - LEFT) * (j - 0.5) * 2


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _text(x: float, y: float, said: str, anchor: str = "start", kind: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(said)}</text>'
    )


def _ground() -> list[str]:
    made = [_text(LEFT, 20, "Share of near-copies found, by true Jaccard similarity", kind="title")]
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        made.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#ddd"/>')
        made.append(_text(LEFT - 6, y + 4, f"{tenth / 10:.0%}", "end"))
    made += [_text(_x(j / 10), BOTTOM + 18, f"{j / 10:g}", "middle") for j in range(5, 11)]
    return made


def _line(tool: str, shares: Shares) -> list[str]:
    found = [(name, share) for name, share in shares.items() if name.startswith("recall")]
    lows = [float(name.split()[1]) for name, _ in found]
    middles = [(a + b) / 2 for a, b in zip(lows, [*lows[1:], 1.0], strict=True)]
    points = " ".join(
        f"{_x(j):.1f},{_y(s[0]):.1f}" for j, (_, s) in zip(middles, found, strict=True)
    )
    colour = COLOURS[tool]
    made = [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for j, (_, (share, low, high, n)) in zip(middles, found, strict=True):
        title = f"<title>{tool}: {share:.1%} of {n:,}, {low:.1%} to {high:.1%}</title>"
        made.append(f'<path d="M{_x(j):.1f} {_y(low):.1f}V{_y(high):.1f}" stroke="{colour}"/>')
        made.append(
            f'<circle cx="{_x(j):.1f}" cy="{_y(share):.1f}" r="3" fill="{colour}">{title}</circle>'
        )
    return made


def _bars(speeds: Mapping[str, float]) -> list[str]:
    made = [_text(470, 20, "Documents a CPU second, logarithmic", kind="title")]
    most = log10(max(speeds.values()))
    for row, (tool, speed) in enumerate(sorted(speeds.items(), key=lambda s: -s[1])):
        y, width = TOP + 40 * row, max(4.0, 120 * log10(max(speed, 1.0)) / most)
        made.append(_text(BARS - 8, y + 16, tool, "end"))
        made.append(
            f'<rect x="{BARS}" y="{y}" width="{width:.1f}" height="22" fill="{COLOURS[tool]}"/>'
        )
        made.append(_text(BARS + width + 6, y + 16, f"{speed:,.0f}"))
    return made
