import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import unicode as u


def read_all(data: bytes) -> tuple[list[int], list[int]]:
    """Code points and classes of some bytes, by the kernels' own helpers."""
    body, at, points, kinds = np.frombuffer(data, np.uint8), 0, [], []
    while at < len(body):
        point, length = u.decode(body, at, len(body))
        assert u.read(body, at, len(body), u.table()) == (u.kind_of(point, u.table()), length)
        points.append(int(point))
        kinds.append(int(u.kind_of(point, u.table())))
        at += length
    return points, kinds


def test_the_table_says_its_version() -> None:
    assert u.version() == "14.0.0"


@pytest.mark.skipif(unicodedata.unidata_version != u.version(), reason="another Unicode version")
def test_the_table_that_ships_is_the_one_the_code_writes() -> None:
    assert Path(u.PATH).read_bytes() == u.build()


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        (" \t\n\x85\u2028\u2029\xa0\u3000", u.SPACE),
        ("\0\x1b\u200b", u.CONTROL),
        ("AÉΣДǅ", u.UPPER),
        ("aéσдß", u.LOWER),
        ("אعक한ʰⅧ", u.LETTER),
        ("漢々〇ひカーｶไລខမ𠀀𱍐", u.IDEOGRAPH),
        ("0٣३", u.DIGIT),
        ("²½①", u.NUMBER),
        ("\u0301\u200dัि", u.MARK),
        ("\xad\u202e", u.FORMAT),
        ("_‿", u.CONNECTOR),
        ("·", u.MID_LETTER),
        (",;", u.MID_NUMBER),
        ("'’.", u.MID_BOTH),
        ("!?:…。", u.PUNCTUATION),
        ("$+😀", u.SYMBOL),
        ("\ue000\uffff", u.OTHER),
    ],
)
def test_classes(characters: str, kind: int) -> None:
    assert set(read_all(characters.encode())[1]) == {kind}


@given(st.text())
def test_what_python_encodes_is_read_back(text: str) -> None:
    assert read_all(text.encode())[0] == [*map(ord, text)]


WRONG = [
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\x80", b"\xe0\x80\x80"),
    *(b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"),
]
"""Surrogates, overlong forms, and beyond the last code point."""

BYTES = st.lists(
    st.sampled_from(WRONG)
    | st.sampled_from("\ud7ff\ue000\U0010ffff").map(str.encode)
    | st.binary(max_size=5)
    | st.text(max_size=2).map(str.encode)
).map(b"".join)


@given(BYTES)
def test_a_byte_of_no_character_stands_alone(data: bytes) -> None:
    twin = [ord(c) for c in data.decode(errors="surrogateescape")]
    assert read_all(data)[0] == [u.BAD if p >> 7 == 0xDC80 >> 7 else p for p in twin]


@given(
    st.lists(st.sampled_from([" ", "\n", "a", "\u3000", "é", "\x85"]) | st.text(max_size=1)), BYTES
)
def test_trim(characters: list[str], more: bytes) -> None:
    data = "".join(characters).encode() + more
    body = np.frombuffer(data, np.uint8)
    start, end = u.trim(body, 0, len(body), u.table())
    twin = data.decode(errors="surrogateescape").strip(u.SPACES)
    assert data[start:end].decode(errors="surrogateescape") == twin
