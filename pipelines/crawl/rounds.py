"""The crawl as a step: rounds until nothing is due, each a pipeline over the frontier.

    choose   a part of the frontier: which of its URLs are due, by who fetches them
    fetch    hosts of their own: WARC files, the log, what is known of the hosts; new links
    merge    a part of the frontier, with what became of its URLs and those that are new

A round is begun in the manifest and sealed there.  One that was cut off is done again as it was
planned: what its log tells of is not fetched again.  The WARC files stand on a disk.
"""

import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import parts, refusals
from pipelines.crawl import frontier, told
from pipelines.crawl.archive import Archive, stamp
from pipelines.crawl.asked import Crawl
from pipelines.crawl.fetch import Live, Round
from pipelines.crawl.frontier import FRONTIER, LINKS, OUTCOMES, PARTS, Now, hash_of
from pipelines.crawl.hosts import Host, Said
from pipelines.crawl.outcome import Row
from pipelines.crawl.records import (
    FETCHES,
    HOSTS,
    fetches_of,
    hosts_of,
    opened,
    outcomes_of,
    said_of,
)
from pipelines.crawl.resume import found_again
from pipelines.doing import How, do
from pipelines.errors import RecipeError, RunError
from pipelines.folders import fingerprint
from pipelines.recipe import FILES, Recipe
from pipelines.runs import Part, Run, Table
from pipelines.steps import Batches, Done, Job, Key, Plan, Step
from pipelines.stores import is_remote

VERSION = 1
URLS, HOSTS_, FETCHES_, WARC = "frontier/urls", "frontier/hosts", "frontier/fetches", "warc"
TABLES = (URLS, HOSTS_, FETCHES_, WARC)
ROUND = 50_000  # URLs that a task takes on in a round, at most
SECONDS = 600  # that a round lasts, about
WAITS = 900  # seconds for which the command waits for what is to be asked again
_SIGNS = {ord(sign): None for sign in "-:Z"}


def bring(run: Run, recipe: Recipe, how: How) -> None:
    """Crawl until nothing is due, or there are enough pages; nothing without a crawl.

    Raises:
        RecipeError: if the run folder is on a store.
        RunError: if its frontier is of another version, or no page was fetched.
    """
    crawl = recipe.crawl
    if crawl is None or "from" in run.manifest.facts:
        return
    if is_remote(run.folder.path):
        raise RecipeError(f"{run.folder.path}: a crawl wants a run folder on a disk")
    mark = fingerprint("crawl", VERSION)
    if URLS in run.manifest.tables and run.table(URLS).fingerprint != mark:
        raise RunError(f"{run.folder.path}: crawled by another version; take another --run folder")
    with how.follow(lambda: live(run)):
        if "now" in run.manifest.facts.get("crawl", {}):  # one that was cut off
            _round(run, recipe, how, mark)
        _seed(run, crawl, mark)
        began = int(time.time())
        while _begin(run, recipe.name, crawl, began):
            _round(run, recipe, how, mark)
    run.sweep([WARC])
    now = int(time.time())
    if not survey(run, Now(now, now))["fetched"]:
        raise RunError(f"crawl: no page was fetched: {_why(run)}; see {run.folder.at(FETCHES_)}")


def _why(run: Run) -> str:
    """The reasons of a crawl that brought nothing."""
    reasons = told.reasons(run.manifest.steps).most_common()
    return ", ".join(f"{reason} {n:,}" for reason, n in reasons) or "nothing was due"


def _begin(run: Run, name: str, crawl: Crawl, began: int) -> bool:
    """Plan a round; False: there is none to be done."""
    facts = run.manifest.facts.setdefault("crawl", {"round": 0})
    while True:
        now = int(time.time())
        known = survey(run, Now(now, began))
        left = crawl.pages - known["fetched"]
        if known["again"] or (left > 0 and known["due"]):
            break
        if left <= 0 or known["first"] is None or known["first"] - now > WAITS:
            return False
        time.sleep(max(0, known["first"] - now))
    fetchers = min(crawl.fetchers, left) if left > 0 else crawl.fetchers
    named = f"{name}-{facts['round']:05d}-{stamp(now).translate(_SIGNS)}"
    facts |= {"now": now, "began": began, "left": left, "fetchers": fetchers, "warc": named}
    run.save()
    return True


