"""Near-duplicates: Karez beside its peers on one corpus, with what each missed.

python tests/bench/neardup.py [PAGES [RUNS]]

Everybody reads the same Parquet and writes down what to remove; Karez stops at its decisions.  A
cost is marginal: CPU seconds of four times the corpus less those of the corpus, per document, so
start-up drops out; slow peers get less.  It comes from the medians of all turns, its interval from
drawing turns anew.  *Reading* is Karez's own run without measures and dedup.  Karez does not look
for what it missed, as no peer does.  The corpus is built by `neardup_corpus.py`.
"""

import json
import random
import shutil
import statistics
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.steps.dedup.recall import wilson
from tests.bench.bench import ROOT, Cost, cost, environment, machine

HERE = ROOT / "tests/bench"
PEERS = {
    "gaoya": ("gaoya==0.2.2",),
    "rensa": ("rensa==0.5.0",),
    "datasketch": ("datasketch==2.0.0",),
    "datatrove": ("datatrove[processing,io]==0.10.1", "spacy==3.8.18"),
}
SLOW = {"datasketch": ("quarter", "corpus"), "datatrove": ("part",)}  # and are run once
SIZES = ("corpus", "fourfold")
DRAWS = 2000  # of turns, for an interval
BINS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.01)
RECIPE = """
name = "neardup"
[[source]]
kind = "parquet"
paths = ["{corpus}"]
"""
DEDUP = """
[dedup]
threshold = 0.7
keep = "source_key"
probes = 0
"""

Turns = dict[str, dict[str, list[float]]]
"""Of each tool: CPU seconds for each corpus, and peak memory, turn by turn."""
Middle = tuple[float, float, float]
"""A figure, and the ends of its interval."""
Shares = dict[str, tuple[float, float, float, int]]
"""Name to share, low and high end of its interval, and count."""


def run(folder: Path, tool: str, corpus: Path) -> tuple[Cost, set[str]]:
    """What a tool took, and the ids that it removes."""
    out = folder / "out"
    if tool in PEERS:
        python = environment(folder, tool, (*PEERS[tool], "pyarrow==25.0.1"))
        script = (python, HERE / "neardup_peer.py", tool, corpus, out)
        return cost(script), set(out.read_text().split())
    recipe, place = folder / f"{tool}.toml", folder / "run"
    recipe.write_text(RECIPE.format(corpus=corpus) + DEDUP * (tool == "karez"))
    shutil.rmtree(place, ignore_errors=True)
    took = cost([sys.executable, HERE / "skeleton.py", recipe, place, "decide"])
    kept = pq.read_table(place / "decisions/documents", columns=["kept"])["kept"]
    names = pq.read_table(place / "documents", columns=["source_key"])["source_key"]
    return took, set(names.filter(pc.invert(kept)).to_pylist())


def measured(folder: Path, times: int, tools: tuple[str, ...]) -> Turns:
    """CPU seconds for each corpus and peak memory, in turn; what is removed is kept."""
    figures: Turns = {}
    for turn in range(times):
        for tool in tools:
            if tool in SLOW and turn:
                continue
            sizes = SLOW.get(tool, SIZES)
            mine = figures.setdefault(tool, {size: [] for size in (*sizes, "peak")})
            for size in sizes:
                took, removed = run(folder, tool, folder / f"{size}.parquet")
                mine[size].append(took.cpu)
                if size in ("corpus", "part"):
                    (folder / f"{tool}.removed").write_text("\n".join(sorted(removed)))
            mine["peak"].append(took.peak)
    return figures


def quality(folder: Path, tool: str) -> Shares:
    """Of true pairs the share that is not kept whole, by similarity; and the precision."""
    gone = set((folder / f"{tool}.removed").read_text().split())
    corpus = "part" if SLOW.get(tool) == ("part",) else "corpus"
    given = pq.read_table(folder / f"{corpus}.parquet", columns=["id"])["id"].to_pylist()
    among = {int(name) for name in given}
    pairs = pq.read_table(folder / "truth.parquet").to_pylist()
    pairs = [p for p in pairs if p["one"] in among and p["other"] in among]
    found: Shares = {}
    for low, high in pairwise(BINS):
        mine = [p for p in pairs if low <= p["jaccard"] < high]
        hits = sum(bool({f"{p['one']:06d}", f"{p['other']:06d}"} & gone) for p in mine)
        if mine:
            found[f"recall {low:.2f}"] = share(hits, len(mine))
    partners = {f"{p[end]:06d}" for p in pairs if p["jaccard"] >= 0.5 for end in ("one", "other")}
    right = len(gone & partners)
    found["precision"] = share(right, len(gone))
    return found


