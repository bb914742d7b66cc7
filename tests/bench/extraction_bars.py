"""What the engine's extractor is held to, and whether a table of `extraction.py` says so."""

from collections.abc import Iterator
from typing import Any

OURS, UNSEEN = "karez", "karez unseen"
"""Tools: the model that ships, and texts of a model that was trained without the page."""

F1 = {"aeb": 0.965, "trafilatura": 0.940, "docs": 0.93}  # of all pages of a set
FASTER = {"trafilatura": 15, "resiliparse": 1.2}  # times the peer's pages a CPU second
SLOWEST = 20  # times the mean time per byte
KINDS = ("product", "forum", "docs", "listing", "short", "cjk")
LEAST = 60  # pages of a kind


def bars(kept: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """Whether each bar is met, and in words; nothing where the table has no text of ours.

    A kind of page is met where the interval of our F1 less trafilatura's is not below 0.
    """
    for name, table in kept.items():
        groups = table if isinstance(table, dict) and "pace" in table else {}
        tool = UNSEEN if UNSEEN in groups.get("all", {}) else OURS
        if tool not in groups.get("all", {}):
            continue
        if name in F1:
            value = groups["all"][tool]["F1"].value
            yield value >= F1[name], f"{name}, {tool}: F1 {value:.3f}, bar {F1[name]}"
        for kind in KINDS:
            row = groups.get(kind)
            if row and row["pages"] >= LEAST and (less := row[tool]["less"]):
                told = f"{name}, {kind}, {tool}: {less.value:+.3f} to trafilatura"
                yield less.high >= 0, f"{told} [{less.low:+.3f}, {less.high:+.3f}]"
        yield from _pace(name, groups["pace"])


def _pace(name: str, paces: dict[str, dict[str, float]]) -> Iterator[tuple[bool, str]]:
    mine = paces.get(OURS)
    if not mine:
        return
    for peer, bar in FASTER.items():
        if peer in paces:
            times = mine["pages a CPU s"] / paces[peer]["pages a CPU s"]
            yield times >= bar, f"{name}: {times:.1f} times {peer}'s pages a second, bar {bar}"
    slowest = mine["slowest per byte, times the mean"]
    told = f"{name}: slowest page {slowest:.1f} times the mean per byte, bar {SLOWEST}"
    yield slowest <= SLOWEST, told
