"""What sites and pages say of themselves to machines, in the ways they do, and some to do harm."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from filters import consent
from filters.consent import AGENTS, READ, ai_txt, refused, rules_of, tdm_rep

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
    rules = rules_of(head + b"#" * (READ - len(head) - 16) + b"\nDisallow: /a/b\nDisallow: /\n")
    assert not rules.allows(PAGE, "karez") and rules.allows("https://www.example.org/x", "karez")


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


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b"1", b"[[]]", b" " * READ + b"[]"])
def test_what_is_no_tdmrep_says_nothing(body: bytes) -> None:
    assert tdm_rep(body, "/") == (None, None)


def test_one_rule_of_tdmrep_needs_no_list() -> None:
    assert tdm_rep(json.dumps(RULES[-1]).encode(), "/x") == (1, "https://e.org/p.json")


@given(st.text("/ab*$", max_size=8), st.text("/ab", max_size=8))
def test_patterns_match_as_their_regular_expression_does(pattern: str, path: str) -> None:
    bare = pattern.removesuffix("$")
    twin = ".*".join(map(re.escape, bare.split("*"))) + ("$" if bare != pattern else "")
    assert consent._matches(pattern, path) == bool(re.match(twin, path))
