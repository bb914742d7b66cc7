"""What the commands do, once their arguments are read."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines import execute, rules, show
from pipelines.compiling import compile_kernels
from pipelines.default import default
from pipelines.errors import RecipeError
from pipelines.recipe import parse, rebased
from pipelines.runs import Run


def run_paths(paths: Sequence[Path], folder: str | None, beam: Sequence[str]) -> None:
    """Run a recipe, or a default one over some files, and print what came of it.

    Raises:
        KarezError: if the recipe is wrong, or the run failed or passed a limit.
    """
    console = Console()
    recipes = [path for path in paths if path.suffix == ".toml"]
    if recipes and len(paths) > 1:
        raise RecipeError(f"{recipes[0]}: a recipe runs alone; name its files in its [[source]]")
    if recipes:
        text = _text(recipes[0])
        recipe = parse(text, recipes[0])
    else:
        text = default(paths, console)
        recipe = parse(text, Path("recipe.toml"))
    try:
        scan = rules.check(recipe)
    except RecipeError as error:
        raise RecipeError(f"{recipes[0] if recipes else 'recipe'} {error}") from error
    run = Run(folder or Path("runs", recipe.name))
    with run.lock():
        run = Run(run.folder.path)  # what another command sealed while we waited
        base = os.path.relpath(recipe.base, run.folder.path)
        run.folder.write("recipe.toml", rebased(text, base).encode())
        execute.execute(
            run,
            recipe,
            beam,
            show.Watch(console),
            ready=lambda: compile_kernels(recipe, scan, console),
        )
        show.summary(run, recipe, console)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
