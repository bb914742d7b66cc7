"""Run folders on a store: the bytes of a local run, and what goes wrong is said in one line."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import stores
from tests.begun import said
from tests.command import SAMPLE, files, here, leftovers
from tests.store import Store, store

pytestmark = pytest.mark.server

SOURCE = '[[source]]\nkind = "warc"\npaths = ["{}/{}.warc.gz"]\n'
RECIPE = """\
name = "stored"
first = 40
limit = {{ dead = "30 %" }}
{sources}
[edits]
repeated_lines = {{}}
{across}
[rules]
short = "words < 50"
[publish]
splits = {{ train = 0.8, test = 0.2 }}
near_train = {near}
shard = "50 kB"
"""
WHOLE = "s3://bucket/some/whole"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with store(tmp_path_factory.mktemp("store")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        fresh()
        yield running
        fresh()


def fresh() -> None:
    """Forget the store that this process knows."""
    for known in (stores.filesystem, stores.client, stores.region):
        known.cache_clear()


@pytest.fixture(scope="module")
def folder(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes, "whole" with every step and "short" with six, and the local runs of both."""
    folder = tmp_path_factory.mktemp("recipes")
    sources = "".join(SOURCE.format(SAMPLE, name) for name in ("help-en", "faults"))
    every = "repeated_passages = { words = 20 }\n[dedup]"
    for name, across, near in (("whole", every, 0.5), ("short", "", "false")):
        text = RECIPE.format(sources=sources, across=across, near=near)
        (folder / f"{name}.toml").write_text(text)
        run(folder, name, name)
    run(folder, "whole", WHOLE)
    return folder


def run(folder: Path, recipe: str, at: str, *more: str) -> str:
    """What a command prints that does well."""
    done = here("run", f"{recipe}.toml", "--run", at, *more, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def place(server: Store, path: str) -> Path:
    """Where the files of a folder on the store lie."""
    return server.bucket / path.removeprefix("s3://bucket/")


def is_same(server: Store, folder: Path, recipe: str, path: str) -> bool:
    """Whether it published the bytes of the local run, and left nothing else."""
    there = place(server, path)
    same = files(there / "dataset") == files(folder / recipe / "dataset")
    return same and leftovers(there) == set() and not (there / "lock").exists()


def test_a_store_holds_the_bytes_of_a_local_run(server: Store, folder: Path) -> None:
    assert is_same(server, folder, "whole", WHOLE)
    assert "begins" not in run(folder, "whole", WHOLE)
    assert is_same(server, folder, "whole", WHOLE)


def test_worker_processes_write_to_a_store(server: Store, folder: Path) -> None:
    where = "s3://bucket/workers"
    done = said("run", "whole.toml", "--run", where, "--workers", "2", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"dataset  {where}/dataset\nrun      {where}\n" in done.stdout
    assert is_same(server, folder, "whole", where)


def test_what_is_missing_is_made_again_and_what_is_strange_is_swept(
    server: Store, folder: Path
) -> None:
    where = "s3://bucket/mended/"
    run(folder, "short", where)
    there = place(server, where)
    (there / "documents/part-00009-00.parquet").write_bytes(b"a stranger")
    (there / "work/scan/0123").mkdir(parents=True)
    (there / "work/scan/0123/scan-000000.json").write_bytes(b"{}")
    assert "begins" not in run(folder, "short", where)
    assert is_same(server, folder, "short", where)
    missing = there / "columns/documents/language/part-00000-00.parquet"
    missing.unlink()
    told = run(folder, "short", where)
    assert "scan     documents to columns begins" in told and "ingest   files" not in told
    assert missing.exists()
    assert is_same(server, folder, "short", where)


def test_only_the_bytes_that_are_wanted_are_fetched(server: Store) -> None:
    with (server.bucket / "huge").open("wb") as huge:
        huge.truncate(1 << 40)  # takes no room on the disk
        huge.seek(1 << 39)
        huge.write(b"in the middle")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 38, hard))  # and would have none in memory
    try:
        found = stores.folder("s3://bucket").segment("huge", 1 << 39, 13)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        (server.bucket / "huge").unlink()
    assert found.to_pybytes() == b"in the middle"


def test_half_a_file_is_never_there(server: Store) -> None:
    folder = stores.folder("s3://bucket/halves")
    with pytest.raises(ZeroDivisionError), folder.create("file") as out:
        out.write(bytes(20_000_000))
        _ = 1 / 0
    assert folder.list() == []
    for data in (b"", b"whole", os.urandom(25_000_000)):  # the last in several requests
        folder.write("file", data)
        assert folder.read("file") == data
    folder.delete("file")
    assert folder.list() == []
