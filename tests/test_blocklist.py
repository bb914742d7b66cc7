"""URLs of given lists: hosts, parts of sites, words; and the files that name them."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.blocklist import Blocklist, site
from tests.helpers import corpora
from tests.helpers.command import here as karez
from tests.helpers.command import table


def blocked(hosts: tuple[str, ...], *urls: str | None) -> list[bool]:
    batch = pa.record_batch({"url": pa.array(urls, pa.string())})
    return list(Blocklist(hosts=hosts).measure(batch)["blocklist_host"].to_pylist())


def words(entries: tuple[str, ...], *urls: str | None) -> list[int]:
    batch = pa.record_batch({"url": pa.array(urls, pa.string())})
    return list(Blocklist(words=entries).measure(batch)["blocklist_words"].to_pylist())


def test_a_host_stands_for_all_below_it_and_no_other() -> None:
    urls = {
        "https://example.org": True,
        "HTTP://www.Example.ORG:8080/a?b": True,
        "https://user:secret@a.b.example.org/": True,
        "https://notexample.org/": False,
        "https://example.org.evil.net/": False,
        "https://org/": False,
        "https://evil.net/example.org/": False,
        "mailto:someone@example.org": False,
        "no url": False,
        "": False,
    }
    assert blocked(("example.org",), *urls) == list(urls.values())
    assert blocked(("example.org",), None) == [False]


def test_a_part_of_a_site_stands_for_all_below_it() -> None:
    urls = {
        "https://example.org/forum": True,
        "https://example.org/forum/": True,
        "https://example.org/forum?page=2": True,
        "https://www.example.org/forum/a/b.html#c": True,
        "https://example.org/forums": False,
        "https://example.org/a/forum": False,
        "https://example.org/Forum": False,  # paths have a case
        "https://example.org": False,
        "https://example.net/forum": False,
    }
    assert blocked(("example.org/forum",), *urls) == list(urls.values())


def test_an_address_is_not_below_another() -> None:
    entries = ("10.1.2.3", "2.3", "[2001:db8::1]")
    urls = ("http://10.1.2.3/a", "http://9.1.2.3/", "http://[2001:DB8::1]/", "http://1.2.3/")
    assert blocked(entries, *urls) == [True, False, True, True]


@pytest.mark.parametrize(
    ("entry", "means"),
    [
        ("Example.org", "example.org"),
        ("https://example.org/", "example.org"),
        ("https://example.org/a/b/", "example.org/a/b"),
        ("example.org:8080/a?b=c", "example.org/a"),
        ("*.example.org", "example.org"),
        (".example.org", "example.org"),
        ("0.0.0.0 ads.example.org", "ads.example.org"),
        ("127.0.0.1\tads.example.org", "ads.example.org"),
        ("||ads.example.org^", "ads.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("0.0.0.0", "0.0.0.0"),
    ],
)
def test_forms_of_an_entry(entry: str, means: str) -> None:
    assert site(entry) == means


@pytest.mark.parametrize("entry", ["two words", "-", "a..b", "/path", "http://", "@@||a.org^"])
def test_what_is_no_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host and no URL"):
        site(entry)


LABEL = st.sampled_from(["a", "b", "www", "bücher", "x-y"])
HOST = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
PATH = st.lists(st.sampled_from(["a", "b", "A"]), max_size=3).map("/".join)
URL = st.tuples(HOST, PATH).map("/".join)


@given(st.lists(URL, max_size=4).map(tuple), URL)
def test_the_twin_agrees(entries: tuple[str, ...], url: str) -> None:
    """Labels from the right, then segments from the left."""

    def parts(text: str) -> tuple[list[str], list[str]]:
        host, *path = site(text).split("/")
        return host.split(".")[::-1], path

    def below(one: tuple[list[str], list[str]], other: tuple[list[str], list[str]]) -> bool:
        return all(long[: len(short)] == short for long, short in zip(one, other, strict=True))

    slow = any(below(parts(url), parts(entry)) for entry in entries)
    assert blocked(entries, f"https://{url}") == [slow]


def test_words_stand_between_the_signs_of_a_url() -> None:
    urls = {
        "https://hot-girls.example.org/": 1,
        "https://example.org/Hot_Girls?q=casino": 2,
        "https://example.org/hot%20girls": 1,
        "https://example.org/hotgirls/casinos": 0,
        "https://example.org/%D0%BA%D0%B0%D0%B7%D0%B8%D0%BD%D0%BE": 1,
        "casino.example.org/a": 1,
    }
    assert words(("hot girls", "casino", "казино"), *urls, None) == [*urls.values(), 0]


def recipe(folder: Path, hosts: str) -> Path:
    urls = [
        "https://a.example.org/",
        "https://b.example.net/casino",
        "https://c.example.com/",
        None,
    ]
    (folder / "words.txt").write_text("casino\n")
    (folder / "hosts.txt").write_text(hosts)
    measure = 'bad = { is = "blocklist", hosts = ["hosts.txt"], words = ["words.txt"] }'
    rules = 'host = "bad_host"\nword = "bad_words > 0"'
    rows = [{"text": f"Text {i}.", "url": url, "id": i} for i, url in enumerate(urls)]
    return corpora.recipe(folder, rows, f"[measure]\n{measure}\n[rules]\n{rules}")


def test_lists_decide_in_a_run(tmp_path: Path) -> None:
    done = karez("run", recipe(tmp_path, "# mine\nexample.org # all\n"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    decided = table(tmp_path / "runs/a", "decisions/documents")["reason"].to_pylist()
    assert sorted(decided, key=str) == [None, None, "host", "word"]


def test_a_wrong_entry_is_told_with_its_line(tmp_path: Path) -> None:
    done = karez("run", recipe(tmp_path, "example.org\nno host\n"), cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "bad: " in done.stderr and "hosts.txt, line 2: 'no host' is no host" in done.stderr
