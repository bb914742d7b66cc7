"""Languages of paragraphs, and of documents from the paragraphs that are left."""

import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import EDITS, PARAGRAPHS
from filters.language import BLOCK, MODEL, PROBABILITY, Language, model, paragraphs
from tests.helpers.measuring import structs

SENTENCES = {
    "de": "Das ist ein ganz gewöhnlicher deutscher Satz, lang genug, um erkannt zu werden.\n",
    "en": "This is a perfectly ordinary English sentence that is long enough to be recognised.\n",
    "ru": "Это самое обыкновенное русское предложение, достаточно длинное для распознавания.\n",
    "ja": "これは日本語で書かれた、ごく普通の文章であり、判定に十分な長さがあります。\n",
    "ar": "هذه جملة عربية عادية تماما وهي طويلة بما يكفي ليتم التعرف على لغتها.\n",
}
DE, EN = SENTENCES["de"], SENTENCES["en"]
UNKNOWN = (250, 999, None, None)  # a paragraph of no language


def spans(text: str) -> list[tuple[int, int]]:
    (found,) = paragraphs(pa.array([text])).to_pylist()
    return [(p["start"], p["end"]) for p in found]


def languages(text: str) -> list[str | None]:
    (found,) = paragraphs(pa.array([text])).to_pylist()
    return [p["language"] for p in found]


def slowly(text: bytes) -> list[tuple[int, int]]:
    """The paragraphs, the obvious way."""
    blocks, block = list[bytes](), b""
    for line in text.split(b"\n"):
        block += line + b"\n"
        if len(block) >= BLOCK:
            blocks.append(block)
            block = b""
    ends = [sum(map(len, blocks[: i + 1])) for i in range(len(blocks))]
    rest = len(text) - (ends[-1] if ends else 0)
    if rest < 0:  # the last newline is ours
        ends[-1] -= 1
        if len(blocks) > 1 and len(blocks[-1]) == BLOCK:
            del ends[-2]
    elif rest and ends and rest < BLOCK:
        ends[-1] = len(text)
    elif rest:
        ends.append(len(text))
    return list(zip([0, *ends], ends, strict=False))


@given(
    st.lists(
        st.sampled_from(["\n", "word " * 5, "ü" * 30, "漢字" * 9, "x", "\r\n", "\x0b"]), max_size=40
    ).map("".join)
)
def test_paragraphs_are_those_of_the_obvious_way_and_cover_the_text(text: str) -> None:
    found = spans(text)
    assert found == slowly(text.encode())
    assert b"".join(text.encode()[a:b] for a, b in found) == text.encode()


def test_a_paragraph_ends_at_the_first_newline_by_which_it_holds_80_bytes() -> None:
    assert spans("x" * 78 + "\n" + "y\n") == [(0, 81)]
    assert spans("x" * 79 + "\n" + "y\n") == [(0, 82)]
    assert spans("x" * 79 + "\n" + "y" * 80) == [(0, 80), (80, 160)]
    assert spans("x" * 79 + "\n" + "y" * 79) == [(0, 159)]


@pytest.mark.parametrize("language", SENTENCES)
def test_known_sentences_are_recognised(language: str) -> None:
    assert languages(SENTENCES[language]) == [language]


def test_each_paragraph_has_its_own_language() -> None:
    assert languages(DE + EN + SENTENCES["ru"]) == ["de", "en", "ru"]


@pytest.mark.parametrize(
    "text", ["", "Hi", "12345 67890 " * 20, "\n" * 100, "---- " * 40, "\0" * 100]
)
def test_too_few_letters_have_no_language(text: str) -> None:
    assert set(languages(text)) <= {None}


def test_a_null_text_has_no_paragraphs() -> None:
    assert paragraphs(pa.array([None, DE], pa.string())).to_pylist()[0] == []


def identify(lines: list[bytes]) -> tuple[list[str], list[float]]:
    ends = np.cumsum([len(line) for line in lines])
    starts = ends - [len(line) for line in lines]
    body = np.frombuffer(b"".join(lines), np.uint8)
    codes, scores = model().answers(body, starts, ends)
    return [model().labels[code] for code in codes], scores.tolist()


def test_a_newline_within_a_paragraph_counts_as_a_space() -> None:
    (one, two) = identify([DE.encode(), DE.replace(" ", "\n").encode()])[1]
    assert one == two


def test_scores_are_probabilities_above_the_limit() -> None:
    words = (DE + EN + SENTENCES["ru"]).split()
    rng = random.Random(0)
    mixed = ["".join(rng.choices("abcdefghijk ", k=90)) for _ in range(100)]
    mixed += [" ".join(rng.choices(words, k=20)) for _ in range(100)]
    values = paragraphs(pa.array(mixed)).flatten()
    judged = (values.field(name).to_pylist() for name in ("language", "score"))
    for language, score in zip(*judged, strict=True):
        assert (language is None) == (score is None)
        assert score is None or PROBABILITY <= score <= 1


