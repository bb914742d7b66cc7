"""Train the model of `filters.maintext` from labelled pages; the same sets give the same file.

    python infra/extraction/train.py OUT SET… [--teachers T] [--not MEASURED]

Sets have the columns id, domain, family, type, html, gold, with, without, origin.  Needs LightGBM.
Labels are kept beside each set, as ``SET.labels.parquet``, and made anew when that is removed.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import vocabulary
from flat import forest
from labels import labels, tokens
from numpy.typing import NDArray
from scores import report

from filters.charset import utf8
from filters.forest import chances
from filters.mainblocks import Blocks, blocks
from filters.maintext import save
from filters.pageblocks import WORDS
from filters.pagefeatures import WIDTH
from filters.pageregions import MASSES, regions
from filters.pagetext import texts
from filters.tags import words

Floats = NDArray[np.float32]

FOLDS, TREES, SEED = 3, 120, 7
SETTINGS = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "max_depth": 10,
    "learning_rate": 0.08,
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
TEACHERS = {"default": 2.5, "fast": 1.0, "precision": 1.0, "recall": 1.0}
RATES = {"trafilatura": 2.0, "forum": 3.0, "product": 3.0, "docs/docs": 0.5, "": 1.0}
"""What pages of an origin or type weigh: more, where people labelled little of much."""

DULL = 0.3  # of short blocks that are no main text, which most are, so many are learned from
FAMILY, MOST = 40, 150.0  # pages of one template; what a page weighs at most
SHARED = 0.1  # of its runs of eight words, above which a page is one that is measured


class Page(NamedTuple):
    """A page to learn from.

    Attributes:
        row: of its set.
        data: UTF-8.
        fold: of its domain; for templates of theirs.
        value: shape (blocks,), share of main text.
        weight: shape (blocks,).
    """

    row: dict[str, Any]
    data: NDArray[np.uint8]
    fold: int
    value: Floats
    weight: Floats


def fold_of(row: dict[str, Any]) -> int:
    """The fold of a page: of its domain, or of the tool that wrote it."""
    group = row["family"].split("/")[0] if row["origin"] == "docs" else row["domain"]
    return int.from_bytes(hashlib.md5(group.encode()).digest(), "big") % FOLDS


def bytes_of(html: bytes) -> NDArray[np.uint8]:
    """A page as UTF-8."""
    return np.frombuffer(utf8(html, None), np.uint8)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The pages of a set that are learned from: none that is only measured, few of one template."""
    found, of_family = list[dict[str, Any]](), dict[str, int]()
    for row in pq.read_table(path).to_pylist():
        if row["origin"].endswith("/test"):
            continue
        count = of_family[row["family"]] = of_family.get(row["family"], 0) + 1
        if row["origin"] != "docs" or (count % 3 == 1 and count <= 3 * FAMILY):
            found.append(row)
    return found


def labelled(path: Path, teachers: dict[str, dict[str, str]]) -> list[Page]:
    """The pages of a set with their labels."""
    beside = path.with_suffix(".labels.parquet")
    rows = rows_of(path)
    if not beside.exists():
        made = [_label(row, teachers.get(row["id"])) for row in rows]
        names = ("id", "value", "weight")
        columns = zip(names, zip(*made, strict=True), strict=True)
        pq.write_table(pa.table({name: list(column) for name, column in columns}), beside)
    told = {row["id"]: row for row in pq.read_table(beside).to_pylist()}
    each = [(row, told[row["id"]]) for row in rows]
    return [
        Page(
            *(row, bytes_of(row["html"]), fold_of(row)),
            *(np.array(label[name], np.float32) for name in ("value", "weight")),
        )
        for row, label in each
    ]


def _label(
    row: dict[str, Any], said: dict[str, str] | None
) -> tuple[str, list[float], list[float]]:
    found = texts(blocks(bytes_of(row["html"]), words({})))
    others = [(said[name], rate) for name, rate in TEACHERS.items()] if said else []
    value, weight = labels(found, row["gold"], others, row["with"] or [], row["without"] or [])
    return row["id"], value.tolist(), weight.tolist()


def weights(page: Page, read: Blocks, rng: np.random.Generator) -> Floats:
    """What each block weighs; 0: it is left out, and the others like it weigh more."""
    size = np.minimum(read.blocks[:, WORDS], 60)
    weight = np.where(page.weight > 1, page.weight, page.weight * (0.3 + size / 40))
    dull = (size <= 4) & (page.value < 0.5) & (page.weight <= 1)
    weight = np.where(dull, np.where(rng.random(len(dull)) < DULL, weight / DULL, 0), weight)
    what = f"{page.row['origin']}/{page.row['type']}/"
    rate = next(rate for kind, rate in RATES.items() if f"{kind}/" in what)
    return (weight * rate * min(1.0, MOST / max(weight.sum(), 1))).astype(np.float32)


