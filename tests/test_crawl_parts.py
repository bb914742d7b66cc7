"""What a crawl is made of, against slow and obvious twins: frontier, traps, answers, archive."""

import io
import json
import re
import time
from collections import Counter
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from fastwarc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import urls
from filters.buffers import within
from pipelines.crawl import frontier, scope
from pipelines.crawl.archive import Archive
from pipelines.crawl.client import Answer
from pipelines.crawl.frontier import DUE, FRONTIER, LINKS, OUTCOMES, Now, due, found, merge
from pipelines.crawl.outcome import LONGEST, Row, judge, retry_after
from pipelines.recipe.crawl import Crawl
from pipelines.schema import hashed

CRAWL = Crawl("a@b.org", ("http://a/",), alike=3, depth=4)
HOSTS = ["http://a", "http://b", "http://c:8080"]
NUMBERS = st.integers(0, 12)
FOUND = st.dictionaries(
    st.builds(
        lambda h, s, n: f"{h}/{s}{n}", st.sampled_from(HOSTS), st.sampled_from("xyz"), NUMBERS
    ),
    st.tuples(st.sampled_from(["page", "sitemap"]), st.integers(0, 6), st.integers(0, 3)),
    max_size=14,
)
TIMES = st.none() | st.integers(0, 20)
STATE = st.tuples(st.sampled_from(["waiting", "done", "dropped"]), TIMES)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()


def outcomes(part: pa.Table, states: list[tuple[str, int | None]]) -> pa.Table:
    """What became of the first rows of a part, the last first."""
    made = [
        {
            **dict.fromkeys(OUTCOMES.names),
            "key": key,
            "state": state,
            "tries": 1,
            "next_fetch": when,
        }
        for key, (state, when) in zip(part["key"].to_pylist(), states, strict=False)
    ]
    return pa.Table.from_pylist(made[::-1], OUTCOMES)


def merged_slowly(part: pa.Table, became: pa.Table, links: pa.Table) -> list[dict[str, Any]]:
    known = {row["key"]: row for row in rows(part)}
    for row in rows(became):
        known[row["key"]].update(row)
    shapes = Counter(row["shape"] for row in known.values())
    best: dict[int, dict[str, Any]] = {}
    for row in rows(links):
        before = best.get(row["key"])
        if before is None or (row["depth"], row["hops"]) < (before["depth"], before["hops"]):
            best[row["key"]] = row
    for key, row in sorted(best.items()):
        if key in known:
            continue
        why = "too deep" if row["depth"] > CRAWL.depth else None
        if why is None and shapes[row["shape"]] >= CRAWL.alike:
            why = "trap: alike"
        shapes[row["shape"]] += 1
        state = {"state": "dropped" if why else "waiting", "reason": why, "tries": 0}
        known[key] = {**dict.fromkeys(FRONTIER.names), **row, **state}
    return [known[key] for key in sorted(known)]


@given(FOUND, st.lists(STATE, max_size=6), FOUND, FOUND)
@settings(max_examples=80)
def test_merge_is_that_of_a_dictionary(first: Any, states: Any, second: Any, third: Any) -> None:
    empty = FRONTIER.empty_table()
    part = merge(empty, OUTCOMES.empty_table(), found(first), CRAWL)
    assert rows(part) == merged_slowly(empty, OUTCOMES.empty_table(), found(first))
    links = pa.concat_tables([found(second), found(third)])
    became = outcomes(part, states)
    merged = merge(part, became, links, CRAWL)
    assert merged.schema == FRONTIER
    assert rows(merged) == merged_slowly(part, became, links)


@given(FOUND, st.lists(STATE, max_size=14), st.integers(0, 20), st.booleans(), st.integers(0, 20))
@settings(max_examples=80)
def test_due_goes_round_the_hosts(urls_: Any, states: Any, now: int, new: bool, most: int) -> None:
    empty = OUTCOMES.empty_table()
    part = merge(FRONTIER.empty_table(), empty, found(urls_), CRAWL)
    part = merge(part, outcomes(part, states), LINKS.empty_table(), CRAWL)
    when = Now(now, 10, new)

    def is_due(row: dict[str, Any]) -> bool:
        at = None if row["next_fetch"] is None else row["next_fetch"].timestamp()
        if row["state"] == "waiting":
            return new and (at is None or at <= now)
        return row["state"] == "done" and at is not None and at < 10

    def place(row: dict[str, Any]) -> tuple[int, int, int]:
        return (row["kind"] == "page", row["depth"], row["key"])

    mine: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(filter(is_due, rows(part)), key=place):
        mine.setdefault(row["host"], []).append(row)
    turns = [(rank, row["key"]) for each in mine.values() for rank, row in enumerate(each)]
    expected = [key for _, key in sorted(turns)]
    asked = due(part, when, most)
    assert asked.schema.names == DUE.names
    assert asked["key"].to_pylist() == expected[:most]
    known = frontier.state(part, when)
    plain = frontier.state(part, when._replace(new=True))
    assert known == plain
    assert len(expected) == known["again"] + (known["due"] if new else 0)
    later = [
        row["next_fetch"].timestamp()
        for row in rows(part)
        if row["state"] == "waiting" and row["next_fetch"] and row["next_fetch"].timestamp() > now
    ]
    assert known["first"] == min(later, default=None)


