"""Rules: all that Gopher, C4 and FineWeb ask, beside datatrove's four filters.

python tests/bench/rules.py [DOCUMENTS [TURNS]]

Karez's cost is marginal: CPU seconds of the scan with the three presets less those of the scan
without, from a quarter of the near-duplicates' corpus to all of it, per document: tokenisation,
measures, edits, and the columns written; what it takes to judge them is told apart.  Datatrove's is
that of its filters alone, over a quarter of DOCUMENTS of the same corpus a turn.  Both are taken by
turns, and come from the medians.

Verdicts are compared on as many English documents, on datatrove's own words.  Of those that either
rejects the share is told that both do, and of every difference the cause: it is white space where
the two agree once that is taken from around the lines.
"""

import json
import shutil
import statistics
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters import EDITS, SPANS
from filters.c4 import C4
from filters.c4_lines import C4Lines
from filters.edits import apply
from filters.language import Language, paragraphs
from filters.quality import Quality
from filters.repetition import Repetition
from pipelines import sql
from pipelines.recipe import presets
from tests.bench.common import keep, machine, peer, place, script, verdict

RECIPE = """
name = "rules"
presets = {presets}
[[source]]
kind = "parquet"
paths = ["{corpus}"]
"""
SIZES = ("quarter", "corpus")

BAR, GOAL, AGREEMENT = 200, 600, 0.98
ABOUT_REPETITION = {"duplicate_lines", "duplicate_paragraphs", "top_ngram", "duplicate_ngrams"}
SPACE = "white space around lines counts there, and lines of nothing else"
CAUSES = {
    ("too_few_sentences", "few_sentences"): "sentences there are spaCy's; initials end none here",
    ("char_dup_ratio", "repeated_lines"): "a share of characters without line feeds there",
    ("line_punct_ratio", "unpunctuated"): "a closing quote or an ellipsis ends a line here",
    (
        "curly_bracket",
        "curly_brackets",
    ): "other lines stay, as other quotes end one and words are counted otherwise",
    ("gopher_short_doc", "short"): "symbols that are no punctuation are words there",
}
"""By their reason and ours; one of the two is missing."""

Reasons = dict[str, list[str | None]]
"""Of each of the four filters: why it rejects each document; None: it keeps it."""
Difference = tuple[str, str, str | None, str | None]
"""Document, filter, their reason, our reason."""


def run(folder: Path, presets: str, size: str) -> dict[str, float]:
    """CPU seconds of Karez's scan and of its judging, by the run's own account."""
    recipe, made = folder / "rules.toml", folder / "rules-run"
    recipe.write_text(RECIPE.format(presets=presets, corpus=folder / f"{size}.parquet"))
    shutil.rmtree(made, ignore_errors=True)
    script("skeleton", recipe, made, "rules")
    steps = json.loads((made / "manifest.json").read_text())["steps"]
    return {f"{step} {size}": steps[step]["cpu_seconds"] for step in ("scan", "rules")}


def judged(folder: Path, table: pa.Table) -> tuple[dict[str, float], pa.Table]:
    """What datatrove says of documents: its CPU seconds, its reasons and words."""
    pq.write_table(table, folder / "rules-in.parquet")
    out = folder / "rules-out"
    peer("datatrove", "datatrove_peer", "rules", folder / "rules-in.parquet", out)
    return json.loads(out.with_suffix(".json").read_text()), pq.read_table(f"{out}.parquet")


