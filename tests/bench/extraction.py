"""Extraction: how right and how fast, beside peers, in one process over the same pages.

python tests/bench/extraction.py [PAGES] [SET…] [NAME=TEXTS…]

PAGES is the folder of `extraction_sets.py` (build/bench/pages); without a SET all that is there is
measured.  TEXTS is a Parquet file of ids and texts, which are scored as they are: of a model that
was trained without the page, or of an earlier run (build/extraction/SET.NAME.parquet).  AEB is
scored by shingles, trafilatura's set by snippets, all others by tokens.  Where a row has snippets
and gold, the gold counts.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from filters import charset, extract
from tests.bench import extraction_scores as scores
from tests.bench.common import ROOT, keep, machine, verdict
from tests.bench.extraction_pages import kinds

Extractor = Callable[[bytes], str]

TURNS, ENOUGH = 3, 0.02  # times a page is done, and CPU seconds after which it is not done again
SMALL = 10_000  # bytes; a smaller page counts as one of that size for time per byte
LEAST = 10  # pages of a type or family that has a line of its own
BASE = "trafilatura"  # what others are compared with

OURS, UNSEEN = "karez", "karez unseen"
"""Tools: the model that ships, and texts of a model that was trained without the page."""

F1 = {"aeb": 0.965, "trafilatura": 0.940, "docs": 0.93}  # of all pages of a set
FASTER = {"trafilatura": 15, "resiliparse": 1.2}  # times the peer's pages a CPU second
SLOWEST = 20  # times the mean time per byte
KINDS = ("product", "forum", "docs", "listing", "short", "cjk")
FEWEST = 60  # pages of a kind that is held to it


class Taken(NamedTuple):
    """What an extractor gave for the pages of a set."""

    texts: list[str]
    seconds: list[float]  # CPU; none if the texts were given


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
    names = [name for name, (_, marked) in extract.KAREZ.items() if not marked]
    return {name: partial(_ours, name) for name in names}


def _ours(name: str, html: bytes) -> str:
    return extract.text(charset.utf8(html, None), name)


def named(word: str) -> tuple[str, Path]:
    """What the command line names as NAME=TEXTS."""
    name, _, place = word.partition("=")
    if not Path(place).is_file():
        raise SystemExit(f"{word}: no such file")
    return name, Path(place)


def texts(path: Path, rows: list[dict[str, Any]]) -> Taken | None:
    """The texts of a file for the pages of a set; None if it has not all of them."""
    table = pq.read_table(path, columns=["id", "text"])
    known = dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))
    if not all(row["id"] in known for row in rows):
        return None
    return Taken([known[row["id"]] for row in rows], [])


def taken(
    name: str, rows: list[dict[str, Any]], tools: dict[str, Extractor | Path]
) -> dict[str, Taken]:
    """The texts of a set by each tool; those that were made are kept."""
    given = {tool: texts(each, rows) for tool, each in tools.items() if isinstance(each, Path)}
    pages = [row["html"] for row in rows]
    made = run(pages, {t: each for t, each in tools.items() if not isinstance(each, Path)})
    folder = ROOT / "build/extraction"
    folder.mkdir(parents=True, exist_ok=True)
    for tool, each in made.items():
        columns = {"id": [row["id"] for row in rows], "text": each.texts}
        pq.write_table(pa.table(columns), folder / f"{name}.{tool}.parquet")
    found = {**given, **made}
    return {tool: mine for tool in tools if (mine := found[tool])}


def run(pages: list[bytes], extractors: dict[str, Extractor]) -> dict[str, Taken]:
    """Each page by each extractor in turn; a page that fails has no text, and is told of."""
    found = {name: Taken([], []) for name in extractors}
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
            found[name].texts.append(text)
            found[name].seconds.append(least)
    return found


def counted(name: str, rows: list[dict[str, Any]], its: Taken) -> list[scores.Counts]:
    """Counts of each page, by the set's own metric."""
    pairs = zip(rows, its.texts, strict=True)
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


def pace(rows: list[dict[str, Any]], its: Taken) -> dict[str, float]:
    """Pages and MB a CPU second, and the slowest page's time per byte against all pages'."""
    sizes = [len(row["html"]) for row in rows]
    mean = sum(its.seconds) / sum(sizes)
    each = [s / max(SMALL, size) for s, size in zip(its.seconds, sizes, strict=True)]
    return {
        "pages a CPU s": len(rows) / sum(its.seconds),
        "MB a CPU s": sum(sizes) / 1e6 / sum(its.seconds),
        "slowest page, s": max(its.seconds),
        "slowest per byte, times the mean": max(each) / mean,
    }


def measured(name: str, rows: list[dict[str, Any]], by_tool: dict[str, Taken]) -> dict[str, Any]:
    """Scores by group and tool, and differences to `BASE`."""
    counts = {tool: counted(name, rows, each) for tool, each in by_tool.items()}
    timed = {tool: pace(rows, each) for tool, each in by_tool.items() if each.seconds}
    table: dict[str, Any] = {"pace": timed}
    for group, places in groups(rows):
        mine = {tool: [each[i] for i in places] for tool, each in counts.items()}
        table[group] = {"pages": len(places)}
        for tool, each in mine.items():
            found = scores.scored(each, figures(name))
            base = mine.get(BASE) if tool != BASE else None
            less = scores.difference(each, base, figures(name)) if base else None
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
            if row and row["pages"] >= FEWEST and (less := row[tool]["less"]):
                told = f"{name}, {kind}, {tool}: {less.value:+.3f} to trafilatura"
                yield less.high >= 0, f"{told} [{less.low:+.3f}, {less.high:+.3f}]"
        yield from _fast(name, groups["pace"])


def _fast(name: str, paces: dict[str, dict[str, float]]) -> Iterator[tuple[bool, str]]:
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


def main() -> None:
    """Measure, print, keep."""
    words = sys.argv[1:]
    given = dict(named(word) for word in words if "=" in word)
    tools: dict[str, Extractor | Path] = {**peers(), **ours(), **given}
    plain = [word for word in words if "=" not in word]
    folder = Path(plain[0]) if plain else ROOT / "build/bench/pages"
    sets = plain[1:] or sorted(p.stem for p in folder.glob("*.parquet") if "." not in p.stem)
    lost = [name for name in sets if not (folder / f"{name}.parquet").exists()]
    if lost or not sets:
        said = f"{folder}: no set {', '.join(lost)}".rstrip() + "; extraction_sets.py makes them"
        if plain:
            raise SystemExit(said)
        return print(said)
    for tool in tools.values():
        if not isinstance(tool, Path):
            tool(b"<p>Imports and compiles.")
    print(machine())
    kept: dict[str, Any] = {}
    for name in sets:
        rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
        kept[name] = measured(name, rows, taken(name, rows, tools))
        show(name, kept[name])
    for met, what in bars(kept):
        print(verdict(met, what))
    keep("extraction", **kept)


if __name__ == "__main__":
    main()
