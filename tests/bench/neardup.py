"""Near-duplicates: Karez beside its peers on one corpus, with what each missed.

python tests/bench/neardup.py [PAGES [RUNS [DOCUMENTS]]]

Everybody reads the same Parquet and writes down what to remove; Karez stops at its decisions.  A
cost is marginal: CPU seconds of the whole corpus less those of a quarter of it, per document, so
start-up drops out.  *Reading* is Karez's own run without measures and dedup.  Karez does not
measure what it missed here, as no peer does.  datatrove is so slow that it gets a part of the
quarter.  The corpus is built by `neardup_corpus.py`; memory and growth are taken with DOCUMENTS
short texts by `neardup_short.py`, 0: not at all.
"""

import json
import shutil
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.recall import wilson
from tests.bench import neardup_plot, neardup_short
from tests.bench.bench import ROOT, Cost, cost, machine

HERE = ROOT / "tests/bench"
PEERS = {
    "gaoya": ("gaoya==0.2.2",),
    "rensa": ("rensa==0.5.0",),
    "datasketch": ("datasketch==2.0.0",),
    "datatrove": ("datatrove[processing,io]==0.10.1", "spacy==3.8.18"),
}
ONCE = {"datasketch", "datatrove"}  # are slow
ON_A_PART = {"datatrove"}
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
Shares = dict[str, tuple[float, float, float, int]]
"""Name to share, low and high end of its interval, and count."""


def peer(folder: Path, name: str) -> Path:
    """The Python of a peer's environment, which is made if there is none."""
    python = folder / name / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        install = ["-m", "pip", "install", "--quiet", *PEERS[name], "pyarrow==25.0.1"]
        subprocess.run([str(python), *install], check=True)
    return python


def run(folder: Path, tool: str, corpus: Path) -> tuple[Cost, set[str]]:
    """What a tool took, and the ids that it removes."""
    out = folder / "out"
    if tool in PEERS:
        script = (str(peer(folder, tool)), HERE / "neardup_peer.py", tool, corpus, out)
        return cost(script), set(out.read_text().split())
    recipe, place = folder / f"{tool}.toml", folder / "run"
    recipe.write_text(RECIPE.format(corpus=corpus) + DEDUP * (tool == "karez"))
    shutil.rmtree(place, ignore_errors=True)
    took = cost([sys.executable, HERE / "skeleton.py", recipe, place, "decide"])
    kept = pq.read_table(place / "decisions/documents", columns=["kept"])["kept"]
    names = pq.read_table(place / "documents", columns=["source_key"])["source_key"]
    return took, set(names.filter(pc.invert(kept)).to_pylist())


def sizes(tool: str) -> tuple[str, ...]:
    """The corpora that a tool is given; the last one's answer counts."""
    return ("part",) if tool in ON_A_PART else ("quarter", "corpus")


def measured(folder: Path, times: int, tools: tuple[str, ...]) -> Turns:
    """CPU seconds for each corpus and peak memory, in turn; what is removed is kept."""
    figures: Turns = {}
    for turn in range(times):
        for tool in tools:
            if tool in ONCE and turn:
                continue
            mine = figures.setdefault(tool, {size: [] for size in (*sizes(tool), "peak")})
            for size in sizes(tool):
                took, removed = run(folder, tool, folder / f"{size}.parquet")
                mine[size].append(took.cpu)
            mine["peak"].append(took.peak)
            (folder / f"{tool}.removed").write_text("\n".join(sorted(removed)))
    return figures


def quality(folder: Path, tool: str) -> Shares:
    """Of true pairs the share that is not kept whole, by similarity; and the precision."""
    gone = set((folder / f"{tool}.removed").read_text().split())
    given = pq.read_table(folder / f"{sizes(tool)[-1]}.parquet", columns=["id"])["id"].to_pylist()
    among = {int(name) for name in given}
    pairs = pq.read_table(folder / "truth.parquet").to_pylist()
    pairs = [p for p in pairs if p["one"] in among and p["other"] in among]
    found: Shares = {}
    for low, high in pairwise(BINS):
        mine = [p for p in pairs if low <= p["jaccard"] < high]
        hits = sum(bool({f"{p['one']:06d}", f"{p['other']:06d}"} & gone) for p in mine)
        if mine:
            found[f"recall {low:.2f}"] = (hits / len(mine), *wilson(hits, len(mine)), len(mine))
    partners = {f"{p[end]:06d}" for p in pairs if p["jaccard"] >= 0.5 for end in ("one", "other")}
    right = len(gone & partners)
    found["precision"] = (right / len(gone), *wilson(right, len(gone)), len(gone))
    return found


