"""Blocks of pages as Markdown."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.extract import text
from filters.html.mainblocks import blocks
from filters.html.markdown import markdown
from filters.html.tags import words
from filters.html.text import text as plain

URL = "https://www.example.org/a/b.html"
PLAIN = words({})


def made(html: str | bytes, url: str | None = URL) -> str:
    data = html if isinstance(html, bytes) else html.encode()
    page = blocks(np.frombuffer(data, np.uint8), PLAIN)
    return markdown(page, np.ones(len(page.blocks), np.uint8), url)


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<h2>Use<a class=headerlink href=#u>¶</a></h2>", "Use"),
        ("<p>a<a class='viewcode-link x'>[source]</a> b<a class=hash-link>#</a>", "a b"),
        ("<p>type: <button>hide</button> b<br><button>x</button>c", "type: b\nc"),
        ("<p>a <span style='display:none'>b</span>c<i hidden>d</i>", "a c"),
        ("<h3><button>A question?</button></h3>", "A question?"),
        ("<p> <button>a</button> <i hidden>b</i> <a role=button>c</a>", "a c"),
        ("<div hidden><p>a <b>b</b></div>", "a b"),
        ("<button><p>a</p>b</button>", "a\nb"),
        ("<p><i hidden>a</i>", ""),
    ],
)
def test_what_is_no_text_within_a_block_is_left_out(html: str, left: str) -> None:
    page = blocks(np.frombuffer(html.encode(), np.uint8), words({}))
    keep = np.ones(len(page.blocks), np.uint8)
    assert plain(page, keep)[0].tobytes().decode() == left
    lines = [line.lstrip("# ") for line in markdown(page, keep).split("\n") if line]
    assert lines == left.split("\n") if left else not lines
    shown = re.sub("<br>|</p>", "\n", html)
    everything = " ".join(re.sub("<[^>]*>", "", shown).split())
    for found in (
        plain(page, keep, whole=True)[0].tobytes().decode(),
        markdown(page, keep, whole=True),
    ):
        assert " ".join(found.replace("#", "").split()) == everything.replace("#", "").strip()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>One &amp; two</h1><p>a  b\nc</p><p>d</p>", "# One & two\n\na b c\n\nd"),
        ("<h3>A<br>b <code>c</code></h3>", "### A b `c`"),
        ("<p>a<br>b<br> c", "a\nb\nc"),
        ("<p>a <a href='c.html#d'> b </a>c", "a [b](https://www.example.org/a/c.html#d) c"),
        ("<p>a <a href='#d'>b</a> <a>c</a> <a href='javascript:x'>d</a>", "a b c d"),
        ("<p><a href='http://x.org/(y) z'>a <b>b</b></a>", "[a b](http://x.org/(y%29%20z)"),
        ("<p>Say <code>x | y</code> or <tt>a`b</tt>.", "Say `x | y` or a`b."),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul><p>e", "- a\n- b\n  - c\n- d\n\ne"),
        ("<ol><li>a<li>b<p>more<li>c</ol>", "1. a\n2. b\n   more\n3. c"),
        ("<ol><li>a<ol><li>b</ol><li>c</ol>", "1. a\n   1. b\n2. c"),
        ("<blockquote><p>a<p>b<br>c</blockquote>d", "> a\n\n> b\n> c\n\nd"),
        ("<pre>  a\n\n    b &lt; c\n</pre>", "```\n  a\n\n    b < c\n```"),
        ("<pre><code class='language-Python x'>a\n</code></pre>", "```python\na\n```"),
        ("<div class=highlight-c><pre>\n<b>a</b>;\n</pre></div>", "```c\na;\n```"),
        ("<pre>```\na</pre>", "````\n```\na\n````"),
        ("<ul><li>a<pre>b\nc</pre></ul>", "- a\n  ```\n  b\n  c\n  ```"),
        (
            "<table><tr><th>A<th>B<tr><td>1|2<td><a href=/>x</a><tr><td>3</table>",
            "| A | B |\n| --- | --- |\n| 1\\|2 | [x](https://www.example.org/) |\n| 3 |  |",
        ),
        ("<table><tr><td>menu<td><p>One.<p>Two.</table>", "menu\n\nOne.\n\nTwo."),
        ("<table><tr><td>one<tr><td>two</table>", "one\n\ntwo"),
        ("", ""),
        ("<p> </p><pre> \n</pre>", ""),
    ],
)
def test_what_a_page_becomes(html: str, text: str) -> None:
    assert made(html) == text


def test_relative_links_stay_so_where_the_page_has_no_address() -> None:
    assert made("<a href='../a.html?b=c'>x</a>", None) == "[x](../a.html?b=c)"


def test_blocks_that_are_left_out_leave_no_trace() -> None:
    html = b"<ul><li>a<li>b<li>c</ul><table><tr><td>1<td>2<tr><td>3<td>4</table><p>z"
    page = blocks(np.frombuffer(html, np.uint8), PLAIN)
    keep = np.ones(len(page.blocks), np.uint8)
    keep[[1, 3, 4]] = 0
    assert markdown(page, keep) == "- a\n- c\n\n3\n\n4\n\nz"


TAGS = st.sampled_from(
    [
        *("<p>", "<ul>", "<li>", "</ul>", "<ol>", "</ol>", "<pre>", "</pre>", "<code>", "</code>"),
        *("<a href=x>", "</a>", "<table>", "<tr>", "<td>", "</table>", "<blockquote>", "<h2>"),
        *("</blockquote>", "</h2>", "<br>", "a b", " ", "\n", "&nbsp;", "&#0;", "`", "漢字", "\0"),
    ]
)


@given(st.lists(TAGS, max_size=30).map("".join))
def test_every_word_is_there_once_and_in_order(html: str) -> None:
    import re

    text = made(html)
    wanted = re.sub(r"<[^>]*>", " ", html).count("a b")
    assert text.count("a b") == wanted
    assert text == text.rstrip() and not text.startswith("\n")


@given(st.binary(max_size=200))
def test_any_bytes_will_do(html: bytes) -> None:
    assert isinstance(made(html, "http://["), str)


def test_an_extractor_gives_markdown_with_links_that_lead_somewhere() -> None:
    prose = "The water comes down from the hills in a tunnel, and people dug it by hand. " * 5
    items = "".join(f"<li>{prose}<a href=/{i}>more</a>" for i in range(3))
    page = (
        f"<html><body><nav><a href=/>Home</a></nav><article><h1>A title</h1><p>{prose}<ul>{items}"
    )
    found = text(page.encode(), "karez-recall-markdown", URL)
    assert found.startswith("# A title\n\nThe water")
    assert found.count("\n- The water") == 3 and "[more](https://www.example.org/2)" in found
    based = text(
        f"<head><base href='/x/'></head>{page.replace('href=/', 'href=')}",
        "karez-recall-markdown",
        URL,
    )
    assert "[more](https://www.example.org/x/2)" in based
    assert "Home" not in found and "Home" in text(page, "karez-everything-markdown", URL)
