"""Memory and growth: short texts in great numbers, what dedup over them takes and how it grows.

python tests/bench/growth.py [DOCUMENTS]

A text is made of stretches of 8 to 16 words, each cut from a place of its own in the corpus of
`neardup.py`, 40 to 80 words in all; 23 % are copies of another one in the same 50,000, with up to
three words changed.  The slope is of log CPU over log documents, start-up subtracted, from a
quarter of them to all; below that start-up is too much of it.  The bar of memory is for half of
them and less, of one process.
"""

import random
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.common import keep, place, script, verdict
from tests.bench.neardup import DEDUP, RECIPE

GROUP = 50_000  # texts in a row group, which knows no other
COPIES = 0.23
PAGES = 15_000  # of the corpus, that are cut up
TURNS = 2
MEMORY_BAR, SLOPE_BAR = 600, 1.15


def group(words: Sequence[str], number: int) -> Iterator[str]:
    """The texts of one row group."""
    draw, base = random.Random(number), list[list[str]]()
    for _ in range(GROUP):
        if base and draw.random() < COPIES:
            text = list(draw.choice(base))
            for _ in range(draw.randrange(4)):
                text[draw.randrange(len(text))] = draw.choice(words)
        else:
            text, size = [], draw.randrange(40, 81)
            while len(text) < size:
                at, more = draw.randrange(len(words) - 16), draw.randrange(8, 17)
                text += words[at : at + min(more, size - len(text))]
            base.append(text)
        yield " ".join(text)


def write(path: Path, documents: int) -> None:
    """A corpus of so many short texts; a smaller one is the beginning of a larger."""
    pages = pq.read_table(path.with_name("corpus.parquet"), columns=["text"])["text"][:PAGES]
    words = [word for text in pages.to_pylist() for word in text.split()]
    kind = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with pq.ParquetWriter(path, kind, compression="zstd") as out:
        for start in range(0, documents, GROUP):
            count = min(GROUP, documents - start)
            texts = list(group(words, start // GROUP))[:count]
            out.write_table(pa.table([range(start, start + count), texts], schema=kind))


def run(folder: Path, documents: int) -> tuple[float, float]:
    """CPU seconds and the peak of memory in MB, up to the decisions."""
    corpus, recipe, made = folder / "short.parquet", folder / "short.toml", folder / "run"
    script("growth", corpus, documents)
    recipe.write_text(RECIPE.format(corpus=corpus) + DEDUP.replace('keep = "source_key"\n', ""))
    shutil.rmtree(made, ignore_errors=True)
    took = script("skeleton", recipe, made, "decide")
    return took.cpu, took.peak


def main(most: int = 4_000_000) -> None:
    """Measure, print, keep."""
    folder = place()
    if not (folder / "corpus.parquet").exists():
        script("neardup_corpus", folder, 70_000)
    start = min(run(folder, 100)[0] for _ in range(TURNS))
    sizes = [most // 8, *[most // 4, most // 2, most] * TURNS]
    figures = [(size, *run(folder, size)) for size in sizes]
    for size, cpu, peak in figures:
        print(f"{size:>10,} short texts {cpu:>8.1f} CPU s {peak:>6.0f} MB")
    points = [(log(size), log(cpu - start)) for size, cpu, _ in figures[1:]]
    slope = statistics.linear_regression(*zip(*points, strict=True)).slope
    each = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points) if b[0] > a[0]]
    most_held = max(peak for size, _, peak in figures if size <= most // 2)
    print(verdict(most_held <= MEMORY_BAR, f"{most_held:.0f} MB at most, bar {MEMORY_BAR}"))
    grows = f"slope {slope:.3f}, of one doubling {min(each):.3f} to {max(each):.3f}"
    print(verdict(slope <= SLOPE_BAR, f"{grows}, bar {SLOPE_BAR}; start-up {start:.1f} CPU s"))
    keep("growth", start=start, figures=figures, slope=slope)


if __name__ == "__main__":
    if sys.argv[2:]:
        write(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
