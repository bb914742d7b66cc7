"""Languages: how often they are right, and how fast, beside the library whose model they are of.

python tests/bench/languages.py [TURNS]

Documents are pages of LibreOffice's help, which is translated.  Of each page the lines of 80 bytes
and more are taken that do not stand in the English help as well, since what nobody has translated
yet is English everywhere; lines of two or three languages, two to five of each, make a mixed one.
Of each document the likeliest language is compared; of mixed ones the set of languages, by F1: one
counts from 5 % on.  Karez labels every paragraph; the library labels whole documents, and the same
paragraphs.
"""

import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fasttext.FastText import load_model
from resiliparse.extract.html2text import extract_plain_text

from filters import EDITS
from filters.buffers import utf8
from filters.language import MODEL, Language, paragraphs
from pipelines.steps.dedup.recall import wilson
from tests.bench.common import keep, machine, middle, place, timed, verdict
from tests.helpers.needs import unpacked

LANGUAGES = (
    "ca cs da de el en-us es et eu fi fr gl hu id it ja ko nl pl pt pt-br ru sl sv tr vi zh-cn"
)
LINE, TEXT = 80, 400  # bytes of a line, and of a document, at least
PAGES, MIXED = 160, 1500  # documents of each language, and of several
SCHEMA = pa.schema([("text", pa.string()), ("languages", pa.list_(pa.string()))])
SHARE = 0.05
BATCH = 500
SET_BAR = 0.95

Found = list[list[str]]
"""The languages of each document, the likeliest first."""


def pages(folder: Path) -> Iterator[list[str]]:
    """The longer lines of each page of one language, in a drawn order."""
    paths = sorted(folder.rglob("*.html"))
    random.Random(folder.name).shuffle(paths)
    for path in paths:
        text: str = extract_plain_text(path.read_text(), main_content=True)
        yield [line.strip() for line in text.splitlines() if len(line.strip().encode()) >= LINE]


def known() -> dict[str, list[list[str]]]:
    """By language, the lines of its documents."""
    roots = [unpacked(f"libreoffice-help-{name}") for name in LANGUAGES.split()]
    every = [path for root in roots for path in root.glob("usr/share/libreoffice/help/*")]
    folders = {path.name: path for path in every if path.name != "media"}
    english = {line for page in pages(folders["en-US"]) for line in page}
    found: dict[str, list[list[str]]] = {}
    for name in sorted(folders):
        mine = found.setdefault(name.partition("-")[0], [])
        most = len(mine) + PAGES
        for page in pages(folders[name]):
            own = [line for line in page if name == "en-US" or line not in english]
            if len("\n".join(own).encode()) >= TEXT:
                mine.append(own)
            if len(mine) == most:
                break
    return {language: documents for language, documents in found.items() if documents}


def mixed(documents: dict[str, list[list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """Documents of several languages."""
    draw = random.Random(11)
    for _ in range(MIXED):
        some = draw.sample(sorted(documents), draw.choice((2, 3)))
        parts = [draw.choice(documents[language])[: draw.randint(2, 5)] for language in some]
        yield "\n".join(line for part in parts for line in part), some


def gold() -> pa.Table:
    """Documents and their languages; they are made once."""
    path = place() / "gold.parquet"
    if not path.exists():
        documents = known()
        whole = [("\n".join(d), [name]) for name, every in documents.items() for d in every]
        texts, languages = zip(*whole, *mixed(documents), strict=True)
        pq.write_table(pa.table([list(texts), list(languages)], schema=SCHEMA), path)
    return pq.read_table(path).combine_chunks()


def karez(texts: pa.StringArray) -> Found:
    """By paragraph."""
    found = []
    for start in range(0, len(texts), BATCH):
        some = texts[start : start + BATCH]
        columns = {"text": some, "paragraphs": paragraphs(some)}
        columns["edits"] = pa.array([[]] * len(some), EDITS)
        for row in Language().measure(pa.record_batch(columns)).to_pylist():
            mine = [e["language"] for e in row["languages"] if e["share"] >= SHARE]
            first = [row["language"]] if row["language"] else []
            found.append([*first, *(name for name in mine if name not in first)])
    return found


def library(model: Any, lines: list[str]) -> Found:
    """FastText itself, one label a text."""
    labels, _ = model.f.multilinePredict(lines, 1, 0.0, "strict")
    return [[label.removeprefix("__label__") for label in each] for each in labels]


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


def agreement(texts: pa.StringArray, theirs: Found) -> float:
    """Of the paragraphs that have a language, the share that the library labels alike."""
    ours = paragraphs(texts).values.field("language").to_pylist()
    pairs = [(o, t) for o, (t, *_) in zip(ours, theirs, strict=True) if o]
    return sum(o == t for o, t in pairs) / len(pairs)


def f1(found: Sequence[str], true: Sequence[str]) -> float:
    """Of two sets."""
    return 2 * len({*found} & {*true}) / (len({*found}) + len({*true}))


def judged(named: Found, true: list[list[str]]) -> dict[str, float]:
    """Accuracy of whole documents with its interval, set-F1 of mixed ones."""
    plain = [[code.partition("-")[0] for code in each] for each in named]
    pairs = list(zip(plain, true, strict=True))
    right = [f[:1] == t for f, t in pairs if len(t) == 1]
    low, high = wilson(statistics.mean(right), len(right))
    return {
        "accuracy": statistics.mean(right),
        "at least": low,
        "at most": high,
        "set-F1, mixed": statistics.mean(f1(f, t) for f, t in pairs if len(t) > 1),
    }


def main(turns: int = 3) -> None:
    """Measure, print, keep."""
    table = gold()
    texts, true = table["text"].combine_chunks(), table["languages"].to_pylist()
    whole, parts = [text.replace("\n", " ") + "\n" for text in texts.to_pylist()], pieces(texts)
    model = load_model(str(MODEL))
    ways = {
        "karez": partial(karez, texts),
        "fastText, documents": partial(library, model, whole),
        "fastText, paragraphs": partial(library, model, parts),
    }
    rates = {
        name: middle([len(texts) / timed(do) for _ in range(turns)]) for name, do in ways.items()
    }
    figures = {"karez": judged(karez(texts), true), "fastText": judged(library(model, whole), true)}
    print(machine())
    for name, (usual, least, most) in rates.items():
        print(f"  {name:<24} {usual:>8,.0f} documents a CPU s ({least:,.0f} to {most:,.0f})")
    print(f"  paragraphs labelled alike {agreement(texts, library(model, parts)):.4%}")
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
    keep("languages", languages=figures, documents_a_second=rates)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
