"""Prove: whether what a run publishes teaches more a token, told by small models.

Each arm trains models of one size on equal tokens, one for each seed; held-out bits per byte are
measured on the way.  What is learned of an arm is kept in the run folder under a fingerprint of all
that decides it, so that a rerun, or one more arm, trains only what is new.  No text is kept there.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipelines.errors import RecipeError
from pipelines.prove import PROOF, view
from pipelines.prove.arms import RUN, of_path, of_published, the_three
from pipelines.prove.figures import SeedCurves, figures, verdicts
from pipelines.prove.jobs import Ready, jobs, name_of, prepared, watched
from pipelines.prove.sets import Set, gathered
from pipelines.recipe.text import of_run
from pipelines.runs import Run, stores
from pipelines.trainer.shards import published
from pipelines.trainer.sizes import SIZES, Size


@dataclass(frozen=True)
class Asked:
    """What was said on the command line of `prove`."""

    folder: str
    target: Sequence[Path] = ()
    general: Sequence[Path] = ()
    against: Sequence[Path] = ()
    without_each_rule: bool = False
    tokens: int | None = None
    seeds: int = 3
    size: str = "cpu"
    as_json: bool = False


def command(asked: Asked) -> None:
    """Train what is not trained yet, and print the figures.

    Raises:
        RecipeError: if the folder is no run that published something, or something asked for is
            wrong or missing.
        RunError: if a training fails.
    """
    console = Console(stderr=asked.as_json)
    size = ready(asked)
    with Run(asked.folder).lock() as run:
        recipe = of_run(run.folder)
        published(run, recipe.publish.train)
        sets = gathered(run, recipe, asked.target, asked.general, size.held_out)
        arms = the_three(run, recipe)
        arms += [of_path(path) for path in dict.fromkeys(asked.against)]
        if asked.without_each_rule:
            from pipelines.prove import without  # and all that a run needs

            runs = without.runs(run, recipe, console)
            arms += [of_published(f"without {rule}", other) for rule, other in runs.items()]
        with tempfile.TemporaryDirectory(prefix="karez-prove-") as place:
            every = prepared(run, arms, sets, size, asked.tokens, Path(place))
            models = jobs(run, every, sets, size, asked.seeds)
            made = watched(models, size, console)
        proof = report(every.arms, sets, made, asked, every.steps * size.batch * size.length)
        run.folder.write_json(PROOF, proof)
    if asked.as_json:
        click.echo(json.dumps(proof, indent=1))
    else:
        view.show(proof, console)


def ready(asked: Asked) -> Size:
    """What models are to be like.

    Raises:
        RecipeError: if it cannot be done here, or the folder is no run.
    """
    for name in ("torch", "tokenizers"):
        if find_spec(name) is None:
            raise RecipeError(f"prove needs {name}: pip install 'karez[train]'")
    if stores.is_remote(asked.folder):
        raise RecipeError(f"{asked.folder}: prove wants a run on this machine")
    Run.opened(asked.folder)
    size = SIZES[asked.size]
    if size.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise RecipeError(f"--size {asked.size}: no GPU is here; leave it out, or take cpu")
    return size


def report(
    every: Sequence[Ready], sets: Sequence[Set], made: Mapping[str, Any], asked: Asked, count: int
) -> dict[str, Any]:
    """The proof, as JSON, from what came of each job; every model learned from `count` tokens."""
    curves = {
        each.name: {one.arm.name: _curves(made, one, asked.seeds, each.name) for one in every}
        for each in sets
    }
    of = {name: figures(mine) for name, mine in curves.items()}
    return {
        "size": asked.size,
        "tokens": count,
        "seeds": asked.seeds,
        "run_of_words": RUN,
        "sets": {
            each.name: {"documents": each.documents, "bytes": each.size, "from": each.told}
            for each in sets
        },
        "arms": {one.arm.name: one.about(count) for one in every},
        "figures": {
            name: {arm: asdict(mine) for arm, mine in found.items()} for name, found in of.items()
        },
        "verdicts": [asdict(each) for each in verdicts(of)],
        "curves": curves,
        "seconds": sum(each["seconds"] for each in made.values()),
    }


def _curves(made: Mapping[str, Any], one: Ready, seeds: int, name: str) -> SeedCurves:
    """What one set says of an arm along the way, one curve a seed."""
    models = (made[name_of(one.arm.name, seed)] for seed in range(seeds))
    return [[(p["tokens"], p["bits"][name]) for p in model["points"]] for model in models]
