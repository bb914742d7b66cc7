"""What every measure and every edit promises, asked of every one that ships."""

import math
import pickle
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters import EDITS, Counting, Edit, Learner, Measure
from filters.blocklist import Blocklist
from filters.blocks import RepeatedBlocks
from filters.boilerplate import Boilerplate
from filters.c4 import C4
from filters.c4_lines import C4Lines
from filters.causal import Causal
from filters.classify import Classify
from filters.clustering import Clusters
from filters.compression import Compression
from filters.coverage import Coverage
from filters.diversity import Diversity
from filters.edits import apply, merge
from filters.entropy import Entropy
from filters.exact import Exact
from filters.features import Features
from filters.foreign import Foreign
from filters.hashed import Ngram
from filters.importance import Importance
from filters.language import Language, Paragraphs, paragraphs
from filters.lines import RepeatedLines
from filters.listed import Listed
from filters.minhash import MinHash
from filters.overlap import Overlap
from filters.passages import RepeatedParagraphs, RepeatedPassages
from filters.personal import PersonalData
from filters.quality import Quality
from filters.repetition import Repetition
from filters.tokens import Tokens
from filters.urls import Site
from filters.wordhashes import LEAST
from filters.words import words
from tests.helpers import measuring
from tests.helpers.measuring import TEXT, spoken

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
COUNTERS: list[Any] = [
    Ngram(sample=("the water of the hill " * 20,), language="en", buckets=1 << 10),
    Importance(sample=("the water of the hill " * 20,), language="en", buckets=1 << 7),
]
ACROSS = (Boilerplate, RepeatedParagraphs, RepeatedPassages)
LABELS = {"good": ["a"], "bad": ["b"]}
NONE_WILL_DO = {(MinHash, "seed"), (Quality, "short_line"), (C4Lines, "words")}
EDITORS: list[Edit] = [C4Lines(), Foreign(), PersonalData(), RepeatedBlocks(), RepeatedLines()]

each_edit = pytest.mark.parametrize("edit", EDITORS, ids=lambda e: type(e).__name__)
each = pytest.mark.parametrize("value", [*MEASURES, *EDITORS], ids=lambda v: type(v).__name__)

TEXTS = st.lists(st.none() | TEXT, max_size=6)


def batch(texts: Sequence[str | bytes | None]) -> pa.RecordBatch:
    """What a measure may need, made from texts alone; bytes need not be UTF-8."""
    column = measuring.column(texts)
    return pa.record_batch(
        {
            "text": column,
            "words": words(column),
            "paragraphs": paragraphs(column),
            "edits": RepeatedLines().edit(pa.record_batch({"text": column})),
            "url": pa.array([_url(size) for size in pc.binary_length(column).to_pylist()]),
        }
    )


def _url(size: int | None) -> str | None:
    """Some URL, or none, from the size of a text."""
    return f"https://{'www.' * (size % 2)}example.org/{'a/' * (size % 3)}" if size else None


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


def wholes() -> list[tuple[Any, str]]:
    """Each option that is a whole number, of all that ships."""
    kinds: list[Any] = [type(value) for value in (*MEASURES, *EDITORS, *COUNTERS)]
    kinds += [*ACROSS, Causal, Clusters, Coverage, partial(Classify, samples=LABELS)]
    return [(k, f.name) for k in kinds for f in fields(k()) if type(getattr(k(), f.name)) is int]


