"""Noise: how much of each kind a score finds, at which loss of good text.

python tests/bench/selection_noise.py

The noise is that of pool_noise.py, its kinds known; it is put among good documents of the pool,
which nobody has looked through: what is bad among them counts as loss.  A score drops what lies
outside a band, so that the share of good documents lost below the band equals that lost above it.
What is found is the share of the documents of a kind.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.bench import pool, pool_noise
from tests.bench.common import karez, keep, machine, place
from tests.bench.selection import published

GOOD = 4000  # documents of the pool
LOSSES = (0.01, 0.02, 0.05, 0.1)
SCORES = (
    "ngram_entropy",
    "entropy",
    "compression_ratio",
    "mtld",
    "perplexity",
    "entropy_difference",
)
RECIPE = """name = "noise"
[[source]]
kind = "parquet"
paths = ["noisy/*.parquet"]
[measure]
ngrams = {{ sample = ["target-sample/*.parquet"] }}
perplexity = {{ sample = ["target-sample/*.parquet"] }}
[publish]
splits = {{ train = 1.0 }}
columns = [{columns}]
"""

Floats = NDArray[np.float64]


def measured(folder: Path) -> tuple[dict[str, Floats], NDArray[np.str_]]:
    """Each score of good and bad documents, and their kinds; "" for a good one."""
    every = pq.read_table(folder / "pool")
    good = every.filter(pc.is_in(every["kind"], pa.array([*pool.TARGET, *pool.GOOD])))[:GOOD]
    bad = pq.read_table(folder / "noise")
    kinds = dict.fromkeys(good["url"].to_pylist(), "")
    kinds |= dict(zip(bad["url"].to_pylist(), bad["kind"].to_pylist(), strict=True))
    (folder / "noisy").mkdir(exist_ok=True)
    rows = pa.concat_tables([good, bad])
    pq.write_table(rows.select(["id", "url", "text"]), folder / "noisy/part-00000.parquet")
    recipe, run = folder / "noise.toml", folder / "noise run"
    recipe.write_text(RECIPE.format(columns=", ".join(f'"{name}"' for name in SCORES)))
    shutil.rmtree(run, ignore_errors=True)
    karez("run", recipe, "--run", run)
    table = published(run)
    scores = {name: table[name].to_numpy().astype(np.float64) for name in SCORES}
    return scores, np.array([kinds[url] for url in table["url"].to_pylist()])


def outness(values: Floats, good: NDArray[np.bool_]) -> Floats:
    """How far out each value lies: the share of good ones that lie farther out, less is farther.

    Twice the share of good values on the side of it where there are fewer, at most 1; where there
    is no value, 0.
    """
    known = np.sort(values[good & ~np.isnan(values)])
    below = np.searchsorted(known, values, side="right") / max(1, len(known))
    above = 1 - np.searchsorted(known, values, side="left") / max(1, len(known))
    return np.where(np.isnan(values), 0.0, np.minimum(1.0, 2 * np.minimum(below, above)))


def found(out: Floats, kinds: NDArray[np.str_], losses: Sequence[float]) -> dict[str, list[float]]:
    """Of each kind the share that is dropped, where at most so much of the good is."""
    good = np.sort(out[kinds == ""])
    told: dict[str, list[float]] = {}
    for kind in sorted(set(kinds) - {""}):
        mine = out[kinds == kind]
        told[kind] = [float((mine < good[int(loss * len(good))]).mean()) for loss in losses]
    return told


def main() -> None:
    """Measure, print, keep."""
    folder = place("selection")
    pool.write(folder)
    pool_noise.write(folder)
    scores, kinds = measured(folder)
    outs = {name: outness(values, kinds == "") for name, values in scores.items()}
    table = {name: found(out, kinds, LOSSES) for name, out in outs.items()}
    print(machine())
    print(f"{'found at a loss of':<36}" + "".join(f"{loss:>8.0%}" for loss in LOSSES))
    for name, by in table.items():
        for kind, shares in by.items():
            told = "".join(f"{share:>8.1%}" for share in shares)
            print(f"{name:<20}{kind:<16}{told}")
    keep("selection-noise", losses=LOSSES, found=table)


if __name__ == "__main__":
    main()