@given(st.lists(st.sampled_from("abc"), max_size=9))
def test_ranks(names: list[str]) -> None:
    names = sorted(names)
    expected = [names[:i].count(name) for i, name in enumerate(names)]
    assert within(np.array(names, str)).tolist() == expected


def test_hashes_are_the_same_everywhere() -> None:
    assert hashed(pa.array(["http://a/"])) == 12281559321679712130
    parts = frontier.part_of(found({"http://a/1": ("page", 0, 0), "http://a/22": ("page", 0, 0)}))
    assert parts[0] == parts[1]  # alike
    assert np.all((parts >= 0) & (parts < frontier.PARTS))


SEGMENT = st.sampled_from(["a", "b", "", "7", "x" * 60])


@given(st.lists(SEGMENT, max_size=40), st.integers(0, 14))
def test_traps(segments: list[str], fields: int) -> None:
    url = "http://a.org/" + "/".join(segments) + "?" + "&".join(f"f{i}=" for i in range(fields + 1))
    full = [each for each in segments if each]
    expected = None
    if fields >= scope.FIELDS:
        expected = "trap: many fields"
    if any(full.count(each) >= scope.AGAIN for each in full):
        expected = "trap: repeats itself"
    if len(full) > scope.SEGMENTS:
        expected = "trap: deep"
    if len(url) > scope.LENGTH:
        expected = "trap: long"
    assert scope.trap(url) == expected


@given(st.text("0123456789abcdefXYZ/?=.", max_size=60))
def test_shapes(path: str) -> None:
    made = scope.shape(f"http://h1.example:81/{path}")
    assert made.startswith("http://h1.example:81/")
    assert not re.search("[1-9]", made.removeprefix("http://h1.example:81/"))
    assert scope.shape(made) == made
    assert not re.search("[0-9a-f]{16}", made[21:])


@given(st.text(max_size=30) | st.text("/.%41?&=#;:@[]\\ ~é", max_size=20))
@settings(max_examples=200)
def test_a_canonical_url_is_its_own_canonical_url(text: str) -> None:
    for url in (
        text,
        f"http://example.org/{text}",
        f"http://{text}/",
        f"HTTPS://Example.org:443{text}",
    ):
        made = urls.canonical(url)
        if made is not None:
            assert urls.canonical(made) == made
            assert made.isascii() and made.isprintable() and " " not in made
            parts = urlsplit(made)
            assert parts.scheme in ("http", "https") and parts.hostname and parts.path[:1] == "/"
            assert not (parts.fragment or parts.username or parts.password)


