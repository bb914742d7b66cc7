"""What a run costs, beside what it must cost: `make bench` prints the table and keeps it as JSON.

python tests/bench/bench.py [COPIES]
"""

import json
import resource
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.common import copies, karez, keep, machine, middle, sample, script, verdict

COPIES = 120  # of the sample's documents: about 330 MB of text
RUNS = 5
SKELETON_BAR = 1.5  # times the plain loop
HELP_BAR = 0.5  # seconds


def recipe(folder: Path, source: Path, presets: str) -> Path:
    """A recipe over one file."""
    path = folder / f"{source.stem}-{presets or 'bare'}.toml"
    name = f'["{presets}"]' if presets else "[]"
    path.write_text(
        f'name = "bench"\npresets = {name}\n[[source]]\nkind = "jsonl"\n'
        f'paths = ["{source.name}"]\n' + ("[dedup]\n" if presets else "")
    )
    return path


def skeleton(folder: Path, small: Path, large: Path) -> dict[str, float]:
    """The run without measures and the plain loop, from one size to the other, in turn."""
    tools = ("skeleton", "plain")
    taken: dict[str, tuple[list[float], list[float]]] = {tool: ([], []) for tool in tools}
    for _ in range(RUNS):
        for tool in tools:
            for source, mine in zip((small, large), taken[tool], strict=True):
                shutil.rmtree(folder / "out", ignore_errors=True)
                argument = recipe(folder, source, "") if tool == "skeleton" else source
                mine.append(script(tool, argument, folder / "out").cpu)
    turns = {tool: [more - less for less, more in zip(*taken[tool], strict=True)] for tool in tools}
    ours, plain = (statistics.median(turns[tool]) for tool in tools)
    _, least, most = middle([k / p for k, p in zip(*turns.values(), strict=True)])
    return {
        "karez, CPU s": ours,
        "plain loop, CPU s": plain,
        "ratio": ours / plain,
        "ratio of one turn, least": least,
        "ratio of one turn, most": most,
        "small, CPU s": statistics.median(taken["skeleton"][0]),
    }


def steps(folder: Path, large: Path) -> dict[str, float]:
    """CPU seconds of each step of a whole run, and its peak memory."""
    run = folder / "whole"
    shutil.rmtree(run, ignore_errors=True)
    whole = karez("run", recipe(folder, large, "basic"), "--run", run)
    done = json.loads((run / "manifest.json").read_text())["steps"]
    figures = {f"{name}, CPU s": float(step["cpu_seconds"]) for name, step in done.items()}
    return {**figures, "all, CPU s": whole.cpu, "peak, MB": whole.peak}


def start(folder: Path) -> dict[str, float]:
    """Seconds until `karez -h` answers, and until a run over one document is done."""
    one = folder / "one.jsonl"
    one.write_text(json.dumps({"text": "word " * 80}) + "\n")
    wanted = recipe(folder, one, "basic")
    with tempfile.TemporaryDirectory() as empty:
        cold = karez("run", wanted, "--run", folder / "cold", NUMBA_CACHE_DIR=empty)
    warm = [karez("run", wanted, "--run", folder / f"warm-{i}") for i in range(RUNS)]
    helps = [karez("-h").wall for _ in range(RUNS)]
    return {
        "karez -h, s": statistics.median(helps),
        "one document, warm kernels, s": statistics.median(w.wall for w in warm),
        "one document, no kernels, s": cold.wall,
    }


def main(most: int = COPIES) -> None:
    """Measure, print, keep."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = sample(folder)
        small, large = (
            copies(folder / f"{count}.jsonl", texts, range(count)) for count in (most // 4, most)
        )
        megabytes = (large.stat().st_size - small.stat().st_size) / 1e6
        table = {
            f"without measures, {megabytes:.0f} MB of JSON lines": skeleton(folder, small, large),
            f"the basic recipe, {large.stat().st_size / 1e6:.0f} MB": steps(folder, large),
            "start": start(folder),
        }
    print(machine())
    for title, figures in table.items():
        print(f"\n{title}")
        for what, figure in figures.items():
            print(f"  {what:<32} {figure:>8.2f}")
    bars = {
        "ratio to the plain loop": (next(iter(table.values()))["ratio"], SKELETON_BAR),
        "karez -h, s": (table["start"]["karez -h, s"], HELP_BAR),
    }
    for what, (figure, bar) in bars.items():
        print(verdict(figure <= bar, f"{what} {figure:.2f}, bar {bar}"))
    keep("bench", **table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
