"""Compile the kernels that a run needs, once, and say so: no newcomer waits without a word."""

from collections.abc import Iterator

from rich.console import Console

from filters.kernels import KERNELS, Kernel
from pipelines.measures import Scan
from pipelines.recipe import Recipe
from pipelines.show import bars


def needed(recipe: Recipe, scan: Scan) -> list[Kernel]:
    """The kernels of a run: those of its measures and edits, and of what they stand on."""
    modules = {type(each).__module__ for each in (*scan.measures.values(), *scan.edits.values())}
    if scan.across or any("words" in measure.needs for measure in scan.measures.values()):
        import filters.words

        modules.add(filters.words.__name__)
    if scan.across:
        import filters.cuts

        modules |= {filters.cuts.__name__, "filters.passages", "filters.winnowing"}
    if "filters.overlap" in modules:
        import filters.hashset

        modules.add(filters.hashset.__name__)
    if any(source.kind in ("warc", "html") for source in recipe.source):
        import filters.nesting

        modules.add(filters.nesting.__name__)
    if recipe.dedup is not None and recipe.dedup.probes:
        import filters.probes

        modules.add(filters.probes.__name__)
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