def runs(page: str) -> set[bytes]:
    """The runs of eight words in a text."""
    found = tokens(page, _NUMBERS)
    return {found[i : i + 8].tobytes() for i in range(len(found) - 7)}


_NUMBERS = dict[str, int]()


def unmeasured(pages: list[Page], measured: Path | None) -> list[Page]:
    """The pages that share no text with those of a set that is only measured."""
    if measured is None:
        return pages
    rows = pq.read_table(measured, columns=["gold", "url"]).to_pylist()
    gold = set[bytes]().union(*(runs(row["gold"]) for row in rows))
    urls = {row["url"] for row in rows if row["url"]}
    kept = list[Page]()
    for page in pages:
        held = texts(blocks(page.data, words({})))
        main = runs("\n".join(t for t, v in zip(held, page.value, strict=True) if v > 0.5))
        if page.row["url"] not in urls and len(main & gold) <= SHARED * max(len(main), 1):
            kept.append(page)
    return kept


class Table(NamedTuple):
    """All blocks of all pages; `at` says where each page's begin."""

    rows: Floats
    value: Floats
    weight: Floats
    fold: NDArray[np.int64]
    at: NDArray[np.int64]


def table(pages: Sequence[Page]) -> tuple[Table, dict[int, float]]:
    """The blocks, with what is known of names from the other folds; and what is known from all."""
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
    return Table(rows, value, weight, fold, at), vocabulary.scores(seen)


def fitted(rows: Floats, of: Table, chosen: NDArray[np.bool_]) -> Any:
    """Trees over some of the rows."""
    those = chosen & (of.weight > 0)
    data = lightgbm.Dataset(rows[those], of.value[those], weight=of.weight[those])
    return forest(lightgbm.train(SETTINGS, data, TREES))


def asked(trees: Any, rows: Floats) -> Floats:
    """What they say of rows."""
    out = np.empty(len(rows), np.float32)
    chances(np.ascontiguousarray(rows), np.ones(len(rows), np.float32), *trees, out)
    return out


def by_others(rows: Floats, of: Table) -> Floats:
    """What is said of each row by trees that saw no page of its fold."""
    out = np.empty(len(rows), np.float32)
    for fold in range(FOLDS):
        out[of.fold == fold] = asked(fitted(rows, of, of.fold != fold), rows[of.fold == fold])
    return out


def around(pages: Sequence[Page], of: Table, first: Floats) -> None:
    """Fill in what the first probabilities say."""
    plain = words({})
    for page, (a, b) in zip(pages, pairwise(of.at), strict=True):
        read = blocks(page.data, plain)
        masses = np.empty((len(read.elements), MASSES), np.float32)
        regions(read.elements, read.sums, read.blocks, first[a:b], masses, of.rows[a:b])


def note(sets: Sequence[Path], pages: Sequence[Page], of: Table, lines: Sequence[str]) -> str:
    """What the model was made of, for people."""
    origins = Counter(page.row["origin"] for page in pages)
    hashes = [f"- {p.name}: {hashlib.sha256(p.read_bytes()).hexdigest()}" for p in sets]
    made = f"{len(pages):,} pages with {len(of.rows):,} blocks, LightGBM {lightgbm.__version__}"
    return "\n".join(
        [
            "# What filters/maintext.bin was trained on",
            "",
            f"Written by infra/extraction/train.py: {made}.",
            "",
            "It holds hashes of names of classes and ids with a number each, and two forests; no",
            "text of any page.",
            "",
            "Pages by origin, as tests/bench/extraction_sets.py calls them:",
            "",
            *(f"- {name}: {count:,}" for name, count in sorted(origins.items())),
            "",
            "Sets (SHA-256):",
            "",
            *hashes,
            "",
            f"Scores of pages held out, in {FOLDS} folds by domain, documentation by tool:",
            "",
            *(f"- {line}" for line in lines),
            "",
        ]
    )


def main() -> None:
    """Learn, say how good it is on what was held out, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--teachers", type=Path)
    parser.add_argument("--not", type=Path, dest="measured")
    given = parser.parse_args()
    said = pq.read_table(given.teachers).to_pylist() if given.teachers else []
    teachers = {row["id"]: row for row in said}
    pages = [page for path in given.sets for page in labelled(path, teachers)]
    pages = unmeasured(pages, given.measured)
    of, names = table(pages)
    print(f"{len(pages):,} pages, {len(of.rows):,} blocks, {len(names):,} names", flush=True)
    first = by_others(of.rows[:, :WIDTH], of)
    lines = report("first forest", pages, of.at, first)
    around(pages, of, first)
    lines += report("both forests", pages, of.at, by_others(of.rows, of))
    everything = np.ones(len(of.rows), bool)
    trees = [fitted(of.rows[:, :WIDTH], of, everything), fitted(of.rows, of, everything)]
    with given.out.open("wb") as file:
        save(names, trees, file)
    given.out.with_suffix(".md").write_text(note(given.sets, pages, of, lines))


if __name__ == "__main__":
    main()
