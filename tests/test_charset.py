"""Encodings: the order of the HTML Standard, and nothing that raises."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters.charset import PRESCAN, codec, decode, utf8

GERMAN = "<p>Grüße aus München, schöne Straße, größere Füße"
RUSSIAN = "<p>Привет мир, это обыкновенный текст на русском языке для проверки"
JAPANESE = "<p>これは日本語で書かれた普通の文章です。①㈱も読めます。"


def meta(name: str) -> str:
    return f'<html><head><meta charset="{name}">'


def test_a_byte_order_mark_beats_the_header_and_is_no_text() -> None:
    assert decode(b"\xef\xbb\xbf" + GERMAN.encode(), "iso-8859-1") == (GERMAN, "utf-8")
    assert decode(b"\xff\xfe" + GERMAN.encode("utf-16-le"), "utf-8") == (GERMAN, "utf-16-le")
    assert decode(b"\xfe\xff" + GERMAN.encode("utf-16-be"), None) == (GERMAN, "utf-16-be")


def test_the_header_beats_the_meta() -> None:
    page = meta("koi8-r") + RUSSIAN
    assert decode(page.encode("cp1251"), "windows-1251") == (page, "cp1251")


def test_the_meta_beats_detection() -> None:
    page = meta("windows-1254") + "Grüße"
    assert decode(page.encode("cp1254"), None) == (page, "cp1254")


@pytest.mark.parametrize(
    "tag",
    [
        "<meta charset=koi8-r>",
        "<META CHARSET='KOI8-R' />",
        '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">',
        "<meta content='text/html;charset = koi8-r' http-equiv=content-type>",
        '<meta name="charset" content="utf-8"><meta charset="nonsense"><meta charset="koi8">',
        "<!-- <meta charset=utf-8> --><meta charset=koi8-r>",
        '<?xml version="1.0" encoding="koi8-r"?>',
    ],
)
def test_a_meta_is_understood_as_browsers_do(tag: str) -> None:
    assert decode((tag + RUSSIAN).encode("koi8-r"), None) == (tag + RUSSIAN, "koi8-r")


def test_a_meta_beyond_the_first_1024_bytes_is_not_seen() -> None:
    page = " " * PRESCAN + meta("koi8-r") + RUSSIAN
    assert decode(page.encode("cp1251"), None) == (page, "cp1251")


def test_utf16_in_a_meta_means_utf8() -> None:
    page = meta("utf-16") + GERMAN
    assert decode(page.encode(), None) == (page, "utf-8")


@pytest.mark.parametrize(
    "header", ["", "none", "x-unknown", "utf-7", "idna", "zlib", "\0", "é" * 999]
)
def test_a_header_of_nonsense_falls_through(header: str) -> None:
    page = meta("koi8-r") + RUSSIAN
    assert decode(page.encode("koi8-r"), header) == (page, "koi8-r")


@pytest.mark.parametrize(
    ("text", "encoding"), [(RUSSIAN, "cp1251"), (JAPANESE, "cp932"), (GERMAN, "cp1252")]
)
def test_a_declared_utf8_that_is_another_encoding_is_not_believed(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "utf-8") == (text, encoding)


def test_a_declared_utf8_with_a_few_bad_bytes_is_believed() -> None:
    body = RUSSIAN.encode()[:-1] + b"\xff"
    text, encoding = decode(body, "utf-8")
    assert encoding == "utf-8"
    assert text.startswith(RUSSIAN[:-1])
    assert text.endswith("\ufffd")


@pytest.mark.parametrize("name", ["gb2312", "shift_jis", "windows-1251", "iso-8859-1"])
def test_a_meta_that_is_wrong_over_utf8_is_not_believed_but_a_header_is(name: str) -> None:
    page = meta(name) + JAPANESE
    assert decode(page.encode(), None) == (page, "utf-8")
    assert decode(page.encode(), name)[1] == codec(name)
    few = meta(name) + "üé"  # two characters may be of any encoding
    assert decode(few.encode(), None)[1] == codec(name)


def test_escapes_of_iso_2022_are_no_utf8() -> None:
    page = "<p>これは日本語で書かれた普通の文章です。" * 3
    assert decode(page.encode("iso2022_jp"), None)[0] == page


def test_labels_are_those_of_the_web() -> None:
    """Shift_JIS with the characters of Windows, gb2312 as gb18030, latin-1 as windows-1252."""
    assert decode(JAPANESE.encode("cp932"), "Shift_JIS")[0] == JAPANESE
    assert decode("€100".encode("gb18030"), "gb2312")[0] == "€100"
    assert decode(b"\x80", "iso-8859-1")[0] == "€"
    assert decode("한국어 똠방각하".encode("cp949"), "euc-kr")[0] == "한국어 똠방각하"
    assert decode("Київ".encode("mac-cyrillic"), "x-mac-cyrillic")[0] == "Київ"
    assert codec('"utf-8"') == "utf-8"


def test_encoded_surrogates_do_not_come_out() -> None:
    assert "\ud800" not in decode(b"a\xed\xa0\x80b", "utf-8")[0]
    assert decode(b"\x00\xd8a\x00", "utf-16le")[0] == "\ufffda"


@given(
    st.binary(max_size=200), st.none() | st.text(max_size=12) | st.sampled_from(["utf-8", "gbk"])
)
@example(b"<meta charset=>", "\ud800")
@example(b"<meta charset=\xff\xfe>\xff", None)
@example(b"\xff\xfe\x00\xd8", None)
def test_nothing_raises_and_all_text_is_utf8(body: bytes, header: str | None) -> None:
    text, encoding = decode(body, header)
    assert text.encode().decode() == text
    assert "".encode(encoding) is not None


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16-le", "gb18030"]))
def test_what_is_declared_rightly_is_read_back(text: str, encoding: str) -> None:
    body = text.encode(encoding, "ignore")
    if not body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        assert decode(body, encoding)[0] == body.decode(encoding)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (GERMAN.encode(), GERMAN.encode()),
        (b"\xef\xbb\xbf" + GERMAN.encode(), GERMAN.encode()),
        (RUSSIAN.encode("utf-16"), RUSSIAN.encode()),
        ((meta("koi8-r") + RUSSIAN).encode("koi8-r"), (meta("koi8-r") + RUSSIAN).encode()),
        (GERMAN.encode() + b" \xff", GERMAN.encode() + " \ufffd".encode()),
        (b"", b""),
    ],
    ids=["as it is", "mark", "UTF-16", "meta", "a bad byte", "empty"],
)
def test_a_page_as_utf8(body: bytes, wanted: bytes) -> None:
    header = "utf-8" if b"\xff" in body[5:] else None
    assert utf8(body, header) == wanted
