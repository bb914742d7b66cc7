"""Extractors, and the pages that none of them may see."""

import json
import random
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from filters import extract
from filters.charset import utf8
from filters.extract import DEPTH, HTML, WORK, TooDeep, TooLarge, check, found, resolve, text
from filters.html import nesting
from filters.html.mainblocks import MOST_BLOCKS

PARAGRAPH = "The manual says a few words about the matter at hand, and then it says no more. " * 4
PAGE = f"""<html><head><title>Title</title><style>p {{}}</style></head><body>
<nav><ul><li><a href=/>Home</a><li><a href=/x>Menu entry</a></ul></nav>
<main><h1>Heading</h1><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p><img alt="a picture"></main>
<footer><p>Imprint</p></footer><script>if (a<b) document.write("<div>")</script></body></html>"""


@pytest.mark.parametrize("name", ["karez", "resiliparse", "trafilatura"])
def test_the_main_text_is_kept_and_the_frame_is_not(name: str) -> None:
    main = text(PAGE, name)
    assert main.count("The manual says a few words") >= 4  # trafilatura drops what it has seen
    for frame in ("Menu entry", "Imprint", "document.write", "a picture"):
        assert frame not in main


@pytest.mark.parametrize("name", ["karez", "resiliparse", "trafilatura"])
@pytest.mark.parametrize(
    "html", ["", "<html></html>", "\0", "<p>\0</p>", "x", "<plaintext>" + "<b>" * 99]
)
def test_a_page_without_text_gives_no_text_and_no_error(name: str, html: str) -> None:
    assert isinstance(text(html, name), str)


def shout(html: str) -> str:
    return html.upper() + "\ud800"


def test_an_extractor_of_the_users_own_is_named_by_module_and_thing() -> None:
    sys.modules["own_extractor"] = sys.modules[__name__]
    assert text("<p>x", "own_extractor:shout") == "<P>X?"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "lynx",
        "nowhere:f",
        "filters.extract:nothing",
        ":f",
        "x:",
        "filters.extract:HTML",
        "..:f",
    ],
)
def test_an_unknown_extractor_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ValueError, match=f"no extractor {name!r}"):
        resolve(name)


def both(html: str) -> str:
    return "one\n\ntwo\nfour"


def other(html: str) -> str:
    return "zero\ntwo\nthree\n four \nfive"


def none(html: str) -> str:
    return ""


def test_two_extractors_give_the_lines_of_both_each_once_and_in_their_order() -> None:
    sys.modules["own_extractor"] = sys.modules[__name__]
    joined = text("<p>x", "own_extractor:both+own_extractor:other")
    assert joined.split("\n") == ["zero", "one", "", "two", "three", "four", "five"]
    joint = text(PAGE, "karez+resiliparse")
    assert set(text(PAGE, "karez").split("\n")) <= set(joint.split("\n"))
    assert text("<p>x", "own_extractor:none+own_extractor:other") == other("")
    assert text("<p>x", "own_extractor:other+own_extractor:none") == other("")
    with pytest.raises(ValueError, match="no extractor 'lynx'"):
        resolve("karez+lynx")
    with pytest.raises(TooDeep):
        text(HOSTILE["divs"], "karez+resiliparse")


