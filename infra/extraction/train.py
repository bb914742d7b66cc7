"""Train the model of `filters.html.maintext` from labelled pages; the same sets give the same file.

    python infra/extraction/train.py OUT SET… [--teachers T] [--not MEASURED] [--unseen TEXTS]
    python infra/extraction/train.py OUT SET… [--teachers T] [--not MEASURED] --check

Sets have the columns id, domain, family, type, html, gold, with, without, origin.  Needs LightGBM.
Labels are kept beside each set, as ``SET.labels.parquet``, and made anew when that is removed.
TEXTS has of every page of the sets what a model says of it that saw no page of its fold, for
tests/bench/extraction.py to score.  --check writes nothing: it learns again, and fails if that is
not the file that is there.
"""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import vocabulary
from flat import forest
from labels import Floats
from numpy.typing import NDArray
from pages import FOLDS, Page, bytes_of, fold_of, labelled, unmeasured

from filters.html.blocks import WORDS
from filters.html.features import WIDTH
from filters.html.forest import chances
from filters.html.mainblocks import Blocks, blocks
from filters.html.maintext import Model, main_text, save
from filters.html.regions import MASSES, regions
from filters.html.tags import Words, words

SEED = 7
FIRST, SECOND = (120, 0.08), (200, 0.05)  # trees, learning rate
SETTINGS = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "max_depth": 10,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 63,
    "seed": SEED,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
RATES = {
    **{"trafilatura": 5.0, "docs/docs": 0.5, "dev/forum": 4.0, "dev/product": 6.0},
    **{"dev/listing": 2.5, "dev/service": 1.5, "wcxb": 1.0, "": 2.0},
}
"""What pages of an origin or type weigh: more, where people labelled little of much, and where a
person said what the main text is rather than a language model."""

DULL = 0.3  # of short blocks that are no main text, which most are, so many are learned from
MOST = 150.0  # what a page weighs at most


def weights(page: Page, read: Blocks, rng: np.random.Generator) -> Floats:
    """What each block weighs; 0: it is left out, and the others like it weigh more."""
    size = np.minimum(read.blocks[:, WORDS], 60)
    weight = np.where(page.weight > 1, page.weight, page.weight * (0.3 + size / 40))
    dull = (size <= 4) & (page.value < 0.5) & (page.weight <= 1)
    weight = np.where(dull, np.where(rng.random(len(dull)) < DULL, weight / DULL, 0), weight)
    what = f"{page.row['origin']}/{page.row['type']}/"
    rate = next(rate for kind, rate in RATES.items() if f"{kind}/" in what)
    return (weight * rate * min(1.0, MOST / max(weight.sum(), 1))).astype(np.float32)


class Table(NamedTuple):
    """All blocks of all pages; `at` says where each page's begin.

    Names: of classes and ids, what each fold knows of them from the others; `all_names` from all.
    """

    rows: Floats
    value: Floats
    weight: Floats
    fold: NDArray[np.int64]
    at: NDArray[np.int64]
    names: list[Words]
    all_names: dict[int, float]


def table(pages: Sequence[Page]) -> Table:
    """The blocks, with what is known of names from the other folds."""
    rng, plain = np.random.default_rng(SEED), words({})
    seen = [vocabulary.seen(blocks(p.data, plain), p.row["domain"], p.value) for p in pages]
    by_fold = [
        words(vocabulary.scores(s for s, p in zip(seen, pages, strict=True) if p.fold != fold))
        for fold in range(FOLDS)
    ]
    made = list[tuple[Floats, Floats, Floats, NDArray[np.int64]]]()
    for page in pages:
        read = blocks(page.data, by_fold[page.fold])
        fold = np.full(len(read.rows), page.fold)
        made.append((read.rows.copy(), page.value, weights(page, read, rng), fold))
    at = np.cumsum([0, *(len(rows) for rows, *_ in made)])
    rows, value, weight, fold = (np.concatenate(column) for column in zip(*made, strict=True))
    return Table(rows, value, weight, fold, at, by_fold, vocabulary.scores(seen))


def fitted(rows: Floats, of: Table, chosen: NDArray[np.bool_]) -> Any:
    """Trees over some of the rows; the first forest's if these are a block's own features."""
    trees, rate = FIRST if rows.shape[1] == WIDTH else SECOND
    those = chosen & (of.weight > 0)
    data = lightgbm.Dataset(rows[those], of.value[those], weight=of.weight[those])
    return forest(lightgbm.train({**SETTINGS, "learning_rate": rate}, data, trees))


