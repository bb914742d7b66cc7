import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import SPANS, unicode
from filters.words import words

NAMES = dict(enumerate("......lnbXXCDLLLI"))
"""Classes as letters, for the pattern below."""

WORD = re.compile("IX*|(?:LX*[lb](?=L)|DX*[nb](?=D)|[LDC]X*)+")
"""The twin: what a word is, as a pattern of classes."""


def twin(data: bytes) -> list[tuple[int, int]]:
    text = data.decode(errors="surrogateescape")
    kinds = "".join(NAMES[unicode.classify(c)] for c in text)
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode(errors="surrogateescape")))
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


@given(st.lists(st.text(CHARACTERS)))
def test_the_twin_agrees(texts: list[str]) -> None:
    found = words(pa.array(texts, pa.string()))
    assert found.type == SPANS
    assert spans(found) == [twin(text.encode()) for text in texts]


@given(
    st.lists(st.lists(st.binary(max_size=4) | st.text(CHARACTERS).map(str.encode)).map(b"".join))
)
def test_the_twin_agrees_on_any_bytes(texts: list[bytes]) -> None:
    assert spans(words(pa.array(texts, pa.binary()).view(pa.string()))) == [*map(twin, texts)]


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
    assert spans(words(pa.array(["a", "a b", "a b c", ""]))) == [
        *map(twin, [b"a", b"a b", b"a b c", b""])
    ]
    assert (
        min(ord(c) for c in map(chr, range(0x3000)) if unicode.classify(c) == unicode.IDEOGRAPH)
        > 0x7FF
    )
