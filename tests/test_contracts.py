"""What every measure and every edit promises, asked of every one that ships."""

import math
import pickle
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import EDITS, Edit, Measure
from filters.blocklist import Blocklist
from filters.blocks import RepeatedBlocks
from filters.c4 import C4
from filters.c4_lines import C4Lines
from filters.diversity import Diversity
from filters.edits import apply, merge
from filters.entropy import Entropy
from filters.exact import Exact
from filters.features import Features
from filters.foreign import Foreign
from filters.language import Language, Paragraphs, paragraphs
from filters.lines import RepeatedLines
from filters.listed import Listed
from filters.minhash import MinHash
from filters.overlap import Overlap
from filters.personal import PersonalData
from filters.quality import Quality
from filters.repetition import Repetition
from filters.tokens import Tokens
from filters.urls import Site
from filters.words import words

MEASURES: list[Measure] = [
    Blocklist(),
    C4(),
    Diversity(),
    Entropy(),
    Exact(),
    Features(),
    Language(),
    Listed(),
    MinHash(),
    Overlap(),
    Paragraphs(),
    Quality(),
    Repetition(),
    Site(),
    Tokens(),
]
EDITORS: list[Edit] = [C4Lines(), Foreign(), PersonalData(), RepeatedBlocks(), RepeatedLines()]

each_edit = pytest.mark.parametrize("edit", EDITORS, ids=lambda e: type(e).__name__)
each = pytest.mark.parametrize("value", [*MEASURES, *EDITORS], ids=lambda v: type(v).__name__)

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
TEXTS = st.lists(st.none() | TEXT, max_size=6)


def batch(texts: list[str | None]) -> pa.RecordBatch:
    """What a measure may need, made from texts alone."""
    return _batch(pa.array(texts, pa.string()))


def as_bytes(texts: list[bytes]) -> pa.RecordBatch:
    """The same from bytes that need not be UTF-8."""
    return _batch(pa.array(texts, pa.binary()).view(pa.string()))


def _url(size: int | None) -> str | None:
    """Some URL, or none, from the size of a text."""
    return f"https://{'www.' * (size % 2)}example.org/{'a/' * (size % 3)}" if size else None


def _batch(column: pa.StringArray) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "text": column,
            "words": words(column),
            "paragraphs": paragraphs(column),
            "edits": RepeatedLines().edit(pa.record_batch({"text": column})),
            "url": pa.array([_url(size) for size in pc.binary_length(column).to_pylist()]),
        }
    )


def answer(value: Measure | Edit, rows: pa.RecordBatch) -> pa.Table:
    """Columns of a measure, or the one of an edit."""
    if hasattr(value, "edit"):
        return pa.table({"edits": value.edit(rows)})
    return pa.Table.from_batches([value.measure(rows)])


@each
def test_it_says_what_it_is(value: Any) -> None:
    assert isinstance(value.version, int) and value.version >= 1
    assert set(value.needs) <= set(batch([]).schema.names)
    assert type(value)() == value and hash(value) == hash(type(value)())
    assert repr(value).startswith(type(value).__name__ + "(")


@pytest.mark.parametrize("number", [0, -1, 2.5, "3", True, None])
@pytest.mark.parametrize("make", [Tokens, RepeatedLines], ids=lambda kind: kind.__name__)
def test_what_counts_is_a_whole_number(make: Any, number: object) -> None:
    with pytest.raises(ValueError, match=r"at least 1|>= 1"):
        make(number)


@each
def test_it_travels(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    rows = batch(["One two three.\n", None, ""])
    assert again == value and answer(again, rows).equals(answer(value, rows))


@each
@given(TEXTS)
@settings(max_examples=40)
def test_columns_are_as_declared(value: Any, texts: list[str | None]) -> None:
    table = answer(value, batch(texts))
    table.validate(full=True)
    assert table.num_rows == len(texts)
    declared = pa.schema([("edits", EDITS)]) if hasattr(value, "edit") else value.columns
    assert table.schema == declared
    for row in table.to_pylist():
        assert not any(isinstance(v, float) and not math.isfinite(v) for v in row.values())


@each
@given(TEXTS, TEXTS)
@settings(max_examples=40)
def test_no_row_sees_its_neighbours(
    value: Any, one: list[str | None], two: list[str | None]
) -> None:
    whole = answer(value, batch(one + two))
    assert whole.equals(pa.concat_tables([answer(value, batch(one)), answer(value, batch(two))]))
    assert whole[len(one) :].equals(answer(value, batch(one + two)[len(one) :]))


@each
@given(st.lists(st.binary(max_size=30) | TEXT.map(str.encode), max_size=5))
@settings(max_examples=40)
def test_any_bytes_will_do(value: Any, texts: list[bytes]) -> None:
    assert answer(value, as_bytes(texts)).num_rows == len(texts)


@each_edit
@given(TEXTS)
@settings(max_examples=40)
def test_edits_are_sorted_disjoint_and_leave_text(edit: Edit, texts: list[str | None]) -> None:
    rows = batch(texts)
    edits = edit.edit(rows)
    assert merge([edits]).equals(edits)
    apply(rows["text"], edits).validate(full=True)
