"""A round of the crawl as a step.

    choose   parts of the frontier: which of their URLs are due, by who fetches them
    fetch    hosts of their own: WARC files, the log, what is known of the hosts; new links
    merge    parts of the frontier, with what became of their URLs and those that are new

What a round's log tells of is not fetched again.  The WARC files stand on a disk.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.crawl import frontier, told
from pipelines.crawl.archive import Archive
from pipelines.crawl.fetch import Round
from pipelines.crawl.frontier import LINKS, OUTCOMES, PARTS, Now
from pipelines.crawl.hosts import Host, Said
from pipelines.crawl.outcome import Row
from pipelines.crawl.records import CAME, fetcher_of, fetches_of, hosts_of, outcomes_of, said_of
from pipelines.crawl.tables import FETCHES_, HOSTS_, URLS, WARC, part, write
from pipelines.engine.step import Batches, Done, Job, Key, Plan, Step
from pipelines.errors import RecipeError
from pipelines.recipe import Recipe
from pipelines.recipe.crawl import Crawl
from pipelines.recipe.texts import digest_of
from pipelines.runs import Part, Run, parts, refusals

ROUND = 50_000  # URLs that a task takes on in a round, at most
SECONDS = 600  # that a round lasts, about


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task for some parts, then one a fetcher, then one for some parts again."""
    facts = run.manifest.facts["crawl"]
    return Plan(list(range(facts["groups"])), [facts["fetchers"], facts["groups"]], dict(facts))


