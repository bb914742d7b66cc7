"""Extraction: how right and how fast, beside peers, in one process over the same pages.

python tests/bench/extraction.py PAGES [SET…] [NAME=package.module:function…]

PAGES is the folder of `extraction_sets.py`; without a SET all that is there is measured.  A
function takes the bytes of a page and gives its text.  AEB is scored by shingles, trafilatura's set
by snippets, all others by tokens.  Where a row has snippets and gold, the gold counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from filters import charset, extract
from tests.bench import extraction_scores as scores
from tests.bench.bench import ROOT, machine
from tests.bench.extraction_pages import kinds

Extractor = Callable[[bytes], str]

TURNS, ENOUGH = 3, 0.02  # times a page is done, and CPU seconds after which it is not done again
SMALL = 10_000  # bytes; a smaller page counts as one of that size for time per byte
LEAST = 10  # pages of a type or family that has a line of its own
BASE = "trafilatura"  # what others are compared with


class Taken(NamedTuple):
    """What an extractor gave for the pages of a set."""

    texts: list[str]
    seconds: list[float]  # CPU


def peers() -> dict[str, Extractor]:
    """The extractors that are compared; all decode a page as the engine does."""
    return {
        "trafilatura": _trafilatura,
        "trafilatura fast": partial(_trafilatura, fast=True),
        "resiliparse": _resiliparse,
    }


def _trafilatura(html: bytes, fast: bool = False) -> str:
    from trafilatura import extract

    return extract(charset.decode(html, None)[0], include_comments=False, fast=fast) or ""


def _resiliparse(html: bytes) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    page = charset.decode(html, None)[0]
    return str(extract_plain_text(page, main_content=True, alt_texts=False))


def ours() -> dict[str, Extractor]:
    """Karez, in its modes, as far as there are any."""
    names = [name for name in extract.SHIPPED if name.startswith("karez")]
    return {name: _shipped(name) for name in names}


def _shipped(name: str) -> Extractor:
    return lambda html: extract.text(charset.decode(html, None)[0], name)


def named(word: str) -> tuple[str, Extractor]:
    """An extractor of the command line, NAME=package.module:function."""
    name, _, place = word.partition("=")
    module, _, function = place.partition(":")
    return name, getattr(import_module(module), function)


def run(pages: list[bytes], extractors: dict[str, Extractor]) -> dict[str, Taken]:
    """Each page by each extractor in turn; a page that fails has no text, and is told of."""
    taken = {name: Taken([], []) for name in extractors}
    for number, html in enumerate(pages):
        for name, extractor in extractors.items():
            text, least, spent, turns = "", float("inf"), 0.0, 0
            while turns < TURNS and spent < ENOUGH:
                began = time.process_time()
                try:
                    text = extractor(html)
                except Exception as error:
                    print(f"  {name}, page {number}: {type(error).__name__}: {error}"[:200])
                least = min(least, time.process_time() - began)
                spent, turns = spent + time.process_time() - began, turns + 1
            taken[name].texts.append(text)
            taken[name].seconds.append(least)
    return taken


def counted(name: str, rows: list[dict[str, Any]], taken: Taken) -> list[scores.Counts]:
    """Counts of each page, by the set's own metric."""
    pairs = zip(rows, taken.texts, strict=True)
    if name == "trafilatura":
        return [scores.snippets(text, row["with"], row["without"]) for row, text in pairs]
    metric = scores.shingles if name == "aeb" else scores.tokens
    return [metric(text, row["gold"]) for row, text in pairs]


def figures(name: str) -> scores.Figures:
    """The figures of the set's metric."""
    by_set = {"trafilatura": scores.of_snippets, "aeb": scores.of_shingles}
    return by_set.get(name, scores.of_tokens)


def groups(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[int]]]:
    """All rows, then those of each type, then of each family, where there are enough."""
    yield "all", list(range(len(rows)))
    parts: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        for kind in kinds(row):
            parts.setdefault(kind, []).append(number)
        parts.setdefault(f"origin {row['origin']}", []).append(number)
        parts.setdefault(f"family {row['family']}", []).append(number)
    yield from sorted((k, v) for k, v in parts.items() if LEAST <= len(v) < len(rows))


