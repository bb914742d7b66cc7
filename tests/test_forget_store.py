"""A run on a store forgets as one on this machine does."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.archives import response
from tests.helpers.command import well
from tests.helpers.store import Store, store
from tests.test_forget import again, crawled, naming, sealed_as_they_are, text

pytestmark = pytest.mark.server

RARE, RUN = "quixotryl", "s3://bucket/forgetting/run"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Store]:
    with store(Store(tmp_path / "store")) as running:
        yield running


def test_a_store_forgets(server: Store, tmp_path: Path) -> None:
    rows = [{"text": f"Row {n}. {text(n)}", "id": f"key {n}"} for n in range(1, 9)]
    rows.append({"text": f"{RARE} {text(0)}", "id": "own", "url": "http://gone.test/page"})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = '[[source]]\nkind = "jsonl"\npaths = ["rows.jsonl"]\n'
    (tmp_path / "recipe.toml").write_text(f'name = "a"\n{source}[dedup]\n')
    again(tmp_path, "--run", RUN)
    (tmp_path / "a.warc.gz").write_bytes(
        response(1, "http://gone.test/page", RARE) + response(2, "http://stays.test/", "text")
    )
    crawled(RUN, tmp_path / "a.warc.gz")
    there = server.bucket / "forgetting/run"
    assert {n.partition("/")[0] for n in naming(there, RARE)} == {"warc", "documents", "dataset"}
    well("forget", RUN, "gone.test", cwd=tmp_path)
    assert naming(there, RARE, "gone.test", '"own"') == []
    assert sealed_as_they_are(there) and not (there / "lock").exists()
    assert b"http://stays.test/" in gzip.decompress((there / "warc/a.warc.gz").read_bytes())
    assert again(tmp_path, "--run", RUN) == []
