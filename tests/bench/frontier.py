"""A round of a crawl over a large frontier, but for the fetching: CPU seconds, and memory.

python tests/bench/frontier.py [URLS [HOSTS]]

The frontier is made once and kept in build/bench.  Its URLs all wait: there cannot be more
to choose from.  The round is a real one; its answers are made up: 50,000 pages that each link
to ten URLs, half of them known.  Without HOSTS, once with a hundred URLs a host and once with one
host.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.crawl import fetch, frontier, rounds, step, tables
from pipelines.crawl.archive import digest
from pipelines.crawl.frontier import LINKS, OUTCOMES, PARTS
from pipelines.crawl.outcome import DONE, PAGE, Outcome
from pipelines.engine.doing import How
from pipelines.recipe.text import parse
from pipelines.runs import Run, Table
from pipelines.runs.folders import fingerprint
from tests.bench.bench import ROOT, cost, machine

PAGES, LEADS = 50_000, 10  # fetched in the round, and links of each
SECONDS, MEMORY = 60, 1000  # CPU seconds and MB that such a round may take
CHUNK = 250_000  # URLs made at a time
STEP = 7_919  # places from one URL that is linked to, and known, to the next
SPENT: dict[str, float] = {}  # CPU seconds by name; what one calls counts for both


def url(number: int, hosts: int) -> str:
    """The URL of that number: hosts in turn, no two of one shape."""
    host, page = number % hosts, number // hosts
    return f"https://www.h{host}.example.org/{_word(page % 997)}/{_word(page)}.html"


def _word(number: int) -> str:
    return "".join(map(chr, (97 + number // 26**i % 26 for i in range(5))))


def made(folder: Path, urls: int, hosts: int) -> Path:
    """A run folder with the frontier."""
    place = folder / f"frontier-{urls}-{hosts}"
    if not (place / "manifest.json").exists():
        shutil.rmtree(place, ignore_errors=True)
        with Run(place).lock() as run:
            mark = fingerprint("crawl", tables.VERSION)
            made_up = tuple(_parts(run, place, urls, hosts))
            run.manifest.tables |= {tables.URLS: Table(mark, made_up)}
            run.manifest.tables |= {tables.HOSTS_: Table(mark, ())}
            run.save()
    return place


def _parts(run: Run, place: Path, urls: int, hosts: int) -> Iterator[Any]:
    """Its parts: URLs are sorted into files of their own first."""
    raw = [place / f"raw-{number}.parquet" for number in range(PARTS)]
    files = [pq.ParquetWriter(path, LINKS) for path in raw]
    for begin in range(0, urls, CHUNK):
        numbers = range(begin, min(urls, begin + CHUNK))
        links = frontier.found({url(n, hosts): (PAGE, 1, 0) for n in numbers})
        at = frontier.part_of(links)
        for number, file in enumerate(files):
            file.write_table(links.filter(pa.array(at == number)))
    crawl = parse(recipe("https://a.example.org/", scope="web"), place / "a.toml").crawl
    assert crawl is not None
    for number, (file, path) in enumerate(zip(files, raw, strict=True)):
        file.close()
        links, empty = pq.read_table(path, schema=LINKS), frontier.FRONTIER.empty_table()
        path.unlink()
        merged = frontier.merge(empty, OUTCOMES.empty_table(), links, crawl)
        yield tables.write(run, tables.URLS, f"part-{number:05d}", merged)


class MadeUp(fetch.Round):
    """A round whose answers nobody gave.

    Attributes:
        urls: of the frontier.
        hosts: of the frontier.
    """

    urls: int
    hosts: int

    def run(self, seconds: float) -> None:
        """Take the URLs in turn, and find links."""
        pages = [(host, row) for host in self.turns for row in host.queue][: self.left]
        for number, (host, row) in enumerate(pages):
            kept = {"digest": digest(row.url.encode()), "record": f"{number:036d}", "fetched": 1}
            self._log(row, Outcome(DONE, "fetched"), None, None, kept)
            host.said.fetched += 1
            for i in range(number * LEADS // 2, (number + 1) * LEADS // 2):
                self.find((url(i * STEP % self.urls, self.hosts), PAGE, row.depth + 1))
                self.find((url(self.urls + i, self.hosts), PAGE, row.depth + 1))


def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """A function that adds its CPU seconds to those of its name."""

    def do(*arguments: Any) -> Any:
        began = time.process_time()
        try:
            return work(*arguments)
        finally:
            SPENT[name] = SPENT.get(name, 0.0) + time.process_time() - began

    return do


def once(place: Path, urls: int, hosts: int) -> None:
    """A round, in this process; prints what its steps took as JSON."""
    MadeUp.urls, MadeUp.hosts = urls, hosts
    step.Round = MadeUp  # type: ignore[attr-defined]
    for name in ("due", "found", "merge", "rows", "state"):
        setattr(frontier, name, timed(f"frontier.{name}", getattr(frontier, name)))
    for name in ("part", "_chosen", "_hosts", "outcomes_of", "fetches_of", "hosts_of"):
        setattr(step, name, timed(name, getattr(step, name)))
    rounds.survey = timed("survey", rounds.survey)  # type: ignore[attr-defined]
    MadeUp.run = timed("made up", MadeUp.run)  # type: ignore[method-assign]
    text = recipe("https://www.h0.example.org/", scope="web", pages=PAGES, fetchers=1)
    with Run(place).lock() as run:
        run.folder.write("recipe.toml", text.encode())
        rounds.bring(run, parse(text, place / "a.toml"), How())
        counts = run.manifest.steps["crawl"]["counts"]
    print(json.dumps({**SPENT, "pages": counts["url: fetched"]}))


def measured(folder: Path, urls: int, hosts: int) -> bool:
    """Measure a round over a copy of the frontier, and print; whether it keeps to its bars."""
    place = folder / "frontier-run"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(made(folder, urls, hosts), place)
    told = folder / "frontier.json"
    words = [sys.executable, __file__, "once", place, urls, hosts]
    line = ["sh", "-c", 'told=$1; shift; "$@" > "$told"', "sh", told, *words]
    taken, spent = cost([str(word) for word in line]), json.loads(told.read_text())
    shutil.rmtree(place)
    pages, useless = spent.pop("pages"), spent.pop("made up")
    print(
        f"{urls:,} URLs, {hosts:,} hosts, {pages:,} pages: {taken.cpu - useless:.1f} CPU s, "
        f"{taken.wall:.1f} s, peak {taken.peak:,.0f} MB"
    )
    for name, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        print(f"  {name:<20} {seconds:6.1f}")
    return taken.cpu - useless <= SECONDS and taken.peak <= MEMORY


def main(urls: int = 10_000_000, *hosts: int) -> None:
    """Measure and print."""
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    print(machine())
    good = [measured(folder, urls, each) for each in hosts or (urls // 100, 1)]
    print(f"{'met' if all(good) else 'MISSED'}: {SECONDS} CPU s and {MEMORY:,} MB a round")


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        once(Path(sys.argv[2]), *map(int, sys.argv[3:]))
    else:
        main(*map(int, sys.argv[1:]))