def _round(run: Run, recipe: Recipe, how: How, mark: str) -> None:
    """Do a round, and seal it."""
    started = time.perf_counter()
    tables = dict.fromkeys(TABLES, mark)
    _, total, took = do(
        run, recipe, STEP, tables, list(TABLES), how, lambda job: contextlib.nullcontext(), FILES
    )
    for table in TABLES:
        new = tuple(total.parts.get(table, []))
        grows = table in (FETCHES_, WARC) and table in run.manifest.tables
        before = run.table(table).parts if grows else ()
        run.manifest.tables[table] = Table(mark, before + new)
    facts = run.manifest.facts["crawl"]
    run.manifest.facts["crawl"] = {"round": facts["round"] + 1}
    step = run.manifest.steps.setdefault("crawl", {"counts": {}, "facts": {}, "seconds": 0.0})
    step["counts"] = dict(sorted((Counter(step["counts"]) + total.counts).items()))
    step["seconds"] = round(step["seconds"] + time.perf_counter() - started, 3)
    for name, value in took.items():
        step[name] = step.get(name, 0) + value
    run.save()
    run.sweep([URLS, HOSTS_, FETCHES_])
    for log in run.folder.list(WARC):
        if log.endswith(".log"):
            run.folder.delete(log)
    run.folder.delete("work")


def _seed(run: Run, crawl: Crawl, mark: str) -> None:
    """Put the start URLs into the frontier that are not there."""
    links = frontier.start(crawl)
    at = frontier.part_of(links)
    tables = []
    for number in range(PARTS):
        old = part(run, number)
        new = links.filter(pa.array(at == number))
        merged = frontier.merge(old, OUTCOMES.empty_table(), new, crawl)
        is_same = URLS in run.manifest.tables and merged.num_rows == old.num_rows
        tables.append(run.table(URLS).parts[number] if is_same else _write(run, number, merged))
    run.manifest.tables[URLS] = Table(mark, tuple(tables))
    run.manifest.tables.setdefault(HOSTS_, Table(mark, ()))
    run.save()
    run.sweep([URLS])


def part(run: Run, number: int, columns: Sequence[str] = FRONTIER.names) -> pa.Table:
    """A part of the frontier, or some columns of it."""
    schema = pa.schema([FRONTIER.field(name) for name in columns])
    if URLS not in run.manifest.tables:
        return schema.empty_table()
    return opened(run, URLS, number, list(columns)).cast(schema)


def survey(run: Run, now: Now) -> dict[str, Any]:
    """What the frontier holds.

    Returns:
        URLs by state; how many are due, and due again; when the first is that is to be asked again
        later; pages that were fetched, on how many hosts.
    """
    known = Counter[str]()
    first = None
    for number in range(PARTS):
        each = frontier.state(part(run, number, frontier.TIMED), now)
        begins = each.pop("first")
        first = begins if first is None else min(first, begins or first)
        known.update(each)
    count = len(run.table(HOSTS_).parts)
    hosts = [opened(run, HOSTS_, number, ["fetched"]) for number in range(count)]
    fetched = sum(pc.sum(h["fetched"]).as_py() or 0 for h in hosts)
    return {**known, "first": first, "fetched": fetched, "hosts": sum(h.num_rows for h in hosts)}


