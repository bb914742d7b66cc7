"""Held-out texts that a proof measures on: of the target domain, and general ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.errors import RecipeError
from pipelines.prove.arms import given
from pipelines.prove.pieces import pieces
from pipelines.recipe import Recipe
from pipelines.runs import Run
from pipelines.trainer.shards import published, splits

LEAST = 10  # documents of a set, and pieces that are measured
DRAW = 0  # seed: the same texts whatever else is asked
TARGET, GENERAL = "target", "general"


@dataclass(frozen=True)
class Set:
    """Held-out texts.

    Attributes:
        texts: pieces that are measured.
        documents: that pieces were drawn from.
        told: where they come from.
    """

    name: str
    texts: tuple[str, ...]
    documents: int
    told: str

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(text.encode()) for text in self.texts)


def gathered(
    run: Run, recipe: Recipe, target: Sequence[Path], general: Sequence[Path], size: int
) -> list[Set]:
    """The sets of a proof, from files of clean texts, of so many bytes at most.

    Without target files there is no such set; without general ones what the run held out is taken.

    Raises:
        RecipeError: if there are too few texts.
    """
    sets = [_set(TARGET, given(target), _said(target), size)] if target else []
    if general:
        return [*sets, _set(GENERAL, given(general), _said(general), size)]
    names = [name for name in splits(run) if name != recipe.publish.train]
    texts = [text for name in names for text in published(run, name)["text"].to_pylist()]
    if len(texts) < LEAST and sets:
        return sets
    if not texts:
        raise RecipeError(
            f"{run.folder.path}: held nothing out; name held-out texts with --target or --general"
        )
    said = f"what the run held out: {' and '.join(names)}"
    return [*sets, _set(GENERAL, texts, said, size)]


def _said(paths: Sequence[Path]) -> str:
    return " ".join(map(str, paths))


def _set(name: str, texts: Iterable[str], told: str, size: int) -> Set:
    """Pieces of the texts, drawn so that the same ones give the same set."""
    documents = list(dict.fromkeys(text for text in texts if text.strip()))
    if len(documents) < LEAST:
        held = f"{len(documents)} document{'s' * (len(documents) != 1)}"
        raise RecipeError(f"{name} ({told}): holds {held}, want {LEAST} at least to measure on")
    every = list(dict.fromkeys(filter(str.strip, pieces(documents))))
    order = np.random.default_rng(DRAW).permutation(len(every))
    chosen: list[str] = []
    left = size
    for number in order.tolist():
        left -= len(every[number].encode())
        if left < 0 and len(chosen) >= LEAST:
            break
        chosen.append(every[number])
    return Set(name, tuple(chosen), len(documents), told)
