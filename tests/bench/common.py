"""What benches have in common: what a process costs, the environments of peers, how bars are told.

CPU seconds are user and system time of a whole process and its children; peak is the largest
process.  What is compared runs in turn, and the median is quoted.
"""

import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any, NamedTuple

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
ARROW = "pyarrow==25.0.1"
DATATROVE = ("datatrove[processing,io]==0.10.1", "spacy==3.8.18", "lxml_html_clean==0.4.3")
PEERS: dict[str, tuple[str, ...]] = {
    "scrapy": ("Scrapy==2.19.0", "warcio==1.8.1"),
    "datasketch": ("datasketch==2.0.0", ARROW),
    "datatrove": (*DATATROVE, ARROW, "faker==40.63.0", "regex==2026.11.19"),
    "dsir": ("data-selection==1.0.3", ARROW),
    "gaoya": ("gaoya==0.2.2", ARROW),
    "rensa": ("rensa==0.5.0", ARROW),
}
"""What the environments of peers hold, by their names."""

Middle = tuple[float, float, float]
"""The median of some turns, the least and the most."""


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
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
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


def karez(*words: str | Path, **environment: str) -> Cost:
    """Run our command."""
    return cost([sys.executable, "-m", "pipelines", *words], **environment)


def script(name: str, *words: str | Path | int, python: Path | None = None) -> Cost:
    """Run a script of this folder, in an environment of its own if one is named.

    What this process holds counts as the peak of its children: large things are made by scripts.
    """
    tool = ROOT / f"tests/bench/{name}.py"
    return cost([python or sys.executable, tool, *map(str, words)])


def peer(name: str, tool: str, *words: str | Path | int) -> Cost:
    """Run a script in the environment of a peer, which is made if there is none."""
    python = place() / name / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", place() / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)
    return script(tool, *words, python=python)


def place(name: str = "") -> Path:
    """A folder for what benches make."""
    folder = ROOT / "build/bench" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(name: str, **figures: Any) -> None:
    """Write down what was found, and on what machine."""
    made = json.dumps({"machine": machine(), **figures}, indent=1)
    (ROOT / f"build/{name}.json").write_text(made)


def verdict(held: bool, what: str) -> str:
    """A bar, and whether it is met."""
    return f"{'met' if held else 'MISSED'}: {what}"


def middle(values: Sequence[float]) -> Middle:
    """Of the figures of some turns."""
    return statistics.median(values), min(values), max(values)


def timed(do: Callable[[], object]) -> float:
    """CPU seconds."""
    began = time.process_time()
    do()
    return time.process_time() - began


def sample(folder: Path) -> list[str]:
    """The texts of the sample that ships."""
    karez("run", "infra/recipes/sample.toml", "--run", folder / "sample")
    found: list[str] = pq.read_table(folder / "sample/documents")["text"].to_pylist()
    return found


def copies(path: Path, texts: list[str], numbers: Iterable[int]) -> Path:
    """Texts as JSON lines, once for each number with words of its own: none is like another."""
    with path.open("w") as out:
        for copy in numbers:
            mark = ascii_lowercase[copy // 26 % 26] + ascii_lowercase[copy % 26]
            for number, text in enumerate(texts):
                text = re.sub(r"(\w{5,})", rf"\1{mark}", text) if copy else text
                line = {"url": f"https://s{copy}.example.org/{number}", "text": text}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def machine() -> str:
    """What it was measured on."""
    known = {name: importlib.metadata.version(name) for name in ("apache-beam", "pyarrow", "numba")}
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = model[1] if model else platform.machine()
    versions = ", ".join(f"{name} {version}" for name, version in known.items())
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
