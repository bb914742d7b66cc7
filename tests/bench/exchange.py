"""What the exchange costs by files and by shuffle, in one process and on a real Flink cluster.

python tests/bench/exchange.py CORPUS [TURNS]

CORPUS is a Parquet file with texts, such as tests/bench/neardup.py makes.  Its documents are
measured once, in parts of `PART` bytes; what exchanges rows (dedup, passages, publish) runs over
them in turn, and medians are told: CPU seconds of all processes, those of the cluster included.
Needs root, as tests/cluster.py does.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pipelines import command, parts
from pipelines.recipe import EXCHANGES
from tests.begun import family, wait_for
from tests.bench.bench import Cost, cost, machine
from tests.cluster import HUB, Cluster, cluster
from tests.command import files

PART = 8_000_000
RECIPE = """\
name = "exchange"
[[source]]
kind = "parquet"
paths = ["{}"]
[edits]
repeated_passages = {{}}
[dedup]
probes = 0
[publish]
shard = "16 MB"
"""
OPTIONS = (
    *("--runner=PortableRunner", f"--job_endpoint={HUB}:8099", "--environment_type=EXTERNAL"),
    *("--environment_config=localhost:50000", "--parallelism=4"),
)
TICKS = os.sysconf("SC_CLK_TCK")


def measured(folder: Path, corpus: Path) -> Path:
    """A recipe over the corpus, and beside it a run of its documents with all columns."""
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(corpus.resolve()))
    parts.PART = PART
    for step in ("ingest", "scan", "rules"):
        command.run(command.Asked([recipe], str(folder / "base"), only=step))
    return recipe


def spent(running: Cluster) -> float:
    """CPU seconds of a cluster's processes, and of those that have ended."""
    total = 0
    for process in running.processes.values():
        for pid in family(process.pid):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / TICKS


def is_quiet(running: Cluster) -> bool:
    """Whether the workers of its last job have ended."""
    return not [*running.workers(1), *running.workers(2)]


def turn(running: Cluster, recipe: Path, how: str, away: bool) -> Cost:
    """What the steps that exchange rows cost."""
    base, run = (recipe.parent / each for each in ("base", f"{how}-{time.monotonic_ns()}"))
    words: list[str | Path] = ["run", recipe, "--from", base, "--run", run, "--exchange", how]
    line: Sequence[str | Path] = [sys.executable, "-m", "pipelines", *words]
    if away:
        line = running.spaces[0].inside(*line, "--", *OPTIONS)
    before = spent(running)
    taken = cost(line)
    wait_for(lambda: is_quiet(running))
    first = recipe.parent / "first"
    if first.exists():
        assert files(run / "dataset") == files(first / "dataset")
    else:
        run.rename(first)
    cpu = taken.cpu + (spent(running) - before if away else 0)
    return Cost(cpu, taken.wall, taken.peak)


def main(corpus: Path, turns: int = 3) -> None:
    """Measure and print."""
    found: dict[tuple[str, str], list[Cost]] = {}
    with tempfile.TemporaryDirectory() as name:
        recipe = measured(Path(name), corpus)
        with cluster(Path(name, "cluster"), Path(name)) as running:
            for _ in range(turns + 1):  # the first one warms the machines
                for place in ("one process", "Flink"):
                    for how in EXCHANGES:
                        taken = turn(running, recipe, how, place == "Flink")
                        found.setdefault((place, how), []).append(taken)
    print(machine())
    for (place, how), costs in found.items():
        cpu, wall, peak = (statistics.median(each) for each in zip(*costs[1:], strict=True))
        print(f"{place:<12} {how:<8} {cpu:7.1f} CPU s {wall:7.1f} s, command {peak:6.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
