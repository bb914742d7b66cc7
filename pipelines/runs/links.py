"""What no run puts into its folder: somebody's own files, and links that lead out of it.

A run writes into folders of its own, and deletes there what it does not know.  A link in their
place would have it do so elsewhere.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipelines.errors import RecipeError
from pipelines.runs.folders import Folder
from pipelines.runs.stores import is_remote


def refuse(folder: Folder, ours: Sequence[str]) -> None:
    """See that a folder is a run's, or may become one; `ours` is what a run writes there.

    Raises:
        RecipeError: if it is a file, somebody's own, or one of ours is a link, or holds one to a
            folder.
    """
    if not is_remote(folder.path):
        if Path(folder.path).is_file():
            raise RecipeError(f"{folder.path}: is a file; --run wants a folder")
        for path in _links(folder, ours):
            raise RecipeError(
                f"{path}: is a link to {Path(path).readlink()}, and a run stays in its folder; put "
                "there what it leads to, or take another --run folder"
            )
    if strange := _strange(folder):
        raise RecipeError(
            f"{folder.path}: is no run folder and holds {strange[0]}; "
            "take an empty one, or one that is not there yet"
        )


def linked(folder: Folder, names: Iterable[str]) -> Iterator[str]:
    """The paths of those of its files that are links."""
    if not is_remote(folder.path):
        yield from (at for name in names if os.path.islink(at := folder.at(name)))  # noqa: PTH114


def _links(folder: Folder, ours: Sequence[str]) -> Iterator[str]:
    """Links among these names, and those to folders at any depth below them."""
    for top in ours:
        path = folder.at(top)
        if os.path.islink(path):  # noqa: PTH114 (paths come in millions)
            yield path
        for where, names, _ in os.walk(path):
            yield from (at for name in names if os.path.islink(at := f"{where}/{name}"))  # noqa: PTH114


def _strange(folder: Folder) -> list[str]:
    """Names of files that no run put into a folder; hidden ones are nobody's business."""
    if folder.exists("manifest.json"):
        return []
    names = [name for name in folder.names() if not name.startswith(".")]
    begun = "lock" in names  # and cut off before there was a manifest
    return [n for n in names if not (begun and n in ("lock", "recipe.toml"))]
