"""The files of the sources: found, named, listed; nothing is read of them here."""

from pathlib import Path
from typing import NamedTuple

from pipelines.errors import RecipeError
from pipelines.readers import indexed, paths, ranges, warcs
from pipelines.recipe import Recipe, Source
from pipelines.runs import Run

REMOTE = 1_000_000_000  # bytes of a file on a server, about: nobody asks for each


class File(NamedTuple):
    """A file to read."""

    name: str  # relative to its source's root
    path: str
    size: int
    changed: int  # ns, of the last change


def of(run: Run, recipe: Recipe) -> list[Source]:
    """What is read: the sources of the recipe, and the WARC files of its crawl, if it has any."""
    crawl = recipe.crawl
    if crawl is None or not run.folder.list("warc"):
        return list(recipe.source)
    warc = Source("warc", (run.folder.at("warc"),), extract=crawl.extract)
    return [*recipe.source, warc]


def files(source: Source, base: str) -> list[File]:
    """All files of a source, by name; a folder of kind "hf" stands for its data files.

    A list of kind "warc" stands for the files that it names; an index for itself.

    Raises:
        RecipeError: if a path or a pattern names no file, or an index is none.
    """
    left_out = {str(p) for path in source.exclude for _, p in paths.matches(Path(base), path)}
    found: dict[str, File] = {}
    for path in source.paths + source.index:
        here = [f for f in _found(source, Path(base), path) if str(f[1]) not in left_out]
        if not here:
            where = paths.readable(str(Path(base) / path))
            raise RecipeError(f"[[source]] {source.kind}: {where}: no such file")
        for name, file in here:
            if source.index:
                indexed.check(file, source.where)
            is_list = source.kind == "warc" and warcs.is_list(file.name)
            each = _listed(file, source, base) if is_list else [_file(name, file)]
            found |= {one.path: one for one in each}
    return sorted(found.values())


def _file(name: str, path: Path) -> File:
    try:
        stat = path.stat()
        state = stat.st_size, stat.st_mtime_ns
    except OSError:  # it becomes a dead letter when it is read
        state = 0, 0
    return File(paths.readable(name), str(path), *state)


def _listed(path: Path, source: Source, base: str) -> list[File]:
    """The files that a list names; those of a server are known by name alone."""
    root = warcs.root(source.root, base)
    if ranges.is_remote(root):
        return [File(n, f"{root.rstrip('/')}/{n}", REMOTE, 0) for n in warcs.named(path)]
    return [_file(name, Path(root, name)) for name in warcs.named(path)]


def _found(source: Source, base: Path, path: str) -> paths.Found:
    if source.kind == "hf":
        from pipelines.readers import hf

        return hf.files(base / path, source.config, source.split)
    return paths.matches(base, path)
