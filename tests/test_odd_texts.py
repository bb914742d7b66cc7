"""What a crawl holds now and then: one word of a megabyte, a million empty lines, only controls."""

import time
from typing import Any

import pyarrow as pa
import pytest

from filters import Edit, Measure
from filters.c4 import C4
from filters.c4_lines import C4Lines
from filters.edits import apply
from filters.quality import Quality
from filters.repetition import Repetition
from tests.helpers.measuring import measured

MEASURES: list[Measure] = [Quality(), Repetition(), C4()]
EDIT: Edit = C4Lines()
ODD = {
    "one word": "x" * 1_000_000,
    "empty lines": "\n" * 1_000_000,
    "controls": "".join(map(chr, [*range(9), *range(14, 28), 127])) * 1000,
    "spaces": " \u3000\t" * 100_000,
    "full stops": "." * 1_000_000,
    "brackets": "[" * 500_000 + "]" * 500_000,
    "citations": "[1]" * 300_000,
    "empty": "",
}
SECONDS = 5  # of CPU for all that is asked of one; by the square each would take minutes


def row(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for measure in MEASURES:
        found |= measured(measure, text)[0]
    return found


def left(text: str) -> str:
    column = pa.array([text])
    return str(apply(column, EDIT.edit(pa.record_batch({"text": column})))[0])


@pytest.mark.parametrize("name", ODD)
def test_an_odd_text_takes_no_long_time(name: str) -> None:
    row("compiles"), left("compiles")
    began = time.process_time()
    row(ODD[name]), left(ODD[name])
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one word", {"words": 1, "mean_word_length": 1_000_000, "top_2gram": 0, "sentences": 1}),
        ("empty lines", {"newlines": 1_000_000, "lines": 0, "duplicate_lines": None, "words": 0}),
        ("controls", {"words": 0, "hashes": None, "duplicate_5grams": 0, "lines": 1}),
        ("spaces", {"lines": 0, "duplicate_line_characters": 0, "duplicate_paragraphs": None}),
        ("full stops", {"sentences": 0, "ellipses": None, "ellipsis_lines": 1}),
        ("brackets", {"words": 0, "sentences": 0, "punctuated_lines": 0}),
        ("citations", {"words": 300_000, "duplicate_10grams": pytest.approx(1 / 3, abs=0.001)}),
        ("empty", {"characters": 0, "sentences": 0, "top_2gram": None, "unique_words": None}),
    ],
)
def test_an_odd_text_is_measured(name: str, expected: dict[str, Any]) -> None:
    found = row(ODD[name])
    assert {column: found[column] for column in expected} == expected


def test_odd_lines_are_cut_and_odd_blanks_stay() -> None:
    assert {name: left(text) for name, text in ODD.items()} == {
        **dict.fromkeys(ODD, ""),
        "empty lines": ODD["empty lines"],
        "spaces": ODD["spaces"],
    }
