"""Languages: how often they are right, beside peers, on documents whose languages are known.

python tests/bench/languages_quality.py

Documents are those of `languages_gold.py`.  Of each, the likeliest language is compared; of mixed
ones the set of languages, by F1.  Karez and CLD2 tell shares, and a language counts from 5 % on.
"""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fasttext.FastText import load_model

from filters import EDITS
from filters.language import MODEL, Language, paragraphs
from pipelines.steps.dedup.recall import wilson
from tests.bench.common import keep, machine, peer, place, verdict
from tests.bench.languages_gold import write

PEERS = ("pycld2", "py3langid")
SHARE = 0.05
BATCH = 500
SET_BAR = 0.95

Found = tuple[float, list[list[str]]]
"""CPU seconds, and the languages of each document, the likeliest first."""


def karez(texts: pa.StringArray) -> Found:
    """By paragraph."""
    found = []
    began = time.process_time()
    for start in range(0, len(texts), BATCH):
        some = texts[start : start + BATCH]
        columns = {"text": some, "paragraphs": paragraphs(some)}
        columns["edits"] = pa.array([[]] * len(some), EDITS)
        for row in Language().measure(pa.record_batch(columns)).to_pylist():
            mine = [e["language"] for e in row["languages"] if e["share"] >= SHARE]
            first = [row["language"]] if row["language"] else []
            found.append([*first, *(name for name in mine if name not in first)])
    return time.process_time() - began, found


def library(texts: pa.StringArray) -> Found:
    """FastText itself, one label a document."""
    ask = load_model(str(MODEL)).f.multilinePredict
    began = time.process_time()
    lines = [text.replace("\n", " ") + "\n" for text in texts.to_pylist()]
    labels, _ = ask(lines, 1, 0.0, "strict")
    return time.process_time() - began, [[la.removeprefix("__label__") for la in x] for x in labels]


def theirs(folder: Path, tool: str) -> Found:
    """A tool in its own environment."""
    out = folder / "out"
    peer(tool, "languages_peer", tool, folder / "gold.parquet", out)
    took, *lines = out.read_text().splitlines()
    return float(took), [line.split() for line in lines]


def f1(found: Sequence[str], true: Sequence[str]) -> float:
    """Of two sets."""
    return 2 * len({*found} & {*true}) / (len({*found}) + len({*true}))


def judged(found: Found, gold: list[list[str]]) -> dict[str, float]:
    """Documents a CPU second, accuracy of whole ones with its interval, set-F1 of mixed ones."""
    seconds, named = found
    plain = [[code.partition("-")[0] for code in each] for each in named]
    pairs = list(zip(plain, gold, strict=True))
    right = [f[:1] == t for f, t in pairs if len(t) == 1]
    low, high = wilson(statistics.mean(right), len(right))
    return {
        "documents a CPU s": len(gold) / seconds,
        "accuracy": statistics.mean(right),
        "at least": low,
        "at most": high,
        "set-F1, mixed": statistics.mean(f1(f, t) for f, t in pairs if len(t) > 1),
    }


def main() -> None:
    """Measure, print, keep."""
    folder = place()
    table = pq.read_table(write(folder))
    texts, gold = table["text"].combine_chunks(), table["languages"].to_pylist()
    karez(texts[:10])  # compiles
    found = {"karez": karez(texts), "fastText": library(texts)}
    found |= {tool: theirs(folder, tool) for tool in PEERS}
    figures = {tool: judged(each, gold) for tool, each in found.items()}
    print(machine())
    for tool, mine in figures.items():
        told = ", ".join(f"{what} {value:,.4g}" for what, value in mine.items())
        print(f"  {tool:<10} {told}")
    ours = figures["karez"]
    bars = {
        "accuracy, fastText's own": (ours["accuracy"], figures["fastText"]["accuracy"]),
        "set-F1, mixed": (ours["set-F1, mixed"], SET_BAR),
    }
    for what, (figure, bar) in bars.items():
        print(verdict(figure >= bar, f"{what} {figure:.4f}, bar {bar:.4f}"))
    keep("languages", languages=figures)


if __name__ == "__main__":
    main()
