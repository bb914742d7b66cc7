"""Memory and growth: short texts in great numbers, what a run over them takes and how it grows.

A text is made of stretches of 8 to 16 words, each cut from a place of its own in the real corpus,
40 to 80 words in all; 23 % are copies of another one in the same 50,000, with up to three words
changed.
"""

import random
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.bench import ROOT, cost

GROUP = 50_000  # texts in a row group, which knows no other
COPIES = 0.23
PAGES = 15_000  # of the corpus, that are cut up
TURNS = 2
MEMORY_BAR, SLOPE_BAR = 600, 1.15
STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36}
"""The 97.5 % point of Student's t, by degrees of freedom."""

RECIPE = """
name = "short"
[[source]]
kind = "parquet"
paths = ["{corpus}"]
[dedup]
threshold = 0.7
probes = 0
"""


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


def write(folder: Path, documents: int) -> None:
    """A corpus of so many short texts, made once; a smaller one is the beginning of a larger."""
    path = path_of(folder, documents)
    if path.exists():
        return
    pages = pq.read_table(folder / "corpus.parquet", columns=["text"])["text"][:PAGES]
    words = [word for text in pages.to_pylist() for word in text.split()]
    kind = pa.schema([("id", pa.int64()), ("text", pa.string())])
    part = path.with_suffix(".part")
    with pq.ParquetWriter(part, kind, compression="zstd") as out:
        for start in range(0, documents, GROUP):
            count = min(GROUP, documents - start)
            texts = list(group(words, start // GROUP))[:count]
            out.write_table(pa.table([range(start, start + count), texts], schema=kind))
    part.rename(path)


def path_of(folder: Path, documents: int) -> Path:
    """Where they are."""
    return folder / f"short-{documents}.parquet"


def slope(sizes: Sequence[int], took: Sequence[float]) -> tuple[float, float, float]:
    """Of log CPU over log documents, by least squares: it, and the ends of its 95 % interval."""
    x, y = [log(n) for n in sizes], [log(t) for t in took]
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    line = statistics.linear_regression(x, y)
    free = len(x) - 2
    left = sum((b - line.slope * a - line.intercept) ** 2 for a, b in zip(x, y, strict=True))
    half = STUDENT[free] * (left / free / spread) ** 0.5
    return line.slope, line.slope - half, line.slope + half


def growth(folder: Path, most: int) -> dict[str, list[float]]:
    """CPU seconds and peak memory of an eighth, a quarter, a half and all; prints what holds.

    The eighth is too small beside the start-up to say how the cost grows; the bar of memory is for
    half of them and less.
    """

    def run(documents: int) -> tuple[float, float]:
        # written by a process of its own: what we hold ourselves counts as our children's peak
        cost([sys.executable, __file__, folder, str(documents)], PYTHONPATH=str(ROOT))
        recipe = folder / "short.toml"
        recipe.write_text(RECIPE.format(corpus=path_of(folder, documents)))
        shutil.rmtree(folder / "run", ignore_errors=True)
        script = ROOT / "tests/bench/skeleton.py"
        took = cost([sys.executable, script, recipe, folder / "run", "decide"])
        return took.cpu, took.peak

    start = min(run(100)[0] for _ in range(TURNS))
    sizes = [most // 8, *[most // 4, most // 2, most] * TURNS]
    figures = [run(size) for size in sizes]
    for size, (cpu, peak) in zip(sizes, figures, strict=True):
        print(f"  {size:>10,} short texts {cpu:>8.1f} CPU s {peak:>6.0f} MB")
    grows, low, high = slope(sizes[1:], [cpu - start for cpu, _ in figures[1:]])
    peak = max(peak for size, (_, peak) in zip(sizes, figures, strict=True) if size <= most // 2)
    print(f"  start-up {start:.1f} CPU s; slope {grows:.3f} ({low:.3f} to {high:.3f})")
    print(f"{'met' if peak <= MEMORY_BAR else 'MISSED'}: peak, MB {peak:.0f}, bar {MEMORY_BAR}")
    print(f"{'met' if grows <= SLOPE_BAR else 'MISSED'}: slope {grows:.3f}, bar {SLOPE_BAR}")
    return {
        "documents": [float(size) for size in sizes],
        "CPU s": [cpu for cpu, _ in figures],
        "peak, MB": [peak for _, peak in figures],
        "slope": [grows, low, high],
        "start, CPU s": [start],
    }


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
