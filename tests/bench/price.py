"""What `karez plan --price` goes by: measured here, and held against a corpus four times as large.

python tests/bench/price.py [COPIES [TURNS]]

Writes pipelines/commands/coefficients.json.  Three corpora, of COPIES / 4, COPIES and 4 * COPIES
times the sample's text, are run in turn, and medians taken: the coefficients come from the first
two, the third is predicted.  Each copy has words of its own, so that it resembles no other.
"""

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from filters.words import words
from pipelines.commands import price
from pipelines.recipe.measures import selected
from pipelines.recipe.text import load
from pipelines.runs import Run, parts
from pipelines.steps import count, fit, order
from pipelines.steps.scan import all_edits, edited_text
from tests.bench.common import ROOT, copies, karez, machine, sample, verdict

COPIES, TURNS = 32, 3
EVERY = 10  # which of the sample's documents stands for a target
Turns = list[dict[str, Any]]
BAR = 0.25  # of the CPU seconds of the larger corpus, that a prediction may be off
RECIPE = """\
name = "price"
presets = ["basic"]
[[source]]
kind = "jsonl"
paths = ["{}"]
[measure]
repetition = {{}}
c4 = {{}}
diversity = {{}}
features = {{}}
ngrams = {{ sample = ["sample.jsonl"] }}
importance = {{ sample = ["sample.jsonl"] }}
[edits]
boilerplate = {{}}
repeated_passages = {{}}
[dedup]
[cap]
documents = 1000
[[select]]
strategy = "top"
by = "ngram_entropy"
budget = "50 %"
[curriculum]
by = "entropy_difference"
[publish]
splits = {{ train = 0.9, test = 0.1 }}
"""


def corpus(folder: Path, texts: list[str], many: int) -> Path:
    """A recipe over texts, so many times, in files of 10 copies."""
    for begin in range(0, many, 10):
        copies(folder / f"{many}-{begin}.jsonl", texts, range(begin, min(many, begin + 10)))
    some = [json.dumps({"text": text}) for text in texts[::EVERY]]
    (folder / "sample.jsonl").write_text("\n".join(some))
    path = folder / f"{many}.toml"
    path.write_text(RECIPE.format(f"{many}-*.jsonl"))
    return path


def turn(folder: Path, many: int, number: int) -> dict[str, Any]:
    """One run: its steps as the manifest tells of them, and CPU seconds of all of it."""
    run = folder / f"run-{many}-{number}"
    taken = karez("run", folder / f"{many}.toml", "--run", run)
    return {"cpu": taken.cpu, "steps": Run(run).manifest.steps, "run": run}


def measures(folder: Path, run: Run) -> dict[tuple[str, str], float]:
    """CPU seconds over all texts of a run.

    Returns:
        of each measure, of the edits and of the words, and of the step in which it is done.
    """
    recipe = load(folder / f"{run.folder.path.split('-')[-2]}.toml")
    scan, counters = selected(recipe), count.counters(recipe)
    ready = {name: fit.ready(run, name, each) for name, each in scan.measures.items()}
    looked_at = {column for each in scan.measures.values() for column in each.needs}
    spent: Counter[tuple[str, str]] = Counter()

    def timed(name: str, do: Any, step: str = "scan") -> Any:
        began = time.process_time()
        made = do()
        spent[name, step] += time.process_time() - began  # type: ignore[assignment]
        return made

    first = scan.measures["paragraphs"]
    for part in range(len(run.table("documents").parts)):
        for raw in parts.batches(run, "documents", part, ["id", "source_key", "url", "text"]):
            found = timed("paragraphs", lambda: first.measure(raw))  # noqa: B023 (done at once)
            batch = raw.append_column("paragraphs", found["paragraphs"])
            edits = timed("edits", lambda: all_edits(batch, scan.edits))  # noqa: B023
            batch = batch.append_column("edits", edits["edits"])
            text = timed("edits", lambda: edited_text(batch))["text"]  # noqa: B023
            batch = batch.set_column(batch.schema.get_field_index("text"), "text", text)
            tokens = timed("words", lambda: words(text))  # noqa: B023
            batch = batch.append_column("words", tokens)
            for name, measure in ready.items():
                if name in counters:
                    timed(name, lambda: counters[name].count(batch), "count")  # noqa: B023
                if name != "paragraphs":
                    step = "score" if name in counters else "scan"
                    made = timed(name, lambda: measure.measure(batch), step)  # noqa: B023
                    new = looked_at.intersection(made.schema.names).difference(batch.schema.names)
                    for column in sorted(new):
                        batch = batch.append_column(column, made[column])
    return dict(spent)


def median(turns: Turns, step: str, what: str) -> float:
    """Of a figure of a step."""
    return float(statistics.median(turn["steps"][step][what] for turn in turns))


def fitted(folder: Path, small: Turns, large: Turns) -> dict[str, Any]:
    """Costs for a byte of text, from one corpus to the other."""
    texts = [turns[0]["steps"]["scan"]["counts"]["bytes"] for turns in (small, large)]
    done = large[0]["steps"].keys() - {fit.STEP.name}  # which goes by what it is given
    names = [step.name for step in order.STEPS if step.name in done]
    steps = {
        name: {
            what: max(0.0, median(large, name, key) - median(small, name, key))
            / (texts[1] - texts[0])
            for what, key in (("cpu", "cpu_seconds"), ("exchanged", "exchanged"))
        }
        for name in names
    }
    made: Counter[str] = Counter()
    for (name, step), seconds in measures(folder, Run(large[0]["run"])).items():
        made[name] += seconds / texts[1]
        steps[step]["cpu"] = max(0.0, steps[step]["cpu"] - seconds / texts[1])
    start = statistics.median(
        turn["cpu"] - sum(turn["steps"][name]["cpu_seconds"] for name in names) for turn in large
    )
    return {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "text": texts[1],
        "documents": large[0]["steps"]["scan"]["counts"]["documents"],
        "start": start,
        "steps": steps,
        "measures": dict(made),
    }


def main(most: int = COPIES, times: int = TURNS) -> None:
    """Measure, write, and hold it against a larger corpus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes, texts = (most // 4, most, 4 * most), sample(folder)
        recipes = [load(corpus(folder, texts, size)) for size in sizes]
        turns: list[Turns] = [[], [], []]
        for number in range(times):
            for size, mine in zip(sizes, turns, strict=True):
                mine.append(turn(folder, size, number))
        out = ROOT / "pipelines/commands/coefficients.json"
        found = fitted(folder, turns[0], turns[1])
        out.write_text(json.dumps(found, indent=1) + "\n")
        text = turns[2][0]["steps"]["scan"]["counts"]["bytes"]
        predicted = price.cpu(recipes[2], selected(recipes[2]), text) + found["start"]
        taken = statistics.median(each["cpu"] for each in turns[2])
    off = predicted / taken - 1
    print(f"{text / 1e6:.0f} MB: {predicted:.1f} CPU s predicted, {taken:.1f} taken, {off:+.0%}")
    print(verdict(abs(off) <= BAR, f"bar {BAR:.0%}"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
