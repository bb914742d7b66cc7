"""The recipe of a run with one rule left out at a time, each a run of its own by its side."""

import contextlib
import io
import re
from hashlib import blake2b
from pathlib import Path

from rich.console import Console

from pipelines.commands import run as command
from pipelines.commands import written
from pipelines.errors import RecipeError
from pipelines.prove import PLACE
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected
from pipelines.recipe.text import rebased
from pipelines.runs import Run


def runs(run: Run, recipe: Recipe, console: Console) -> dict[str, Run]:
    """Each rule's name with the run that goes without it; what stands is not done again.

    Raises:
        RecipeError: if there is no rule.
    """
    if not recipe.rules:
        raise RecipeError(f"{run.folder.path}: its recipe has no rule to leave out")
    text = run.folder.read("recipe.toml").decode("utf-8-sig")
    made = {}
    for rule in recipe.rules:
        place = Path(run.folder.at(f"{PLACE}/{slug(rule)}"))
        file = place.with_suffix(".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rebased(written.written(text, selected(recipe), rule), recipe.base))
        console.print(f"\nwithout {rule}", highlight=False, markup=False)
        asked = command.Asked([file], str(place), run.folder.path, as_json=True)
        with contextlib.redirect_stdout(io.StringIO()):  # its figures; its bars are seen
            command.run(asked)
        made[rule] = Run(place)
    return made


def slug(rule: str) -> str:
    """A name for a folder: the rule's, as far as it can be one, and a hash of it."""
    mark = blake2b(rule.encode(), digest_size=4).hexdigest()
    return f"without-{re.sub(r'[^A-Za-z0-9]+', '-', rule)[:40]}-{mark}"
