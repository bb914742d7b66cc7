"""Compile the kernels that a run needs, once, and say so: no newcomer waits without a word."""

import importlib
import pkgutil
from collections.abc import Iterable

from rich.console import Console

import filters
from filters.extract import KAREZ
from filters.kernels import KERNELS, Kernel
from pipelines.commands.show import bars
from pipelines.recipe import Recipe
from pipelines.recipe.measures import Scan
from pipelines.recipe.strategies import strategy


def needed(recipe: Recipe, scan: Scan) -> list[Kernel]:
    """The kernels of a run: those of all that its recipe asks for, and of what that stands on."""
    every = (*scan.measures.values(), *scan.edits.values())
    modules = [type(each).__module__ for each in every]
    if scan.across or any("words" in measure.needs for measure in scan.measures.values()):
        modules.append("filters.words")
    if scan.across:
        modules += ["filters.boilerplate", "filters.cuts", "filters.passages"]
    if any(name in KAREZ for s in recipe.sources for name in s.extract.split("+")):
        modules.append("filters.html.maintext")
    if recipe.dedup is not None:
        modules += ["filters.clusters"] + ["filters.probes"] * bool(recipe.dedup.probes)
    modules += [type(strategy(each, n)).__module__ for n, each in enumerate(recipe.select, 1)]
    reached = _reached(modules)
    return [kernel for kernel in KERNELS if kernel.function.__module__ in reached]


def _reached(modules: Iterable[str]) -> set[str]:
    """These modules, and those of ours from which they have something, and so on."""
    found, left = set[str](), [*modules]
    while left:
        name = left.pop()
        if name not in found and name.startswith("filters."):
            held = vars(importlib.import_module(name)).values()
            left += [
                str(getattr(each, "__module__", getattr(each, "__name__", ""))) for each in held
            ]
        found.add(name)
    return found


def compile_kernels(recipe: Recipe, scan: Scan, console: Console) -> None:
    """Load the kernels from the cache; where one is missing there, compile it under a bar."""
    kernels = iter(needed(recipe, scan))
    if all(map(loaded, kernels)):  # it ends behind the first that is missing
        return
    console.print("The first run compiles its kernels; later runs load them.")
    with bars(console) as progress:
        for kernel in progress.track([*kernels], description=f"{'kernels':<29}"):
            loaded(kernel)


def loaded(kernel: Kernel) -> bool:
    """Make a kernel ready; whether it came from the cache."""
    return not kernel.compiled.stats.cache_misses  # type: ignore[attr-defined]


def everything() -> int:
    """Compile all kernels that ship, when an image is built: how many they are."""
    for module in pkgutil.walk_packages(filters.__path__, "filters."):
        importlib.import_module(module.name)
    for kernel in KERNELS:
        loaded(kernel)
    return len(KERNELS)


if __name__ == "__main__":
    print(f"{everything()} kernels are compiled")
