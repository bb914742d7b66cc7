"""Finding files by paths and patterns, however oddly they are named.

A piece of a path that exists as it is written is taken literally, whatever stands in it: a folder
called ``a[b]`` needs no quoting.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from stat import S_ISREG

WILD = re.compile(r"[*?\[]")

Found = Iterator[tuple[str, Path]]
"""Files, each with its name relative to the root of the path or pattern that found it."""


def matches(base: Path, path: str) -> Found:
    """The file, the files of the folder, or the files that match the pattern.

    The root of a pattern is its part before the first wildcard, of a file its folder.
    """
    whole = base / path
    if not _can_be(whole):
        return
    if whole.is_file():
        yield whole.name, whole
        return
    pieces = whole.parts
    for i, piece in enumerate(pieces):
        if WILD.search(piece) and not Path(*pieces[: i + 1]).exists():
            yield from under(Path(*pieces[:i]), "/".join(pieces[i:]))
            return
    if whole.is_dir():
        yield from under(whole, "**/*")


def under(root: Path, pattern: str) -> Found:
    """Files that match, by their name relative to the root; hidden ones are left out.

    Links are followed, into every folder once.  Links to nowhere and folders that may not be read
    are among the files, so that their loss is noticed; ``**`` leaves out what `karez run` made.
    """
    if not root.is_dir():
        return
    pieces = pattern.split("/")
    deep = "**" in pieces
    seen = {_identity(root)}
    refused: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=refused.append, followlinks=True):
        above = Path(folder).relative_to(root).parts
        inner = [f for f in sorted(folders) if not f.startswith(".")] if deep else folders
        fresh = [Path(folder, f) for f in inner if deep or len(above) + 1 < len(pieces)]
        folders[:] = [f.name for f in fresh if not (deep and is_run(f)) and _first(f, seen)]
        for name in names:
            file = Path(folder, name)
            shown = not any(piece.startswith(".") for piece in (*above, name))
            if shown and _fits((*above, name), pieces) and _is_file(file):
                yield file.relative_to(root).as_posix(), file
    for error in refused:
        yield Path(error.filename).relative_to(root).as_posix(), Path(error.filename)


def _can_be(path: Path) -> bool:
    """Whether the system knows names so long."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    except ValueError:  # a NUL
        return False
    return True


def _identity(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_dev, stat.st_ino


def _first(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder is met for the first time: links may lead round in circles."""
    try:
        identity = _identity(folder)
    except OSError:  # what follows will say so
        return True
    new = identity not in seen
    seen.add(identity)
    return new


def is_run(folder: Path) -> bool:
    """Whether `karez run` made a folder."""
    try:
        return (folder / "manifest.json").is_file() and (folder / "recipe.toml").is_file()
    except PermissionError:
        return False


def _is_file(path: Path) -> bool:
    """Whether it is one, and no pipe or device; what cannot be told counts as one."""
    try:
        return S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def _fits(names: Sequence[str], pieces: Sequence[str]) -> bool:
    if not pieces or not names:
        return not names and all(piece == "**" for piece in pieces)
    if pieces[0] == "**":
        return _fits(names, pieces[1:]) or _fits(names[1:], pieces)
    return fnmatchcase(names[0], pieces[0]) and _fits(names[1:], pieces[1:])


def readable(name: str) -> str:
    r"""A name for columns and terminals: bytes of it that are no UTF-8 are written as ``\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
