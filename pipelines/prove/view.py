"""A proof as a person reads it: a table in the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.plain import plain
from pipelines.prove.figures import RANDOM

Found = Mapping[str, Any]
"""Of `pipelines.prove.figures`, as JSON: a mean, the figures of an arm, or a whole proof."""


def show(proof: Found, console: Console) -> None:
    """The arms, what they come to on each set, and the bars."""
    console.print()
    console.print(_arms(proof))
    for name, about in proof["sets"].items():
        console.print()
        size = f"{about['documents']:,} documents, {about['bytes']:,} bytes"
        console.print(Text(f"{name}: {size} of {plain(about['from'])}", "bold"), soft_wrap=True)
        console.print(_set(proof["figures"][name]))
    console.print()
    for each in proof["verdicts"]:
        style = (
            "green" if each["verdict"] == "met" else "yellow" if "met" in each["verdict"] else "red"
        )
        line = f"{each['what']} {each['bar']:.0%}: {each['said']}, "
        console.print(Text(line) + Text(each["verdict"], f"bold {style}"))
    for said in notes(proof):
        console.print(Text(said, "yellow"), soft_wrap=True)


def notes(proof: Found) -> list[str]:
    """What a reader must know of a proof to read it rightly."""
    said = []
    if "target" not in proof["sets"]:
        said.append("No target set was named: nothing is said of the domain that was meant.")
    if proof["seeds"] < 3:
        said.append("Fewer than 3 seeds: the intervals say little.")
    again = [name for name, arm in proof["arms"].items() if arm["rounds"] > 1.005]
    if again:
        said.append(f"Gone through more than once, as they hold fewer tokens: {', '.join(again)}.")
    return [plain(each) for each in said]


def _arms(proof: Found) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("arm")
    for head in ("documents", "held-out in them", "text", "rounds"):
        table.add_column(head, justify="right")
    for name, arm in proof["arms"].items():
        table.add_row(
            Text(plain(name)),
            f"{arm['documents']:,}",
            f"{arm['shared']:,}",
            f"{arm['bytes'] / 1e6:,.1f} MB",
            f"{arm['rounds']:.2f}",
        )
    return table


def _set(figures: Found) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("arm", no_wrap=True, overflow="ellipsis", min_width=6)
    for head in ("bits a byte", "above random", "tokens saved", "a token is worth"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, mine in figures.items():
        table.add_row(Text(plain(name)), *cells(name, mine))
    return table


def cells(name: str, mine: Found) -> tuple[str, str, str, str]:
    """What a set says of an arm, in words: loss, excess, tokens saved, worth."""
    loss = mine["loss"]
    said = f"{loss['value']:.3f}"
    if loss["low"] is not None:
        said += f" ± {loss['high'] - loss['value']:.3f}"
    if name == RANDOM:
        return said, "", "", ""
    excess = _percent(mine["excess"])
    if mine["saved"] is None:
        return said, excess, "never as good", ""
    worth = mine["worth"]
    most = f"{100 * worth['value']:+.0f}%"
    if worth["low"] is not None:
        most += f" ({100 * worth['low']:+.0f} to {100 * worth['high']:+.0f})"
    return said, excess, _percent(mine["saved"]), most


def _percent(mean: Found) -> str:
    """A share in per cent, with half its interval."""
    value = f"{100 * mean['value']:+.1f}%".replace("-0.0", "0.0").replace("+0.0", "0.0")
    return value if mean["low"] is None else f"{value} ± {100 * (mean['high'] - mean['value']):.1f}"