def costs(rows: Mapping[str, int], turns: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Documents a CPU second of each, and how often ours is theirs.

    Args:
        rows: documents of each corpus, and of each of datatrove's turns as "peer".
        turns: CPU seconds of "scan" and "rules" for each size with the presets, and without as
            "bare scan", and of datatrove's "every" and "pipeline".
    """
    took = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    more = rows["corpus"] - rows["quarter"]
    scan, bare, judging = (
        (took.pop(f"{step} corpus") - took.pop(f"{step} quarter")) / more
        for step in ("scan", "bare scan", "rules")
    )
    ours = {"karez": 1 / (scan - bare), "karez, judging too": 1 / (scan - bare + judging)}
    every, pipeline = (rows["peer"] / took.pop(name) for name in ("every", "pipeline"))
    return {
        **ours,
        "datatrove, every filter": every,
        "datatrove, as a pipeline": pipeline,
        "times every filter": ours["karez"] / every,
        "times the pipeline": ours["karez"] / pipeline,
    }


def measured(folder: Path, documents: int, times: int) -> dict[str, float]:
    """Costs, taken by turns."""
    whole = pq.read_table(folder / "corpus.parquet", columns=["id", "text"]).combine_chunks()
    rows = {size: pq.read_metadata(folder / f"{size}.parquet").num_rows for size in SIZES}
    turns = []
    every = len(whole) // documents
    for turn in range(times + 1):
        some = whole.take([*range(turn, turn + every * documents, every)])
        took: dict[str, float] = {}
        for size in SIZES:
            took |= run(folder, '["gopher", "c4", "fineweb"]', size)
            took[f"bare scan {size}"] = run(folder, "[]", size)[f"scan {size}"]
        if turn:  # in the first all is compiled
            turns.append({**took, **judged(folder, some)[0]})
    return costs({**rows, "peer": documents}, turns)


def english(folder: Path, documents: int) -> pa.Table:
    """The first English documents of the corpus."""
    whole = pq.read_table(folder / "corpus.parquet", columns=["id", "text"]).combine_chunks()
    table = whole[: 4 * documents].combine_chunks()
    texts = table["text"].combine_chunks()
    columns = {"text": texts, "paragraphs": paragraphs(texts)}
    batch = pa.record_batch({**columns, "edits": pa.array([[]] * len(texts), EDITS)})
    return table.filter(pc.equal(Language().measure(batch)["language"], "en"))[:documents]


def columns(texts: pa.StringArray, spans: pa.ListArray) -> pa.Table:
    """The columns of quality and repetition, of any words."""
    batch = pa.record_batch({"text": texts, "words": spans})
    made = [measure.measure(batch) for measure in (Quality(), Repetition())]
    return pa.table({n: c for m in made for n, c in zip(m.schema.names, m.columns, strict=True)})


def reasons(texts: pa.StringArray, theirs: pa.Table) -> Reasons:
    """Our reasons on their words; Gopher's length and number of words leave punctuation out."""
    all_words, solid = theirs["words"].to_pylist(), theirs["solid"].to_pylist()
    some = [
        [w for w, s in zip(*row, strict=True) if s] for row in zip(all_words, solid, strict=True)
    ]
    table = columns(texts, pa.array(all_words, SPANS))
    gopher, counted = table, columns(texts, pa.array(some, SPANS))
    for name in ("words", "mean_word_length"):
        gopher = gopher.set_column(gopher.schema.get_field_index(name), name, counted[name])
    edited = apply(texts, C4Lines().edit(pa.record_batch({"text": texts})))
    page = pa.Table.from_batches([C4().measure(pa.record_batch({"text": edited}))])
    rules = {n: tomllib.loads(presets.text(n))["rules"] for n in ("gopher", "c4", "fineweb")}
    two: list[dict[str, str]] = [{}, {}]
    for name, rule in rules["gopher"].items():
        two[name in ABOUT_REPETITION][name] = rule
    found = {"gopher quality": (gopher, two[0]), "gopher repetition": (table, two[1])}
    found |= {"c4": (page, rules["c4"]), "fineweb": (table, rules["fineweb"])}
    return {name: sql.reasons(*each).to_pylist() for name, each in found.items()}


def compared(mine: Reasons, theirs: Reasons) -> dict[str, tuple[int, int]]:
    """Of each filter, and of all: documents that both reject, and that either does."""
    pairs = {name: (_rejected(mine[name]), _rejected(theirs[name])) for name in mine}
    whole: tuple[set[int], set[int]] = (set(), set())
    for pair in pairs.values():
        whole = (whole[0] | pair[0], whole[1] | pair[1])
    pairs["all"] = whole
    return {name: (len(a & b), len(a | b)) for name, (a, b) in pairs.items()}


def _rejected(reasons: Sequence[str | None]) -> set[int]:
    return {row for row, reason in enumerate(reasons) if reason}


def differences(ids: Sequence[str], mine: Reasons, theirs: Reasons) -> list[Difference]:
    """Where one filter rejects a document that the other keeps."""
    return [
        (id_, name, their, our)
        for name in mine
        for id_, our, their in zip(ids, mine[name], theirs[name], strict=True)
        if bool(our) != bool(their)
    ]


def tidy(text: str) -> str:
    """The text without white space around its lines."""
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def cause(difference: Difference, spaced: set[tuple[str, str]]) -> str | None:
    """Why the two differ; None: it is not known.

    Args:
        difference: between the two.
        spaced: document and filter of those that agree on tidy texts.
    """
    id_, name, their, our = difference
    if (id_, name) in spaced:
        return SPACE
    return next((why for pair, why in CAUSES.items() if {their, our} & {*pair}), None)


def agreement(folder: Path, documents: int) -> tuple[dict[str, tuple[int, int]], list[Any]]:
    """What both reject, filter by filter, and each difference with its cause."""

    def both(table: pa.Table) -> tuple[Reasons, Reasons]:
        told = judged(folder, table)[1]
        mine = reasons(table["text"].combine_chunks(), told)
        return mine, {name: told[name].to_pylist() for name in mine}

    table = english(folder, documents)
    mine, theirs = both(table)
    found = differences(table["id"].to_pylist(), mine, theirs)
    odd = table.filter(pc.is_in(table["id"], pa.array({d[0] for d in found}, pa.string())))
    texts = pa.array(map(tidy, odd["text"].to_pylist()), pa.string())
    left = differences(odd["id"].to_pylist(), *both(pa.table({"id": odd["id"], "text": texts})))
    spaced = {d[:2] for d in found} - {d[:2] for d in left}
    return compared(mine, theirs), [[*d, cause(d, spaced)] for d in found]


def bars(
    table: Mapping[str, float], shares: Mapping[str, tuple[int, int]], found: Sequence[Any]
) -> list[str]:
    """What must hold, and whether it does."""
    times, alike = table["times every filter"], shares["all"][0] / shares["all"][1]
    known = sum(why is not None for *_, why in found)
    told = [
        (times >= BAR, f"{times:.0f} times datatrove's every filter, bar {BAR}, goal {GOAL}"),
        (alike >= AGREEMENT, f"agreement {alike:.2%}, bar {AGREEMENT:.0%}"),
        (known == len(found), f"{known} of {len(found)} differences have a known cause"),
    ]
    return [verdict(*each) for each in told]


def show(
    table: Mapping[str, float], shares: Mapping[str, tuple[int, int]], found: Sequence[Any]
) -> None:
    """Print what was found."""
    for name, figure in table.items():
        print(f"  {name:<26} {figure:>8,.0f}" + " documents a CPU s" * ("times" not in name))
    for name, (both, either) in shares.items():
        share = f", {both / either:.2%}" * bool(either)
        print(f"  {name:<26} {either:>8,} rejected by either, {both:,} by both{share}")
    for id_, name, their, our, why in found:
        print(f"    {id_} {name}: datatrove {their}, karez {our}: {why or 'UNEXPLAINED'}")
    for why, count in Counter(why or "UNEXPLAINED" for *_, why in found).most_common():
        print(f"  {count:>4} for: {why}")


def main(documents: int = 1000, times: int = 3) -> None:
    """Measure, print, keep."""
    folder = place()
    script("neardup_corpus", folder)
    table = measured(folder, documents // 4, times)
    shares, found = agreement(folder, documents)
    print(machine())
    show(table, shares, found)
    print("\n".join(bars(table, shares, found)))
    keep("rules", cost=table, agreement=shares, differences=found)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
