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
from tests.bench.common import ROOT, karez, keep, machine, peer, place, verdict

RECIPE = ROOT / "infra/recipes/selection.toml"
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


def published(run: Path) -> pa.Table:
    """What a run published to train on."""
    shards = sorted((run / "dataset/data/documents").glob("train-*.arrow"))
    return pa.concat_tables(
        [ipc.open_stream(shard).read_all() for shard in shards]
    ).combine_chunks()


def deduplicated(folder: Path) -> pa.Table:
    """The pool without duplicates, as a run and as Parquet."""
    recipe, run, out = folder / "dedup.toml", folder / "dedup", folder / "deduplicated"
    recipe.write_text(DEDUP)
    karez("run", recipe, "--run", run)
    table = published(run).select(["id", "url", "text"])
    out.mkdir(exist_ok=True)
    pq.write_table(table, out / "part-00000.parquet", compression="zstd")
    return table


def peers(folder: Path, megabytes: float) -> list[Path]:
    """What DSIR and FineWeb's filters choose, made once.

    Args:
        folder: of the pool.
        megabytes: of text that DSIR is asked for.
    """
    dsir, fineweb = folder / "dsir", folder / "fineweb"
    if not dsir.exists():
        given = folder / "deduplicated", folder / "target-sample"
        peer("dsir", "dsir_peer", *given, f"{megabytes}", dsir)
    if not fineweb.exists():
        peer("datatrove", "datatrove_peer", "choose", folder / "pool", fineweb)
    return [dsir, fineweb]


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
    return verdict(ours < theirs, f"{ours:.4f} bits a byte on the target, DSIR's own {theirs:.4f}")


def main(seeds: int = 3, tokens: int = 0) -> None:
    """Measure, print, keep."""
    folder = place("selection")
    pool.write(folder)
    deduplicated(folder)
    run = folder / "run"
    karez("run", RECIPE, "--run", run)
    megabytes = published(run)["text"].nbytes / 1e6
    against = peers(folder, megabytes)
    print(machine(), f"{megabytes:.2f} MB selected", sep="\n")
    words = ["--seeds", f"{seeds}", "--without-each-rule"]
    words += ["--tokens", f"{tokens}"] if tokens else []
    proof = proved(folder, against, words)
    print(beats(proof["curves"]))
    keep("selection", **proof)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
