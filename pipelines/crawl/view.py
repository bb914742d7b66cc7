"""What a person sees of a crawl: how it goes, and what came of it."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
from rich.console import Console
from rich.live import Live as Screen
from rich.table import Table as Grid

from pipelines.crawl import tables, told
from pipelines.crawl.fetch import Live
from pipelines.crawl.frontier import Now
from pipelines.engine.doing import looking
from pipelines.recipe import Recipe
from pipelines.runs import Run
from pipelines.units import say_size

EVERY = 0.5  # seconds between two looks
LINES = 10.0  # seconds between two lines where no terminal is
SHOWN = 8  # reasons that are told while it goes
FAULTS = 3  # reasons that are told beside what else a run did


@contextlib.contextmanager
def follow(console: Console, look: Callable[[], Live]) -> Iterator[None]:
    """Show how a crawl goes, until the block ends: a table that changes, or a line now and then."""
    began, terminal = time.monotonic(), console.is_terminal
    screen = Screen(console=console, auto_refresh=False, transient=True)

    def tell() -> None:
        now = look()
        if terminal:
            screen.update(table(now, time.monotonic() - began), refresh=True)
        else:
            console.print(line(now), highlight=False)

    shown = screen if terminal else contextlib.nullcontext()
    with shown, looking(tell, EVERY if terminal else LINES):
        yield


def brief(now: Mapping[str, Any]) -> str:
    """What a crawl came to beside its pages, in a line."""
    said = [f"{reason} {count:,}" for reason, count in now["faults"].most_common(FAULTS)]
    return ", ".join([f"of {now['hosts']:,} host{'s' * (now['hosts'] != 1)}", *said])


def line(now: Live) -> str:
    """How it goes, in a line."""
    return (
        f"crawl    {now.pages:,} pages, {say_size(now.bytes)}, {now.hosts:,} hosts; "
        f"{now.queued:,} queued, {now.waiting:,} hosts wait their turn"
    )


def table(now: Live, seconds: float) -> Grid:
    """How it goes, with what went wrong."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(justify="right")
    grid.add_column()
    grid.add_row(f"{now.pages:,}", f"pages this round, {say_size(now.bytes)}, {seconds:,.0f} s")
    grid.add_row(f"{now.hosts:,}", f"hosts, of which {now.waiting:,} wait their turn")
    grid.add_row(f"{now.queued:,}", f"URLs queued, {now.flying:,} under way")
    for reason, count in now.reasons.most_common(SHOWN):
        if reason != "fetched":
            style = "dim" if reason in told.GOOD else ""
            grid.add_row(f"{count:,}", f"  {reason}", style=style)
    return grid


def figures(run: Run) -> dict[str, Any]:
    """What a crawl came to, for programs."""
    now = int(time.time())
    known = tables.survey(run, Now(now, now))
    step = run.manifest.steps.get("crawl", {"counts": {}, "seconds": 0.0})
    return {
        "rounds": run.manifest.facts.get("crawl", {}).get("round", 0),
        "pages": known["fetched"],
        "hosts": known["hosts"],
        "bytes": step["counts"].get("bytes", 0),
        "waiting": known.get("waiting", 0),
        "first": known["first"],
        "reasons": told.reasons(run.manifest.steps),
        "faults": told.faults(run.manifest.steps),
        "seconds": step["seconds"],
    }


def summary(run: Run, recipe: Recipe, console: Console, as_json: bool) -> None:
    """Pages, hosts, bytes; what went wrong; what is left."""
    now = figures(run)
    if as_json:
        click.echo(json.dumps(now, indent=1))
        return
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(justify="right")
    grid.add_column()
    grid.add_column(style="dim")
    grid.add_row(f"{now['pages']:,}", "pages", say_size(now["bytes"]), style="bold")
    grid.add_row(f"{now['hosts']:,}", "hosts", f"{now['rounds']} rounds")
    for reason, count in now["reasons"].most_common():
        if reason != "fetched":
            grid.add_row(f"{count:,}", f"  {reason}")
    grid.add_row(f"{now['waiting']:,}", "URLs left", _left(now, recipe))
    grid.add_row(f"{now['seconds']:,.1f}", "seconds")
    console.print(grid, highlight=False)
    if not now["pages"]:
        console.print("\n[bold red]No page was fetched[/], for the reasons above.")


def _left(now: dict[str, Any], recipe: Recipe) -> str:
    """Why URLs are left."""
    if not now["waiting"] or recipe.crawl is None:
        return ""
    if now["pages"] >= recipe.crawl.pages:
        return "raise pages in the recipe, and run again"
    return "some must be asked again later: run again"
