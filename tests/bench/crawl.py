"""A crawl beside Scrapy's: the same real pages behind one nginx, the same politeness, in turn.

python tests/bench/crawl.py [LANGUAGES [TURNS]]

The site is the Debian Administrator's Handbook, in so many languages (26 are there).  Both obey
robots.txt, wait for nothing, hold 8 connections, follow every link within the host and write what
they fetched: Karez WARC with the consent of each page and its log, Scrapy the bare bodies, and once
more WARC through warcio.  CPU seconds are those of the whole process, its start included; "more" is
what pages take that come on top of those of four languages, so no start is in it.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.bench.common import Cost, karez, machine, middle, peer, verdict
from tests.helpers.nginx import handbook, nginx

CONNECTIONS = 8
FEW = 4  # languages
KAREZ = "Karez, WARC"
BAR, GOAL = 3, 5  # times Scrapy's pages a CPU second
FORMS = {"Scrapy, bodies": "bodies", "Scrapy, WARC": "warc"}
Taken = tuple[Cost, int]
"""Of a crawl, and its pages."""

RECIPE = """\
name = "bench"
[[source]]
kind = "crawl"
start = {start}
contact = "bench@example.org"
delay = 0
connections = {connections}
private = true
"""


def ours(folder: Path, start: list[str]) -> Taken:
    """One crawl by Karez, and how many pages it kept."""
    recipe, run = folder / "bench.toml", Path(tempfile.mkdtemp(dir=folder))
    recipe.write_text(RECIPE.format(start=json.dumps(start), connections=CONNECTIONS))
    taken = karez("run", recipe, "--run", run, "--only", "crawl")
    counts = json.loads((run / "manifest.json").read_text())["steps"]["crawl"]["counts"]
    return taken, counts["url: fetched"]


def scrapy(folder: Path, start: list[str], form: str) -> Taken:
    """One crawl by Scrapy."""
    told = folder / "told"
    taken = peer("scrapy", "crawl_peer", folder / "out", told, CONNECTIONS, form, *start)
    return taken, int(told.read_text())


def main(languages: int = 26, turns: int = 3) -> None:
    """Measure and print."""
    book, found = handbook(), dict[str, list[Taken]]()
    every = sorted(p.name for p in book.iterdir())[:languages]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(turns):
            for names in (every[:FEW], every):  # what is not served is not found
                with nginx(Path(tempfile.mkdtemp(dir=folder)), {n: book / n for n in names}) as url:
                    start = [f"{url}/{n}/index.html" for n in names]
                    found.setdefault(KAREZ, []).append(ours(folder, start))
                    for title, form in FORMS.items():
                        found.setdefault(title, []).append(scrapy(folder, start, form))
    report(
        {title: list(zip(taken[::2], taken[1::2], strict=True)) for title, taken in found.items()}
    )


def report(found: dict[str, list[tuple[Taken, Taken]]]) -> None:
    """Print what each took, of a few pages and of all, and whether the bar is met."""
    print(machine())
    rates = {}
    for title, turns in found.items():
        mine = rates[title] = [pages / taken.cpu for _, (taken, pages) in turns]
        rate, least, most = middle(mine)
        more, *_ = middle([(m - n) / (d.cpu - c.cpu) for (c, n), (d, m) in turns])
        wall, *_ = middle([taken.wall for _, (taken, _) in turns])
        peak, *_ = middle([taken.peak for _, (taken, _) in turns])
        print(
            f"  {title:<16} {turns[0][1][1]:>6,} pages {rate:>6,.0f} a CPU s "
            f"({least:,.0f} to {most:,.0f}), more {more:>6,.0f}, {wall:.0f} s, peak {peak:,.0f} MB"
        )
    for title in FORMS:
        ratio, least, most = middle(
            [a / b for a, b in zip(rates[KAREZ], rates[title], strict=True)]
        )
        told = f"{ratio:.1f} times {title} ({least:.1f} to {most:.1f}), bar {BAR}, goal {GOAL}"
        print(verdict(ratio >= BAR, told))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
