"""Links against a parser that builds the tree, on tag soup; and what may not take long."""

import random
import string
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastwarc import ArchiveIterator, WarcRecordType
from hypothesis import example, given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from filters.links import LINKS, LISTED, links, sitemap
from tests.helpers.command import SAMPLE

URL = "http://example.org/d/e?q"
CONTROLS = "".join(map(chr, range(33)))

PIECES = [
    *('<a href="/1">', "<a href='/2'>", "<a href=/3>", "<A\nHREF = /4 >", "<area href=/5/>", "<a"),
    *(' href="/6', " href='/7", " href=", ' title="', " rel=nofollow", ' REL="me NoFollow"', " =x"),
    *('"', "'", ">", "/>", "<", "</", "</a>", "</a href='/8'>", " ", "\t", "\f", "=", "/", "&"),
    *("<!--", "-->", "--!>", "<!-->", "<!--->", "-", "!", "<!x", "<?", "<![CDATA[", "]]>", "</3>"),
    *("<script>", "<script ", "</script>", "</script ", "</scripty>", "<style>", "</STYLE\n>"),
    *("<title>", "</title>", "<textarea>", "</textarea/", "<xmp>", "</xmp>", "<iframe>"),
    *("</iframe>", "<noembed>", "</noembed>", "<noframes>", "</noframes>", "<plaintext>"),
    *(
        '<div title="<a href=/9>">',
        "<p title='",
        "<b>",
        "<p>",
        "<noscript>",
        "text",
        "é",
        "👩🏽",
        "שלום",
    ),
    *(
        "<a href='?a=1&amp;b&copy=2&section=3&lt;&#x26;&#1234567;&notit;&unknown;'>",
        "\r\n",
        "e\u0301",
    ),
    *("<a href=' /1 0\n'>", "<a href=#x>", "<a href='&#32;#y'>", "<a href>", "<abbr href=/11>"),
]
SOUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join)


def told(page: str) -> set[str]:
    """The addresses of all anchors, by a parser."""
    found: set[str] = set()
    node: Any = HTMLTree.parse(page).document
    while node is not None:
        if node.type == 1 and node.tag in ("a", "area") and node.hasattr("href"):
            found.add(node.getattr("href").translate(str.maketrans("", "", "\t\n\r")))
        after = node.first_child
        while after is None and node is not None:
            after, node = node.next, node.parent
        node = after
    return {href.strip(CONTROLS) for href in found}


def ours(page: str) -> set[str]:
    return {link.href for link in links(page.encode("utf-8", "replace"), URL).links}


def followed(hrefs: set[str]) -> set[str]:
    return {href for href in hrefs if href and not href.startswith("#")}


@given(SOUP)
@settings(max_examples=500)
@example("<script><!--<script><a href=/1></script><a href=/2>--></script><a href=/3>")
@example("<script><!--<script></script><a href=/2></script><a href=/3>")
@example("<a title=\"it's\"'href=/1>x</a><a href=/2>")
@example('<a href="/1"">x</a><a href="/2">')
def test_links_are_those_of_a_parser(page: str) -> None:
    page = page.replace("\0", "").replace("\ud800", "")
    assert ours(page) == followed(told(page))


