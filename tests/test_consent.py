"""What sites and pages say of themselves to machines, in the ways they do, and some to do harm."""

import json
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protego import Protego

from filters import consent
from filters.consent import AGENTS, READ, Consent, ai_txt, of_page, refused, rules_of, tdm_rep

PAGE = "https://www.example.org/a/b.html"

NAMES = st.sampled_from(
    [*AGENTS[::7], "gptbot*", "*", "Claude", "a", "Google", "karez", "", "GPTBot # x", "x*y", "é"]
)
PATHS = st.sampled_from(["/", "", "/a", "/a/*.html$", "*", "/b", "*.txt", "/%61", "$", "/a/b.html"])
LINES = st.one_of(
    st.builds("User-agent: {}".format, NAMES),
    st.builds(" USER AGENT {}".format, NAMES),
    st.builds("useragent :{}".format, NAMES),
    st.builds("Disallow: {}".format, PATHS),
    st.builds("Allow:{}".format, PATHS),
    st.sampled_from(["", "# x", "Sitemap: /s.xml", "Crawl-delay: 3", "odd: 1", "\u2028", "<html>"]),
)
ROBOTS = st.tuples(st.lists(LINES, max_size=14), st.sampled_from(["\n", "\r\n", "\r"])).map(
    lambda told: told[1].join(told[0]).encode()
)


@given(ROBOTS, st.sampled_from([PAGE, "https://www.example.org/", "https://www.example.org/b?a"]))
def test_those_refused_are_those_that_may_not_fetch_it_asked_one_by_one(
    robots: bytes, url: str
) -> None:
    parsed = Protego.parse(robots.decode())
    assert refused(rules_of(robots), url) == [a for a in AGENTS if not parsed.can_fetch(url, a)]


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_are_a_robots_txt_and_any_text_a_url(body: bytes, url: str) -> None:
    rules = rules_of(b"User-agent: *\nDisallow: /\n" + body)
    assert set(refused(rules, url)) <= set(AGENTS)
    assert rules.allows("https://[", "karez") is False
    ai_txt(body)
    tdm_rep(body, url)


def test_a_group_counts_for_its_agents_and_what_it_says_besides() -> None:
    rules = rules_of(
        b"\xef\xbb\xbfUser-agent: GPTBot\nUser-agent: ccbot\nDisallow: /\n\n"
        b"User-agent: *\nCrawl-delay: 2.5\nDisallow: /private\nSitemap: https://e.org/s.xml\n"
    )
    assert refused(rules, PAGE) == ["CCBot", "GPTBot"]
    assert refused(rules, "https://www.example.org/private/x") == list(AGENTS)
    assert rules.allows(PAGE, "karez") and not rules.allows(PAGE, "Mozilla/5.0 (GPTBot/1.2)")
    assert rules.delay("karez") == 2.5 and rules.delay("GPTBot") is None
    assert rules.sitemaps == ["https://e.org/s.xml"]


def test_an_empty_robots_txt_allows_all() -> None:
    rules = rules_of(b"")
    assert refused(rules, PAGE) == [] and rules.allows(PAGE, "karez")
    assert rules.delay("karez") is None and rules.sitemaps == []


def test_half_a_mebibyte_is_read_and_no_line_cut_in_two() -> None:
    head = b"User-agent: *\n"
    rules = rules_of(head + b"#" * (READ - len(head) - 8) + b"\nDisallow: /a/b/c/d\n")
    assert rules.allows(PAGE, "karez")
    cut = b"\nDisallow: /a/b\nDisallow: /"  # of /x/y
    rules = rules_of(head + b"#" * (READ - len(head) - len(cut)) + cut + b"x/y\n")
    assert not rules.allows(PAGE, "karez") and rules.allows("https://www.example.org/z", "karez")


@pytest.mark.parametrize("between", [b"", b"Sitemap: /s\n", b"Disallow\n"])
def test_rules_times_agents_have_an_end(between: bytes) -> None:
    agents = b"".join(b"User-agent: a%d\n%b" % (n, between) for n in range(5_000))
    rules = rules_of(b"User-agent: *\nDisallow: /\n" + agents + b"Disallow: /*a*b*c\n" * 20_000)
    kept = sum(len(group._rules) for group in rules._parsed._user_agents.values())
    assert 0 < kept <= consent.RULES
    assert refused(rules, PAGE)


