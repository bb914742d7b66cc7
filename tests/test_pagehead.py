"""What pages say of themselves, in the ways they do, and pages that mean harm."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.html.head import AUTHORS, DATES, LANGUAGES, LICENCES, TITLES, Head, head
from pipelines.opened import Opened
from tests.helpers.command import here

URL = "https://www.example.org/a/b.html"


def said(top: str, body: str = "<p>x") -> Head:
    page = f"<!doctype html><html><head>{top}</head><body>{body}</body></html>"
    return head(page.encode(), URL)


def ld(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Wasser &amp; Stein",
    "author": [{"@type": "Person", "name": "A. One"}, {"name": "B. Two"}],
    "datePublished": "2024-05-31T23:59:00+02:00",
    "inLanguage": "de",
    "license": "https://example.org/licence",
}


def test_nothing_is_said_by_an_empty_page() -> None:
    for page in (b"", b"<html><body><p>x", b"\0\xff<", b"plain"):
        assert head(page, URL) == Head()


def test_json_ld_says_all_of_an_article() -> None:
    wanted = Head(
        "Wasser & Stein", "A. One; B. Two", "2024-05-31", "de", "https://example.org/licence"
    )
    assert said(ld(ARTICLE)) == said("", ld([ARTICLE])) == said(ld({"@graph": [ARTICLE]})) == wanted


def test_json_ld_comes_before_the_tags_and_the_tags_before_the_title() -> None:
    tags = "<title>Site</title><meta property=og:title content=Tag><meta name=author content=Me>"
    assert said(tags + ld(ARTICLE))[:2] == ("Wasser & Stein", "A. One; B. Two")
    assert said(tags)[:2] == ("Tag", "Me")


def test_an_article_comes_before_the_page_and_names_its_author_elsewhere() -> None:
    person = {"@type": "Person", "@id": "#me", "name": "C. Three"}
    page = {"@type": "WebPage", "headline": "Site", "datePublished": "2020-01-01", "name": "N"}
    article = {"@type": ["TechArticle"], "author": {"@id": "#me"}, "headline": "Text"}
    found = said(ld({"@graph": [page, article, person]}))
    assert found == Head("Text", "C. Three", "2020-01-01")


@pytest.mark.parametrize(
    ("top", "name", "value"),
    [
        ("<title> A\n title &ndash; x</title>", "title", "A title \u2013 x"),
        ('<title>Site</title><meta property="og:title" content="Text">', "title", "Text"),
        ("<TITLE>A</TITLE><title>B</title>", "title", "A"),
        ("<!-- <title>No</title> --><title>Yes</title>", "title", "Yes"),
        ("<script>'<title>No</title>'</script><title>Yes</title>", "title", "Yes"),
        ("<META NAME=author CONTENT='D. Four'>", "author", "D. Four"),
        ('<meta content="E. Five" name="DC.Creator">', "author", "E. Five"),
        ('<meta property="article:author" content="https://x.org/me">', "author", None),
        ('<meta name="date" content="31 May 2024">', "published", "2024-05-31"),
        ('<meta name="date" content="May 3, 2024">', "published", "2024-05-03"),
        ('<meta name="pubdate" content="20240531">', "published", "2024-05-31"),
        ('<meta name="date" content="2024/05/31 10:00">', "published", "2024-05-31"),
        ('<meta name="date" content="Fri, 31 May 2024 10:00:00 GMT">', "published", "2024-05-31"),
        ('<meta name="date" content="2024-13-31">', "published", None),
        ('<meta name="date" content="2023-02-29">', "published", None),
        ('<meta name="date" content="2024-02-29">', "published", "2024-02-29"),
        ('<meta name="date" content="yesterday">', "published", None),
        ('<meta itemprop="datePublished" content="2024-05-31">', "published", "2024-05-31"),
        ('<meta property="og:locale" content="pt_BR">', "declared_language", "pt-BR"),
        ('<meta http-equiv="Content-Language" content="de, en">', "declared_language", "de"),
        ('<meta name="dc.language" content="{{ language }}">', "declared_language", None),
        ('<meta name="dc.rights" content="CC BY 4.0">', "licence", "CC BY 4.0"),
        ('<link rel="license" href="/licence">', "licence", "https://www.example.org/licence"),
        ('<link rel=canonical href="c.html">', "canonical", "https://www.example.org/a/c.html"),
        ('<base href="/x/"><link rel="canonical" href="c">', "canonical", "https://www.example.org/x/c"),
        ('<link rel="canonical" href="javascript:x">', "canonical", None),
        ('<meta property="og:url" content="http://o.org/">', "canonical", "http://o.org/"),
    ],
)  # fmt: skip
def test_what_a_tag_says(top: str, name: str, value: str | None) -> None:
    found = said(top)
    assert getattr(found, name) == value
    assert found._replace(**{name: None}) == Head()


def test_every_name_is_asked_about() -> None:
    for name in (*TITLES, *AUTHORS, *DATES, *LICENCES, *LANGUAGES):
        assert said(f'<meta name="{name}" content="en 2024-05-31">') != Head()


def test_the_page_says_its_language_in_its_first_tag() -> None:
    assert head(b'<html lang="pt-BR"><p>').declared_language == "pt-BR"
    assert head(b'<html lang=""><meta name="dc.language" content="fr">').declared_language == "fr"


def test_a_licence_is_what_a_link_calls_so_or_one_of_creative_commons_alone() -> None:
    one = "https://creativecommons.org/licenses/by/4.0/"
    other = "https://creativecommons.org/licenses/by-sa/3.0/"
    assert said("", f'<a rel="nofollow license" href="{one}">CC</a>').licence == one
    assert said("", f'<a href="{one}" rel=license>CC</a>, <a href="{other}">').licence == one
    assert said("", f'<a href="{one}">CC</a> <img src="{one[:-1]}">').licence == one
    assert said("", f'<a href="{one}">CC</a> <a href="{other}">').licence is None
    assert said("", "The license of <a href='/x'>this</a>").licence is None


def test_what_stands_in_the_body_is_none_of_it() -> None:
    body = (
        '<svg><title>Icon</title></svg><meta name="author" content="Me"><link rel=canonical href=x>'
    )
    assert said("", body) == Head()


@given(st.binary(max_size=200) | st.text(max_size=99).map(str.encode))
def test_any_bytes_will_do(some: bytes) -> None:
    for page in (some, b"<html><head><meta name=author content=" + some, b"<title>" + some):
        for value in head(page, URL):
            assert value is None or (0 < len(value) <= 1000 and value == value.strip())
    head(b'<script type="application/ld+json">' + some + b"</script>", "http://[")


@pytest.mark.parametrize(
    "some",
    [
        b"<meta ",
        b"<title>",
        b"<!--",
        b"<script>",
        b"<a license ",
        b"license ",
        b'<script type="application/ld+json">',
        b'{"@graph":[',
        b"<link rel=license href=",
        b"https://creativecommons.org/licenses/by ",
        b"a=",
        b"<",
        b'"',
    ],
)
def test_four_million_bytes_of_anything_end(some: bytes) -> None:
    """Nothing here may take time as the square of a page."""
    begin = b'<html><head><script type="application/ld+json">' * (some[:1] == b"{")
    page = begin + some * (4_000_000 // len(some))
    assert all(value is None or len(value) <= 1000 for value in head(page, URL))


def test_what_pages_say_are_columns_that_rules_and_shards_name(tmp_path: Path) -> None:
    prose = "<p>" + "The water comes down from the hills in a tunnel that people dug by hand. " * 9
    commons = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a>'
    (tmp_path / "a.html").write_text(f"<html lang=en><title>One</title><body>{prose}{commons}")
    (tmp_path / "b.html").write_bytes(f"<title>Zwei Bäche</title><body>{prose}".encode("utf-16"))
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "No page.", "title": "Three"}))
    sources = "".join(
        f'[[source]]\nkind = "{kind}"\npaths = ["*.{kind}"]\n' for kind in ("html", "jsonl")
    )
    (tmp_path / "a.toml").write_text(
        f'name = "a"\n{sources}[rules]\nunlicensed = "licence is null"\n'
        '[publish]\ncolumns = ["title", "licence", "declared_language"]\n'
    )
    done = here("run", "a.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = Opened(tmp_path / "runs/a")
    rows = run.arrow(["source_key", "title", "metadata", "reason"]).to_pylist()
    by_title = {row["title"]: row for row in rows}
    assert by_title["One"]["reason"] is None and by_title["Zwei Bäche"]["reason"] == "unlicensed"
    assert by_title[None]["metadata"] == '{"title":"Three"}'
    shard = next((tmp_path / "runs/a/dataset/data/documents").iterdir())
    (published,) = pa.ipc.open_stream(shard).read_all().to_pylist()
    assert published["licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert (published["title"], published["declared_language"]) == ("One", "en")
