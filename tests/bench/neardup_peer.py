"""One peer over one corpus, in its own environment; writes the ids that it would remove.

python neardup_peer.py TOOL CORPUS.parquet OUT

Every tool has shingles of 5 words, 112 permutations in 14 bands of 8, and keeps what came first.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

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


if __name__ == "__main__":
    tool, corpus, out = sys.argv[1:]
    Path(out).write_text("\n".join(globals()[tool](corpus)))
