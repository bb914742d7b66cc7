"""What the exchange costs by files and by shuffle, in one process and on a real Flink cluster.

python tests/bench/exchange.py CORPUS [TURNS]

CORPUS is a Parquet file with texts, such as tests/bench/neardup.py makes.  Its documents are
measured once, in parts of some bytes; what exchanges rows (dedup, passages, publish) runs over them
in turn, its run folder on a disk or a store, and medians are told: CPU seconds of all processes but
the store's, those of the cluster included.  Needs root, as tests/helpers/cluster.py does.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from pipelines.commands import run as command
from pipelines.recipe import EXCHANGES
from pipelines.runs import parts
from tests.bench.common import Cost, cost, machine
from tests.helpers.begun import family, wait_for
from tests.helpers.cluster import HUB, Cluster, cluster
from tests.helpers.command import files
from tests.helpers.store import Store

SIZES = {"few": (8_000_000, "16 MB"), "many": (1_000_000, "1 MB")}
"""Bytes of text in a part, and in a shard."""

PLACES = ("one process", "Flink, a disk", "Flink, a store")
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
shard = "{}"
"""
OPTIONS = (
    *("--runner=PortableRunner", f"--job_endpoint={HUB}:8099", "--environment_type=EXTERNAL"),
    *("--environment_config=localhost:50000", "--parallelism=4"),
)
TICKS = os.sysconf("SC_CLK_TCK")


def measured(folder: Path, corpus: Path, part: int, shard: str) -> Path:
    """A recipe over the corpus, and beside it a run of its documents with all columns."""
    folder.mkdir()
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(corpus.resolve(), shard))
    parts.PART = part
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


def turn(running: Cluster, store: Store, recipe: Path, how: str, place: str) -> Cost:
    """What the steps that exchange rows cost."""
    folder, name = recipe.parent, f"{how}-{time.monotonic_ns()}"
    run = f"s3://bucket/{name}" if "store" in place else str(folder / name)
    words: list[str | Path] = ["run", recipe, "--from", folder / "base", "--run", run]
    line: Sequence[str | Path] = [sys.executable, "-m", "pipelines", *words, "--exchange", how]
    away = "Flink" in place
    if away:
        line = running.spaces[0].inside(*line, "--", *OPTIONS)
    before = spent(running)
    taken = cost(line)
    wait_for(lambda: is_quiet(running))
    made = files((store.bucket / name if "store" in place else Path(run)) / "dataset")
    first = folder / "first.json"
    if not first.exists():
        first.write_bytes(made["manifest.json"])
    assert first.read_bytes() == made["manifest.json"]  # it has the digest of every shard
    cpu = taken.cpu + (spent(running) - before if away else 0)
    return Cost(cpu, taken.wall, taken.peak)


def main(corpus: Path, turns: int = 3) -> None:
    """Measure and print."""
    found: dict[tuple[str, str, str], list[Cost]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipes = {size: measured(folder / size, corpus, *how) for size, how in SIZES.items()}
        store = Store(folder / "store", 7070, HUB)
        os.environ.update(store.environment)
        with cluster(folder / "cluster", folder) as running:
            store.begin(running.spaces[0].inside())
            try:
                for _, size, place, how in product(range(turns + 1), SIZES, PLACES, EXCHANGES):
                    taken = turn(running, store, recipes[size], how, place)
                    found.setdefault((size, place, how), []).append(taken)
            finally:
                store.stop()
    print(machine())
    for (size, place, how), costs in found.items():  # the first of each warmed the machines
        cpu, wall, peak = (statistics.median(each) for each in zip(*costs[1:], strict=True))
        told = f"{size} parts, {place}, {how}"
        print(f"{told:<40} {cpu:7.1f} CPU s {wall:7.1f} s, command {peak:6.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
