"""Batches of texts for measures, and what these say of them."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from filters import Measure
from filters.words import words

LINES = st.sampled_from(
    [
        *(
            "A line of words.\n",
            "A line of words.\r\n",
            "שלום עולם، مرحبا\n",
            "e\u0301a\u0300 \u200d\n",
        ),
        *("漢字かな ไทย\n", "👩\u200d🚀 🇩🇪\n", "3.14 #1 …", "mail@example.org, +49 30 123456\n"),
        *("\0\x1b", "\n\n", "\ufeff", "\u2028"),
    ]
)
TEXT = st.lists(LINES | st.text(max_size=5), max_size=8).map("".join)
"""Texts of many scripts, with what often goes wrong in them."""


def column(texts: Sequence[str | bytes | None]) -> pa.StringArray:
    """Texts as a column; bytes need not be UTF-8."""
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    return pa.array(raw, pa.binary()).view(pa.string())


def batch(*texts: str | bytes | None, **more: Any) -> pa.RecordBatch:
    """Texts with their words, and columns besides."""
    made = column(texts)
    return pa.record_batch({"text": made, "words": words(made), **more})


def measured(measure: Measure, *texts: str | bytes | None) -> list[dict[str, Any]]:
    """A row a text."""
    rows: list[dict[str, Any]] = measure.measure(batch(*texts)).to_pylist()
    return rows


def words_of(text: str | bytes) -> list[str]:
    """The words of a text."""
    data = text.encode() if isinstance(text, str) else text
    (spans,) = words(column([data])).to_pylist()
    return [data[s["start"] : s["end"]].decode() for s in spans]


def lines_of(text: str) -> list[str]:
    """Its lines, with their ends."""
    *lines, last = text.split("\n")
    return [*(line + "\n" for line in lines), last]


def bytes_at(text: str) -> list[int]:
    """The byte at which each character begins, and the number of all bytes."""
    sizes = (len(c.encode(errors="surrogateescape")) for c in text)
    return [0, *itertools.accumulate(sizes)]


def spoken(rows: Sequence[tuple[str, str, str | None]]) -> pa.RecordBatch:
    """What counts add up over: ids, texts with their words, languages."""
    ids, texts, languages = zip(*rows, strict=True) if rows else ((), (), ())
    return batch(*texts, id=pa.array(ids, pa.string()), language=pa.array(languages, pa.string()))


def structs(kind: pa.ListType, rows: Iterable[Any]) -> pa.ListArray:
    """Rows of tuples as a column of lists, such as of spans or of edits."""
    names = [field.name for field in kind.value_type]
    lists = (row and [dict(zip(names, each, strict=True)) for each in row] for row in rows)
    return pa.array(lists, kind)