def _write(run: Run, number: int, rows: pa.Table) -> Part:
    mark = hashlib.sha256(repr((rows.num_rows, time.time_ns())).encode()).hexdigest()[:8]
    with parts.Writer(run, URLS, f"part-{number:05d}-{mark}.parquet", FRONTIER) as writer:
        writer.write(rows)
    return writer.part


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a part, then one a fetcher, then one a part again."""
    facts = run.manifest.facts["crawl"]
    return Plan(list(range(PARTS)), [facts["fetchers"], PARTS], dict(facts))


def choose(job: Job, key: int, _: Batches) -> Done:
    """Which URLs of a part are due."""
    facts = job.plan.facts
    fetchers = facts["fetchers"]
    now = Now(facts["now"], facts["began"], facts["left"] > 0)
    some = part(job.run, key, frontier.CHOSEN)
    due = frontier.due(some, now, max(1000, 2 * ROUND * fetchers // PARTS))
    return Done(out=_by_fetcher(due, fetchers))


def _by_fetcher(due: pa.Table, fetchers: int) -> Iterator[tuple[Key, pa.RecordBatch]]:
    hosts = due["host"].combine_chunks().dictionary_encode()
    whose = pa.array(
        [hash_of(host) % fetchers for host in hosts.dictionary.to_pylist()], pa.int64()
    )
    at = whose.take(hosts.indices)
    for number in range(fetchers):
        for batch in due.filter(pc.equal(at, number)).to_batches(parts.BATCH_ROWS):
            yield number, batch


def fetch(job: Job, key: int, incoming: Batches) -> Done:
    """Fetch the URLs of some hosts."""
    facts, crawl = job.plan.facts, _crawl(job.recipe)
    archive = Archive(Path(job.run.folder.at(WARC)), f"{facts['warc']}-{key:03d}", _about(crawl))
    with contextlib.closing(archive):
        rows = _chosen(incoming, {line["key"] for line in archive.logged})
        hosts = _hosts(job.run, rows, crawl)
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
        found_again(archive, round_, {host.name: host for host in hosts})
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


def _hosts(run: Run, rows: dict[str, list[Row]], crawl: Crawl) -> list[Host]:
    known, now = said_of(run, HOSTS_, set(rows)), time.time()
    return [Host(name, each, known.get(name, Said()), crawl, now) for name, each in rows.items()]


def _fetched(job: Job, key: int, archive: Archive, round_: Round, hosts: list[Host]) -> Done:
    done, lines = Done(), [*archive.logged, *round_.lines]
    for line in lines:
        done.counts["urls"] += 1
        done.counts["bytes"] += line.get("bytes", 0)
        done.counts[f"{told.MARK}{line['reason']}"] += 1
    number, run = job.plan.facts["round"], job.run
    name = f"part-{number:05d}-{key:03d}.parquet"
    if lines:
        with parts.Writer(run, FETCHES_, name, FETCHES) as writer:
            writer.write(fetches_of(lines, number, archive))
        done.parts[FETCHES_] = [writer.part]
    mine = hosts_of(
        run, HOSTS_, hosts, lambda host: hash_of(host) % job.plan.facts["fetchers"] == key
    )
    if mine.num_rows:
        with parts.Writer(run, HOSTS_, name, HOSTS) as writer:
            writer.write(mine)
        done.parts[HOSTS_] = [writer.part]
    done.parts[WARC] = [_sealed(path, lines, i) for i, path in enumerate(archive.files())]
    done.out = _by_part(lines, round_)
    return done


def _sealed(path: Path, lines: list[Any], number: int) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    rows = sum(line.get("file") == number for line in lines)
    return Part(path.name, rows, path.stat().st_size, digest)


def _by_part(lines: list[Any], round_: Round) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """What became of URLs, and new ones, by their part of the frontier."""
    at, outcomes = outcomes_of(lines)
    for number in range(PARTS):
        for batch in outcomes.filter(pa.array(at == number)).to_batches(parts.BATCH_ROWS):
            yield (number, 0), batch
    links = frontier.found(round_.found)
    where = frontier.part_of(links)
    for number in range(PARTS):
        for batch in links.filter(pa.array(where == number)).to_batches(parts.BATCH_ROWS):
            yield (number, 1), batch


def merge(job: Job, key: int, incoming: Batches) -> Done:
    """A part of the frontier, as it is after the round."""
    if not incoming:
        return Done(parts={URLS: [job.run.table(URLS).parts[key]]})
    batches = list(incoming)
    outcomes = pa.Table.from_batches([b for b in batches if "state" in b.schema.names], OUTCOMES)
    links = pa.Table.from_batches([b for b in batches if "url" in b.schema.names], LINKS)
    merged = frontier.merge(part(job.run, key), outcomes, links, _crawl(job.recipe))
    name = f"part-{key:05d}-{job.plan.facts['round']:05d}.parquet"
    with parts.Writer(job.run, URLS, name, FRONTIER) as writer:
        writer.write(merged)
    return Done(parts={URLS: [writer.part]})


def live(run: Run) -> Live:
    """How the round goes, over all its tasks."""
    total = Live()
    for name in run.folder.list("work/crawl"):
        if "/live-" in name:
            each = Live(**orjson.loads(run.folder.read(name)))
            for field in ("pages", "bytes", "hosts", "queued", "waiting", "flying"):
                setattr(total, field, getattr(total, field) + getattr(each, field))
            total.reasons.update(each.reasons)
    return total


STEP = Step("crawl", lambda run, recipe: {}, plan, (choose, fetch, merge))
