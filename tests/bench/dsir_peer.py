"""DSIR's selection from a pool, in its own environment; writes a folder of JSON lines.

python dsir_peer.py POOL TARGET MEGABYTES OUT

POOL and TARGET are folders of Parquet with id, url and text.  It is HashedNgramDSIR of the package
data-selection as its README uses it, with its defaults, on one process; it is asked for as few
documents as hold that many megabytes of text, found by halving.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from data_selection import HashedNgramDSIR

SEED = 0


def lines(folder: str, out: Path) -> str:
    """A folder's rows as one file of JSON lines."""
    with out.open("w") as file:
        for path in sorted(Path(folder).glob("*.parquet")):
            rows = pq.read_table(path, columns=["id", "url", "text"]).to_pylist()
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(out)


def size(folder: Path) -> int:
    """Bytes of text in a folder of JSON lines."""
    some = (line for path in folder.glob("*.jsonl") for line in path.open())
    return sum(len(json.loads(line)["text"].encode()) for line in some)


def main(pool: str, target: str, megabytes: str, out: str) -> None:
    """The fewest documents, by its importance weights, that hold so many megabytes."""
    work = Path(f"{out}.work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    raw, wanted = lines(pool, work / "raw.jsonl"), lines(target, work / "target.jsonl")
    estimator = HashedNgramDSIR([raw], [wanted], cache_dir=str(work / "weights"), num_proc=1)
    estimator.fit_importance_estimator(num_tokens_to_fit="auto")
    estimator.compute_importance_weights()

    def enough(count: int) -> bool:
        _resample(estimator, count, work / "try")
        return size(work / "try") >= 1e6 * float(megabytes)

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    _resample(estimator, high, Path(out))
    shutil.rmtree(work)


def _resample(estimator: Any, count: int, out: Path) -> None:
    """Its own, into a fresh folder, with the same noise for any number of documents."""
    shutil.rmtree(out, ignore_errors=True)
    np.random.seed(SEED)  # noqa: NPY002 (by which it draws)
    estimator.resample(out_dir=str(out), num_to_sample=count, cache_dir=f"{out}.cache")


if __name__ == "__main__":
    main(*sys.argv[1:])
