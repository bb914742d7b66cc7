"""Languages: the kernel beside the fastText library, on the same texts with the same model.

python tests/bench/languages.py [DOCUMENTS [TURNS]]

Texts are those of the near-duplicates' corpus, every turn other ones, as in a run that sees each
once.  Karez labels every paragraph; the library labels whole documents, and the same paragraphs.
"""

import statistics
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fasttext.FastText import load_model

from filters.buffers import utf8
from filters.language import MODEL, model, paragraphs
from tests.bench.common import machine, middle, place, script, timed


def pieces(texts: pa.StringArray) -> list[str]:
    """The paragraphs of the texts, as the library wants them."""
    body, offsets = utf8(texts)
    lists = paragraphs(texts)
    base = np.repeat(offsets[:-1], np.diff(lists.offsets.to_numpy()))
    spans = (lists.values.field(name).to_numpy() for name in ("start", "end"))
    return [
        body[at + start : at + end].tobytes().replace(b"\n", b" ").decode() + "\n"
        for at, start, end in zip(base, *spans, strict=True)
    ]


def agreement(texts: pa.StringArray, lines: list[str], library: Callable[..., Any]) -> float:
    """Of the paragraphs that have a language, the share that the library labels alike."""
    ours = paragraphs(texts).values.field("language").to_pylist()
    theirs, _ = library(lines, 1, 0.0, "strict")
    pairs = [(o, t[0].removeprefix("__label__")) for o, t in zip(ours, theirs, strict=True) if o]
    return sum(o == t for o, t in pairs) / len(pairs)


def main(documents: int = 4000, turns: int = 5) -> None:
    """Measure and print."""
    folder = place()
    script("neardup_corpus", folder)
    whole = pq.read_table(folder / "corpus.parquet", columns=["text"])["text"]
    library = load_model(str(MODEL)).f.multilinePredict
    paragraphs(whole[:10].combine_chunks())  # compiles
    rates: dict[str, list[float]] = {}
    alike = []
    for turn in range(turns):
        texts = whole.slice(turn * documents, documents).combine_chunks()
        lines = [text.replace("\n", " ") + "\n" for text in texts.to_pylist()]
        took = {
            "karez, paragraphs": timed(partial(paragraphs, texts)),
            "fastText, documents": timed(partial(library, lines, 1, 0.0, "strict")),
        }
        lines = pieces(texts)
        took["fastText, paragraphs"] = timed(partial(library, lines, 1, 0.0, "strict"))
        for name, seconds in took.items():
            rates.setdefault(name, []).append(len(texts) / seconds)
        alike.append(agreement(texts, lines, library))
    print(machine())
    for name, found in rates.items():
        usual, least, most = middle(found)
        told = f"{usual:>8,.0f} documents a CPU s ({least:,.0f} to {most:,.0f})"
        print(f"  {name:<24} {told}")
    print(f"  labels alike             {statistics.mean(alike):>8.4%}, of {len(model().labels)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