def share(part: int, whole: int) -> tuple[float, float, float, int]:
    """A share with its interval and what it is a share of."""
    return part / whole, *wilson(part / whole, whole), whole


def each(rows: dict[str, int], mine: dict[str, list[float]], turns: Sequence[int]) -> float:
    """CPU seconds a document by some turns: marginal, or all of them where there is one corpus."""
    sizes = [name for name in mine if name != "peak"]
    took = [statistics.median(mine[size][turn] for turn in turns) for size in sizes]
    if len(sizes) == 1:
        return took[0] / rows[sizes[0]]
    return (took[1] - took[0]) / (rows[sizes[1]] - rows[sizes[0]])


def costs(rows: dict[str, int], figures: Turns) -> dict[str, dict[str, Middle]]:
    """Of each tool: documents a CPU second, start-up, peak; Karez's beside gaoya's.

    Args:
        rows: of each corpus.
        figures: of all turns.
    """

    def told(turns: Sequence[int], tool: str) -> dict[str, float]:
        mine = figures[tool]
        here = turns if tool not in SLOW else [0]
        cpu = each(rows, mine, here)
        size = next(iter(mine))
        start = statistics.median(mine[size][turn] for turn in here) - rows[size] * cpu
        found = {"documents a CPU s": 1 / cpu, "start, CPU s": start, "peak, MB": max(mine["peak"])}
        if tool == "karez":
            reading, gaoya = (each(rows, figures[other], here) for other in ("reading", "gaoya"))
            found["times gaoya, with the reading"] = gaoya / cpu
            found["times gaoya, without it"] = gaoya / (cpu - reading)
        return found

    draw, count = random.Random(1), len(figures["karez"]["peak"])
    drawn = [draw.choices(range(count), k=count) for _ in range(DRAWS)]
    table = {}
    for tool in figures:
        again = [told(turns, tool) for turns in (drawn if tool not in SLOW else drawn[:1])]
        table[tool] = {
            what: (middle, *_ends([found[what] for found in again]))
            for what, middle in told(range(count), tool).items()
        }
    return table


def _ends(values: list[float]) -> tuple[float, float]:
    """Between them lie 95 % of the values."""
    values = sorted(values)
    return values[round(0.025 * (len(values) - 1))], values[round(0.975 * (len(values) - 1))]


def bars(table: dict[str, dict[str, Middle]], shares: dict[str, Shares]) -> list[str]:
    """What must hold, and whether it does."""
    karez, gaoya = shares["karez"], shares["gaoya"]
    least: list[tuple[str, float, float]] = []
    for name, bar in (("times gaoya, without it", 5), ("times gaoya, with the reading", 4)):
        least.append((name, table["karez"][name][0], bar))
    for low, wanted in (("0.80", 0.955), ("0.85", 0.995), ("0.90", 1)):
        name = f"recall {low}"
        least.append((name, karez[name][0], wanted))
        least.append((f"{name}, gaoya's interval", karez[name][0], gaoya[name][1]))
    least.append(("precision", karez["precision"][0], 0.998))
    return [
        f"{'met' if f >= bar else 'MISSED'}: {what} {f:.4g}, bar {bar:.4g}"
        for what, f, bar in least
    ]


def show(table: dict[str, dict[str, Middle]], shares: dict[str, Shares]) -> None:
    """Print what was found, with its interval."""
    for tool, mine in table.items():
        print(f"\n{tool}")
        for what, (middle, low, high) in mine.items():
            print(f"  {what:<32} {middle:>10,.2f}  ({low:,.2f} to {high:,.2f})")
        for what, (share, low, high, n) in shares.get(tool, {}).items():
            print(f"  {what:<32} {share:>10.4f}  ({low:.4f} to {high:.4f}, n = {n:,})")
    print()


def main(pages: int = 70_000, times: int = 5) -> None:
    """Measure, print, keep."""
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    cost([sys.executable, HERE / "neardup_corpus.py", folder, str(pages)], PYTHONPATH=str(ROOT))
    names = ("part", "quarter", "corpus", "fourfold")
    rows = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in names}
    turns = measured(folder, times, ("karez", "reading", *PEERS))
    (ROOT / "build/neardup-turns.json").write_text(json.dumps(turns))
    table = costs(rows, turns)
    shares = {tool: quality(folder, tool) for tool in ("karez", *PEERS)}
    print(machine())
    show(table, shares)
    print("\n".join(bars(table, shares)))
    kept = {"machine": machine(), "cost": table, "quality": shares}
    (ROOT / "build/neardup.json").write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
