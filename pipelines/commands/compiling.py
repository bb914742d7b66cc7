"""Compile the kernels that a run needs, once, and say so: no newcomer waits without a word."""

import importlib
import pkgutil
from collections.abc import Iterator

from rich.console import Console

import filters
from filters.extract import KAREZ
from filters.kernels import KERNELS, Kernel
from pipelines.commands.show import bars
from pipelines.recipe import Recipe
from pipelines.recipe.measures import Scan

LABELS = ("filters.fasttext.classifier", "filters.fasttext.labels", "filters.fasttext.words")
WORD_HASHES = ("filters.language", *LABELS, "filters.wordhashes")
LISTS = ("filters.hashset", "filters.wordhashes")
BRINGS = {
    "filters.lines": ("filters.repeats",),
    "filters.blocks": ("filters.repeats",),
    "filters.language": LABELS,
    "filters.classify": (*LABELS, "filters.fasttext.training"),
    "filters.listed": LISTS,
    "filters.blocklist": ("filters.listed", "filters.words", *LISTS),
    "filters.overlap": ("filters.hashset",),
    "filters.perplexity": ("filters.ngrams", *WORD_HASHES),
    "filters.hashed": ("filters.runcounts", *WORD_HASHES),
    "filters.importance": WORD_HASHES,
    "filters.diversity": WORD_HASHES,
    "filters.features": WORD_HASHES,
}
"""Modules whose kernels the measures of another call."""

PAGES = ("blocks", "features", "forest", "maintext", "regions", "text", "tree")
"""Modules whose kernels our own extractor of pages calls."""


def needed(recipe: Recipe, scan: Scan) -> list[Kernel]:
    """The kernels of a run: those of its measures and edits, and of what they stand on."""
    modules = {type(each).__module__ for each in (*scan.measures.values(), *scan.edits.values())}
    modules = modules.union(*(BRINGS.get(module, ()) for module in modules))
    if scan.across or any("words" in measure.needs for measure in scan.measures.values()):
        modules.add("filters.words")
    if scan.across:
        modules |= {f"filters.{name}" for name in ("boilerplate", "cuts", "passages", "winnowing")}
    named = {s.extract for s in recipe.sources if s.extract}
    if named:
        modules.add("filters.html.nesting")
    if any(name in KAREZ for each in named for name in each.split("+")):
        modules |= {f"filters.html.{name}" for name in PAGES}
    if recipe.dedup is not None and recipe.dedup.probes:
        modules.add("filters.probes")
    for name in modules:
        importlib.import_module(name)
    return [kernel for kernel in KERNELS if kernel.function.__module__ in modules]


def compile_kernels(recipe: Recipe, scan: Scan, console: Console) -> None:
    """Load the kernels from the cache; where one is missing there, compile it under a bar."""
    missing = iter(needed(recipe, scan))
    first = next((kernel for kernel in missing if not loaded(kernel)), None)
    if first is None:
        return
    rest = list(missing)
    console.print("The first run compiles its kernels; later runs load them.")
    for _ in _shown(rest, console):
        pass


def loaded(kernel: Kernel) -> bool:
    """Make a kernel ready; whether it came from the cache."""
    return not kernel.compiled.stats.cache_misses  # type: ignore[attr-defined]


def _shown(kernels: list[Kernel], console: Console) -> Iterator[bool]:
    if not console.is_terminal:
        yield from map(loaded, kernels)
        return
    with bars(console) as progress:
        yield from map(loaded, progress.track(kernels, description=f"{'kernels':<29}"))


def everything() -> int:
    """Compile all kernels that ship, when an image is built: how many they are."""
    for module in pkgutil.walk_packages(filters.__path__, "filters."):
        importlib.import_module(module.name)
    for kernel in KERNELS:
        loaded(kernel)
    return len(KERNELS)


if __name__ == "__main__":
    print(f"{everything()} kernels are compiled")
