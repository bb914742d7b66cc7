"""HTML files."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import extract
from filters.extract import Found
from pipelines.readers import Dead, Document, Skipped, html, pages
from pipelines.readers.consents import Consents
from tests.helpers.reading import Source


def read(body: bytes, extractor: str = "resiliparse") -> Document | Dead | Skipped:
    (item,) = html.read(io.BytesIO(body), "pages/ein Dokument.html", Source(extract=extractor))
    return item


def test_a_file_is_one_document_named_by_the_file() -> None:
    body = "<html><head><meta charset=koi8-r></head><body><p>Привет, мир".encode("koi8-r")
    assert read(body) == Document(
        text="Привет, мир",
        offset=0,
        length=len(body),
        source_key="pages/ein Dokument.html",
        media_type="text/html",
        consents=Consents(noindex=False, noai=False, noimageai=False, tdm_reserved=False),
    )


def test_an_empty_file_is_an_empty_document() -> None:
    item = read(b"")
    assert isinstance(item, Document) and item.text == ""


def test_the_rest_of_a_page_that_is_too_long_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for cut, more in ((True, [pages.REST]), (False, [])):
        monkeypatch.setattr(extract, "found", lambda *_, cut=cut: Found("x", cut))
        document, *rest = html.read(io.BytesIO(b"<p>x"), "a.html", Source())
        assert isinstance(document, Document) and document.text == "x" and rest == more


def test_a_hostile_page_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    for body, reason in ((b"<div>" * 50_000, "too deep"), (b"word " * 4_000_000, "too large")):
        item = read(body)
        assert isinstance(item, Dead) and item.reason == reason
    monkeypatch.setattr(html, "BYTES", 1_000)
    assert read(bytes(1_001)) == Dead(0, "too large", "pages/ein Dokument.html")


def test_an_extractor_that_is_not_there_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no extractor 'nobody'"):
        read(b"x", "nobody")


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    item = read(body)
    assert isinstance(item, Document) and item.text.encode().decode() == item.text
