"""The crawl: rounds until nothing is due, each a pipeline over the frontier.

A round is begun in the manifest and sealed there.  One that was cut off is done again as it was
planned: see `pipelines.crawl.step`.
"""

import contextlib
import secrets
import time
from collections import Counter
from datetime import UTC, datetime

import orjson
import pyarrow as pa

from pipelines.crawl import frontier, tables, told
from pipelines.crawl.fetch import Live
from pipelines.crawl.frontier import OUTCOMES, PARTS, Now
from pipelines.crawl.outcome import STATES
from pipelines.crawl.step import STEP
from pipelines.crawl.tables import FETCHES_, HOSTS_, TABLES, URLS, WARC
from pipelines.engine.doing import How, do
from pipelines.errors import RecipeError, RunError
from pipelines.recipe import FILES, Recipe
from pipelines.recipe.crawl import Crawl
from pipelines.runs import Run, Table
from pipelines.runs.folders import fingerprint
from pipelines.runs.stores import is_remote

GROUP = 200_000  # URLs of the frontier that a task looks at, about
WAITS = 900  # seconds for which the command waits for what is to be asked again


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
    mark = fingerprint("crawl", tables.VERSION)
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
    if not tables.survey(run, Now(now, now))["fetched"]:
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
        known = tables.survey(run, Now(now, began))
        left = crawl.pages - known["fetched"]
        if known["again"] or (left > 0 and known["due"]):
            break
        if left <= 0 or known["first"] is None or known["first"] - now > WAITS:
            return False
        time.sleep(max(0, known["first"] - now))
    fetchers = min(crawl.fetchers, left) if left > 0 else crawl.fetchers
    when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
    named = f"{name}-{facts['round']:05d}-{when}"
    urls = sum(known.get(state, 0) for state in STATES)
    facts |= {"now": now, "began": began, "left": left, "fetchers": fetchers, "warc": named}
    facts["groups"] = min(PARTS, 1 + urls // GROUP)
    run.save()
    return True


def _round(run: Run, recipe: Recipe, how: How, mark: str) -> None:
    """Do a round, and seal it."""
    started = time.perf_counter()
    made = dict.fromkeys(TABLES, mark)
    _, total, took = do(
        run, recipe, STEP, made, list(TABLES), how, lambda job: contextlib.nullcontext(), FILES
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
    run.save()  # with a manifest it is a run's folder, whatever stops us now
    links = frontier.start(crawl)
    at = frontier.part_of(links)
    made = []
    for number in range(PARTS):
        old = tables.part(run, number)
        new = links.filter(pa.array(at == number))
        merged = frontier.merge(old, OUTCOMES.empty_table(), new, crawl)
        if URLS in run.manifest.tables and merged.num_rows == old.num_rows:
            made.append(run.table(URLS).parts[number])
        else:  # under a name of its own, as what was there stays
            name = f"part-{number:05d}-{secrets.token_hex(4)}"
            made.append(tables.write(run, URLS, name, merged))
    run.manifest.tables[URLS] = Table(mark, tuple(made))
    run.manifest.tables.setdefault(HOSTS_, Table(mark, ()))
    run.save()
    run.sweep([URLS])


def live(run: Run) -> Live:
    """How the round goes, over all its tasks."""
    total, reasons = Counter[str](), Counter[str]()
    for name in run.folder.list("work/crawl"):
        if "/live-" in name:
            each = orjson.loads(run.folder.read(name))
            reasons.update(each.pop("reasons"))
            total.update(each)
    return Live(**total, reasons=reasons)
