"""Domains and groups of URLs."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.urls import Site, registered, site


@pytest.mark.parametrize(
    ("url", "domain", "group"),
    [
        ("https://www.example.org/", "example.org", "example.org"),
        ("https://www.example.org", "example.org", "example.org"),
        ("https://www.example.org/docs/intro.html", "example.org", "example.org/docs"),
        ("https://www.example.org/docs/", "example.org", "example.org/docs"),
        ("https://www.example.org/docs", "example.org", "example.org"),
        ("https://www.example.org/index.html?a=/b/", "example.org", "example.org"),
        ("HTTP://User:secret@WWW.Example.CO.UK:8080/A/b", "example.co.uk", "example.co.uk/A"),
        ("https://alice.github.io/blog/1", "alice.github.io", "alice.github.io/blog"),
        ("https://github.io/x/", "github.io", "github.io/x"),
        ("http://192.168.0.1/a/b", "192.168.0.1", "192.168.0.1/a"),
        ("http://[2001:DB8::1]:80/a/b", "2001:db8::1", "2001:db8::1/a"),
        ("http://localhost/a/b", "localhost", "localhost/a"),
        ("https://www.münchen.de/a/b", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de/a"),
        ("https://xn--mnchen-3ya.de/", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("https://www.example.org./a/b", "example.org", "example.org/a"),
        ("https://www.例子。中国/a/b", "xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s/a"),
        ("https://example.org//a/b", "example.org", "example.org/a"),
    ],
)
def test_sites_of_known_urls(url: str, domain: str, group: str) -> None:
    assert site(url)[1:] == (domain, group)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("HTTP://User:secret@WWW.Example.CO.UK:8080/A/b", "www.example.co.uk"),
        ("http://[2001:DB8::1]:80/a/b", "2001:db8::1"),
        ("https://www.münchen.de./", "www.xn--mnchen-3ya.de"),
    ],
)
def test_hosts_of_known_urls(url: str, host: str) -> None:
    assert site(url)[0] == host


@pytest.mark.parametrize(
    "url",
    [
        *("", "page 7", "urn:uuid:1", "/a/b", "mailto:a@b.c", "http://"),
        *("http://[::1", "http://a b/"),
        *("http://a..b/", "http://" + "a." * 200 + "org/", "http://" + "ä" * 200 + ".de/"),
        "http://é\ud800/",
    ],
)
def test_what_is_no_url_of_the_web_has_no_site(url: str) -> None:
    assert site(url) == (None, None, None)


def test_nulls_stay_null_and_rows_keep_their_places() -> None:
    batch = pa.record_batch({"url": pa.array([None, "https://a.example.org/x/y", "no"])})
    none = dict.fromkeys(["host", "domain", "group"])
    found = {"host": "a.example.org", "domain": "example.org", "group": "example.org/x"}
    assert Site().measure(batch).to_pylist() == [none, found, none]


def test_a_domain_is_its_own_domain() -> None:
    for host in ("www.example.co.uk", "a.b.c.blogspot.com", "x.y.kawasaki.jp", "city.kawasaki.jp"):
        domain = registered(host)
        assert domain
        assert registered(domain) == domain


@given(st.text(max_size=40))
def test_nothing_raises(text: str) -> None:
    for url in (text, "http://" + text, "http://[" + text, "http://a.org/" + text):
        host, domain, group = site(url)
        assert domain is None or (host or "").endswith(domain)
        assert domain is None or (group or "").startswith(domain)
