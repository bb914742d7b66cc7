"""Run folders on stores of either kind: the bytes of a local run, whatever is amiss meanwhile."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.begun import begin, said, wait_for
from tests.helpers.command import well
from tests.helpers.gcs import GoogleStore, google
from tests.helpers.store import Server, Store, store

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=[Store, GoogleStore])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    python = google() if request.param is GoogleStore else sys.executable
    made = request.param(tmp_path_factory.mktemp("store"))
    with store(made), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", python)
        yield made


@pytest.mark.parametrize(("recipe", "workers"), [("whole", "1"), ("short", "2")])
def test_a_store_holds_the_bytes_of_a_local_run(
    recipe: str, workers: str, server: Server, pair: Path
) -> None:
    where = server.at(recipe)
    command = ("run", f"{recipe}.toml", "--run", where, "--workers", workers)
    assert f"dataset  {where}/dataset\nrun      {where}\n" in well(*command, cwd=pair, by=said)
    assert server.is_same(recipe, pair / recipe)
    assert "begins" not in well(*command, cwd=pair, by=said)
    assert server.is_same(recipe, pair / recipe)


def test_what_is_missing_is_made_again_and_what_is_strange_is_swept(
    server: Server, pair: Path
) -> None:
    command = ("run", "short.toml", "--run", server.at("mended/"))
    well(*command, cwd=pair, by=said)
    server.put("mended/documents/part-00009-00.parquet", b"a stranger")
    server.put("mended/work/scan/0123/scan-000000.json", b"{}")
    assert "begins" not in well(*command, cwd=pair, by=said)
    assert server.is_same("mended", pair / "short")
    server.delete("mended/columns/documents/language/part-00000-00.parquet")
    told = well(*command, cwd=pair, by=said)
    assert "scan     documents to columns begins" in told and "ingest   files" not in told
    assert server.is_same("mended", pair / "short")


def test_a_store_that_is_away_for_a_while(server: Server, pair: Path) -> None:
    command = ("run", "short.toml", "--run", server.at("away"))
    with begin(*command, cwd=pair) as begun:
        assert wait_for((server.bucket / "away/work/ingest").exists, begun)
        server.stop()
        time.sleep(6)  # 20 were tried by hand
        assert begun.poll() is None
        server.start()
        _, err = begun.communicate(timeout=120)
    if "not found" in err:  # the emulator forgets an upload under way, as Google's store does not
        assert (begun.returncode, err.count("\n")) == (1, 1)
        well(*command, cwd=pair, by=said)
    else:
        assert (begun.returncode, err) == (0, "")
    assert server.is_same("away", pair / "short")
