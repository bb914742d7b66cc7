"""What `karez run` does, once its arguments are read."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from pipelines import execute
from pipelines.commands import show
from pipelines.commands.compiling import compile_kernels
from pipelines.commands.default import default
from pipelines.crawl import rounds, step, view
from pipelines.errors import RecipeError, nearest
from pipelines.recipe import Recipe, given
from pipelines.recipe.measures import Scan
from pipelines.recipe.text import exchanged, limited, parse, read_text, rebased
from pipelines.runs import Run
from pipelines.runs.stores import is_remote, reached
from pipelines.steps import order, rules, sources
from pipelines.steps.dedup import against

PASSING = re.compile(r"(?m)^(base|first|exchange) = .*\n")
"""Lines of a recipe that say where and how it ran."""


@dataclass(frozen=True)
class Asked:
    """What was said on the command line of `run`."""

    paths: Sequence[Path]
    folder: str | None = None
    other: str | None = None
    limit: int | None = None
    only: str | None = None
    workers: int = 1
    exchange: str | None = None
    as_json: bool = False
    beam: Sequence[str] = ()


def read(
    paths: Sequence[Path], limit: int | None, console: Console, exchange: str | None = None
) -> tuple[str, Recipe, Scan, list[given.Given]]:
    """The recipe that was named, or the default one over some files.

    Returns:
        its text, its value, its measures, and what these are given in files.

    Raises:
        RecipeError: if it is wrong.
    """
    recipes = [path for path in paths if path.suffix == ".toml"]
    if recipes and len(paths) > 1:
        raise RecipeError(f"{recipes[0]}: a recipe runs alone; name its files in its [[source]]")
    path = recipes[0] if recipes else Path("recipe.toml")
    text = read_text(path) if recipes else default(paths, console)
    if limit is not None:
        text = limited(text, limit)
    if exchange is not None:
        text = exchanged(text, exchange)
    recipe = parse(text, path)
    try:
        scan = rules.check(recipe)
        against.runs(recipe)
        step.check(recipe)
        if any(given.asked(type(measure)) for measure in scan.measures.values()):
            compile_kernels(recipe, scan, console)  # the words of these files are counted
        return text, recipe, scan, given.given(scan.measures)
    except RecipeError as error:
        raise RecipeError(f"{path} {error}") from error


def run(asked: Asked) -> None:
    """Run a recipe, or a default one over some files, and print what came of it.

    What can be seen to be wrong beforehand is refused before a run folder is made.

    Raises:
        KarezError: if the recipe is wrong, or the run failed or passed a limit.
    """
    console = Console(stderr=asked.as_json, highlight=False)
    text, recipe, scan, _ = read(asked.paths, asked.limit, console, asked.exchange)
    known = [step.STEP.name, *(each.name for each in order.STEPS)]
    if asked.only is not None and asked.only not in known:
        raise RecipeError(f"--only {asked.only}: no such step; {nearest(asked.only, known)}")
    held = Run(reached(asked.folder or Path("runs", recipe.name)))
    against.refuse_itself(recipe, held.folder.path)
    if not any(path.suffix == ".toml" for path in asked.paths):
        keep_changed(held, text)
    other = Run(reached(asked.other)) if asked.other else None
    if other is not None:
        other.table("documents")
    elif "from" not in held.manifest.facts:
        for source in recipe.source:
            sources.files(source, recipe.base)
    with held.lock() as run:
        away = is_remote(run.folder.path)
        base = recipe.base if away else os.path.relpath(recipe.base, run.folder.path)
        run.folder.write("recipe.toml", rebased(text, base).encode())
        how = execute.How(
            beam_options(asked.workers, asked.beam),
            show.Watch(console),
            lambda look: view.follow(console, look),
            lambda: compile_kernels(recipe, scan, console),
            asked.only,
        )
        rounds.bring(run, recipe, how)
        if asked.only != step.STEP.name:
            execute.execute(run, recipe, how, other)
        tell(run, recipe, console, asked)


def keep_changed(run: Run, made: str) -> None:
    """Refuse to write a recipe that was made for files over one that says something else.

    Raises:
        RecipeError: with the command that runs what is there.
    """
    if not all(map(run.folder.exists, ("manifest.json", "recipe.toml"))):
        return
    there = run.folder.read("recipe.toml").decode("utf-8-sig", "replace")
    if PASSING.sub("", there) != PASSING.sub("", made):
        path, where = show.place(run, "recipe.toml"), show.place(run)
        raise RecipeError(
            f"{path}: was changed, or made for other files, and is kept: karez run {path} "
            f"--run {where} runs it; --run takes another folder for these files"
        )


def tell(run: Run, recipe: Recipe, console: Console, asked: Asked) -> None:
    """Print what came of a run, or of the steps of it that were asked for."""
    if asked.only == step.STEP.name:
        view.summary(run, recipe, console, asked.as_json)
    elif asked.as_json:
        click.echo(json.dumps(show.figures(run), indent=1))
    elif asked.only is None:
        show.summary(run, recipe, console)


def beam_options(workers: int, beam: Sequence[str]) -> list[str]:
    """Beam's options for so many worker processes on this machine, then the user's own."""
    if workers == 1:
        return list(beam)
    mode = "--direct_running_mode=multi_processing"
    return [mode, f"--direct_num_workers={workers}", *beam]
