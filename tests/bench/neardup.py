"""Near-duplicates: Karez beside its peers on one corpus, with what each missed.

python tests/bench/neardup.py [DOCUMENTS [RUNS]]

Everybody reads the same Parquet and writes down what to remove.  A cost is marginal: CPU seconds of
the whole corpus less those of a quarter of it, per document, so start-up drops out.  *Reading* is
Karez's own run without measures and dedup.  Karez does not measure what it missed here, as no peer
does.  The corpus is built by `neardup_corpus.py`.
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
from tests.bench.bench import ROOT, Cost, cost, machine

HERE = ROOT / "tests/bench"
PEERS = {"gaoya": "gaoya==0.2.2", "rensa": "rensa==0.5.0", "datasketch": "datasketch==2.0.0"}
SLOW = {"datasketch"}  # is run once
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


def peer(folder: Path, name: str) -> Path:
    """The Python of a peer's environment, which is made if there is none."""
    python = folder / name / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        install = ["-m", "pip", "install", "--quiet", PEERS[name], "pyarrow"]
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
    took = cost([sys.executable, HERE / "skeleton.py", recipe, place])
    kept = pq.read_table(place / "decisions/documents", columns=["kept"])["kept"]
    names = pq.read_table(place / "documents", columns=["source_key"])["source_key"]
    return took, set(names.filter(pc.invert(kept)).to_pylist())


def measured(folder: Path, times: int) -> dict[str, dict[str, list[float]]]:
    """CPU seconds of a quarter and of the whole, peak memory, in turn; what is removed is kept."""
    figures: dict[str, dict[str, list[float]]] = {}
    for turn in range(times):
        for tool in ("karez", "reading", *PEERS):
            if tool in SLOW and turn:
                continue
            mine = figures.setdefault(tool, {"quarter": [], "corpus": [], "peak": []})
            for size in ("quarter", "corpus"):
                took, removed = run(folder, tool, folder / f"{size}.parquet")
                mine[size].append(took.cpu)
            mine["peak"].append(took.peak)
            (folder / f"{tool}.removed").write_text("\n".join(sorted(removed)))
    return figures


def quality(folder: Path, tool: str) -> dict[str, list[float]]:
    """Of true pairs the share that is not kept whole, by similarity; and the precision.

    Returns:
        name to share, low and high end of its interval, and count.
    """
    gone = set((folder / f"{tool}.removed").read_text().split())
    pairs = pq.read_table(folder / "truth.parquet").to_pylist()
    found: dict[str, list[float]] = {}
    for low, high in pairwise(BINS):
        mine = [p for p in pairs if low <= p["jaccard"] < high]
        hits = sum(bool({f"{p['one']:06d}", f"{p['other']:06d}"} & gone) for p in mine)
        found[f"recall {low:.2f}"] = [hits / len(mine), *wilson(hits, len(mine)), len(mine)]
    partners = {f"{p[end]:06d}" for p in pairs if p["jaccard"] >= 0.5 for end in ("one", "other")}
    right = len(gone & partners)
    found["precision"] = [right / len(gone), *wilson(right, len(gone)), len(gone)]
    return found


def costs(folder: Path, figures: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Of each tool: documents a CPU second, start-up, peak; and Karez's share of gaoya's cost."""
    sizes = [pq.read_metadata(folder / f"{n}.parquet").num_rows for n in ("quarter", "corpus")]
    table, each = {}, {}
    for tool, mine in figures.items():
        every = [b - a for a, b in zip(mine["quarter"], mine["corpus"], strict=True)]
        each[tool] = statistics.median(every) / (sizes[1] - sizes[0])
        table[tool] = {
            "documents a CPU s": 1 / each[tool],
            "start, CPU s": statistics.median(mine["quarter"]) - each[tool] * sizes[0],
            "peak, MB": max(mine["peak"]),
        }
    table["karez"]["times gaoya, with the reading"] = each["gaoya"] / each["karez"]
    own = each["karez"] - each["reading"]
    table["karez"]["times gaoya, without it"] = each["gaoya"] / own
    return table


def main(limit: int = 70_000, times: int = 3) -> None:
    """Measure, print, keep."""
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    cost([sys.executable, HERE / "neardup_corpus.py", folder, str(limit)], PYTHONPATH=str(ROOT))
    table = costs(folder, measured(folder, times))
    shares = {tool: quality(folder, tool) for tool in ("karez", *PEERS)}
    print(machine())
    for tool, mine in table.items():
        print(f"\n{tool}")
        for what, figure in mine.items():
            print(f"  {what:<32} {figure:>10,.2f}")
        for what, (share, low, high, n) in shares.get(tool, {}).items():
            print(f"  {what:<32} {share:>10.4f}  ({low:.4f} to {high:.4f}, n = {n:,})")
    kept = {"machine": machine(), "cost": table, "quality": shares}
    (ROOT / "build/neardup.json").write_text(json.dumps(kept, indent=1))
    bars = {
        "times gaoya, without the reading": (table["karez"]["times gaoya, without it"], 5),
        "times gaoya, with it": (table["karez"]["times gaoya, with the reading"], 4),
        "recall .80 to .85": (shares["karez"]["recall 0.80"][0], 0.955),
        "recall .85 to .90": (shares["karez"]["recall 0.85"][0], 0.995),
        "recall .90 and above": (shares["karez"]["recall 0.90"][0], 1),
        "precision": (shares["karez"]["precision"][0], 0.998),
    }
    print()
    for what, (figure, bar) in bars.items():
        print(f"{'met' if figure >= bar else 'MISSED'}: {what} {figure:.4g}, bar {bar}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
