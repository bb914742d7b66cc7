import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import SPANS, unicode
from filters.words import words
from tests.helpers.measuring import bytes_at, column

NAMES = dict(enumerate("......lnbXXCDLLLI"))
"""Classes as letters, for the pattern below."""

WORD = re.compile("IX*|(?:LX*[lb](?=L)|DX*[nb](?=D)|[LDC]X*)+")
"""The twin: what a word is, as a pattern of classes."""


def twin(data: bytes) -> list[tuple[int, int]]:
    text = data.decode(errors="surrogateescape")
    kinds = "".join(NAMES[unicode.classify(c)] for c in text)
    at = bytes_at(text)
    found = [m.span() for m in WORD.finditer(kinds) if set(m.group()) & set("LDI")]
    return [(at[start], at[end]) for start, end in found]


def spans(found: pa.ListArray) -> list[list[tuple[int, int]]]:
    return [[(s["start"], s["end"]) for s in row] for row in found.to_pylist()]


def split(text: str) -> list[str]:
    data = text.encode()
    return [data[a:b].decode() for a, b in spans(words(pa.array([text])))[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic -- it’s 3.14!", ["Don't", "panic", "it’s", "3.14"]),
        ("the U.S. and example.com", ["the", "U.S", "and", "example.com"]),
        ("1,000 a,b v1.2 a.1", ["1,000", "a", "b", "v1.2", "a", "1"]),
        ("'quoted' ...dots...", ["quoted", "dots"]),
        ("_a_ __ snake_case", ["_a_", "snake_case"]),
        ("東京タワー。", ["東", "京", "タ", "ワ", "ー"]),
        ("Tokyo東京2020", ["Tokyo", "東", "京", "2020"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("e\u0301te\u0301 co\xadop", ["e\u0301te\u0301", "co\xadop"]),
        ("שלום עולם мир", ["שלום", "עולם", "мир"]),
        ("x² 👩\u200d🚀 #!? \u0301", ["x"]),
        ("a\0b\r\nc\u2028d", ["a", "b", "c", "d"]),
        ("paral·lel key:value", ["paral·lel", "key", "value"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert split(text) == expected


CHARACTERS = st.sampled_from("aZé7٣_'’.,·: \n-漢カไ\u0301\u200d\xad²😀") | st.characters(
    codec="utf-8"
)


@given(
    st.lists(st.lists(st.binary(max_size=4) | st.text(CHARACTERS).map(str.encode)).map(b"".join))
)
@settings(max_examples=200)
def test_the_twin_agrees(texts: list[bytes]) -> None:
    found = words(column(texts))
    assert found.type == SPANS
    assert spans(found) == [*map(twin, texts)]


UNSPACED = st.sampled_from("漢字かなカナサワຂອງខ្មែមြန") | st.sampled_from("ั้ិ\u3099")


@given(st.text(UNSPACED, min_size=1), st.text(st.sampled_from("aéж ")))
def test_every_letter_of_a_script_without_spaces_is_a_word_with_its_marks(
    unspaced: str, spaced: str
) -> None:
    letters = sum(unicode.classify(c) == unicode.IDEOGRAPH for c in unspaced)
    found = split(f"漢{unspaced} {spaced}")
    assert found == [*split(f"漢{unspaced}"), *split(spaced)]
    assert len(split(f"漢{unspaced}")) == 1 + letters
    assert "".join(split(f"漢{unspaced}")) == f"漢{unspaced}"


def test_there_is_room_for_words_of_one_byte() -> None:
    texts = [b"a", b"a b", b"a b c", b""]
    assert spans(words(column(texts))) == [*map(twin, texts)]
    short = map(chr, range(0x800))  # of two bytes at most
    assert unicode.IDEOGRAPH not in map(unicode.classify, short)