def pace(rows: list[dict[str, Any]], taken: Taken) -> dict[str, float]:
    """Pages and MB a CPU second, and the slowest page's time per byte against all pages'."""
    sizes = [len(row["html"]) for row in rows]
    mean = sum(taken.seconds) / sum(sizes)
    each = [s / max(SMALL, size) for s, size in zip(taken.seconds, sizes, strict=True)]
    return {
        "pages a CPU s": len(rows) / sum(taken.seconds),
        "MB a CPU s": sum(sizes) / 1e6 / sum(taken.seconds),
        "slowest page, s": max(taken.seconds),
        "slowest per byte, times the mean": max(each) / mean,
    }


def measured(name: str, rows: list[dict[str, Any]], taken: dict[str, Taken]) -> dict[str, Any]:
    """Scores by group and extractor, and differences to `BASE`."""
    counts = {tool: counted(name, rows, each) for tool, each in taken.items()}
    table: dict[str, Any] = {"pace": {tool: pace(rows, each) for tool, each in taken.items()}}
    for group, places in groups(rows):
        mine = {tool: [each[i] for i in places] for tool, each in counts.items()}
        table[group] = {"pages": len(places)}
        for tool, each in mine.items():
            found = scores.scored(each, figures(name))
            less = scores.difference(each, mine[BASE], figures(name)) if tool != BASE else None
            table[group][tool] = {"P": found[0], "R": found[1], "F1": found[2], "less": less}
    return table


def show(name: str, table: dict[str, Any]) -> None:
    """Print a set's table."""
    for tool, mine in table["pace"].items():
        told = ", ".join(f"{what} {value:,.3g}" for what, value in mine.items())
        print(f"  {name:<12} {tool:<17} {told}")
    for group, row in table.items():
        for tool, mine in row.items() if group != "pace" else ():
            if tool == "pages":
                print(f"  {name}, {group}: {mine:,} pages")
                continue
            f1, less = mine["F1"], mine["less"]
            line = f"    {tool:<17} F1 {f1.value:.3f} [{f1.low:.3f}, {f1.high:.3f}]"
            line += f"  P {mine['P'].value:.3f}  R {mine['R'].value:.3f}"
            if less:
                line += f"  less {BASE} {less.value:+.4f} [{less.low:+.4f}, {less.high:+.4f}]"
            print(line)


def peaks(pages: list[bytes], names: list[str]) -> dict[str, float]:
    """MB that a process of one extractor alone takes for the pages, and one that only reads."""
    taken = dict.fromkeys(["", *names], 0.0)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        for number, html in enumerate(pages):
            (Path(folder) / f"{number}.html").write_bytes(html)
        here = [sys.executable, __file__, "--alone", folder]
        for name in taken:
            told = subprocess.run([*here, name], check=True, capture_output=True, env=environment)
            taken[name] = int(told.stdout) / 1e3
    return {name or "reading alone": peak for name, peak in taken.items()}


def alone(folder: Path, extractor: Extractor | None) -> None:
    """Extract the pages of a folder, one in memory at a time; prints the peak in kB.

    It asks for itself: what a parent is told includes the parent, from before the child's start.
    """
    for path in sorted(folder.glob("*.html")):
        html = path.read_bytes()
        if extractor:
            extractor(html)
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Measure, print, keep."""
    words = sys.argv[1:]
    if not words:
        raise SystemExit(__doc__)
    extractors = {**peers(), **ours(), **dict(named(word) for word in words if "=" in word)}
    if words[0] == "--alone":
        return alone(Path(words[1]), extractors.get(words[2]))
    folder = Path(words[0])
    asked = [word for word in words[1:] if "=" not in word]
    sets = asked or sorted(path.stem for path in folder.glob("*.parquet"))
    for extractor in extractors.values():
        extractor(b"<p>Imports and compiles.")
    print(machine())
    kept: dict[str, Any] = {"machine": machine()}
    for name in sets:
        rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
        kept[name] = measured(name, rows, run([row["html"] for row in rows], extractors))
        show(name, kept[name])
        (ROOT / "build/extraction.json").write_text(json.dumps(kept, indent=1))
    pages = pq.read_table(folder / f"{sets[0]}.parquet", columns=["html"])["html"].to_pylist()
    peak = peaks(pages, [*peers(), *ours()])
    print("peak, MB:", ", ".join(f"{name} {value:,.0f}" for name, value in peak.items()))
    (ROOT / "build/extraction.json").write_text(json.dumps({**kept, "peak, MB": peak}, indent=1))


if __name__ == "__main__":
    main()
