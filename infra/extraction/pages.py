"""The pages that a model is trained with, and what is known of their blocks."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from labels import Floats, labels, tokens
from numpy.typing import NDArray

from filters.charset import utf8
from filters.html.mainblocks import blocks
from filters.html.tags import words
from filters.html.text import texts

FOLDS = 3
TEACHERS = {"default": 2.5, "fast": 1.0, "precision": 1.0, "recall": 1.0}
FAMILY = 40  # pages of one template
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
    if row["gold"] is None and not others:
        raise SystemExit(f"{row['id']}: neither gold nor --teachers say what its main text is")
    value, weight = labels(found, row["gold"], others, row["with"] or [], row["without"] or [])
    return row["id"], value.tolist(), weight.tolist()


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
