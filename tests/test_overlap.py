from itertools import groupby

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import SPANS
from filters.folding import folds
from filters.overlap import Overlap
from tests.helpers.measuring import batch, structs

Q = "Which of these tunnels brings water down from the hills to the fields by its own weight alone?"
TAIL = " and then " + " ".join(f"w{i}" for i in range(30))

Row = dict[str, object]


def measured(given: tuple[str, ...], size: int, *texts: bytes | str | None) -> list[Row]:
    return list(Overlap(given, size).measure(batch(*texts)).to_pylist())


def shares(given: tuple[str, ...], *texts: str) -> list[object]:
    return [row["overlap"] for row in measured(given, 13, *texts)]


def plain(word: bytes) -> str:
    table = folds().tolist()
    text = word.decode(errors="surrogateescape")
    points = (table[ord(c)] if ord(c) < len(table) else ord(c) for c in text)
    return "".join(chr(p) for p in points if p >= 0)


def said(text: bytes | str) -> tuple[list[str], bytes, list[tuple[int, int]]]:
    """The words of a text as they compare, its bytes, and where the words are."""
    row = batch(text)
    data = row["text"].cast(pa.binary())[0].as_py()
    at = [(s["start"], s["end"]) for s in row["words"][0].as_py()]
    return [plain(data[a:b]) for a, b in at], data, at


def runs(found: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(found[i : i + size]) for i in range(len(found) - size + 1)]


def twin(given: tuple[str, ...], size: int, text: bytes) -> Row:
    known = {run for each in given for run in runs(said(each)[0], size)}
    found, data, at = said(text)
    first, covered = None, [False] * len(found)
    for i, run in enumerate(runs(found, size)):
        if run in known:
            covered[i : i + size] = [True] * size
            passage = data[at[i][0] : at[i + size - 1][1]].decode(errors="replace")
            first = passage if first is None else first
    stretches = [len(list(group)) for is_in, group in groupby(covered) if is_in]
    share = sum(covered) / max(1, len(found))
    return {
        "overlap": share,
        "overlap_longest": max(stretches, default=0),
        "overlap_passage": first,
    }


WORD = st.sampled_from(
    [
        *("a", "A", "b", "B", "ß", "ẞ", "É", "é", "don't", "don’t"),
        *("漢字", "ИВАН", "иван", "Ⱥ", "İ"),
        *("Incomprehensibly", "INCOMPREHENSIBLY", "incompr\xadehensibly", "Naïvelywritten"),
    ]
)
TEXT = st.lists(WORD | st.text(max_size=2), max_size=14).map(" ".join)
BYTES = TEXT.map(str.encode) | st.lists(WORD.map(str.encode) | st.binary(max_size=3)).map(b" ".join)


@given(st.lists(TEXT, max_size=3).map(tuple), st.integers(1, 4), st.lists(BYTES, max_size=4))
def test_the_twin_agrees(given: tuple[str, ...], size: int, texts: list[bytes]) -> None:
    assert measured(given, size, *texts) == [twin(given, size, text) for text in texts]


@given(st.lists(BYTES, max_size=4), st.integers(0, 5))
def test_where_a_text_lies_does_not_matter(texts: list[bytes], cut: int) -> None:
    measure, rows = Overlap(("a b a", "B é"), 2), batch(*texts, "a b a")
    assert measure.measure(rows.slice(cut)).equals(measure.measure(rows).slice(cut))


def test_the_share_is_that_of_the_words_found() -> None:
    (row,) = measured((Q,), 13, f"So: {Q}{TAIL}")
    assert row["overlap"] == 18 / (1 + 18 + 32)
    assert row["overlap_longest"] == 18
    assert row["overlap_passage"] == " ".join(Q.split()[:13])


@pytest.mark.parametrize(
    "text",
    [
        Q.upper(),
        Q.replace(" ", ", "),
        "\n".join(Q.split()),
        f"“{Q}”",
        Q.replace("tunnels", "«tunnels»"),
        Q.replace("water", "wa\xadter"),
    ],
    ids=["case", "punctuation", "lines", "quotes", "inner quotes", "soft hyphen"],
)
def test_how_it_is_set_does_not_matter(text: str) -> None:
    assert shares((Q,), text) == shares((text,), Q) == [1.0]


@pytest.mark.parametrize(
    ("one", "other"),
    [("don't", "Don’t"), ("ПРИВЕТ", "привет"), ("ΟΔΟΣ", "οδος"), ("Việt", "VIỆT"), ("ſo", "So")],
)
def test_letters_with_case_and_apostrophes(one: str, other: str) -> None:
    assert measured((one,), 1, other)[0]["overlap"] == 1
    assert measured((one,), 1, one + "x")[0]["overlap"] == 0


def test_twelve_words_are_not_found_and_thirteen_are() -> None:
    given = " ".join(Q.split()[:13])
    assert shares((Q,), *(" ".join(Q.split()[:n]) + TAIL for n in (12, 13))) == [0, 13 / 45]
    assert shares((given,), Q, given[:-4]) == [13 / 18, 0]


def test_a_run_does_not_cross_two_given_texts() -> None:
    half = " ".join(Q.split()[:9]), " ".join(Q.split()[9:])
    assert shares(half, Q) == [0]
    assert shares((" ".join(half),), Q) == [1]


def test_order_and_every_word_count() -> None:
    swapped = Q.replace("water down", "down water")
    missing = Q.replace("tunnels ", "")
    assert shares((Q,), swapped, missing) == [0, 14 / 17]


def test_stretches_with_a_gap_are_two_and_those_that_touch_are_one() -> None:
    one, other = "a b c d", "p q r"
    (apart,) = measured((one, other), 3, "a b c d x p q r")
    (touching,) = measured((one, other), 3, "x a b c d p q r")
    assert (apart["overlap"], apart["overlap_longest"]) == (7 / 8, 4)
    assert (touching["overlap"], touching["overlap_longest"]) == (7 / 8, 7)


def test_a_text_that_is_too_short_or_none_has_no_overlap() -> None:
    nothing = {"overlap": 0.0, "overlap_longest": 0, "overlap_passage": None}
    assert measured((Q,), 13, "which of these", "…", "", None) == [nothing] * 4
    assert measured((), 13, Q) == measured(("short",), 13, Q) == [nothing]


def test_spans_of_another_text_do_not_lead_out() -> None:
    texts = pa.array(["ab cd"] * 3)
    wrong = [[(0, 2), (3, 99)], [(0, 2), (1, 5), (7, 9)], [(0, 5), (0, 2), (0, 5)]]
    rows = pa.record_batch({"text": texts, "words": structs(SPANS, wrong)})
    found = Overlap(("ab cd",), 2).measure(rows)
    assert found["overlap"].to_pylist() == [1, 0, 0]


def test_ten_thousand_given_texts_are_found_and_no_other() -> None:
    draw = np.random.default_rng(3)
    every = [" ".join(map(str, draw.integers(0, 99, 14))) for _ in range(20_000)]
    given = (*every[:10_000], *every[:500])
    assert shares(given, *every) == [1.0] * 10_000 + [0.0] * 10_000


def test_why_a_given_text_is_of_no_use() -> None:
    why = Overlap((), 3).unusable(pa.array(["one two", "one two three", "", "漢字か"]))
    assert why.to_pylist() == ["shorter than 3 words", None, "shorter than 3 words", None]