SENTENCES = " ".join(f"In {n} the committee met {n} times and wrote a report." for n in range(30))
ODD = {
    "binary": bytes(range(256)) * 200,
    "XML": f"<?xml version='1.0'?><a><b>{SENTENCES}</b><c d='e'/></a>".encode(),
    "a feed": f"<rss><channel><item><title>T</title><description>{SENTENCES}".encode(),
    "an atom feed": f"<?xml version='1.0'?>\n<!-- x -->\n<feed>{SENTENCES}".encode(),
    "frames": b"<frameset><frame src=a><frame src=b><noframes>Your browser.</noframes></frameset>",
    "plain text": f"<plaintext>{SENTENCES}".encode(),
    "a million empty tags": b"<i></i>" * 1_000_000 + f"<p>{SENTENCES}</p>".encode(),
    "NUL": b"\0" * 100_000,
    "script only": b"<body><script>document.write('<p>Hello')</script></body>",
    "a paywall": b"<article><h1>News</h1><p>To read on, subscribe.</p></article>",
    "a lone byte": f"<article><p>{SENTENCES}</p><p>caf\xe9</p>".encode("latin-1"),
    "UTF-16": f"<article><p>{SENTENCES} Привет</p>".encode("utf-16"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_page_is_read_at_once_and_its_prose_is_kept(name: str) -> None:
    text(b"<p>x", "karez")
    start = time.process_time()
    page = utf8(ODD[name], None)
    main = text(page, "karez")
    assert time.process_time() - start < 2
    if SENTENCES.encode() in page and name not in ("XML", "a feed", "an atom feed"):
        assert SENTENCES in main
    assert SENTENCES.encode() not in page or SENTENCES in text(page, "karez-everything")
    assert name not in ("binary", "NUL", "script only", "a feed", "an atom feed") or main == ""


def test_of_more_blocks_than_are_kept_the_first_are_and_it_is_told() -> None:
    sys.modules["own_extractor"] = sys.modules[__name__]
    whole = found("<p>word" * MOST_BLOCKS, "karez-everything")
    assert whole.text.count("word") == MOST_BLOCKS and not whole.cut
    longer = found("<p>word" * (MOST_BLOCKS + 1), "own_extractor:none+karez-everything")
    assert longer.cut
    with pytest.raises(TooLarge, match="16,000,001 characters"):
        text("é" * (HTML + 1), "karez")


HOSTILE = {
    "divs": "<div>" * 100_000,
    "divs, closed": "<div>" * 50_000 + "x" + "</div>" * 50_000,
    "spans hidden from their end tags": ("<span>" * 400 + "<div>" + "</span>" * 400) * 200,
    "divs hidden in attributes": "<div title='</div>'>" * 50_000,
    "divs hidden in comments": "<!--><div><!-- -->" * 50_000,
    "divs behind a drawing's title": "<svg><title><div>" * 50_000,
    "elements of a drawing that has ended": "<svg>" + "<p></p><g/>" * 50_000,
    "misnested links": "<a href=x><div>" * 50_000,
    "fonts that open again": "".join(f"<p><font size={i}></p>" for i in range(50_000)),
    "attributes": "<div " + " ".join(f"a{i}" for i in range(100_000)) + ">",
    "open quotes": '<a x="' * 100_000,
    "lists": "<ul><li>" * 50_000,
    "tables": "<table><tr><td>" * 50_000,
    "quotes": "<blockquote>" * 50_000,
    "wide and rather deep": "<div>" * 1_500 + "<p>word</p>" * 100_000,
    "long and rather deep": "<div>" * 1_500 + "word " * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_takes_a_parser_too_long_is_refused_at_once(name: str) -> None:
    start = time.process_time()
    with pytest.raises(TooDeep):
        check(HOSTILE[name])
    assert time.process_time() - start < 3


HARMLESS = {
    "empty tags": "<i></i>" * 200_000,
    "unclosed paragraphs": "<p>word" * 200_000,
    "breaks": "word<br>" * 200_000,
    "unclosed items": "<ul>" + "<li>word" * 100_000 + "</ul>",
    "unclosed cells": "<table>" + "<tr><td>a<td>b" * 50_000 + "</table>",
    "one attribute": "<div title='" + "x" * 5_000_000 + "'>word</div>",
    "misnested": "<div><b><i>word</b></i></div>" * 50_000,
    "stray ends": "</div>" * 200_000,
    "scripts": "<script>for (i=0;i<n;i++) if (a<b) {}</script>" * 50_000,
    "drawings": "<svg><title>x</title><g><path d='M'/></g></svg>" * 50_000,
    "nothing but NUL": "\0" * 5_000_000,
    "comments": "<!-- <div> -->" * 100_000,
    "open comments": "<!--" * 100_000,
    "angles": "<" * 1_000_000,
}


@pytest.mark.parametrize("extractor", ["karez", "resiliparse"])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_page_that_is_only_long_passes_and_is_read_in_time(name: str, extractor: str) -> None:
    start = time.process_time()
    assert isinstance(text(HARMLESS[name], extractor), str)
    assert time.process_time() - start < 8


def test_size_is_limited() -> None:
    check("x" * HTML)
    with pytest.raises(TooLarge, match="16,000,001 characters"):
        check("x" * (HTML + 1))


def depth(html: str) -> int:
    """Depth of the tree that the parser builds, the slow way."""
    deepest = 0
    stack: list[tuple[Any, int]] = [(HTMLTree.parse(html).document, 0)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack += [(child, level + 1) for child in node.child_nodes]
    return deepest


NAMES = "div p span b a table tr td li ul svg g path foreignObject title style select option"
NAMES += " template button font object dd dl tbody math mi noscript h1 textarea caption i form"


def soup(rng: random.Random) -> str:
    names = NAMES.split()
    forms = ["<%s>", "<%s>", "</%s>", "</%s>", "<%s/>", "<%s title='</div>'>"]
    return "".join(rng.choice(forms) % rng.choice(names) for _ in range(rng.randint(1, 8)))


def test_mark_up_cannot_hide_its_depth() -> None:
    """A unit repeated forty times never makes a tree four times as deep as it is taken to be."""
    rng = random.Random(0)
    for _ in range(400):
        html = "<body>" + soup(rng) * 40
        seen = nesting.measure(html, 10**9, 10**18)
        assert depth(html) <= 4 * (seen.deepest + 4), html


def test_depth_of_orderly_pages_is_exact() -> None:
    for html in (
        PAGE,
        "<div><p>a<p>b<ul><li>c<li>d</ul><p>e</div>" * 30,
        HARMLESS["drawings"][:4_000],
    ):
        seen = nesting.measure(html, DEPTH, WORK).deepest
        assert abs(depth(html) - seen) <= 3  # html, body and the text itself


@given(st.text(alphabet="<>/!-[]\"'= abdivsgp", max_size=60))
def test_no_mark_up_raises(html: str) -> None:
    nesting.measure(html, DEPTH, WORK)
    extract.text(html)


def test_a_page_without_text_of_its_own_gives_what_json_ld_says() -> None:
    body = "The first line &amp; more of it.  \n\n" + "The water comes down from the hills. " * 9
    data = json.dumps({"@type": "NewsArticle", "articleBody": body})
    script = f'<script type="application/ld+json">{data}</script>'
    page = f"<title>T</title>{script}<body><div id=app></div><footer>Imprint</footer>"
    told = "The first line & more of it.\n" + ("The water comes down from the hills. " * 9).strip()
    for name in ("karez", "karez-precision", "karez-markdown"):
        assert text(page, name) == told
    assert "The water" not in text(page, "karez-everything")
    own = f"<article><h1>Own</h1><p>{PARAGRAPH}<p>{PARAGRAPH}</article>"
    assert text(page.replace("<div id=app>", own), "karez").count("The water") == 0
    for odd in ("5", '["x"]', '"short"', "null"):
        assert text(page.replace(json.dumps(body), odd), "karez") in ("", "Imprint")
