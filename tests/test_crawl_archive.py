"""Other people's tools read what a crawl wrote, and ingest makes of it what was served."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastwarc import WarcRecordType

from filters import charset, extract
from pipelines.commands import run as command
from pipelines.crawl.archive import PROFILES
from tests.helpers import crawling
from tests.helpers.begun import ran
from tests.helpers.command import ROOT
from tests.helpers.crawling import Rows, archives, fetches, recipe, table, warcio
from tests.helpers.needs import beside
from tests.helpers.nginx import handbook, nginx

pytestmark = pytest.mark.server

LATER = 7200  # seconds from the first crawl to the second
SITES = {"plain": ROOT / "tests/data/site", "book": handbook() / "ja-JP"}
Record = dict[str, str]
WROTE = WarcRecordType.any_type ^ WarcRecordType.warcinfo  # not who wrote them


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run folder: two sites, crawled twice and read in."""
    folder = tmp_path_factory.mktemp("archive")
    with nginx(folder / "nginx", SITES) as url, pytest.MonkeyPatch.context() as patch:
        start = [f"{url}/{name}/index.html" for name in SITES]
        options = {"delay": 0, "connections": 8, "timeout": 60, "recrawl": "1 h", "alike": 5000}
        (folder / "a.toml").write_text(recipe(*start, **options))
        for seconds in (0, LATER):
            now = time.time
            patch.setattr(time, "time", lambda now=now, seconds=seconds: now() + seconds)
            command.run(command.Asked([folder / "a.toml"], str(folder / "run"), only="crawl"))
    command.run(command.Asked([folder / "a.toml"], str(folder / "run"), only="ingest"))
    yield folder / "run"


@pytest.fixture(scope="module")
def kept(run: Path) -> Rows:
    """The lines of the log that tell of a record."""
    return [row for row in fetches(run) if row["warc"] is not None]


@pytest.fixture(scope="module")
def records(run: Path) -> list[Record]:
    """The headers of all records but those that say who wrote them."""
    return [dict(each.headers) for each in crawling.records(run, WROTE)]


def test_warcio_checks_every_digest(run: Path, kept: Rows, tmp_path: Path) -> None:
    done = warcio("check", "--verbose", *archives(run))
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("digest pass") >= sum(row["reason"] == "fetched" for row in kept)
    broken = tmp_path / "broken.warc"
    whole = gzip.decompress(archives(run)[0].read_bytes())
    broken.write_bytes(whole.replace(b"<html", b"<HTML"))
    assert warcio("check", broken).returncode != 0  # so the check can fail


def test_warcio_finds_each_record_where_the_log_has_it(run: Path, kept: Rows) -> None:
    fields = "filename,offset,warc-type,warc-target-uri"
    done = warcio("index", "--fields", fields, *archives(run))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    indexed = {
        (each["filename"], int(each["offset"]), each["warc-target-uri"])
        for each in found
        if each["warc-type"] != "warcinfo"
    }
    assert indexed == {(row["warc"], row["offset"], row["url"]) for row in kept}


def test_fastwarc_reads_all_and_each_digest_holds(run: Path, kept: Rows) -> None:
    found = crawling.records(run, WROTE, parse_http=False)
    assert [each.verify_block_digest() for each in found] == [True] * len(kept)


def test_both_kinds_of_revisit_refer_to_a_record_that_is_there(
    kept: Rows, records: list[Record]
) -> None:
    by_id = {record["WARC-Record-ID"]: record for record in records}
    revisits = [record for record in records if record["WARC-Type"] == "revisit"]
    assert len(by_id) == len(records) and len(revisits) == len(records) / 2
    for revisit in revisits:
        first = by_id[revisit["WARC-Refers-To"]]
        assert first["WARC-Type"] == "response"
        assert revisit["WARC-Refers-To-Target-URI"] == first["WARC-Target-URI"]
        assert revisit["WARC-Target-URI"] == first["WARC-Target-URI"]
        assert revisit["WARC-Refers-To-Date"] == first["WARC-Date"] < revisit["WARC-Date"]
        assert revisit["WARC-Payload-Digest"] == first["WARC-Payload-Digest"]
    profiles = {record["WARC-Target-URI"]: record["WARC-Profile"] for record in revisits}
    again = [row for row in kept if row["reason"] in PROFILES]
    assert profiles == {row["url"]: PROFILES[row["reason"]] for row in again}
    assert {row["reason"] for row in again if "/plain/" in row["url"]} == {"same"}
    assert {row["reason"] for row in again if "/book/" in row["url"]} == {"not modified"}


def test_texts_are_those_of_the_pages_served(run: Path, kept: Rows) -> None:
    found = {row["url"]: row["text"] for row in table(run, "documents").to_pylist()}
    served = {row["url"] for row in kept if row["reason"] == "fetched"}
    assert found.keys() == served and len(served) > 150
    for url in served:
        name, _, rest = url.split("/", 3)[3].partition("/")
        page = charset.utf8((SITES[name] / rest).read_bytes(), None)
        assert found[url] == extract.text(page, "karez", url), url


@pytest.mark.soak
def test_pywb_indexes_every_record(run: Path, kept: Rows) -> None:
    python = beside("pywb", "pywb==2.10.0", "setuptools<81")
    done = ran(python, "-m", "pywb.indexer.cdxindexer", "-j", *archives(run), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = [json.loads("{" + line.partition("{")[2]) for line in done.stdout.splitlines()]
    found: set[Any] = {(e["filename"], int(e["offset"]), int(e["length"]), e["url"]) for e in lines}
    assert found == {(row["warc"], row["offset"], row["length"], row["url"]) for row in kept}
