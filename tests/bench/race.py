"""The whole race: WARC in, published shards out, beside datatrove's FineWeb pipeline.

python tests/bench/race.py [PAGES [TURNS]]

Real documentation pages (pool_sources.py), in an order drawn by a hash, as one WARC file, and a
quarter of them as another.  Both extract main text, judge it by the rules and thresholds of Gopher,
C4 and FineWeb, find near-duplicates by 112 permutations of 5 words, and write what is left; each
with its own extractor.  Karez also finds the language of every paragraph, keeps every column and
checks what dedup missed; datatrove's model for languages is in no package, so it finds none.  CPU
seconds are of whole processes, and from the quarter to the whole.

What only one of the two keeps is written to build/bench/race/disagreements.jsonl with its reason
and both texts, to be read.
"""

import json
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipelines.opened import Opened
from tests.bench import pool_sources as sources
from tests.bench.common import Cost, karez, keep, machine, peer, place, script
from tests.helpers.archives import member

RECIPE = """\
name = "race"
presets = ["gopher", "c4", "fineweb"]
[[source]]
kind = "warc"
paths = ["{size}/pages.warc.gz"]
[edits]
c4_lines = {{ ended = false }}   # FineWeb keeps lines without a full stop
[dedup]
[publish]
splits = {{ train = 1.0 }}
"""
BAR, GOAL = 20, 40
NONE = "no text"  # why a page did not come to be a document
SIZES = ("quarter", "whole")

Kept = dict[str, str | None]
"""Of each URL why it was not kept; None: it was."""
Turns = dict[str, dict[str, list[Cost]]]
"""Of each tool and size."""


def pages() -> Iterator[sources.Document]:
    """URL and HTML of every page, in the order drawn."""
    every = chain(sources.python(), sources.postgresql(), sources.manuals())
    unlike = {one.url: one for one in every}
    return iter(sorted(unlike.values(), key=lambda one: sources.draw(one.url)))


def record(number: int, page: sources.Document) -> bytes:
    """A page as Common Crawl keeps it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    fields = {
        "WARC-Target-URI": page.url,
        "WARC-Identified-Payload-Type": "text/html",
        "Content-Type": "application/http; msgtype=response",
    }
    return member(number, "response", fields, head + page.text.encode())


def archives(folder: Path, count: int) -> None:
    """Both WARC files, and how many pages are in the larger one."""
    some = [record(n, one) for n, one in enumerate(islice(pages(), count))]
    for size, share in zip(SIZES, (4, 1), strict=True):
        (folder / size).mkdir(parents=True, exist_ok=True)
        (folder / size / "pages.warc.gz").write_bytes(b"".join(some[: len(some) // share]))
    (folder / "pages.txt").write_text(f"{len(some)}")


def ours(folder: Path, size: str) -> tuple[Cost, Kept]:
    """One run, from nothing."""
    recipe, run = folder / f"{size}.toml", folder / f"karez-{size}"
    recipe.write_text(RECIPE.format(size=size))
    shutil.rmtree(run, ignore_errors=True)
    took = karez("run", recipe, "--run", run)
    return took, dict(zip(*_columns(run, "url", "reason"), strict=True))


def _columns(run: Path, *names: str) -> list[list[Any]]:
    table = Opened(str(run)).arrow(list(names))
    return [table[name].to_pylist() for name in names]


def datatrove(folder: Path, size: str) -> tuple[Cost, Kept]:
    """One pipeline, from nothing."""
    out = folder / f"datatrove-{size}"
    shutil.rmtree(out, ignore_errors=True)
    took = peer("datatrove", "datatrove_peer", "race", folder / size, out)
    kept: Kept = dict.fromkeys(pq.read_table(out / "kept", columns=["url"])["url"].to_pylist())
    for file in out.glob("gone/**/*.jsonl"):
        for line in file.read_text().splitlines():
            kept[json.loads(line)["metadata"]["url"]] = file.parent.name
    return took, kept


def disagreements(folder: Path, here: Kept, there: Kept) -> Counter[str]:
    """What one of the two alone keeps, by the other's reason; all of it is written down."""
    both = {url: (here.get(url, NONE), there.get(url, NONE)) for url in {**here, **there}}
    texts = dict(zip(*_columns(folder / "karez-whole", "url", "text"), strict=True))
    found: Counter[str] = Counter()
    with (folder / "disagreements.jsonl").open("w") as out:
        for url, (mine, other) in sorted(both.items()):
            if (mine is None) == (other is None):
                found["both keep" if mine is None else "both drop"] += 1
                continue
            who, why = ("Karez", other) if mine is None else ("datatrove", mine)
            found[f"{who} alone, dropped by the other: {why}"] += 1
            row = {"url": url, "here": mine, "there": other, "text": texts.get(url)}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return found


def show(turns: Turns, count: int) -> float:
    """Print what each took.

    Returns:
        how many times as much datatrove took, from the quarter to the whole.
    """
    more: dict[str, float] = {}
    for tool, sizes in turns.items():
        cpu = {size: statistics.median(each.cpu for each in sizes[size]) for size in SIZES}
        peak = max(each.peak for each in sizes["whole"])
        more[tool] = (cpu["whole"] - cpu["quarter"]) / (count - count // 4)
        print(f"{tool:<10} {cpu['whole']:8.1f} CPU s, {peak:,.0f} MB at most;"
              f" from the quarter on {1 / more[tool]:,.0f} pages a CPU second")  # fmt: skip
    whole = {t: statistics.median(each.cpu for each in s["whole"]) for t, s in turns.items()}
    print(f"whole processes: {whole['datatrove'] / whole['karez']:.1f} times")
    return more["datatrove"] / more["karez"]


def main(wanted: int = 4000, times: int = 3) -> None:
    """Measure, print, keep."""
    folder = place("race")
    script("race", "archives", folder, wanted)
    count = int((folder / "pages.txt").read_text())
    turns: Turns = {tool: {size: [] for size in SIZES} for tool in ("karez", "datatrove")}
    ours(folder, SIZES[0])  # not timed: the first run on a machine compiles the kernels
    for turn in range(times):
        for size in SIZES:
            took, here = ours(folder, size)
            turns["karez"][size].append(took)
            if turn == 0:  # its turns are long, and differ little
                took, there = datatrove(folder, size)
                turns["datatrove"][size].append(took)
    print(machine(), f"{count:,} pages", sep="\n")
    ratio = show(turns, count)
    found = disagreements(folder, here, there)
    for what, number in found.most_common():
        print(f"{number:>6,}  {what}")
    word = "goal met" if ratio >= GOAL else "met" if ratio >= BAR else "MISSED"
    print(f"{word}: {ratio:.1f} times datatrove, bar {BAR}, goal {GOAL}")
    keep("race", pages=count, turns=turns, ratio=ratio, kept=found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["archives"]:
        archives(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
