"""Personal data: what Karez finds and leaves of planted values, beside datatrove, and at what cost.

python tests/bench/personal.py [COUNT]

COUNT values of each kind, made by faker in forms that were fixed beforehand, and as many
look-alikes as all of them together stand in sentences, which stand in the sample's documents.  A
value is found if nothing is left of it, by Karez also only if the sentence around it is whole.
Precision is about what was planted: of all that is gone, the share that is of the kind.  Speed is
that of all kinds together over the documents, and for Karez over those of them without any, too.
"""

import json
import random
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.edits import apply
from filters.personal import KINDS, PersonalData
from pipelines.steps.dedup.recall import wilson
from tests.bench.common import machine, peer, place, sample, timed, verdict

BARS = {"recall": 0.98, "precision": 0.95}
SPEED = 200  # MB a CPU second, over text without any
TURNS = 5

Planted = list[dict[str, Any]]
"""Kind, value and frame of each, and the number of its document."""
Table = dict[str, dict[str, tuple[float, ...]]]
"""Of each kind its figures by name: share, and the ends of its interval."""


def planted(texts: list[str], values: Iterable[dict[str, Any]]) -> tuple[list[str], Planted]:
    """The texts with the values' sentences between their lines, and where each stands."""
    draw, out = random.Random(1), []
    lines = [text.split("\n") for text in texts]
    for value in values:
        row = draw.randrange(len(lines))
        lines[row].insert(draw.randint(0, len(lines[row])), value["frame"].format(value["value"]))
        out.append({**value, "row": row})
    return ["\n".join(each) for each in lines], out


def judged(values: Planted, cleaned: list[dict[str, str]], whole: bool) -> Table:
    """Recall and precision of each kind that a tool knows.

    Args:
        values: what was planted.
        cleaned: of each text, by kind, what a tool left of it.
        whole: whether the sentence around a value must be whole, with the kind in its place.
    """
    table: Table = {}
    for kind in [kind for kind in KINDS if kind in cleaned[0]]:
        right = wrong = all_ = 0
        for value in values:
            text, mine = cleaned[value["row"]][kind], value["kind"] == kind
            gone = value["frame"].format(value["value"]) not in text
            if whole and mine:
                gone &= value["frame"].format(f"<{kind}>") in text
            elif mine:
                gone &= value["value"] not in text
            right, wrong, all_ = right + (gone and mine), wrong + (gone and not mine), all_ + mine
        shares = {"recall": all_, "precision": right + wrong}
        table[kind] = {
            name: (right / max(1, of), *wilson(right / max(1, of), of))
            for name, of in shares.items()
        }
    return table


def cleaned(texts: list[str]) -> list[dict[str, str]]:
    """What Karez leaves of each text, by kind."""
    column = pa.array(texts)
    batch = pa.record_batch({"text": column})
    kinds = {k: apply(column, PersonalData([k]).edit(batch)).to_pylist() for k in KINDS}
    return [dict(zip(kinds, row, strict=True)) for row in zip(*kinds.values(), strict=True)]


def rate(texts: pa.StringArray) -> float:
    """MB a CPU second, the edits made."""
    batch = pa.record_batch({"text": texts})
    took = [timed(lambda: apply(texts, PersonalData().edit(batch))) for _ in range(TURNS)]
    return float(pc.sum(pc.binary_length(texts)).as_py() / 1e6 / statistics.median(took))


def theirs(tool: str, given: Path | int) -> list[Any]:
    """What the script of the peer writes."""
    out = place() / "personal.jsonl"
    peer("datatrove", "personal_peer", tool, given, out)
    return [json.loads(line) for line in out.read_text().splitlines()]


def show(tool: str, table: Table, speed: float) -> None:
    """One tool's figures."""
    print(f"\n{tool}: {speed:,.1f} MB a CPU second")
    for kind, figures in table.items():
        said = [
            f"{name} {100 * f[0]:6.2f} % ({100 * f[1]:.1f} to {100 * f[2]:.1f})"
            for name, f in figures.items()
        ]
        print(f"  {kind:<6} {', '.join(said)}")


def main(count: int = 1000) -> None:
    """Plant, look, print."""
    raw = sample(place())
    texts, values = planted(raw, theirs("plant", count))
    print(machine())
    ours = judged(values, cleaned(texts), True)
    many = pa.array(raw * 10)
    without = many.filter(
        pc.equal(PersonalData().edit(pa.record_batch({"text": many})).value_lengths(), 0)
    )
    speed = rate(without)
    show("karez", ours, rate(pa.array(texts * 10)))
    print(f"  over documents without any: {speed:,.0f} MB a CPU second")
    natural = PersonalData().edit(pa.record_batch({"text": pa.array(raw)})).values
    print(f"  in the documents themselves: {dict(Counter(natural.field('reason').to_pylist()))}")
    given = place() / "planted.jsonl"
    given.write_text("\n".join(map(json.dumps, texts)))
    *found, took = theirs("clean", given)
    size = sum(len(text.encode()) for text in texts)
    show("datatrove", judged(values, found, False), size / 1e6 / took)
    for kind, figures in ours.items():
        for name, bar in BARS.items():
            share = figures[name][0]
            print(verdict(share >= bar, f"{kind}, {name} {share:.4f}, bar {bar}"))
    print(verdict(speed >= SPEED, f"MB a CPU second {speed:.0f}, bar {SPEED}"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