@pytest.mark.parametrize(
    ("kind", "option"), wholes(), ids=lambda v: v if isinstance(v, str) else type(v()).__name__
)
def test_what_counts_is_a_whole_number(kind: Any, option: str) -> None:
    for wrong in (-1, 2.5, "3", True, None, 10**20):
        with pytest.raises(ValueError, match=f"^{option} wants a whole number"):
            kind(**{option: wrong})
    if (kind, option) in NONE_WILL_DO:
        assert getattr(kind(**{option: 0}), option) == 0
    else:
        with pytest.raises(ValueError, match=f"^{option} wants a whole number"):
            kind(**{option: 0})


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        (C4Lines, {"ended": 1}, "ended is true or false, not 1"),
        (C4Lines, {"policies": "no"}, "policies is true or false"),
        (Clusters, {"balance": 2.0}, "balance is a number"),
        (Clusters, {"by": "a b c"}, "by wants a column"),
        (Compression, {"look": 3, "take": 4}, "take is at least 1 and at most look"),
        (Foreign, {"keep": ["english"]}, "unknown language 'english'"),
        (Foreign, {"keep": "en"}, "wants a list of languages"),
        (Foreign, {"keep": [1]}, "unknown language 1"),
        *((Foreign, {"score": each}, "score wants a probability") for each in (0, 2, "high")),
        (Listed, {"name": "A b"}, "'A b' is no name for a column"),
        (MinHash, {"seed": 2**32}, "seed wants a whole number of 0 to 4,294,967,295"),
        *((MinHash, {"target": each}, "between 0 and 1") for each in (1, 0.0)),
        (MinHash, {"target": 0.8, "bands": 20}, "means 9 bands of 12 rows"),
        (Ngram, {"buckets": 1000}, "buckets wants a power of two, got 1,000"),
        (Ngram, {"buckets": 1 << 24}, "buckets wants a whole number of 64 to 8,388,608"),
        (PersonalData, {"replace": ["mail"]}, "'mail'; known: email, ip, phone, iban, card"),
        (PersonalData, {"replace": []}, "names no kind"),
        (PersonalData, {"replace": "email"}, "wants a list of kinds"),
        (PersonalData, {"replace": {"email": 3}}, "email wants a text"),
        (PersonalData, {"replace": [3]}, "unknown kind 3"),
        (PersonalData, {"private": "yes"}, "private wants true or false"),
        *((Quality, {"stop_words": each}, "list such as") for each in ("the", ["the", 3])),
        (Quality, {"stop_words": ["in fact"]}, "'in fact' is not one word"),
        (Quality, {"stop_words": [""]}, "'' is not one word"),
        (Quality, {"stop_words": ["这是"]}, "is not one word"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(
    kind: Any, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        kind(**options)


each_counter = pytest.mark.parametrize("asked", COUNTERS, ids=lambda c: type(c).__name__)
ROWS = st.lists(
    st.tuples(st.text("0123456789abcdef", max_size=3), TEXT, st.sampled_from(["en", "de", None])),
    max_size=6,
)


@each_counter
@given(st.lists(ROWS, max_size=4), ROWS)
@settings(max_examples=20)
def test_counts_add_up_whatever_the_batches(asked: Any, parts: list[Any], told: list[Any]) -> None:
    assert [isinstance(asked, kind) for kind in (Counting, Learner)] == [True, False]
    whole = asked.count(spoken([row for part in parts for row in part]))
    nothing = asked.count(spoken([]))
    assert not nothing.any()
    assert np.array_equal(sum((asked.count(spoken(part)) for part in parts), nothing), whole)
    model = asked.fitted(whole + asked.given())
    once, twice = model.measure(spoken(told)), model.measure(spoken(told + told))
    assert once.equals(twice[: len(told)]) and once.equals(twice[len(told) :])
    assert once.schema == asked.columns


@each_counter
def test_a_sample_is_told_to_be_too_small_and_counts_to_be_of_others(asked: Any) -> None:
    few = "word " * (LEAST - 1)
    for sample, why in (
        ((few,), f"sample has {LEAST - 1} words; want {LEAST} and more"),
        (("",), "sample has 0 words"),
    ):
        with pytest.raises(ValueError, match=why):
            replace(asked, sample=sample).given()
    assert replace(asked, sample=(few + "one",)).given().any()
    with pytest.raises(ValueError, match="are of other options"):
        asked.fitted(replace(asked, buckets=2 * asked.buckets).count(spoken([])))


@each
def test_it_travels(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    rows = batch(["One two three.\n", None, ""])
    assert again == value and answer(again, rows).equals(answer(value, rows))


@each
@given(TEXTS)
@example([])
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
    assert answer(value, batch(texts)).num_rows == len(texts)


@each_edit
@given(TEXTS)
@settings(max_examples=40)
def test_edits_are_sorted_disjoint_and_leave_text(edit: Edit, texts: list[str | None]) -> None:
    rows = batch(texts)
    edits = edit.edit(rows)
    assert merge([edits]).equals(edits)
    apply(rows["text"], edits).validate(full=True)