def test_agents_are_product_tokens_each_once() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", agent) for agent in AGENTS)
    low = [agent.lower() for agent in AGENTS]
    assert len(low) == len(set(low))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("# Spawning AI\nUser-Agent: *\nDisallow: /\nDisallow: *\n", "disallowed"),
        ("User-Agent: *\nDisallow: *.txt\nDisallow: *.jpg\n", "disallowed"),
        ("User-Agent: *\nDisallow: *.html\n", "disallowed"),
        ("User-Agent: *\nDisallow: *.jpg\nAllow: *.txt\n", "in part"),
        ("User-Agent: GPTBot\nDisallow: /\n", "in part"),
        ("User-Agent: *\nAllow: /\n", "allowed"),
        ("User-Agent: *\nDisallow:\n", "allowed"),
        ("# About us\n\nAsk for the user agent.\n", None),
        ("<!doctype html><title>404</title>", None),
        ("", None),
    ],
)
def test_ai_txt(body: str, said: str | None) -> None:
    assert ai_txt(body.encode()) == said


RULES = [
    {"location": "/free/*", "tdm-reservation": 0, "tdm-policy": "https://e.org/none"},
    {"location": "/a b/x-y", "tdm-reservation": 1},
    {"location": "/%7Eme/%2F", "tdm-reservation": 0},
    {"location": "*.pdf$", "tdm-reservation": "1"},
    {"location": "/odd", "tdm-reservation": True},
    {"location": "/", "tdm-reservation": 1, "tdm-policy": " https://e.org/p.json "},
]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/free/x", (0, None)),
        ("/free", (1, "https://e.org/p.json")),
        ("/a b/x%2Dy/z", (1, None)),
        ("/~me/%2Fx", (0, None)),
        ("/~me//", (1, "https://e.org/p.json")),
        ("/x/y.pdf", (1, None)),
        ("/x/y.pdf?z", (1, "https://e.org/p.json")),
        ("/odd/x", (None, None)),
        ("x", (None, None)),
    ],
)
def test_the_first_rule_of_tdmrep_that_matches_counts(
    path: str, said: tuple[int | None, str | None]
) -> None:
    assert tdm_rep(json.dumps([None, 1, {"location": 2}, *RULES]).encode(), path) == said


WHOLE = b'{"location": "/", "tdm-reservation": 1}'


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b"1", b"[[]]", b" " * READ + WHOLE])
def test_what_is_no_tdmrep_says_nothing(body: bytes) -> None:
    assert tdm_rep(body, "/") == (None, None)


def test_one_rule_of_tdmrep_needs_no_list() -> None:
    assert tdm_rep(json.dumps(RULES[-1]).encode(), "/x") == (1, "https://e.org/p.json")


@example("/a*a$", "a")
@example("/*a*a", "a")
@given(st.text("ab*", max_size=6).map("/{}$".format) | st.text("/ab*$"), st.text("ab", max_size=6))
def test_patterns_match_as_their_regular_expression_does(pattern: str, path: str) -> None:
    bare = pattern.removesuffix("$")
    twin = ".*".join(map(re.escape, bare.split("*"))) + ("$" if bare != pattern else "")
    path = "/" + path
    assert consent._matches(pattern, path) == bool(re.match(twin, path))


def metas(*said: tuple[str, str]) -> bytes:
    tags = "".join(f'<meta name="{name}" content="{content}">' for name, content in said)
    return f"<!doctype html><html><head>{tags}</head><body><p>x</body></html>".encode()


ROBOTS_SAID: list[tuple[str, dict[str, object]]] = [
    ("noindex, nofollow", {"noindex": True, "nofollow": True}),
    ("NOINDEX NoArchive", {"noindex": True}),
    ("none", {"noindex": True, "nofollow": True}),
    ("noai", {"noai": True, "noimageai": True}),
    ("noimageai", {"noimageai": True}),
    ("max-snippet: 20, noai", {"noai": True, "noimageai": True}),
    ("index, follow, max-image-preview:large", {}),
    (
        "unavailable_after: 25 Jun 2010 15:00:00 GMT",
        {"unavailable_after": "25 jun 2010 15:00:00 gmt"},
    ),
    (
        "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noai",
        {"unavailable_after": "fri 25 jun 2010 15:00:00 gmt", "noai": True, "noimageai": True},
    ),
    ("", {}),
]


@pytest.mark.parametrize(("value", "said"), ROBOTS_SAID)
def test_robots_of_a_page_in_header_and_meta(value: str, said: dict[str, object]) -> None:
    wanted = Consent(**said)  # type: ignore[arg-type]
    assert of_page([("X-Robots-Tag", value)], None) == wanted
    assert of_page([("x-robots-tag", "*: " + value)], None) == wanted
    assert of_page([], metas(("Robots", value))) == wanted
    assert of_page([("Content-Type", "noai")], metas(("description", value))) == Consent()


