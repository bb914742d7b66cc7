"""Near-duplicates: Karez beside its peers on one corpus, with what each missed.

python tests/bench/neardup.py [PAGES [RUNS]]

Everybody reads the same Parquet and writes down what to remove; Karez stops at its decisions.  A
cost is marginal: CPU seconds of four times the corpus less those of the corpus, per document, so
start-up drops out; slow peers get less.  Told are the median of all turns, the least and the most.
*Reading* is Karez's own run without measures and dedup.  Karez does not look for what it missed, as
no peer does.  The corpus is built by `neardup_corpus.py`.
"""

import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.steps.dedup.recall import wilson
from tests.bench.common import Cost, Middle, keep, machine, middle, peer, place, script, verdict

PEERS = ("gaoya", "rensa", "datasketch", "datatrove")
SLOW = {"datasketch": ("quarter", "corpus"), "datatrove": ("part",)}  # and are run once
SIZES = ("corpus", "fourfold")
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
Shares = dict[str, tuple[float, float, float, int]]
"""Name to share, low and high end of its interval, and count."""


def run(folder: Path, tool: str, corpus: Path) -> tuple[Cost, set[str]]:
    """What a tool took, and the ids that it removes."""
    out = folder / "out"
    if tool in PEERS:
        asked = ("datatrove_peer", "near") if tool == "datatrove" else ("neardup_peer", tool)
        return peer(tool, *asked, corpus, out), set(out.read_text().split())
    recipe, made = folder / f"{tool}.toml", folder / "run"
    recipe.write_text(RECIPE.format(corpus=corpus) + DEDUP * (tool == "karez"))
    shutil.rmtree(made, ignore_errors=True)
    took = script("skeleton", recipe, made, "decide")
    kept = pq.read_table(made / "decisions/documents", columns=["kept"])["kept"]
    names = pq.read_table(made / "documents", columns=["source_key"])["source_key"]
    return took, set(names.filter(pc.invert(kept)).to_pylist())


def measured(folder: Path, times: int) -> Turns:
    """CPU seconds for each corpus and peak memory, in turn; what is removed is kept."""
    figures: Turns = {}
    for turn in range(times):
        for tool in ("karez", "reading", *PEERS):
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


def each(rows: dict[str, int], mine: dict[str, list[float]]) -> list[float]:
    """CPU seconds a document, turn by turn: marginal, or all of them where there is one corpus."""
    few, *many = (name for name in mine if name != "peak")
    if not many:
        return [seconds / rows[few] for seconds in mine[few]]
    more = rows[many[0]] - rows[few]
    return [(b - a) / more for a, b in zip(mine[few], mine[many[0]], strict=True)]


def costs(rows: dict[str, int], figures: Turns) -> dict[str, dict[str, Middle]]:
    """Of each tool: documents a CPU second, start-up, peak; Karez's beside gaoya's.

    Args:
        rows: of each corpus.
        figures: of all turns.
    """
    table = {}
    for tool, mine in figures.items():
        cpu, (size, *_) = each(rows, mine), mine
        start = [whole - rows[size] * one for whole, one in zip(mine[size], cpu, strict=True)]
        table[tool] = {
            "documents a CPU s": middle([1 / one for one in cpu]),
            "start, CPU s": middle(start),
            "peak, MB": middle(mine["peak"]),
        }
    turns = [each(rows, figures[tool]) for tool in ("karez", "reading", "gaoya")]
    table["karez"] |= {
        "times gaoya, with the reading": middle([g / k for k, _, g in zip(*turns, strict=True)]),
        "times gaoya, without it": middle([g / (k - r) for k, r, g in zip(*turns, strict=True)]),
    }
    return table


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
    return [verdict(f >= bar, f"{what} {f:.4g}, bar {bar:.4g}") for what, f, bar in least]


def show(table: dict[str, dict[str, Middle]], shares: dict[str, Shares]) -> None:
    """Print what was found, with its interval."""
    for tool, mine in table.items():
        print(f"\n{tool}")
        for what, (usual, low, high) in mine.items():
            print(f"  {what:<32} {usual:>10,.2f}  ({low:,.2f} to {high:,.2f})")
        for what, (share, low, high, n) in shares.get(tool, {}).items():
            print(f"  {what:<32} {share:>10.4f}  ({low:.4f} to {high:.4f}, n = {n:,})")
    print()


def main(pages: int = 70_000, times: int = 5) -> None:
    """Measure, print, keep."""
    folder = place()
    script("neardup_corpus", folder, pages)
    names = ("part", "quarter", "corpus", "fourfold")
    rows = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in names}
    turns = measured(folder, times)
    table = costs(rows, turns)
    shares = {tool: quality(folder, tool) for tool in ("karez", *PEERS)}
    print(machine())
    show(table, shares)
    print("\n".join(bars(table, shares)))
    keep("neardup", turns=turns, cost=table, quality=shares)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
