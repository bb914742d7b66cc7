"""What a person sees of a run: a bar a step (lines where no terminal is), then a table."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.crawl import view
from pipelines.engine.doing import looking
from pipelines.engine.step import Step
from pipelines.readers import pagerows
from pipelines.recipe import Recipe
from pipelines.runs import Run
from pipelines.runs.stores import is_remote
from pipelines.runs.tables import DATASET, PAIRS_TABLE, marked
from pipelines.steps import decide, edited, fit, languages
from pipelines.steps.dedup.recall import measured, wilson
from pipelines.steps.select import rank
from pipelines.units import say_share, say_size

Count = Callable[[], tuple[int, int]]
"""(Tasks done, tasks planned)."""

LOOK = 0.2  # seconds between two looks at a bar
LOSSES = 3  # that a summary tells, and kinds of edits
MARKUP = 0.1  # of documents that begin as a page does, above which a summary tells


def bars(console: Console) -> Progress:
    """Bars with what is done, what is planned, and the time it took; none but on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    quiet = not console.is_terminal
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet)


class Watch:
    """A progress bar for each step, or a line when it begins and one when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextlib.contextmanager
    def __call__(self, step: Step, count: Count) -> Iterator[None]:
        """Show a step until the block ends."""
        label = f"{step.name:<8} {step.tells:<20}"
        if not self.console.is_terminal:
            self.console.print(f"{label} begins")
            yield
            self.console.print(f"{label} {count()[0]} of {count()[1]} tasks done")
            return
        with bars(self.console) as progress:
            bar = progress.add_task(label, total=None)

            def look() -> None:
                with contextlib.suppress(OSError):  # of a store that is away; the step says so
                    done, planned = count()
                    progress.update(bar, completed=done, total=planned)

            look()
            try:
                with looking(look, LOOK):
                    yield
            finally:
                look()


def dropped(run: Run) -> dict[str, int]:
    """Documents by the reason that dropped them."""
    counts = run.manifest.steps.get("decide", {}).get("counts", {})
    return marked(counts, "dropped: ")


def figures(run: Run) -> dict[str, object]:
    """What a run did, for programs: counts, seconds and places."""
    steps = run.manifest.steps
    decided = steps.get("decide", {}).get("counts", {})
    tables = run.manifest.tables
    return {
        "documents": tables["documents"].rows,
        "kept": decided.get("kept", 0),
        "dropped": dropped(run),
        "dead": {name: letters.rows for name, letters in run.dead().items()},
        "tokens": decided.get("tokens", 0),
        "tokens_estimated": True,
        "steps": steps,
        "run": run.folder.path,
        "dataset": run.folder.at(DATASET),
    }


def summary(run: Run, recipe: Recipe, console: Console) -> None:
    """Documents in, dropped by reason, kept; tokens, seconds, and where things are."""
    steps = run.manifest.steps
    decided, ingested = steps["decide"]["counts"], steps["ingest"]["counts"]
    rows = run.table("documents").rows
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_column(style="dim")
    if "crawl" in steps:
        now = view.figures(run)
        table.add_row(f"{now['pages']:,}", "pages fetched", view.brief(now))
    table.add_row(f"{rows:,}", "documents in", f"{say_size(ingested.get('bytes', 0))} of files")
    for reason, count in sorted(dropped(run).items(), key=lambda pair: (-pair[1], pair[0])):
        table.add_row(f"-{count:,}", f"  {reason}", f"{count / rows:.1%}")
    kept = decided.get("kept", 0)
    table.add_row(f"{kept:,}", "documents kept", f"{kept / rows:.1%}", style="bold")
    table.add_row(f"{decided.get('tokens', 0):,}", "tokens", "estimated")
    for row in _found(run, recipe):
        table.add_row(*row)
    if dead := sum(letters.rows for letters in run.dead().values()):
        table.add_row(f"{dead:,}", "dead letters", f"see {place(run, 'dead')}")
    table.add_row(f"{sum(s['seconds'] for s in steps.values()):,.1f}", "seconds", _slowest(run))
    console.print()
    console.print(table, markup=False)
    console.print()
    console.print(f"dataset  {place(run, 'dataset')}", markup=False, soft_wrap=True)
    console.print(f"run      {place(run)}", markup=False, soft_wrap=True)
    for said in _remarks(run, recipe):
        console.print(f"\n{said}")


def _remarks(run: Run, recipe: Recipe) -> Iterator[str]:
    """What a user may want to change."""
    decided, ingested = (run.manifest.steps[name]["counts"] for name in ("decide", "ingest"))
    kept, pages = decided.get("kept"), ingested.get(pagerows.LIKELY, 0)
    empty = [s for s in recipe.publish.splits if not decided.get(f"bytes: {s}")]
    if kept and empty:
        yield (
            f"[yellow]No document fell into {', '.join(empty)}[/]: whole sites are drawn, "
            "and there are few; another seed draws them anew."
        )
    if pages > MARKUP * run.table("documents").rows:
        yield (
            f"[yellow]{pages:,} texts look like HTML[/] and were taken as they are: "
            'extract = "karez" beside their paths takes the main text.'
        )
    yield from _budgets(run, recipe)
    for loss in languages.losses(languages.listed(decided), recipe)[:LOSSES]:
        share, others = say_share(loss.share), say_share(loss.others)
        reason = escape(loss.reason)
        own = 'per = "language" gives each a budget of its own.'
        advice = own if loss.reason == decide.LEFT else "is the rule made for that language?"
        yield (
            f"[yellow]{reason} drops {share} of {loss.language}[/], "
            f"{others} of the others: {advice}"
        )
    if not kept:
        yield (
            "[bold red]Nothing was kept.[/] Every document was dropped, for the reasons above; "
            "loosen the rules in the recipe and run again: only what changed is done anew."
        )


def _budgets(run: Run, recipe: Recipe) -> Iterator[str]:
    """Which budgets are more than there was."""
    for number, select in enumerate(recipe.select):
        name = rank.named("select", number)
        counts = run.manifest.steps[name]["counts"]
        wanted, offered = counts.get("wanted", 0), counts.get("offered", 0)
        if select.budget is not None and wanted > offered:
            yield (
                f"[yellow]{name} has a budget of {wanted:,} tokens[/], {offered:,} are left for "
                "it: all are taken."
            )


def place(run: Run, name: str = "") -> str:
    """The path of something in the run folder, as short as it can be typed from here."""
    if is_remote(run.folder.path):
        return run.folder.at(name).rstrip("/")
    path = Path(run.folder.at(name))
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _found(run: Run, recipe: Recipe) -> Iterator[list[str]]:
    """Images, edits, and what was measured of duplicates and models, as far as there are any."""
    if PAIRS_TABLE in run.manifest.tables:
        yield [f"{run.table(PAIRS_TABLE).rows:,}", "pairs", "images with what is said of them"]
    if made := edited.listed(run.manifest.steps):
        said = ", ".join(f"{each.reason} {each.times:,}" for each in made[:LOSSES])
        yield [f"{sum(each.times for each in made):,}", "edits", said]
    found = measured(run, recipe)
    if found is not None and found.above.whole:
        low, high = map(say_share, found.above.interval)
        pairs = f"{low} to {high}, from {found.above.whole:,} pairs"
        yield [say_share(found.above.value), "of near-duplicates found", pairs]
    for each in fit.listed(run, recipe):
        low, high = map(say_share, wilson(each.right / each.all, each.all))
        said = f"{low} to {high}, of {each.all:,} held out"
        yield [say_share(each.right / each.all), f"of {each.name} samples right", said]


def _slowest(run: Run) -> str:
    times = sorted(((s["seconds"], name) for name, s in run.manifest.steps.items()), reverse=True)
    return ", ".join(f"{name} {seconds:.1f}" for seconds, name in times[:3])
