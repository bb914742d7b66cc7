"""What is refused: by URL, host, all below a host, or source key; and nothing of it can be read."""

import string
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.urls import canonical, host_and_path
from pipelines.errors import DamagedError
from pipelines.runs import refusals, stores
from pipelines.runs.folders import Folder
from pipelines.runs.refusals import BELOW, HOST, KEY, URL, Refusals, Target, targets


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return stores.folder(tmp_path)


def refuse(folder: Folder, *names: str) -> Refusals:
    before, wanted = refusals.read(folder), [each for name in names for each in targets(name)]
    refusals.add(folder, before, wanted)
    known = refusals.read(folder)
    assert known == before.with_(wanted)
    return known


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("http://X.org:80/a?b=2&a=1#f", URL, "http://x.org/a?a=1&b=2"),
        (" WWW.Example.org ", HOST, "www.example.org"),
        ("bücher.de", HOST, "xn--bcher-kva.de"),
        ("10.0.0.1", HOST, "10.0.0.1"),
        ("[2001:DB8::1]", HOST, "2001:db8::1"),
        ("2001:db8::1", HOST, "2001:db8::1"),
        ("*.example.org", BELOW, ".example.org"),
        (".example.org", BELOW, ".example.org"),
        ("someone@example.org", KEY, "someone@example.org"),
        ("example.org:8080", KEY, "example.org:8080"),
        ("folder/page.html", KEY, "folder/page.html"),
        ("http://", KEY, "http://"),
        ("*", KEY, "*"),
        ("two words", KEY, "two words"),
    ],
)
def test_what_somebody_means(text: str, kind: str, name: str) -> None:
    first, *others = targets(text)
    assert first == Target(kind, name)
    assert others in ([], [Target(KEY, text.strip())])


def test_nothing_is_not_to_be_forgotten() -> None:
    with pytest.raises(ValueError, match="names nothing"):
        targets(" ")


@pytest.mark.parametrize(
    ("name", "refused", "others"),
    [
        ("http://a.org/x?b=1&a=2", ["HTTP://A.org:80/x?a=2&b=1#top"], ["http://a.org/x", "a.org"]),
        ("a.org", ["http://a.org/", "ftp://A.org:81/x", "a.org"], ["http://www.a.org/", "b.org"]),
        ("*.a.org", ["http://b.c.a.org/"], ["http://a.org/", "http://xa.org/"]),
        ("Doc 7", ["Doc 7"], ["doc 7", "Doc 71"]),
        ("Page.html", ["Page.html"], ["page.html", "Page.htm"]),
    ],
)
def test_url_host_below_and_key(
    name: str, refused: list[str], others: list[str], folder: Folder
) -> None:
    known = refuse(folder, name)
    for each in refused:
        assert known.refused(each, None) and known.refused(None, each), each
    for each in others:
        assert not known.refused(each, each), each
    assert known.refused(others[0], refused[0]) and known.refused(refused[0], others[0])
    assert not known.refused(None, None)


HOSTS = st.lists(st.sampled_from(["a", "b", "org"]), min_size=1, max_size=3).map(".".join)
PATHS = st.sampled_from(["", "/", "/x", "/x/../y", "/x?b=1&a=2", "/%7e?", "/é", "/x#f"])
URLS = st.builds("{}://{}{}".format, st.sampled_from(["http", "HTTPS"]), HOSTS, PATHS)
NAMES = URLS | HOSTS | HOSTS.map("*.{}".format) | st.text(max_size=5) | st.just("\ud800")


def plainly(names: list[str], url: str | None, key: str | None) -> bool:
    """What is promised, without hashes and caches."""
    for each in (e for e in (url, key) if e):
        host = (host_and_path(each) or [""])[0]
        for kind, name in (t for n in names for t in targets(n)):
            same = {KEY: each, URL: canonical(each), HOST: host}
            if name == same.get(kind) or (kind == BELOW and host.endswith(name)):
                return True
    return False


@given(st.lists(NAMES.filter(str.strip), max_size=4), st.none() | NAMES, st.none() | NAMES)
def test_it_refuses_what_is_plainly_refused(
    names: list[str], url: str | None, key: str | None
) -> None:
    known = Refusals(b"salt").with_([t for name in names for t in targets(name)])
    assert known.refused(url, key) == plainly(names, url, key)
    assert bool(known.matching(url, key)) == known.refused(url, key)
    assert known.matching(url, key) <= {t for name in names for t in targets(name)}


def test_a_text_that_names_it_is_known(folder: Folder) -> None:
    known = refuse(folder, "a.org", "Doc 7")
    for text in ("http://a.org/x too long", "Doc 7", "of http://A.org"):
        assert known.among("some", text)
    for text in ("", "http://b.org/x too long", "Doc 71"):
        assert not known.among("some", text)


def test_no_name_stands_in_the_file_and_no_two_folders_are_alike(tmp_path: Path) -> None:
    wanted = ["http://secret.example.org/x", "secret.example.org", "key-of-mine"]
    one, two = (stores.folder(tmp_path / name) for name in "ab")
    hashes = [refuse(each, *wanted).known for each in (one, two)]
    assert len(hashes[0]) == len(hashes[1]) and not hashes[0] & hashes[1]
    body = one.read(refusals.FILE)
    assert not any(word in body for word in (b"secret", b"example", b"mine"))
    assert refusals.read(one).refused("http://secret.example.org/y", None)


def test_what_was_refused_stays_with_its_date_and_reason(folder: Folder) -> None:
    refusals.add(folder, refusals.read(folder), targets("a.org"), "asked by mail")
    first = pq.read_table(folder.at(refusals.FILE)).to_pylist()
    known = refuse(folder, "b.org", "a.org")
    rows = pq.read_table(folder.at(refusals.FILE)).to_pylist()
    assert rows[:2] == first
    assert [row["reason"] for row in rows] == ["asked by mail"] * 2 + [None] * 2
    assert known.refused("http://a.org/", None) and known.refused("http://b.org/", None)


def test_where_nothing_is_refused(folder: Folder) -> None:
    known = refusals.read(folder)
    assert not known.refused("http://a.org/", "a") and folder.list() == []


@pytest.mark.parametrize("body", [b"", b"PAR1", b"some text " * 9, b"bare"])
def test_a_damaged_file_is_an_error_and_not_an_empty_list(body: bytes, folder: Folder) -> None:
    if body == b"bare":  # without its key
        refuse(folder, "a.org")
        table = pq.read_table(folder.at(refusals.FILE))
        pq.write_table(table.replace_schema_metadata(None), folder.at(refusals.FILE))
    else:
        folder.write(refusals.FILE, body)
    with pytest.raises(DamagedError, match="restore it"):
        refusals.read(folder)


@given(st.text(alphabet=string.printable, min_size=1).filter(str.strip))
def test_who_is_refused_by_a_name_is_refused_under_that_name(name: str) -> None:
    assert Refusals(b"salt").with_(targets(name)).refused(None, name.strip())
