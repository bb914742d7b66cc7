"""What a worker must have in common with the command that asks it: versions decide bytes."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("filters", "labeling", "graphs", "pipelines")
DECIDE = (".py", ".toml", ".bin", ".ftz")  # suffixes of files that decide bytes
DISTRIBUTIONS = ("apache-beam", "numba", "numpy", "pyarrow")


@cache
def here() -> Mapping[str, str]:
    """Of this process: Python's without its last digit, Karez's with a digest of its code."""
    python = platform.python_version().rpartition(".")[0]
    karez = f"{version('karez')} ({_code()})"
    return {"Python": python, "karez": karez} | {name: version(name) for name in DISTRIBUTIONS}


def _code() -> str:
    """Six hex digits of our modules and of the data beside them, wherever they lie."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted(p for p in (root / package).rglob("*.*") if p.suffix in DECIDE):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:6]


def difference(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str | None:
    """The first thing of which there are two versions, in words; None if there is none."""
    for name in dict.fromkeys([*theirs, *ours]):
        if theirs.get(name) != ours.get(name):
            return f"{name} {ours.get(name)}, the command {theirs.get(name)}"
    return None