def choose(job: Job, key: int, _: Batches) -> Done:
    """Which URLs of some parts are due."""
    facts = job.plan.facts
    fetchers = facts["fetchers"]
    now = Now(facts["now"], facts["began"], facts["left"] > 0)
    most = max(1000, 2 * ROUND * fetchers // PARTS)

    def out() -> Iterator[tuple[Key, pa.RecordBatch]]:
        for number in _own(job, key):
            some = part(job.run, number, frontier.CHOSEN)
            yield from _by_fetcher(frontier.due(some, now, most), fetchers)

    return Done(out=out())


def _own(job: Job, group: int) -> list[int]:
    """The parts of a group: neighbours."""
    return [n for n in range(PARTS) if n * job.plan.facts["groups"] // PARTS == group]


def _by_fetcher(due: pa.Table, fetchers: int) -> Iterator[tuple[Key, pa.RecordBatch]]:
    at = fetcher_of(due["host"], fetchers)
    for number in range(fetchers):
        for batch in due.filter(pc.equal(at, number)).to_batches(parts.BATCH_ROWS):
            yield number, batch


def fetch(job: Job, key: int, incoming: Batches) -> Done:
    """Fetch the URLs of some hosts."""
    facts, crawl = job.plan.facts, _crawl(job.recipe)
    archive = Archive(Path(job.run.folder.at(WARC)), f"{facts['warc']}-{key:03d}", _about(crawl))
    with contextlib.closing(archive):
        rows = _chosen(incoming, {line["key"] for line in archive.logged})
        said, now = said_of(job.run, rows), time.time()
        hosts = [Host(n, each, said.get(n, Said()), crawl, now) for n, each in rows.items()]
        left = max(1, facts["left"] // facts["fetchers"]) - sum(e["new"] for e in archive.logged)
        told = f"{job.work}/live-{key:03d}"
        round_ = Round(
            crawl,
            hosts,
            archive,
            refusals.read(job.run.folder),
            left,
            lambda live: job.run.folder.write(told, orjson.dumps(vars(live))),
        )
        round_.go_on()
        round_.run(SECONDS)
    return _fetched(job, key, archive, round_, hosts)


def _crawl(recipe: Recipe) -> Crawl:
    """The crawl, with the place of its certificates."""
    crawl = recipe.crawl
    assert crawl is not None  # noqa: S101 (there is no such step without one)
    at = crawl.certificates and str(Path(recipe.base, crawl.certificates))
    return replace(crawl, certificates=at)


def check(recipe: Recipe) -> None:
    """Refuse what a crawl cannot do.

    Raises:
        RecipeError: if it names a file that is not there.
    """
    at = _crawl(recipe).certificates if recipe.crawl else None
    if at is not None and not Path(at).is_file():
        raise RecipeError(f"[[source]] crawl: certificates: {at}: no such file")


def _about(crawl: Crawl) -> dict[str, str]:
    return {"operator": crawl.contact, "http-header-user-agent": crawl.user_agent, "robots": "obey"}


def _chosen(incoming: Batches, done: set[int]) -> dict[str, list[Row]]:
    """The URLs of each host that are not done, in their order; of a host that is done none."""
    every = frontier.rows(incoming)
    by: dict[str, list[Row]] = {row.host: [] for row in every}
    rows = [row for row in every if row.key not in done]
    for row in sorted(rows, key=lambda row: (row.depth, row.key)):
        by[row.host].append(row)
    most = max(1, ROUND // max(1, len(by)))
    return {host: each[: max(most, ROUND - len(rows) + len(each))] for host, each in by.items()}


def _fetched(job: Job, key: int, archive: Archive, round_: Round, hosts: list[Host]) -> Done:
    done, lines = Done(), [*archive.logged, *round_.lines]
    for line in lines:
        done.counts["urls"] += 1
        done.counts["bytes"] += line.get("bytes", 0)
        done.counts[f"{told.MARK}{line['reason']}"] += 1
    number, run = job.plan.facts["round"], job.run
    tables = {
        FETCHES_: fetches_of(lines, number, archive),
        HOSTS_: hosts_of(run, hosts, key, job.plan.facts["fetchers"]),
    }
    for table, rows in tables.items():
        if rows.num_rows:
            done.parts[table] = [write(run, table, f"part-{number:05d}-{key:03d}", rows)]
    done.parts[WARC] = [_sealed(path, lines, i) for i, path in enumerate(archive.files())]
    done.out = _by_part(lines, round_, job.plan.facts["groups"])
    return done


def _sealed(path: Path, lines: list[Any], number: int) -> Part:
    rows = sum(line.get("file") == number for line in lines)
    return Part(path.name, rows, path.stat().st_size, digest_of(path))


def _by_part(lines: list[Any], round_: Round, groups: int) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """What became of URLs, and new ones, by the group of their part of the frontier."""
    at, outcomes = outcomes_of(lines)
    links = frontier.found(round_.found)
    for place, (of, rows) in enumerate(((at, outcomes), (frontier.part_of(links), links))):
        for group in range(groups):
            some = rows.filter(pa.array(of * groups // PARTS == group))
            for batch in some.to_batches(parts.BATCH_ROWS):
                yield (group, place), batch


def merge(job: Job, key: int, incoming: Batches) -> Done:
    """Some parts of the frontier, as they are after the round."""
    batches = list(incoming)
    outcomes = pa.Table.from_batches([b for b in batches if "state" in b.schema.names], CAME)
    links = pa.Table.from_batches([b for b in batches if "url" in b.schema.names], LINKS)
    at, of = outcomes["part"].to_numpy(), frontier.part_of(links)
    made = []
    for number in _own(job, key):
        came = outcomes.filter(pa.array(at == number)).select(OUTCOMES.names)
        new = links.filter(pa.array(of == number))
        made.append(_merged(job, number, came, new))
    return Done(parts={URLS: made})


def _merged(job: Job, number: int, came: pa.Table, new: pa.Table) -> Part:
    """A part as it is after the round; the same file where nothing came for it."""
    if not (came.num_rows or new.num_rows):
        return job.run.table(URLS).parts[number]
    merged = frontier.merge(part(job.run, number), came, new, _crawl(job.recipe))
    return write(job.run, URLS, f"part-{number:05d}-{job.plan.facts['round']:05d}", merged)


STEP = Step(
    "crawl", "URLs to pages", lambda run, recipe: {}, (choose, fetch, merge), plan=plan, idles=True
)