def each(folder: Path, mine: dict[str, list[float]]) -> list[float]:
    """CPU seconds a document of each turn: marginal, or with the start-up where there is a part."""
    rows = {n: pq.read_metadata(folder / f"{n}.parquet").num_rows for n in mine if n != "peak"}
    if "part" in mine:
        return [took / rows["part"] for took in mine["part"]]
    more = rows["corpus"] - rows["quarter"]
    return [(b - a) / more for a, b in zip(mine["quarter"], mine["corpus"], strict=True)]


def costs(folder: Path, figures: Turns) -> dict[str, dict[str, list[float]]]:
    """Of each tool, turn by turn: documents a CPU second, start-up, peak; Karez against gaoya."""
    table = {}
    rows = pq.read_metadata(folder / "quarter.parquet").num_rows
    cpu = {tool: each(folder, mine) for tool, mine in figures.items()}
    for tool, mine in figures.items():
        table[tool] = {
            "documents a CPU s": [1 / one for one in cpu[tool]],
            "peak, MB": mine["peak"],
        }
        if "quarter" in mine:
            starts = zip(mine["quarter"], cpu[tool], strict=True)
            table[tool]["start, CPU s"] = [took - rows * one for took, one in starts]
    if {"karez", "reading", "gaoya"} <= cpu.keys():
        own = [a - b for a, b in zip(cpu["karez"], cpu["reading"], strict=True)]
        for what, ours in (("with the reading", cpu["karez"]), ("without it", own)):
            times = [g / k for g, k in zip(cpu["gaoya"], ours, strict=True)]
            table["karez"][f"times gaoya, {what}"] = times
    return table


def bars(table: dict[str, dict[str, list[float]]], shares: dict[str, Shares]) -> list[str]:
    """What must hold, and whether it does."""
    karez, gaoya = shares["karez"], shares["gaoya"]
    least: list[tuple[str, float, float]] = []
    for name, bar in (("times gaoya, without it", 5), ("times gaoya, with the reading", 4)):
        least.append((name, statistics.median(table["karez"][name]), bar))
    for low, wanted in (("0.80", 0.955), ("0.85", 0.995), ("0.90", 1)):
        name = f"recall {low}"
        least.append((name, karez[name][0], wanted))
        least.append((f"{name}, gaoya's interval", karez[name][0], gaoya[name][1]))
    least.append(("precision", karez["precision"][0], 0.998))
    return [
        f"{'met' if f >= bar else 'MISSED'}: {what} {f:.4g}, bar {bar:.4g}"
        for what, f, bar in least
    ]


def show(table: dict[str, dict[str, list[float]]], shares: dict[str, Shares]) -> None:
    """Print medians, with the least and the most of all turns."""
    for tool, mine in table.items():
        print(f"\n{tool}")
        for what, turns in mine.items():
            middle = statistics.median(turns)
            print(f"  {what:<32} {middle:>10,.2f}  ({min(turns):,.2f} to {max(turns):,.2f})")
        for what, (share, low, high, n) in shares.get(tool, {}).items():
            print(f"  {what:<32} {share:>10.4f}  ({low:.4f} to {high:.4f}, n = {n:,})")
    print()


def main(pages: int = 70_000, times: int = 5, documents: int = 8_000_000) -> None:
    """Measure, print, keep."""
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    cost([sys.executable, HERE / "neardup_corpus.py", folder, str(pages)], PYTHONPATH=str(ROOT))
    table = costs(folder, measured(folder, times, ("karez", "reading", *PEERS)))
    shares = {tool: quality(folder, tool) for tool in ("karez", *PEERS)}
    print(machine())
    show(table, shares)
    print("\n".join(bars(table, shares)))
    growth = neardup_short.growth(folder, documents) if documents else {}
    kept = {"machine": machine(), "cost": table, "quality": shares, "growth": growth}
    (ROOT / "build/neardup.json").write_text(json.dumps(kept, indent=1))
    (ROOT / "build/neardup.svg").write_text(neardup_plot.picture(table, shares))
    print(f"\nkept as {ROOT / 'build/neardup.json'} and neardup.svg")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
