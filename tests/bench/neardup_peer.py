"""One peer over one corpus, in its own environment; writes the ids that it would remove.

python neardup_peer.py TOOL CORPUS.parquet OUT

Every tool has shingles of 5 words, 112 permutations in 14 bands of 8, and keeps what came first.
"""

import sys
from collections.abc import Iterator

import pyarrow.parquet as pq

SHINGLE, BANDS, ROWS = 5, 14, 8


def rows(path: str) -> Iterator[tuple[str, str]]:
    """Ids and texts."""
    for batch in pq.ParquetFile(path).iter_batches(4096, columns=["id", "text"]):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def shingles(text: str) -> list[str]:
    """Runs of five words; a shorter text is one."""
    words = text.split()
    count = max(1, len(words) - SHINGLE + 1)
    return [" ".join(words[at : at + SHINGLE]) for at in range(count)]


def gaoya(path: str) -> Iterator[str]:
    """Its index of strings, which verifies at 0.7."""
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, 0.7, BANDS, ROWS, None, "word", False, (5, 5), "smallvec")
    for number, (name, text) in enumerate(rows(path)):
        if index.query(text):
            yield name
        else:
            index.insert_document(number, text)


def rensa(path: str) -> Iterator[str]:
    """RMinHash and its LSH; candidates count as duplicates."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.7, num_perm=BANDS * ROWS, num_bands=BANDS)
    for number, (name, text) in enumerate(rows(path)):
        sketch = RMinHash(num_perm=BANDS * ROWS, seed=1)
        sketch.update(shingles(text))
        if index.query(sketch):
            yield name
        else:
            index.insert(number, sketch)


def datasketch(path: str) -> Iterator[str]:
    """MinHash and its LSH; candidates count as duplicates."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    for name, text in rows(path):
        sketch = MinHash(num_perm=BANDS * ROWS)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        if index.query(sketch):
            yield name
        else:
            index.insert(name, sketch)


def datatrove(path: str) -> Iterator[str]:
    """Its four stages, one after the other in this process; what it filters out goes to a file."""
    import json
    import tempfile
    from pathlib import Path

    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import minhash as stage
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import JsonlWriter

    config = stage.MinhashConfig(n_grams=SHINGLE, num_buckets=BANDS, hashes_per_bucket=ROWS)
    with tempfile.TemporaryDirectory() as name:
        made = {each: str(Path(name, each)) for each in ("signs", "buckets", "gone", "kept", "out")}
        source = ParquetReader(str(Path(path).parent), glob_pattern=Path(path).name)
        out = JsonlWriter(made["out"], compression=None)
        stages = [
            (1, [source, stage.MinhashDedupSignature(made["signs"], config, language="en")]),
            (BANDS, [stage.MinhashDedupBuckets(made["signs"], made["buckets"], config=config)]),
            (1, [stage.MinhashDedupCluster(made["buckets"], made["gone"], config=config)]),
            (1, [source, stage.MinhashDedupFilter(made["gone"], exclusion_writer=out)]),
        ]
        for number, (tasks, steps) in enumerate(stages):
            logs = str(Path(name, f"log-{number}"))
            LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=logs).run()
        for file in Path(made["out"]).rglob("*.jsonl"):
            for line in file.read_text().splitlines():
                yield json.loads(line)["id"]


if __name__ == "__main__":
    tool, corpus, out = sys.argv[1:]
    with open(out, "w") as file:  # noqa: PTH123
        file.writelines(f"{name}\n" for name in globals()[tool](corpus))
