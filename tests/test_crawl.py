"""A crawl: polite, whole, exact in its limits, and the same again when it is asked to be."""

import threading
from collections import Counter
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest

from tests.helpers.crawling import bodies, crawl, frontier, reasons, recipe, table
from tests.helpers.hostile import FIRST, Seen, Site, Talk, Web, message, page, served

pytestmark = pytest.mark.server

DELAY = 0.05  # seconds
LATE = 0.03  # seconds that a machine with other work may be late


def tree(count: int, wide: int = 4) -> dict[str, bytes]:
    """Pages /0, /1, … of which each links to some others, and back."""
    return {
        f"/{i}": page(*(f"/{j}" for j in range(wide * i, min(count, wide * i + wide + 1))), "/0")
        for i in range(count)
    }


def gaps(seen: list[Seen]) -> list[float]:
    """Seconds between requests."""
    return [later.began - one.began for one, later in pairwise(seen)]


def at_once(seen: list[Seen]) -> int:
    """How many requests were under way at the same time, at most."""
    return max(sum(o.began < s.ended and s.began < o.ended for o in seen) for s in seen)


def of(web: Web, host: str) -> list[Seen]:
    return [seen for seen in web.seen if seen.host == host]


def test_every_page_is_fetched_once_and_kept_as_it_was_served(tmp_path: Path) -> None:
    site = tree(30)
    with served({"a": site}) as web:
        crawl(tmp_path / "run", recipe(web.url("a", "/0")))
        assert sorted(web.asked("a")) == sorted(site)
        kept = bodies(tmp_path / "run")
        assert kept == {web.url("a", p): body.partition(b"\r\n\r\n")[2] for p, body in site.items()}
        found = frontier(tmp_path / "run")
        assert {(state, reason) for _, _, state, reason, *_ in found.values()} == {
            ("done", "fetched")
        }
        assert set(found) == set(kept)


