"""What a run costs, beside what it must cost: `make bench` prints the table and keeps it as JSON.

CPU seconds are user and system time of a whole process and its children; peak is the largest
process.  What is compared runs in turn, and the median is quoted.
"""

import importlib.metadata
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
COPIES = 120  # of the sample's documents: about 330 MB of text
RUNS = 5
SKELETON_BAR = 1.5  # times the plain loop
HELP_BAR = 0.5  # seconds


class Cost(NamedTuple):
    """Of one process and its children."""

    cpu: float  # seconds
    wall: float  # seconds
    peak: float  # MB


def cost(command: Sequence[str | Path], **environment: str) -> Cost:
    """Run a command and say what it took.

    Raises:
        SystemExit: if it failed.
    """
    import time

    began = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    with child.stderr as told:
        said = told.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{command}: {said[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1000)


def environment(folder: Path, name: str, packages: Sequence[str]) -> Path:
    """The Python of a peer's environment, which is made if there is none."""
    python = folder / name / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def corpus(folder: Path, copies: int) -> Path:
    """The sample's documents as JSON lines, several times under other names."""
    run = folder / "sample"
    cost([sys.executable, "-m", "pipelines", "run", "infra/recipes/sample.toml", "--run", run])
    rows = pq.read_table(run / "documents", columns=["url", "text"]).to_pylist()
    path = folder / f"corpus-{copies}.jsonl"
    with path.open("w") as out:
        for copy in range(copies):
            for number, row in enumerate(rows):
                line = {
                    "id": f"{copy}-{number}",
                    "url": f"https://s{copy}.example.org/{number}",
                    "text": f"{copy}-{number}\n{row['text']}",
                }
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


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
    scripts = {"karez": "skeleton.py", "plain": "plain.py"}
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in scripts}
    for _ in range(RUNS):
        for name, script in scripts.items():
            for source, mine in zip((small, large), taken[name], strict=True):
                shutil.rmtree(folder / "out", ignore_errors=True)
                argument = recipe(folder, source, "") if name == "karez" else source
                tool = ROOT / "tests/bench" / script
                mine.append(cost([sys.executable, tool, argument, folder / "out"]).cpu)
    karez, plain = (
        statistics.median(of_large) - statistics.median(of_small)
        for of_small, of_large in (taken["karez"], taken["plain"])
    )
    turns = [[large - small for small, large in zip(*taken[name], strict=True)] for name in scripts]
    ratios = [k / p for k, p in zip(*turns, strict=True)]
    return {
        "karez, CPU s": karez,
        "plain loop, CPU s": plain,
        "ratio": karez / plain,
        "ratio of one turn, least": min(ratios),
        "ratio of one turn, most": max(ratios),
        "small, CPU s": statistics.median(taken["karez"][0]),
    }


def steps(folder: Path, large: Path) -> dict[str, float]:
    """CPU seconds of each step of a whole run, and its peak memory."""
    run = folder / "whole"
    shutil.rmtree(run, ignore_errors=True)
    whole = cost(
        [sys.executable, "-m", "pipelines", "run", recipe(folder, large, "basic"), "--run", run]
    )
    done = json.loads((run / "manifest.json").read_text())["steps"]
    figures = {f"{name}, CPU s": float(step["cpu_seconds"]) for name, step in done.items()}
    return {**figures, "all, CPU s": whole.cpu, "peak, MB": whole.peak}


def start(folder: Path) -> dict[str, float]:
    """Seconds until `karez -h` answers, and until a run over one document is done."""
    one = folder / "one.jsonl"
    one.write_text(json.dumps({"text": "word " * 80}) + "\n")
    wanted = str(recipe(folder, one, "basic"))
    command = [sys.executable, "-m", "pipelines", "run", wanted, "--run"]
    with tempfile.TemporaryDirectory() as empty:
        cold = cost([*command, str(folder / "cold")], NUMBA_CACHE_DIR=empty)
    warm = [cost([*command, str(folder / f"warm-{i}")]) for i in range(RUNS)]
    helps = [cost([sys.executable, "-m", "pipelines", "-h"]).wall for _ in range(RUNS)]
    return {
        "karez -h, s": statistics.median(helps),
        "one document, warm kernels, s": statistics.median(w.wall for w in warm),
        "one document, no kernels, s": cold.wall,
    }


def size() -> dict[str, float]:
    """MB on disk of what the core needs."""
    text = (ROOT / "infra/requirements.txt").read_text()
    total = 0
    for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE):
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        paths = (Path(str(file.locate())) for file in files)
        total += sum(path.stat().st_size for path in paths if path.is_file())
    return {"installed, MB": total / 1e6}


def machine() -> str:
    """What it was measured on."""
    known = {name: importlib.metadata.version(name) for name in ("apache-beam", "pyarrow", "numba")}
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = model[1] if model else platform.machine()
    versions = ", ".join(f"{name} {version}" for name, version in known.items())
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def main() -> None:
    """Measure, print, keep."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = corpus(folder, COPIES // 4), corpus(folder, COPIES)
        megabytes = (large.stat().st_size - small.stat().st_size) / 1e6
        table = {
            f"without measures, {megabytes:.0f} MB of JSON lines": skeleton(folder, small, large),
            f"the basic recipe, {large.stat().st_size / 1e6:.0f} MB": steps(folder, large),
            "start": start(folder),
            "size": size(),
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
        print(f"{'met' if figure <= bar else 'MISSED'}: {what} {figure:.2f}, bar {bar}")
    out = ROOT / "build/bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"machine": machine(), **table}, indent=1))


if __name__ == "__main__":
    main()
