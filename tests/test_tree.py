"""The tree of a page and its blocks; hostile mark-up costs no more than its bytes."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.html.blocks import CHARS, FIRST, LAST, OWNER, TITLED, TOLD
from filters.html.features import WIDTH
from filters.html.mainblocks import MOST_ELEMENTS, Blocks, blocks
from filters.html.markup import CAPPED, DEEP, ELEMENT, END, LEVEL, MANY, PARENT, START, TAG
from filters.html.tags import BIT, OF_PART, TAGS, hash_of, known, table, words
from filters.html.text import texts
from filters.html.tree import DEPTH

PLAIN = words({})


def read(html: str | bytes) -> Blocks:
    data = html if isinstance(html, bytes) else html.encode()
    return blocks(np.frombuffer(data, np.uint8), PLAIN)


def lines(html: str | bytes) -> list[str]:
    """The text of every block."""
    return [each.removesuffix("\n") for each in texts(read(html))]


def outline(html: str) -> str:
    """The elements of a page as nested names."""
    page = read(html)
    children = dict[int, list[int]]()
    for i in range(1, len(page.elements)):
        children.setdefault(int(page.elements[i, PARENT]), []).append(i)

    def shown(i: int) -> str:
        inner = " ".join(map(shown, children.get(i, [])))
        name = TAGS[page.elements[i, TAG]] or "?"
        return f"{name}({inner})" if inner else name

    return " ".join(map(shown, children.get(0, [])))


@pytest.mark.parametrize(
    ("html", "tree"),
    [
        ("<p>a<p>b", "p p"),
        ("<p>a<div>b</div>c", "p div"),
        ("<ul><li>a<ul><li>b<li>c</ul><li>d</ul>", "ul(li(ul(li li)) li)"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "dl(dt dd dt)"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "table(tr(td td) tr(td))"),
        ("<table><tbody><tr><td><table><tr><td>x</table><td>y", None),
        ("<a href=x>a<a href=y>b", "a a"),
        ("<div><b>a</div>b", "div(b)"),
        ("<div></span></p></div><i>x", "div i"),
        ("<head><title>x</title><body><p>y", "head body(p)"),
        ("<html><body><html><body><p>y", "html(body(p))"),
        ("<DIV CLASS=x><My-Tag/>", "div(?)"),
        ("<td><div></td></div>", "td(div)"),
    ],
)
def test_end_tags_are_implied_as_browsers_do(html: str, tree: str | None) -> None:
    wanted = tree or "table(tbody(tr(td(table(tr(td))) td)))"
    assert outline(html) == wanted


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("a <b>bold</b> word", ["a bold word"]),
        ("a<br>b<br><br>c<br/> <br>d", ["a\nb", "c", "d"]),
        ("<p>a</p> b <div>c</div>d", ["a", "b", "c", "d"]),
        ("x &lt; y < z <3 &amp; </> <>", ["x < y < z <3 & <>"]),
        ("a<!-- <p> -->b<!---->c<!-->d<!--x--!>e", ["abcde"]),
        ("a<!-- never closed <i>b</i>", ["ab"]),
        ("<!doctype html><?xml version='1.0'?>a<![CDATA[b]]>c", ["abc"]),
        ("<p>a<![CDATA[<b>&amp; [[x]>]]>c<![CDATA[]]>d", ["a<b>& [[x]>cd"]),
        ("a<![CDATA[b>c<p>d]]", ["ac", "d]]"]),
        ("a\u00adb&shy;c&#xAD;d\u00b7", ["abcd\u00b7"]),
        ("<script>if (a<b) '</p>'</script>a<style>p {}</style>b", ["ab"]),
        ("<script>never closed <p>a", []),
        ("a<svg><title>t</title><path/></svg>b", ["ab"]),
        ("<i title='a>b' x=\"<p>\">c</i>", ["c"]),
        ("<p title='never closed>a<p>b", ["a", "b"]),
        ('<p title="x>a</p><p title="y>b', ["b"]),
        ("<pre>\n a\n\tb  c\r\n</pre>d  e\n f", ["\n a\n\tb  c", "d e f"]),
        ("a\u00a0b&nbsp;c", ["a b c"]),
        ("<plaintext><p>a</p>", ["<p>a</p>"]),
        ("<xmp>a</xmp>b", ["a", "b"]),
        ("<table><tr><td>a<td>b</table>", ["a", "b"]),
        ("<p>\0a\x1b\x7fb\v", ["ab"]),
        ("a<noscript><img></noscript>b", ["ab"]),
        (f"<noscript><p>{'a' * 3_000}</p></noscript>b", ["a" * 3_000, "b"]),
        ("", []),
        ("   ", []),
        ("<", ["<"]),
        ("</", ["</"]),
        ("a</p", ["a"]),
        ("a<p", ["a"]),
        ("a<p title='", ["a"]),
    ],
)
def test_text_falls_into_blocks(html: str, blocks: list[str]) -> None:
    assert lines(html) == blocks


@pytest.mark.parametrize(
    "tag",
    [
        *("select", "object", "svg", "title", "template", "noscript", "textarea", "canvas"),
        *("video", "audio", "map", "iframe"),
    ],
)
def test_what_is_never_closed_swallows_nothing(tag: str) -> None:
    found = lines(f"<p>before<{tag}><p>one<p>two")
    assert found[0].startswith("before") and found[-2:] == ["one", "two"]
    twice = lines(f"<p>before<{tag}><p>one<p>two<{tag}>x</{tag}><p>three")
    assert twice[-1] == "three" and "two" in " ".join(twice)


def test_a_link_that_is_closed_across_a_block_ends_there() -> None:
    page = read("<a href=x>one<div>two</a> three</div>four")
    link = int(BIT["link"])
    kinds = [int(k) & link for k in page.segments[:, 4]]
    assert kinds == [link, link, 0, 0] or kinds == [link, link, 0, link]
    assert lines("<a href=x>one<div>two</a> three</div>four") == ["one", "two three", "four"]


def test_words_of_classes_say_what_an_element_is() -> None:
    def said(attribute: str) -> set[str]:
        page = read(f"<div {attribute}><p>x</div>")
        flags = int(page.flags[page.blocks[0, OWNER]])
        return {name for name, bit in BIT.items() if flags & int(bit)} - {"p"}

    assert said("class='post-Comments x'") == said("id=mainComments") | {"w_content"}
    assert said("class=NAVHEADER") == {"w_nav", "w_header"} == said("id='nav header'")
    assert said("role=navigation") == {"nav"} and said("itemprop=articleBody") == {"body_prop"}
    aside = read("<aside class='footnote brackets'><p>x</aside><aside class=more><p>y</aside>")
    assert [bool(aside.flags[b[OWNER]] & BIT["aside"]) for b in aside.blocks] == [False, True]
    assert said("style='display : none'") == said("hidden") == {"hidden"}
    assert said("style='color:red;Display:none'") == {"hidden"}
    for style in ("display:block;color:none", "transition-display: none", "xdisplay:none"):
        assert said(f"style='{style}'") == said("title=comment") == set()


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        *(("div id=comments", True), ("section class=a id=comments", True), ("p id=reply-1", True)),
        *(("h3 class=comment id=reply", True), ("section class=comments", True)),
        *(("h3 id=_discussion", False), ("h1 id=comments", False), ("h6 id=reply", False)),
        *(("dt id=comment", False), ("code id=sax.Handler.comment", False)),
        ("section id=comments", False),
    ],
)
def test_the_id_of_a_heading_a_term_or_a_chapter_says_nothing_of_readers(
    tag: str, said: bool
) -> None:
    page = read(f"<{tag}>x")
    assert bool(page.flags[page.segments[0, ELEMENT]] & BIT["w_comment"]) == said


def test_a_word_for_two_scores_as_the_lower_unless_it_was_learned_itself() -> None:
    def score(learned: dict[str, float]) -> float:
        made = words({hash_of(OF_PART, name): value for name, value in learned.items()})
        return float(made.scores[made.flags[0].tolist().index(hash_of(OF_PART, "navfooter"))])

    assert score({"nav": -2, "footer": -3}) == -3 == score({"footer": -3})
    assert score({"nav": -2, "footer": -3, "navfooter": 1}) == 1 and score({}) == 0


@given(st.dictionaries(st.integers(1, 2**64 - 1), st.integers(0, 2**63), max_size=50))
def test_a_table_holds_what_it_is_given(entries: dict[int, int]) -> None:
    keys, values = table(entries)
    assert {int(k): int(v) for k, v in zip(keys, values, strict=True) if k} == entries


def test_a_name_is_known_whatever_its_case() -> None:
    assert hash_of(1, "DIV") == hash_of(1, "div") != hash_of(2, "div")
    assert len(set(TAGS)) == len(TAGS) == known().of.shape[1]


MARKS = st.sampled_from(
    [
        *("<p>", "</p>", "<div class='a b'>", "</div>", "<b>", "</b>", "<a href=x>", "</a>"),
        *("<br>", "<li>", "<ul>", "</ul>", "<td>", "<tr>", "<table>", "</table>", "<svg>"),
        *("</svg>", "<!--", "-->", "<script>", "</script>", "<title>", "</title>", "<", ">"),
        *("&", "&amp;", "'", '"', "word ", "漢字。", "שלום", "e\u0301", "👩\u200d🚀", "\r\n"),
        *("\0", "&#x41", "<pre>", "</pre>"),
    ]
)
PAGES = st.lists(MARKS | st.text(max_size=4), max_size=40).map("".join)


@given(PAGES)
def test_a_tree_is_one(html: str) -> None:
    page = read(html)
    data = html.encode()
    for i, element in enumerate(page.elements[1:], 1):
        parent = page.elements[element[PARENT]]
        assert 0 <= element[PARENT] < i and element[LEVEL] == parent[LEVEL] + 1
        assert data[element[START] : element[START] + 1] == b"<"
        assert parent[START] <= element[START] <= element[END] <= parent[END]
    ends = [0]
    for block in page.blocks:
        assert block[FIRST] == ends[-1] or block[FIRST] > ends[-1]
        assert block[CHARS] > 0 and block[FIRST] < block[LAST]
        ends.append(int(block[LAST]))
    spans = page.segments[:, :2].ravel()
    assert (np.diff(spans) >= 0).all() and ends[-1] <= len(page.segments)


@given(PAGES)
def test_features_are_numbers(html: str) -> None:
    page = read(html)
    assert np.isfinite(page.rows[:, :WIDTH]).all()


@given(st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=["C", "Z"])))
def test_a_page_without_mark_up_is_its_text(plain: str) -> None:
    spaced = f" \r\n{plain}\t\u00a0 {plain}\f"
    assert "".join(lines(spaced)) == f"{plain} {plain}".strip(" ")


@given(st.binary(max_size=200))
def test_any_bytes_will_do(html: bytes) -> None:
    assert sum(map(len, lines(html))) <= len(html)


def test_depth_and_number_are_limited_and_said_and_lose_no_text() -> None:
    deep = "<div>" * (DEPTH + 50) + "deep" + "</div>" * (DEPTH + 50) + "<p>after"
    page = read(deep)
    assert page.at[CAPPED] == DEEP and page.elements[:, LEVEL].max() < DEPTH
    assert lines(deep) == ["deep", "after"]
    many = "<i></i>" * (MOST_ELEMENTS + 10) + "<p>after"
    assert read(many).at[CAPPED] & MANY and lines(many) == ["after"]


LONG = 5_000_000  # bytes
HOSTILE = {
    "divs": "<div>",
    "divs, closed": "<div></div>",
    "spans and text": "<span>word ",
    "bold across blocks": "<b><div>",
    "ends": "</div>",
    "links": "<a href=x><div>",
    "tables": "<table><tr><td>",
    "lists": "<ul><li>",
    "paragraphs": "<p>word",
    "angles": "<",
    "comments": "<!--",
    "quotes": '<a x="',
    "single quotes": "<a x='\"",
    "selects": "<select>",
    "drawings": "<svg><title>",
    "scripts": "<script>",
    "empty scripts": "<script></script>",
    "textareas": "<textarea></title>",
    "ampersands": "&",
    "classes": "<p class='a b c d e f'>",
    "breaks": "word<br>",
    "NUL": "\0",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_work_is_linear_in_the_bytes_of_a_page(name: str) -> None:
    def seconds(size: int) -> float:
        data = np.frombuffer((HOSTILE[name] * (size // len(HOSTILE[name]))).encode(), np.uint8)
        start = time.process_time()
        blocks(data, PLAIN)
        return time.process_time() - start

    seconds(1_000)
    short, long = seconds(LONG // 10), seconds(LONG)
    assert long < 3 and long < 30 * max(short, 0.01)


def test_a_flood_of_titles_and_bodies_fills_no_table() -> None:
    body = '"articleBody": "' + " ".join(f"word{i}" for i in range(2_000)) + '", '
    title = "<title>" + " ".join(f"title{i}" for i in range(400)) + "</title>"
    script = "<script type='application/ld+json'>" + body * 20 + "</script>"
    words = body.replace("word", "other")
    page = read(title + script * 12 + "<p>word1 word999 word1999 other1 title1 title399" + words)
    assert page.blocks[0, TOLD] == 2 and page.blocks[0, TITLED] == 1


@pytest.mark.slow
def test_an_attribute_of_ten_megabytes_is_read_in_time() -> None:
    start = time.process_time()
    assert lines("<p class='" + "x " * 5_000_000 + "'>word") == ["word"]
    assert lines("<p title='" + "x" * 10_000_000 + "'>word") == ["word"]
    assert time.process_time() - start < 2
