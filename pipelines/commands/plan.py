"""What a recipe will do, before it does it: what is read, measured, exchanged, written and held.

Where a run folder is there, its own figures are used; else text and documents are estimated from
the size of the files, by rates measured on the sample that ships, and every figure says "about".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from math import ceil
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from pipelines import sql
from pipelines.commands import price
from pipelines.commands import run as command
from pipelines.engine import limits
from pipelines.engine.corpus import Corpus
from pipelines.recipe import FILES, SHUFFLE, Recipe
from pipelines.recipe.crawl import Crawl
from pipelines.recipe.given import Given
from pipelines.recipe.measures import Scan
from pipelines.runs import Run, parts
from pipelines.runs.stores import reached
from pipelines.steps import holdings, ingest, order, sources
from pipelines.steps.dedup import against
from pipelines.steps.dedup.recall import theory
from pipelines.units import say_share, say_size

TEXT = {"warc": 0.9, "wet": 2.5, "html": 0.2}
"""Bytes of text for a byte of a file; of other kinds 1, and 3 where it is packed."""

PAGE = 20_000  # bytes of a page that is fetched
DOCUMENT = 3500  # bytes of text in a document
STORED = 0.35  # bytes on disk for a byte of text in documents/, zstd
COLUMNS = {"paragraphs": 0.06, "edits": 0.01, "minhash": 0.065}  # bytes on disk for a byte of text
COLUMN = 8  # bytes on disk for a document and a column
SIMILAR = (0.7, 0.8, 0.9)  # similarities for which is said what dedup finds
EXCHANGE = f"by {FILES} on one machine, by {SHUFFLE} on a cluster, unless exchange says otherwise"


def command_plan(recipe: Path, folder: str | None, prices: Path | None, as_json: bool) -> None:
    """Check a recipe and print what it will do; and what it takes at three sizes, for prices.

    Raises:
        RecipeError: if it is wrong, or the file of prices is.
    """
    console = Console(stderr=as_json, highlight=False)
    costs = price.read(prices) if prices else None
    _, value, scan, given = command.read([recipe], None, console)
    run = Run(reached(folder or Path("runs", value.name)))
    planned = plan(value, scan, run, given)
    if costs is not None:
        planned["price"] = priced(value, scan, planned, costs)
    if as_json:
        click.echo(json.dumps(planned, indent=1, ensure_ascii=False))
    else:
        show(planned, console)


def plan(recipe: Recipe, scan: Scan, run: Run, given: Sequence[Given]) -> dict[str, Any]:
    """All that is known beforehand, ready for JSON."""
    every = sources.of(run, recipe)
    listed = [_source(s.kind, sources.files(s, recipe.base)) for s in every]
    if recipe.crawl is not None and len(every) == len(recipe.source):
        listed.append(_crawl(recipe.crawl))
    known = "documents" in run.manifest.tables
    corpus = Corpus.of(run) if known else _estimated(run, recipe, listed)
    text, documents = sum(source["text"] for source in listed), corpus.documents
    files = sum(source["files"] for source in listed)
    return {
        "name": recipe.name,
        "estimated": not known,
        "sources": listed,
        "documents": documents,
        "measures": {n: [*map(str, m.columns.names)] for n, m in scan.measures.items()},
        "given": [asdict(each) for each in given],
        "edits": [*scan.edits, *scan.across],
        "rules": [
            {"rule": name, "sql": rule, "columns": list(sql.columns(rule, f"[rules] {name}"))}
            for name, rule in recipe.rules.items()
        ],
        "publish": asdict(recipe.publish),
        "exchanged": {
            step.name: step.exchanged(replace(corpus, text=text))
            for step in order.wanted(recipe)
            if any(step.exchanges)
        },
        "exchange": f"by {recipe.exchange}, everywhere" if recipe.exchange else EXCHANGE,
        "finds": _finds(recipe),
        "written": _written(scan, text, documents),
        "memory": limits.worker(),
        "limit": recipe.limit.memory,
        "holds": list(_holds(recipe, corpus.after(against.runs(recipe)), files)),
        "sealed": sealed(recipe, run),
    }


def priced(
    recipe: Recipe, scan: Scan, planned: Mapping[str, Any], costs: price.Prices
) -> dict[str, Any]:
    """What a recipe takes and costs on more text of the same kind, ready for JSON."""
    text = sum(source["text"] for source in planned["sources"])
    document = text / planned["documents"] if text and planned["documents"] else DOCUMENT
    sizes = {name: price.at(recipe, scan, size, document) for name, size in price.PLACES.items()}
    for taken in sizes.values():
        taken["written"] = _written(scan, taken["text"], int(taken["text"] / document))
        taken["money"] = price.money(taken, sum(taken["written"].values()), costs)
    known = price.coefficients()
    return {
        "sizes": sizes,
        "uncounted": price.uncounted(recipe, scan),
        "measured": f"{known['date']} on {known['machine']}",
        **{name: getattr(costs, name) for name in ("currency", "date", "source")},
    }


def _source(kind: str, files: list[sources.File]) -> dict[str, Any]:
    packed = sum(f.size for f in files if f.name.endswith((".gz", ".zst")))
    size = sum(f.size for f in files)
    rate = TEXT.get(kind, 1 + 2 * packed / max(1, size))
    return {"kind": kind, "files": len(files), "bytes": size, "text": int(rate * size)}


def _crawl(crawl: Crawl) -> dict[str, Any]:
    """What a crawl brings that has not begun, at most."""
    return {
        "kind": "crawl",
        "files": 0,
        "bytes": crawl.pages * PAGE,
        "text": crawl.pages * DOCUMENT,
        "start": list(crawl.start),
        "pages": crawl.pages,
        "scope": crawl.scope,
        "delay": crawl.delay,
    }


def _estimated(run: Run, recipe: Recipe, sources: Sequence[Mapping[str, Any]]) -> Corpus:
    """What the sources will come to."""
    count = 0
    for task in ingest.plan(run, recipe).tasks:
        source = sources[task["source"]]
        rate = source["text"] / max(1, source["bytes"])
        count += max(1, ceil(rate * sum(size for *_, size in task["files"]) / parts.PART))
    text = sum(source["text"] for source in sources)
    return Corpus(text // DOCUMENT, text, count)


def _holds(recipe: Recipe, corpus: Corpus, files: int) -> Iterator[dict[str, Any]]:
    for step in order.wanted(recipe):
        for each in holdings.holdings(step, recipe, corpus, files):
            most = each.most(recipe.limit.memory)
            yield {"step": step.name, **asdict(each), "most": most}


def _written(scan: Scan, text: int, documents: int) -> dict[str, int]:
    count = sum(len(m.columns) for n, m in scan.measures.items() if n not in COLUMNS)
    wide = sum(COLUMNS[n] for n in ("edits", *scan.measures) if n in COLUMNS)
    columns = int(wide * text) + COLUMN * count * documents
    return {"documents": int(STORED * text), "columns": columns, "dataset": text}


def _finds(recipe: Recipe) -> list[dict[str, float]]:
    """Of pairs of some similarities the share that shares a band, and that is confirmed too."""
    if recipe.dedup is None:
        return []
    expects = theory(recipe, recipe.dedup)
    return [
        {"similarity": j, "meet": expects.shared(j), "found": expects.found(j)} for j in SIMILAR
    ]


def sealed(recipe: Recipe, run: Run) -> list[str]:
    """The steps that stand as they are in the run folder."""
    done: list[str] = []
    for step in order.STEPS:
        if not done and step.name not in run.manifest.steps:
            break
        tables = step.made(run, recipe)
        if run.stale(tables):
            break
        done += [step.name] if tables else []
    return done


def _given(given: Mapping[str, Any]) -> str:
    lost = f"; {given['unusable']:,} cannot be found: {given['why']}" if given["unusable"] else ""
    return f"{given['measure']}: {len(given['files']):,} files, {given['rows']:,} rows{lost}"


def _limits(planned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is held beside, each thing once with the steps that hold it."""
    steps: dict[str, list[str]] = {}
    for held in planned["holds"]:
        about = "" if held["count"] is None else f"about {held['count']:,}, "
        said = f"{held['what']}: {about}up to {held['most']:,}"
        steps.setdefault(said, []).append(held["step"])
    for said, names in steps.items():
        who = "every step" if len(names) == len({h["step"] for h in planned["holds"]}) else None
        yield "limits", f"{who or ', '.join(names)}: {said}"
    yield "", f"a process holds at most {say_size(planned['limit'])} of each: [limit] memory"