@given(
    st.text("abz09-._~/AZ", max_size=24), st.sampled_from(["a.org", "A.org", "a..b", "x-.y", "1.2"])
)
@settings(max_examples=200)
def test_the_short_way_to_a_canonical_url_is_the_long_way(path: str, host: str) -> None:
    for url in (f"http://{host}/{path}", f"https://{host}{path}"):
        parts = urls._split(url)
        name = parts and urls._name(parts.hostname or "")
        slow = parts and name and parts.scheme != "ftp" and urls._canonical(parts, name)
        assert urls.canonical.__wrapped__(url) == (slow or None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0), ("7", 7), (" 120 ", 120), ("9" * 400, LONGEST), ("-1", 0), ("1.5", 0), ("", 0)),
        *(("soon", 0), ("²", 0), ("٣", 0), ("1, 2", 0), ("Wed, 21 Oct 2099 07:28:00 GMT", LONGEST)),
        *(("Wed, 21 Oct 1999 07:28:00 GMT", 0), ("Wed, 99 Oct 2099 07:28:00 GMT", 0)),
        *(("Wed, 21 Oct 99999 07:28:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST)),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    assert retry_after(value) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_will_do(value: str) -> None:
    assert 0 <= retry_after(value) <= LONGEST


def test_a_date_to_retry_after() -> None:
    assert retry_after(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(99, abs=2)


@given(
    st.integers(0, 999),
    st.dictionaries(
        st.sampled_from(["Location", "Retry-After", "Content-Type"]),
        st.text(max_size=9),
        max_size=3,
    ),
    st.integers(0, 20),
    st.integers(0, 12),
)
def test_any_answer_means_something(
    status: int, headers: dict[str, str], tries: int, hops: int
) -> None:
    lines = [f"{n}: {v}".encode("latin-1", "replace") for n, v in headers.items()]
    answer = Answer(status=status, headers=[b"HTTP/1.1 x", *lines])
    row = Row(1, "http://a/x", "http://a", tries=tries, hops=hops)
    outcome = judge(row, answer, CRAWL)
    assert outcome.state in ("done", "waiting", "dropped")
    assert (outcome.later is not None) == (outcome.state == "waiting")
    assert outcome.later is None or 0 <= outcome.later <= LONGEST
    assert not (tries >= CRAWL.retries and outcome.state == "waiting")


def written(folder: Path, count: int) -> tuple[bytes, bytes, list[bytes]]:
    """WARC file, log and the bodies of an archive of some pages."""
    archive = Archive(folder, "a", {"operator": "x"})
    kept = []
    for i in range(count):
        body = bytes([65 + i]) * (40 * i + 1)
        answer = Answer(status=200, headers=[b"HTTP/1.1 200 OK", b"Content-Type: x"], body=body)
        place, record = archive.response(f"http://a/{i}", answer, 1.0, {})
        archive.log({"key": i, "record": record, **place._asdict()})
        archive.log({"key": 100 + i})
        kept.append(body)
    archive.close()
    return (folder / "a-000.warc.gz").read_bytes(), (folder / "a.log").read_bytes(), kept


@pytest.mark.parametrize("what", ["warc", "log", "both", "rotten"])
def test_cut_at_any_byte_it_is_gone_on_with(tmp_path: Path, what: str) -> None:
    warc, log, kept = written(tmp_path / "whole", 3)
    size = len(log) if what in ("log", "rotten") else len(warc)
    for cut in range(0, size + 1, 5):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "a-000.warc.gz").write_bytes(warc[:cut] if what in ("warc", "both") else warc)
        whole = log if what == "warc" else log[: cut * len(log) // size]
        (folder / "a.log").write_bytes(whole + (b"\0\0\xff\n" if what == "rotten" else b""))
        archive = Archive(folder, "a", {"operator": "x"})
        keys = [line["key"] for line in archive.logged]
        assert keys == [0, 100, 1, 101, 2, 102][: len(keys)]
        answer = Answer(status=200, headers=[b"HTTP/1.1 200 OK"], body=b"new")
        place, _ = archive.response("http://a/new", answer, 1.0, {})
        archive.log({"key": 7, **place._asdict()})
        archive.close()
        held = (folder / "a-000.warc.gz").read_bytes()
        pages = ArchiveIterator(io.BytesIO(held), WarcRecordType.response)
        assert [page.reader.read() for page in pages] == [
            *kept[: sum(k < 100 for k in keys)],
            b"new",
        ]
        again = Archive(folder, "a", {})
        assert [line["key"] for line in again.logged] == [*keys, 7]
        again.close()


@pytest.mark.parametrize("odd", [1.5, -1, "0", None, True, [0], 2**63])
@pytest.mark.parametrize("name", ["file", "offset", "length"])
def test_a_log_with_odd_values_ends_before_them(tmp_path: Path, name: str, odd: object) -> None:
    _, log, _ = written(tmp_path, 1)
    place = {"file": 0, "offset": 0, "length": 9, name: odd}
    (tmp_path / "a.log").write_bytes(log + json.dumps({"key": 9, **place}).encode() + b"\n")
    archive = Archive(tmp_path, "a", {})
    assert [line["key"] for line in archive.logged] == [0, 100]
    archive.close()


@pytest.mark.parametrize("name", ["a.log", "a-000.warc.gz"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"not ours")
    (tmp_path / "warc").mkdir()
    (tmp_path / "warc" / name).symlink_to(outside)
    with pytest.raises(OSError, match="symbolic links"):
        Archive(tmp_path / "warc", "a", {})
    assert outside.read_bytes() == b"not ours"
