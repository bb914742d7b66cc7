"""One peer's selection from a pool, in its own environment; writes a folder of JSON lines.

python select_peer.py dsir POOL TARGET MEGABYTES SEED OUT
python select_peer.py fineweb POOL OUT

POOL and TARGET are folders of Parquet with id, url and text.  ``dsir`` is HashedNgramDSIR of the
package data-selection as its README uses it, with its defaults, on one process; it is asked for as
few documents as hold that many megabytes of text, found by halving.  ``fineweb`` is datatrove's
filters in the order of FineWeb's own pipeline, without those of addresses and languages.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def rows(folder: str) -> Iterator[dict[str, str]]:
    """Id, url and text, file by file."""
    for path in sorted(Path(folder).glob("*.parquet")):
        yield from pq.read_table(path, columns=["id", "url", "text"]).to_pylist()


def lines(folder: str, out: Path) -> str:
    """A folder's rows as one file of JSON lines."""
    with out.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows(folder))
    return str(out)


def size(folder: Path) -> int:
    """Bytes of text in a folder of JSON lines."""
    some = (line for path in folder.glob("*.jsonl") for line in path.open())
    return sum(len(json.loads(line)["text"].encode()) for line in some)


def dsir(pool: str, target: str, megabytes: str, seed: str, out: str) -> None:
    """The fewest documents, by its importance weights, that hold so many megabytes."""
    import numpy as np
    from data_selection import HashedNgramDSIR

    work = Path(f"{out}.work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    raw, wanted = lines(pool, work / "raw.jsonl"), lines(target, work / "target.jsonl")
    estimator = HashedNgramDSIR([raw], [wanted], cache_dir=str(work / "weights"), num_proc=1)
    estimator.fit_importance_estimator(num_tokens_to_fit="auto")
    estimator.compute_importance_weights()

    def enough(count: int) -> bool:
        _resample(estimator, count, int(seed), work / "try", np)
        return size(work / "try") >= 1e6 * float(megabytes)

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    _resample(estimator, high, int(seed), Path(out), np)
    shutil.rmtree(work)


def _resample(estimator: Any, count: int, seed: int, out: Path, np: Any) -> None:
    """Its own, into a fresh folder, with the same noise for any number of documents."""
    shutil.rmtree(out, ignore_errors=True)
    np.random.seed(seed)
    estimator.resample(out_dir=str(out), num_to_sample=count, cache_dir=f"{out}.cache")


def fineweb(pool: str, out: str) -> None:
    """What no filter of FineWeb's drops."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    filters = [
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
    ]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "part-00000.jsonl").open("w") as file:
        for row in rows(pool):
            document = Document(text=row["text"], id=row["id"])
            if all(each.filter(document) is True for each in filters):
                file.write(json.dumps({**row, "text": document.text}) + "\n")


if __name__ == "__main__":
    peer, *arguments = sys.argv[1:]
    globals()[peer](*arguments)
