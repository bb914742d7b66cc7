"""Selection: a pool in, and what a token of what Karez, DSIR and FineWeb's filters chose teaches.

python tests/bench/selection.py [SEEDS [TOKENS]]

The pool and what is held out are those of pool.py; its mix was written down before the first run.
Karez cleans the pool of duplicates and selects by infra/recipes/selection.toml.  DSIR's own package
selects as much text from the same deduplicated pool for the same target sample; datatrove's FineWeb
filters go over the pool as it is.  ``karez prove`` trains small models on each, on random samples,
and on the pool without dedup, and measures them on target-test and general-test, after what
shares a run of 13 words with these was taken out of every arm.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from tests.bench import pool
from tests.bench.bench import ROOT, cost, environment, machine
from tests.bench.neardup import PEERS

HERE = ROOT / "tests/bench"
RECIPE = ROOT / "infra/recipes/selection.toml"
DSIR = ("data-selection==1.0.3", "pyarrow==25.0.1")
TARGET, GENERAL = "target-test", "general-test"
DEDUP = """name = "pool"
[[source]]
kind = "parquet"
paths = ["pool/*.parquet"]
[dedup]
[publish]
splits = { train = 1.0 }
"""

Curves = Mapping[str, Mapping[str, Sequence[Sequence[tuple[int, float]]]]]
"""Of each held-out set and arm, one a seed: tokens learned from, and bits a byte."""


def karez(*words: str | Path) -> None:
    """Run the command."""
    cost([sys.executable, "-m", "pipelines", *words])


def published(run: Path) -> pa.Table:
    """Id, url and text of what a run published to train on."""
    shards = sorted((run / "dataset/data/documents").glob("train-*.arrow"))
    tables = [ipc.open_stream(shard).read_all().select(["id", "url", "text"]) for shard in shards]
    return pa.concat_tables(tables).combine_chunks()


def deduplicated(folder: Path) -> pa.Table:
    """The pool without duplicates, as a run and as Parquet."""
    recipe, run, out = folder / "dedup.toml", folder / "dedup", folder / "deduplicated"
    recipe.write_text(DEDUP)
    karez("run", recipe, "--run", run)
    table = published(run)
    out.mkdir(exist_ok=True)
    pq.write_table(table, out / "part-00000.parquet", compression="zstd")
    return table


def peers(folder: Path, tools: Path, megabytes: float) -> list[Path]:
    """What DSIR and FineWeb's filters choose, made once.

    Args:
        folder: of the pool.
        tools: where environments are.
        megabytes: of text that DSIR is asked for.
    """
    asked: dict[str, tuple[Sequence[str], list[str | Path]]] = {
        "dsir": (DSIR, [folder / "deduplicated", folder / "target-sample", f"{megabytes}", "0"]),
        "fineweb": ((*PEERS["datatrove"], "pyarrow==25.0.1"), [folder / "pool"]),
    }
    made = []
    for name, (packages, arguments) in asked.items():
        out = folder / name
        if not out.exists():
            python = environment(tools, "datatrove" if name == "fineweb" else name, packages)
            cost([python, HERE / "select_peer.py", name, *arguments, out])
        made.append(out)
    return made


def proved(folder: Path, against: Sequence[Path], words: Sequence[str]) -> dict[str, Any]:
    """What ``karez prove`` finds; it prints its own table, in which arms are called as folders."""
    command = [sys.executable, "-m", "pipelines", "prove", "run"]
    command += ["--target", TARGET, "--general", GENERAL]
    for each in against:
        command += ["--against", each.name]
    known = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, *words], check=True, cwd=folder, env=known)
    found: dict[str, Any] = json.loads((folder / "run/prove/prove.json").read_text())
    return found


def last(curves: Curves, name: str, arm: str) -> float:
    """Bits a byte at the end, the mean over seeds."""
    return statistics.mean(curve[-1][1] for curve in curves[name][arm])


def beats(curves: Curves) -> str:
    """Whether Karez' selection is better than DSIR's own at the same tokens, on the target."""
    ours, theirs = last(curves, "target", "karez"), last(curves, "target", "dsir")
    word = "met" if ours < theirs else "MISSED"
    return f"{word}: {ours:.4f} bits a byte on the target, DSIR's own {theirs:.4f}"


def main(seeds: int = 3, tokens: int = 0) -> None:
    """Measure, print, keep."""
    tools = ROOT / "build/bench"
    folder = tools / "selection"
    folder.mkdir(parents=True, exist_ok=True)
    pool.write(folder)
    deduplicated(folder)
    run = folder / "run"
    karez("run", RECIPE, "--run", run)
    megabytes = published(run)["text"].nbytes / 1e6
    against = peers(folder, tools, megabytes)
    print(machine(), f"{megabytes:.2f} MB selected", sep="\n")
    words = ["--seeds", f"{seeds}", "--without-each-rule"]
    words += ["--tokens", f"{tokens}"] if tokens else []
    proof = proved(folder, against, words)
    print(beats(proof["curves"]))
    (ROOT / "build/selection.json").write_text(json.dumps({"machine": machine(), **proof}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