@pytest.mark.parametrize(
    ("values", "agents", "noindex"),
    [
        (["GPTBot: noindex"], ("GPTBot",), False),
        (["gptbot: none, CCBot: noai, noarchive", "noindex"], ("CCBot", "GPTBot"), True),
        (["noindex, googlebot: noai"], (), True),
        (["googlebot: noindex"], (), False),
        ([", ".join(f"{agent}: noai" for agent in reversed(AGENTS))], AGENTS, False),
        (["GPTBot: nofollow"], (), False),
    ],
)
def test_directives_are_for_the_agent_before_them(
    values: list[str], agents: tuple[str, ...], noindex: bool
) -> None:
    found = of_page([("X-Robots-Tag", value) for value in values], b"")
    assert (found.agents, found.noindex, found.noai) == (agents, noindex, False)


def test_a_meta_may_be_for_an_agent_and_several_metas_add_up() -> None:
    page = metas(
        ("ClaudeBot", "noindex"), ("robots", "all"), ("robots", "noai"), ("googlebot", "none")
    )
    assert of_page([("X-Robots-Tag", "noarchive")], page) == Consent(
        noai=True, noimageai=True, agents=("ClaudeBot",)
    )


def test_directives_are_read_where_tags_stand() -> None:
    robots = '<meta name="robots" content="noindex">'
    for around in ("<!-- {} -->", "<script>{}</script>", "<body>{}", "<title>{}</title>"):
        page = f"<html>{around.format(robots)}".encode()
        assert of_page([], page).noindex is (
            "title" in around
        )  # a browser would not take it either
    for before in ("<!-- <body> -->", "<script>'<body >'</script>", "<style>/*<body>*/</style>"):
        assert of_page([], f"<html>{before}{robots}<body>".encode()).noindex


@pytest.mark.parametrize(
    ("header", "meta", "said"),
    [
        ((), (), (None, None)),
        (("1", "https://e.org/h"), (), (1, "https://e.org/h")),
        (("1", "https://e.org/h"), ("0",), (0, None)),
        (("0",), ("1", "https://e.org/m"), (1, "https://e.org/m")),
        (("1",), ("yes", "https://e.org/m"), (1, None)),
        (("2",), (), (None, None)),
    ],
)
def test_tdm_of_the_tags_counts_before_that_of_the_header(
    header: tuple[str, ...], meta: tuple[str, ...], said: tuple[int | None, str | None]
) -> None:
    names = ("tdm-reservation", "tdm-policy")
    found = of_page(zip(names, header, strict=False), metas(*zip(names, meta, strict=False)))
    assert (found.tdm, found.tdm_policy) == said


def test_of_equal_headers_the_first_counts() -> None:
    assert of_page([("TDM-Reservation", "1"), ("tdm-reservation", "0")], None).tdm == 1
    assert of_page([], metas(("tdm-reservation", "1"), ("tdm-reservation", "0"))).tdm == 1


@pytest.mark.parametrize(
    ("link", "licence"),
    [
        ("</l.html>; rel=license", "https://www.example.org/l.html"),
        (
            '<a>; rel="next", <https://e.org/cc>; title="x"; rel="author LICENSE"',
            "https://e.org/cc",
        ),
        ('<urn:x>; Rel = "license"', "urn:x"),
        ("<https://e.org/license>; rel=next", None),
        ("license", None),
    ],
)
def test_a_link_to_the_licence_in_the_header(link: str, licence: str | None) -> None:
    assert of_page([("Link", link)], None, PAGE).licence == licence
    assert of_page([("X-Robots-Tag", link)], None, PAGE).licence is None


@given(st.lists(st.tuples(st.sampled_from(consent.HEADERS), st.text(max_size=60))), st.binary())
def test_any_header_and_any_bytes_say_something_or_nothing(
    headers: list[tuple[str, str]], page: bytes
) -> None:
    assert isinstance(of_page(headers, page, PAGE), Consent)


def test_long_headers_take_no_longer_per_byte() -> None:
    for piece in ("<", "<a>", "; ", " ;", ";rel = ", ",", "GPTBot:", '"', "unavailable_after:,"):
        value = (piece + " " * 50) * 1_200
        began = time.process_time()
        of_page([(name, value) for name in consent.HEADERS], None, PAGE)
        assert time.process_time() - began < 1
    assert of_page([("Link", "<a>; x" + " " * 60_000)], None, PAGE).licence is None