def test_links_of_real_pages_are_those_of_a_parser() -> None:
    pages = 0
    for path in sorted(SAMPLE.glob("[hp]*-*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, WarcRecordType.response):
                page = record.reader.read().decode("utf-8", "replace").replace("\0", "")
                assert ours(page) == followed(told(page)), record.headers["WARC-Target-URI"]
                pages += bool(ours(page))
                if pages % 20 == 0:  # some of each
                    break
    assert pages > 20


@given(st.binary(max_size=60))
def test_any_bytes_will_do(page: bytes) -> None:
    tags = b"<a href='%s'><base href='%s'>" % (page, page)
    for body in (page, tags, b"<loc>%s</loc>" % page):
        found = links(body, URL)
        hrefs = [link.href for link in found.links]
        assert all(href and not href.startswith("#") for href in hrefs)
        assert "".join([found.base, *hrefs, *sitemap(body)[1]]).encode().decode()  # no surrogates
    sitemap(b"<urlset><loc>" + page + b"</loc>")


@pytest.mark.parametrize(
    ("base", "begins"),
    [
        ("/x/y", "http://example.org/x/y"),
        ("", URL),
        ("//other.example", "http://other.example/"),
        ("https://other.example/a?b#c/d", "https://other.example/a?b"),
        ("javascript:x()", URL),
        ("data:text/html,x", URL),
        ("http://[::1", URL),
        ("mailto:x", URL),
    ],
)
def test_the_base_of_a_page(base: str, begins: str) -> None:
    page = f"<base target=x><base href='{base}'><base href='/other'><a href=x>"
    assert links(page.encode(), URL) == (begins, [("x", False)])


def test_nofollow_and_order() -> None:
    page = b"<a href=1 rel='me NOFOLLOW'><a rel=nofollower href=2><a href=3 rel rel=nofollow>"
    assert links(page, URL).links == [("1", True), ("2", False), ("3", False)]


def test_a_page_has_so_many_links_at_most() -> None:
    assert len(links(b"<a href=x>" * (LINKS + 9), URL).links) == LINKS


def test_what_a_sitemap_lists() -> None:
    index = b"<sitemapindex><x:loc> <![CDATA[ http://a/1 ]]></x:loc><loc>http://a/?b&amp;c</loc>"
    assert sitemap(index) == (True, ["http://a/1", "http://a/?b&c"])
    assert sitemap(b"http://a/1\r\nhttp://a/2\n") == (False, ["http://a/1", "http://a/2"])
    many = b"".join(b"<url><loc>http://a/%d</loc></url>" % i for i in range(LISTED + 1))
    assert len(sitemap(b"<urlset>" + many)[1]) == LISTED
    assert len(sitemap(b"a " * (LISTED + 9))[1]) == LISTED


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds, the least of three."""
    found = []
    for _ in range(3):
        began = time.thread_time()
        work()
        found.append(time.thread_time() - began)
    return min(found)


UNITS = [
    *('<a "', "<a href='", '<a href="', "<!--", "<script", "<script>", "<script><!--", "</script"),
    *("<!--><script>", "<a ", "<", "< ", "</", "<a=", "<a href=x", "<a href", "=", "'", "<title>"),
    *("<b ", "<b '", "<a\t", "<!", "<?", "<a href=&", "<a href='&#", "--!", "<style>", "</style"),
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("ends", ["", "'\">"])
def test_no_page_takes_longer_than_its_length(unit: str, ends: str) -> None:
    def read(size: int) -> Callable[[], object]:
        page = (unit * (size // len(unit)) + ends).encode()
        return lambda: links(page, URL)

    assert seconds(read(240_000)) < 12 * max(seconds(read(60_000)), 0.002)


@pytest.mark.parametrize(
    "unit", ["<loc>", "<loc> ", " ", "<w:", "w", "<loc><![CDATA[", "<loc>\n\n"]
)
def test_no_sitemap_takes_longer_than_its_length(unit: str) -> None:
    def read(size: int) -> Callable[[], object]:
        body = b"<loc>" + (unit * (size // len(unit))).encode() + b"<"
        return lambda: sitemap(body)

    assert seconds(read(240_000)) < 12 * max(seconds(read(60_000)), 0.002)


@pytest.mark.parametrize("seed", range(5))
def test_long_soup_takes_no_longer_than_its_length(seed: int) -> None:
    rng = random.Random(seed)
    units = [*PIECES, *string.printable]
    soup = "".join(rng.choice(units) for _ in range(60_000)).replace("<plaintext>", "").encode()
    part = seconds(lambda: links(soup[: len(soup) // 4], URL))
    assert seconds(lambda: links(soup, URL)) < 12 * max(part, 0.002)