def asked(trees: Any, rows: Floats) -> Floats:
    """What they say of rows."""
    out = np.empty(len(rows), np.float32)
    chances(np.ascontiguousarray(rows), np.ones(len(rows), np.float32), *trees, out)
    return out


def by_others(rows: Floats, of: Table) -> tuple[Floats, list[Any]]:
    """What is said of each row by trees that saw no page of its fold; and those, by fold."""
    out, trees = np.empty(len(rows), np.float32), list[Any]()
    for fold in range(FOLDS):
        trees.append(fitted(rows, of, of.fold != fold))
        out[of.fold == fold] = asked(trees[-1], rows[of.fold == fold])
    return out, trees


def unseen(sets: Sequence[Path], models: Sequence[Model], out: Path) -> None:
    """Write what a model of other folds says of every page of the sets."""
    found = {"id": list[str](), "text": list[str]()}
    for path in sets:
        for row in pq.read_table(path).to_pylist():
            text = main_text(bytes_of(row["html"]), by=models[fold_of(row)])
            found["id"].append(row["id"])
            found["text"].append(text.tobytes().decode())
    pq.write_table(pa.table(found), out)


def around(pages: Sequence[Page], of: Table, first: Floats) -> None:
    """Fill in what the first probabilities say."""
    plain = words({})
    for page, (a, b) in zip(pages, pairwise(of.at), strict=True):
        read = blocks(page.data, plain)
        masses = np.empty((len(read.elements), MASSES), np.float32)
        regions(read.elements, read.sums, read.blocks, first[a:b], masses, of.rows[a:b])


def note(given: argparse.Namespace, pages: Sequence[Page], of: Table) -> str:
    """What the model was made of, for people."""
    origins = Counter(page.row["origin"] for page in pages)
    hashes = [f"- {path.name}: {checksum(path)}" for path in given.sets]
    made = f"{len(pages):,} pages with {len(of.rows):,} blocks, LightGBM {lightgbm.__version__}"
    return "\n".join(
        [
            "# What filters/html/maintext.bin was trained on",
            "",
            f"Written by infra/extraction/train.py: {made}.",
            "",
            "It holds hashes of names of classes and ids with a number each, and two forests; no",
            "text of any page.  The same sets give the same file, which this shows:",
            "",
            "    python infra/extraction/train.py filters/html/maintext.bin SETS --check "
            "--teachers TEACHERS --not AEB",
            "",
            f"SHA-256 of the model: {checksum(given.out)}",
            "",
            "Pages by origin, as tests/bench/extraction_sets.py calls them:",
            "",
            *(f"- {name}: {count:,}" for name, count in sorted(origins.items())),
            "",
            "Sets (SHA-256):",
            "",
            *hashes,
            "",
        ]
    )


def checksum(path: Path) -> str:
    """Its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pages_of(given: argparse.Namespace) -> list[Page]:
    """The pages to learn from."""
    said = pq.read_table(given.teachers).to_pylist() if given.teachers else []
    teachers = {row["id"]: row for row in said}
    pages = [page for path in given.sets for page in labelled(path, teachers)]
    return unmeasured(pages, given.measured)


def learned(of: Table) -> bytes:
    """The model, from all pages; the first probabilities of all blocks are there."""
    everything = np.ones(len(of.rows), bool)
    trees = [fitted(of.rows[:, :WIDTH], of, everything), fitted(of.rows, of, everything)]
    with BytesIO() as file:
        save(of.all_names, trees, file)
        return file.getvalue()


def main() -> None:
    """Learn, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--not", type=Path, dest="measured")
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    pages = pages_of(given)
    of = table(pages)
    print(f"{len(pages):,} pages, {len(of.rows):,} blocks, {len(of.all_names):,} names", flush=True)
    first, firsts = by_others(of.rows[:, :WIDTH], of)
    around(pages, of, first)
    made = learned(of)
    print(f"{hashlib.sha256(made).hexdigest()}  {given.out}", flush=True)
    if given.check:
        sys.exit(None if made == given.out.read_bytes() else f"{given.out}: is another model")
    given.out.write_bytes(made)
    given.out.with_suffix(".md").write_text(note(given, pages, of))
    if given.unseen:
        _, seconds = by_others(of.rows, of)
        unseen(given.sets, [*map(Model, of.names, firsts, seconds)], given.unseen)


if __name__ == "__main__":
    main()