def test_manners(tmp_path: Path) -> None:
    def answer(talk: Talk) -> None:
        talk.web.ended.wait(0.02)
        talk.send(SITE[talk.path])

    slow = dict.fromkeys(SITE, answer)
    rules = message("User-agent: *\nDisallow: /1\nAllow: /10\n", kind="text/plain")
    hosts: dict[str, Site] = {n: {**slow, "/robots.txt": rules} for n in "abc"}
    with served(hosts) as web:
        crawl(tmp_path / "run", recipe(*(web.url(name, "/0") for name in hosts)))
        for name in hosts:
            asked = of(web, name)
            assert asked[0].path == "/robots.txt"
            assert Counter(s.path for s in asked).most_common(1)[0][1] == 1
            assert {s.path for s in asked if s.path.startswith("/1")} == {"/10"}
            assert at_once(asked) == 1
            assert sorted(gaps(asked))[len(asked) // 4] >= DELAY - LATE
            assert asked[-1].began - asked[0].began >= (len(asked) - 1) * DELAY - LATE
            agents = {s.headers["user-agent"] for s in asked}
            assert agents == {f"karez/{version('karez')} (+crawler@example.org)"}
        assert at_once(web.seen) > 1


SITE = tree(12)


@pytest.mark.parametrize("connections", [1, 3])
def test_so_many_connections_to_a_host(tmp_path: Path, connections: int) -> None:
    together, gate = threading.Semaphore(0), threading.Barrier(connections)

    def answer(talk: Talk) -> None:
        if talk.path != "/0":
            gate.wait(10)  # none is answered before so many are asked for
            together.release()
        talk.send(page(*(f"/{i}" for i in range(1, 7))))

    with served({"a": lambda path: answer if path[1:].isdigit() else None}) as web:
        crawl(tmp_path / "run", recipe(web.url("a", "/0"), connections=connections, delay=0.01))
        assert at_once(of(web, "a")) == connections
        assert len(web.asked("a")) == 7


def test_a_host_is_left_in_peace_from_round_to_round(tmp_path: Path) -> None:
    rules = message("User-agent: *\nCrawl-delay: 1\n")
    site = {"/robots.txt": rules, "/a": page("/b"), "/b": page("/c"), "/c": page()}
    with served({"a": site}) as web:
        crawl(tmp_path / "run", recipe(web.url("a", "/a")))
        pages = [s for s in of(web, "a") if s.path != "/robots.txt"]
        assert [s.path for s in pages][-3:] == ["/a", "/b", "/c"]
        assert min(gaps(pages)) >= 1 - LATE


def test_who_asks_for_time_gets_it(tmp_path: Path) -> None:
    said = Counter[str]()

    def busy(talk: Talk) -> None:
        said[talk.path] += 1
        again = message(status="503 Busy", Retry_After=1)
        talk.send(again if said[talk.path] == 1 else page())

    with served({"a": {"/x": busy}}) as web:
        rows = crawl(tmp_path / "run", recipe(web.url("a", "/x"), retries=1))
        one, two = (s.began for s in of(web, "a") if s.path == "/x")
        assert two - one >= 1 - LATE
        assert [row["reason"] for row in rows] == ["status 503", "fetched"]


def test_a_host_that_only_fails_is_left_alone_soon(tmp_path: Path) -> None:
    links = [f"/{i}" for i in range(200)]
    site: Site = {"/": page(*links), **dict.fromkeys(links, Talk.reset)}
    with served({"a": site}) as web:
        rows = crawl(tmp_path / "run", recipe(web.url("a"), retries=2, delay=0.01))
        asked = [path for path in web.asked("a") if path != "/"]
        assert len(set(asked)) <= 8  # five in the first round, then one in each
        ends = {each[-1] for url, each in reasons(rows).items() if url != web.url("a")}
        assert ends <= {"host: cut off", "cut off"}
        assert {tries for *_, tries, _ in frontier(tmp_path / "run").values()} == {0}


@pytest.mark.parametrize(
    ("options", "pages"),
    [({"pages": 1}, 1), ({"pages": 7}, 7), ({"pages": 7, "fetchers": 3}, 7), ({"pages": 500}, 36)],
)
def test_pages_are_counted_exactly(tmp_path: Path, options: dict[str, int], pages: int) -> None:
    hosts = {name: tree(9) for name in "abcd"}
    with served(hosts) as web:
        start = [web.url(name, f"/{path}") for name in hosts for path in (0, "none", "no")]
        rows = crawl(tmp_path / "run", recipe(*start, **options))
        assert sum(row["reason"] == "fetched" for row in rows) == pages
        assert len(bodies(tmp_path / "run")) == pages
        assert sum(table(tmp_path / "run", "frontier/hosts")["fetched"].to_pylist()) == pages


def test_what_is_followed(tmp_path: Path) -> None:
    begin = message(
        "<html><base href='/d/'><a href='here'>x</a><a href='/n' rel='external NOFOLLOW'>x</a>"
        "<a href='http://b.localhost/'>x</a><a href='javascript:x()'>x</a><a href='data:,x'>x</a>"
        "<a href=' /a\tb c\n'>x</a><a href='?q=1&amp;sid=2&section=3'>x</a><a href='#top'>x</a>"
        "<a href='mailto:a@b'>x</a><a href='/x/../y/./z'>x</a><a href='/%7Eme'>x</a>"
        "<a href='//a.localhost:PORT/other'>x</a><a href='http://me:secret@a.localhost:PORT/u'>x</a>"
        "<a href='\\back\\slash'>x</a><a href='/ü'>x</a><!-- <a href='/comment'>x</a> -->"
        "<script>'<a href=/script>'</script><area href='/area'><a href='http://[::1/'>x</a>"
    )
    with served({}) as web:
        told = begin.replace(b"PORT", str(web.port).encode())
        web.sites = {"a": {"/": message(told.partition(b"\r\n\r\n")[2])}}
        crawl(tmp_path / "run", recipe(web.url("a")))
        assert set(web.asked("a")) == {
            *("/", "/d/here", "/ab%20c", "/d/?q=1&section=3", "/y/z", "/~me", "/other", "/u"),
            *("/back/slash", "/%C3%BC", "/area"),
        }
        assert {s.host for s in web.seen} == {"a"}


def test_traps_end(tmp_path: Path) -> None:
    def calendar(path: str) -> bytes | None:
        day = int(path.partition("=")[2] or 0)
        return page(f"/c?day={day + 1}", f"?day={day - 1}") if path[:2] == "/c" else None

    def sessions(path: str) -> bytes | None:
        number = len(web.seen)
        links = (f"/s;jsessionid={number}?b=1&sid={number}", f"/s?PHPSESSID={number}")
        return page(*links, text=f"{number}") if path[:2] == "/s" else None

    def hexes(path: str) -> bytes | None:
        links = (f"/s/{len(web.seen) * 100 + i:032x}" for i in range(30))
        return page(*links) if path[:2] == "/s" else None

    sites = {
        "calendar": calendar,
        "sessions": sessions,
        "hexes": hexes,
        "deeper": lambda path: page("a/b/") if path.endswith("/") else None,
        "one": lambda path: None if path in FIRST else page(*(f"/{i}x" for i in range(9))),
    }
    with served(sites) as web:
        start = [web.url("calendar", "/c"), web.url("sessions", "/s"), web.url("hexes", "/s/0")]
        start += [web.url("deeper"), web.url("one")]
        rows = crawl(tmp_path / "run", recipe(*start, alike=12, depth=20, delay=0.01))
        assert (
            len(web.asked("calendar")) <= 25
        )  # the days before the first have a shape of their own
        assert sorted(web.asked("sessions")) == ["/s", "/s?b=1"]
        assert len(web.asked("hexes")) <= 13
        assert len(web.asked("deeper")) <= 4
        dropped = {reason for *_, reason, _, _ in frontier(tmp_path / "run").values()}
        assert dropped == {"fetched", "trap: alike", "trap: repeats itself"}
        assert {row["reason"] for row in rows} == {"fetched"}
