"""The sample that ships: sound where it should be, broken only where planted.json says so."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastwarc.warc import ArchiveIterator

from tests.helpers.command import PLANTED, SAMPLE

BROKEN = {"damaged.warc.gz", "cut.warc.gz"}  # as files; faults.warc.gz is broken within
FILES = sorted(path.name for path in SAMPLE.glob("*.warc.gz"))
SOUND = [name for name in FILES if name not in BROKEN]
CLEAN = [n for n in SOUND if n not in {"faults.warc.gz", "mirror.warc.gz"}]


class Seen(NamedTuple):
    """What a reader meets of one record."""

    kind: str
    url: str
    identity: str
    block: bool  # the digests are right
    payload: bool  # of a response, else True
    status: int | None


def records(name: str) -> Iterator[Seen]:
    with (SAMPLE / name).open("rb") as file:
        for record in ArchiveIterator(file, parse_http=False):
            head = dict(record.headers)
            block = record.verify_block_digest()
            record.parse_http()
            status = record.http_headers.status_code if record.http_headers else None
            payload = head["WARC-Type"] != "response" or record.verify_payload_digest()
            url = head.get("WARC-Target-URI", "")
            yield Seen(head["WARC-Type"], url, head["WARC-Record-ID"], block, payload, status)


def head(name: str, offset: int) -> bytes:
    """The beginning of the member at an offset, as far as 1,000 compressed bytes go."""
    with (SAMPLE / name).open("rb") as file:
        file.seek(offset)
        return zlib.decompressobj(31).decompress(file.read(1000))


def test_it_is_small() -> None:
    sizes = [path.stat().st_size for path in SAMPLE.iterdir()]
    assert sum(sizes) < 5_000_000
    assert max(sizes) < 2_000_000


@pytest.mark.parametrize("name", SOUND)
def test_every_record_is_what_its_digests_say(name: str) -> None:
    seen = list(records(name))
    assert seen[0].kind == "warcinfo"
    assert all(record.block for record in seen)
    assert all(record.payload for record in seen)
    assert len({record.identity for record in seen}) == len(seen)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_files_hold_pages_and_nothing_else(name: str) -> None:
    seen = list(records(name))
    pages = [record for record in seen if record.kind == "response"]
    assert len(pages) >= 50
    assert {record.status for record in pages} == {200}
    assert len({record.url for record in pages}) == len(pages)
    requests = sorted(record.url for record in seen if record.kind == "request")
    assert requests in ([], sorted(record.url for record in pages))
    assert len(seen) == 1 + len(pages) + len(requests)


def test_help_pages_are_aligned() -> None:
    paths = {
        name: [url.split("/text/")[1] for kind, url, *_ in records(name) if kind == "response"]
        for name in CLEAN
        if name.startswith("help-")
    }
    assert len(paths) == 6
    assert len({tuple(urls) for urls in paths.values()}) == 1


@pytest.mark.parametrize("entry", PLANTED, ids=lambda e: f"{e['file']} {e['offset']} {e['kind']}")
def test_what_is_planted_stands_where_it_is_said_to(entry: dict[str, Any]) -> None:
    if entry["url"] is None:
        with pytest.raises(zlib.error):
            head(entry["file"], entry["offset"])
    else:
        named = f"WARC-Target-URI: {entry['url']}\r\n".encode()
        assert named in head(entry["file"], entry["offset"])


@pytest.mark.parametrize("name", ["mirror.warc.gz", "faults.warc.gz"])
def test_everything_in_a_planted_file_is_listed(name: str) -> None:
    listed = Counter(entry["url"] for entry in PLANTED if entry["file"] == name)
    assert Counter(record.url for record in records(name)) - Counter([""]) == listed


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_files_are_broken(name: str) -> None:
    with pytest.raises((OSError, AssertionError)):
        assert all(record.block for record in records(name))


def test_originals_of_copies_are_in_the_clean_files() -> None:
    pages = {record.url for name in CLEAN for record in records(name)}
    copies = [entry for entry in PLANTED if "duplicate of " in entry["expect"]]
    assert len(copies) > 40
    for entry in copies:
        assert entry["expect"].split("duplicate of ")[1] == entry["from"]
        assert entry["from"] in pages
        assert 0.3 < entry["jaccard"] <= 1
    others = {entry["url"] for entry in PLANTED if entry["expect"] == "document"}
    assert not others & pages


def test_every_file_has_a_licence() -> None:
    table = (SAMPLE / "LICENSES.md").read_text()
    for name in [*FILES, "planted.json"]:
        assert f"| `{name}` |" in table
    for text in re.findall(r"\]\((\S+\.txt)\)", table):
        assert len((SAMPLE / text).read_text()) > 1000
