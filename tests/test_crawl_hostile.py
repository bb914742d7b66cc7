"""The hostile web: each URL ends as a row with a reason, in time; a crawl of it ends."""

import gzip
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.crawling import Child, Rows, crawl, fetches, frontier, reasons, recipe
from tests.helpers.hostile import FIRST, Site, Talk, Web, html, message, page, served
from tests.helpers.hostile_sites import HOSTILE, SIZE, endless, endless_head

pytestmark = pytest.mark.server

TIMEOUT = 1.5  # seconds for an answer


@pytest.fixture(scope="module")
def ocean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Rows, Path, float]]:
    """All hostile sites in one crawl, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("ocean") / "run"
    with served({name: each.site for name, each in HOSTILE.items()}) as web:
        began = time.monotonic()
        start = [web.url(name, "/x") for name in HOSTILE]
        rows = crawl(folder, recipe(*start, timeout=TIMEOUT, size=SIZE))
        yield web, rows, folder, time.monotonic() - began


@pytest.mark.parametrize("name", HOSTILE)
def test_each_page_ends_with_its_reason(ocean: tuple[Web, Rows, Path, float], name: str) -> None:
    web, rows, _, _ = ocean
    found = reasons(rows)
    for path, reason in HOSTILE[name].ends.items():
        assert found[web.url(name, path)][-1] == reason


def test_each_ends_in_time_and_the_crawl_too(ocean: tuple[Web, Rows, Path, float]) -> None:
    _, rows, folder, seconds = ocean
    assert max(row["seconds"] or 0 for row in rows) < TIMEOUT + 1
    assert seconds < 60
    assert {state for _, _, state, *_ in frontier(folder).values()} == {"done", "dropped"}


def million(talk: Talk) -> None:
    """A page of 10 MB with a million links."""
    talk.send(message(b"".join(b"<a href=%d>" % i for i in range(10**6))[:10_000_000]))


def listed(talk: Talk) -> None:
    """A sitemap of 50,001 URLs, packed."""
    lines = "".join(f"<url><loc>/x{'x' * (i % 9)}{i}</loc></url>" for i in range(50_001))
    talk.send(message(gzip.compress(f"<urlset>{lines}".encode()), kind="application/gzip"))


RULES = "User-agent: *\n" + "Disallow: /y\n" * 9_000
HEAVY: dict[str, Site] = {
    "page": {"/x": million, "/robots.txt": message("User-agent: *\nDisallow: /\nAllow: /x")},
    "body": {"/x": endless},
    "head": {"/x": endless_head},
    "bomb": {"/x": message(gzip.compress(bytes(200_000_000)), Content_Encoding="gzip")},
    "members": {"/x": message(gzip.compress(b"") * 400_000, Content_Encoding="gzip")},
    "anchors": {"/x": message(b'<a "' * 2_500_000)},
    "deep": {"/x": message(b"<div>" * 2_000_000)},
    "map": {
        "/robots.txt": message("Sitemap: /bomb.xml\nSitemap: /words.txt"),
        "/bomb.xml": message(gzip.compress(b"<loc>a</loc>" * 9_000_000), kind="application/gzip"),
        "/words.txt": message(gzip.compress(b"/a " * 15_000_000), kind="text/plain"),
    },
    "rules": {"/robots.txt": endless},
    **{f"host{i}": {"/robots.txt": message(RULES), "/x": page()} for i in range(40)},
}
GROWTH = 450_000_000  # bytes that such a crawl may hold beside what it begins with


def test_memory_stays_flat(tmp_path: Path) -> None:
    with served(HEAVY) as web:
        start = [web.url(name, "/x") for name in HEAVY]
        child = Child(tmp_path / "run", recipe(*start, timeout=10, pages=200))
        before, after = child.memory
        assert child.wait() == 0
        assert after - before < GROWTH, (before, after)
        ends = {row["url"]: row["reason"] for row in fetches(tmp_path / "run")}
        expected = {"body": "too large", "head": "headers too large", "bomb": "too large"}
        expected |= {"members": "broken encoding", "anchors": "fetched", "host9": "fetched"}
        assert {name: ends[web.url(name, "/x")] for name in expected} == expected


def test_sitemaps(tmp_path: Path) -> None:
    """One that lists itself, one on another host, one too long, one that is none."""
    names = ("itself.xml", "empty.xml", "page.xml", "long.xml.gz", "http://b.localhost/map.xml")
    rules = "User-agent: *\nDisallow: /x\n" + "".join(
        f"Sitemap: {name if '/' in name else '/' + name}\n" for name in names
    )
    index = "<sitemapindex><loc>/itself.xml</loc><loc>/more.xml</loc><loc>http://b.localhost/</loc>"
    urls = "<urlset><loc>/2</loc><loc>/ 3</loc><loc>http://b.localhost/4</loc><loc>file:///5</loc>"
    site: Site = {
        "/robots.txt": message(rules, kind="text/plain"),
        "/itself.xml": message(index, kind="text/xml"),
        "/more.xml": message(urls, kind="text/xml"),
        "/empty.xml": message(kind="text/xml"),
        "/page.xml": page("/6"),
        "/long.xml.gz": listed,
        "/": page(),
        "/2": page(),
    }
    with served({"a": site, "b": {"/": page()}}) as web:
        crawl(tmp_path / "run", recipe(web.url("a")))
        assert {seen.host for seen in web.seen} == {"a"}
        found = frontier(tmp_path / "run")
        assert found[web.url("a", "/2")][:2] == ("page", 2)
        assert web.url("a", "/6") not in found
        assert 50_000 <= len(found) <= 50_020


def test_soft_404s(tmp_path: Path) -> None:
    lost = html("/", text="Sorry, there is nothing here. " * 9)
    links = [f"/{'abcdefgh'[i % 8]}{i}" for i in range(30)]

    def site(path: str) -> bytes | None:
        if path == "/":
            return page(*links)
        if path in FIRST:
            return None
        own = page(text=f"Page {path} says {path[1:] * 3} of its own.")
        return own if path in links[:5] else message(lost)

    with served({"a": site}) as web:
        rows = crawl(tmp_path / "run", recipe(web.url("a"), delay=0.01))
        ends = Counter(row["reason"] for row in rows)
        assert ends == {"fetched": 6, "soft 404": 25}


def test_one_address_with_many_names_and_one_page_with_many(tmp_path: Path) -> None:
    site: Site = {"/": page("/x", "/X", "/%78", "//h0.localhost/"), "/x": page()}
    hosts = {f"h{i}": site for i in range(200)}
    with served(hosts) as web:
        rows = crawl(tmp_path / "run", recipe(*(web.url(name) for name in hosts)))
        ends = Counter(row["reason"] for row in rows)
        assert ends == {"fetched": 400, "status 404": 200}  # /X is another page, /%78 is not
        assert max(Counter((s.host, s.path) for s in web.seen).values()) == 1


def test_connections_that_close_at_random(tmp_path: Path) -> None:
    rng = random.Random(0)

    def answer(talk: Talk) -> None:
        talk.send(page(*(f"/{i}" for i in range(40))))
        if rng.random() < 0.4:
            talk.close()
        if rng.random() < 0.2:
            talk.reset()

    with served({"a": lambda path: answer if path[1:].isdigit() else None}) as web:
        rows = crawl(tmp_path / "run", recipe(web.url("a", "/0"), delay=0.01, retries=5))
        last = {url: each[-1] for url, each in reasons(rows).items()}
        assert set(last.values()) == {"fetched"} and len(last) == 40