def test_no_probability_is_above_one() -> None:
    assert identify([b"Das ist ein Haus"])[1] == [1.0]  # the model itself says 1.00004


def test_the_model_is_the_one_whose_licence_is_stated() -> None:
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert digest in (Path(MODEL).parent / "NOTICE.md").read_text()


def judge(*rows: tuple[Any, list[tuple[int, int]]]) -> Any:
    """Documents' languages and scores, from paragraphs and edits."""
    return [(r["language"], r["language_score"]) for r in measured(*rows)]


def every(*rows: tuple[Any, list[tuple[int, int]]]) -> list[list[tuple[str, float]]]:
    """Documents' languages with their shares, in order."""
    return [[(e["language"], e["share"]) for e in r["languages"]] for r in measured(*rows)]


def measured(*rows: tuple[Any, list[tuple[int, int]]]) -> Any:
    """What is measured of documents that have these paragraphs and edits."""
    paragraphs_, cuts = zip(*rows, strict=True)
    edits = [[(a, b, "", "x") for a, b in row] for row in cuts]
    columns = {"paragraphs": structs(PARAGRAPHS, paragraphs_), "edits": structs(EDITS, edits)}
    return Language().measure(pa.record_batch({"text": [""] * len(rows), **columns})).to_pylist()


def test_the_language_with_most_bytes_left_wins() -> None:
    two = [(0, 100, "de", 1.0), (100, 180, "en", 1.0)]
    found = judge((two, []), (two, [(0, 30)]), (two, [(10, 20), (50, 170)]))
    assert [language for language, _ in found] == ["de", "en", "de"]
    assert [score for _, score in found] == pytest.approx([100 / 180, 80 / 150, 40 / 50])


def test_a_sure_paragraph_counts_more_than_unsure_ones() -> None:
    sure = [(0, 200, "es", 0.6), (200, 300, "gl", 0.9)]
    less = [(0, 200, "es", 0.9), (200, 300, "gl", 0.95)]
    assert 200 * 0.6**8 < 100 * 0.9**8 and 200 * 0.9**8 > 100 * 0.95**8
    found = judge((sure, []), (less, []))
    assert found == [("gl", pytest.approx(90 / 300)), ("es", pytest.approx(180 / 300))]


def test_the_score_is_the_mean_over_all_bytes_that_were_judged() -> None:
    rows = [(0, 100, "de", 0.5), (100, 200, "de", 1.0), (200, 250, "fr", 0.9), UNKNOWN]
    assert judge((rows, [])) == [("de", pytest.approx((50 + 100) / 250))]


def test_all_languages_are_told_with_their_shares() -> None:
    rows: list[Any] = [
        (0, 60, "fr", 0.4),
        (60, 160, "de", 0.5),
        (160, 200, "fr", 1.0),
        (200, 250, "en", 0.9),
    ]
    rows.append(UNKNOWN)
    assert every((rows, []), ([], []), (rows, [(60, 110)])) == [
        [("de", 100 / 250), ("fr", 100 / 250), ("en", 50 / 250)],
        [],
        [("fr", 100 / 200), ("de", 50 / 200), ("en", 50 / 200)],
    ]


def test_equals_go_by_the_alphabet() -> None:
    assert judge(([(0, 80, "fr", 0.5), (80, 160, "de", 0.5)], [])) == [("de", pytest.approx(0.25))]


def test_nothing_judged_or_nothing_left_has_no_language() -> None:
    unknown = [(0, 80, None, None)]
    assert judge((unknown, []), ([], []), ([(0, 80, "de", 1.0)], [(0, 80)])) == [(None, None)] * 3


def test_an_edit_across_paragraphs_counts_in_each_and_in_no_other_row() -> None:
    two = [(0, 100, "de", 1.0), (100, 210, "en", 1.0)]
    cuts: list[Any] = [[(0, 5), (90, 150)], [], [(0, 0), (100, 210)]]
    first, second, *others = judge(*((two, each) for each in cuts), ([], [(0, 50)]))
    assert first == ("de", pytest.approx(85 / 145)) and second == ("en", pytest.approx(110 / 210))
    assert others == [("de", pytest.approx(1.0)), (None, None)]


def test_slices_and_nulls_are_read_rightly() -> None:
    texts = pa.array([EN, DE, None, DE + EN + EN], pa.string())
    edits = structs(EDITS, [[], [], None, [(0, 10, "", "x")]])
    batch = pa.record_batch({"text": texts, "paragraphs": paragraphs(texts), "edits": edits})
    whole = Language().measure(batch).to_pylist()
    assert [row["language"] for row in whole] == ["en", "de", None, "en"]
    for i in range(4):
        assert Language().measure(batch.slice(i)).to_pylist() == whole[i:]
    null = pa.array([None, paragraphs(texts).to_pylist()[1]], PARAGRAPHS)
    batch = pa.record_batch({"text": texts[:2], "paragraphs": null, "edits": edits[:2]})
    assert [row["language"] for row in Language().measure(batch).to_pylist()] == [None, "de"]