def _read(source: Mapping[str, Any]) -> tuple[str, str]:
    """What is read, or fetched, for a person."""
    if "pages" not in source:
        size = f"{source['files']:,} files, {say_size(source['bytes'])}"
        return "reads", f"{source['kind']}: {size}, about {say_size(source['text'])} of text"
    first, *more = source["start"]
    start = f"{first} and {len(more):,} more" if more else first
    return "fetches", (
        f"at most {source['pages']:,} pages from {start} on, scope {source['scope']}, "
        f"{source['delay']:g} s between two requests to a host; with robots.txt"
    )


def show(planned: dict[str, Any], console: Console) -> None:
    """The plan for a person."""
    about = "about " if planned["estimated"] else ""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for source in planned["sources"]:
        grid.add_row(*_read(source))
    grid.add_row("documents", f"{about}{planned['documents']:,}")
    for name, columns in planned["measures"].items():
        grid.add_row("measures", f"{name}: {', '.join(columns)}")
    for each in planned["given"]:
        grid.add_row("given", _given(each))
    grid.add_row("edits", ", ".join(planned["edits"]) or "none")
    for rule in planned["rules"]:
        grid.add_row("drops", escape(f"{rule['rule']}: {rule['sql']}"))
    confirms = ("finds", "meet", "by a shared band"), ("confirms", "found", "of all")
    for name, share, how in confirms if planned["finds"] else ():
        each = [f"{f['similarity']:g}: {say_share(f[share])}" for f in planned["finds"]]
        grid.add_row(name, f"pairs of similarity {', '.join(each)}, {how}")
    *narrow, (last, size) = planned["exchanged"].items()
    said = [f"{name} about {say_size(some)}" for name, some in narrow if some]
    grid.add_row("exchanges", ", ".join([*said, f"{last} at most {say_size(size)}"]))
    grid.add_row("", planned["exchange"])
    written = ", ".join(f"{k} about {say_size(v)}" for k, v in planned["written"].items())
    grid.add_row("writes", written)
    grid.add_row("holds", f"at most about {say_size(planned['memory'])} of memory a worker")
    for what, line in (*_limits(planned), *price.lines(planned.get("price"))):
        grid.add_row(what, escape(line))
    grid.add_row("done", ", ".join(planned["sealed"]) or "nothing yet")
    console.print(grid)
