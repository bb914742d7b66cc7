"""Google's store, of which an emulator runs here: what is its own."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.begun import ran, said
from tests.helpers.command import ROOT, refused
from tests.helpers.gcs import GoogleStore, google
from tests.helpers.store import store

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("server")]

NOBODY = "http://127.0.0.1:4"  # where no store answers
LEASES = """
import json
from datetime import datetime, timedelta
from pipelines.errors import BusyError
from pipelines.runs.gcs import client
from pipelines.runs.leases import Lease
from pipelines.runs import Run, stores


def refused(do):
    try:
        do()
    except BusyError as error:
        return str(error)
    raise AssertionError("nobody held it")


with Run("gs://bucket/held").lock() as ours:
    ours.save()
    second = Lease("gs://bucket/held")
    print(refused(second.take))
    theirs = json.dumps({"who": "process 8 on far", "machine": "far", "process": 8})
    client().bucket("bucket").blob("held/lock").upload_from_string(theirs)
    print(refused(ours.save))
left = Lease("gs://bucket/held")
print(refused(left.take))
left.drop()
print(refused(left.take))
client().bucket("bucket").blob("held/lock").delete()
left.take()


class Ahead(datetime):
    @classmethod
    def now(cls, zone):
        return super().now(zone) + timedelta(minutes=9)


stores.datetime = Ahead
print(refused(second.take))
left.renew()
left.drop()
print(left.store.tagged("lock"))
left.take()
client().bucket("bucket").blob("held/lock").delete()
print(refused(left.renew))
"""
"""A lock that is held, lost to another machine, not ours to let go of, ours though our clock is
ahead of the store's; and gone."""


GONE = """
from pipelines import errors
from pipelines.runs import gcs

gcs.PATIENCE = 1
folder = gcs.GoogleStore("gs://bucket/gone")
for do in (folder.list, lambda: folder.write("a", b"1"), lambda: folder.open("a")):
    try:
        do()
    except OSError as error:
        assert errors.is_told(error)
        print(errors.said_of(error, folder.path))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    python = google()
    made = GoogleStore(tmp_path_factory.mktemp("gcs"))
    with store(made), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", python)
        yield


def test_one_command_at_a_time() -> None:
    done = ran(sys.executable, "-c", LEASES, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    held, lost, not_ours, still, ahead, free, gone = done.stdout.splitlines()
    assert re.match(r"gs://bucket/held: process \d+ on \S+ works on it, last heard of 0 s", held)
    assert lost.startswith("gs://bucket/held: process 8 on far took over")
    assert "process 8 on far works on it" in not_ours and "process 8 on far" in still
    assert re.search(r"process \d+ on \S+ works on it, last heard of \d s ago", ahead)
    assert free == "None"
    assert gone.startswith("gs://bucket/held: another command took over")


def test_a_store_that_does_not_come_back() -> None:
    done = ran(sys.executable, "-c", GONE, cwd=ROOT, env={"STORAGE_EMULATOR_HOST": NOBODY})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "gs://bucket/gone: the store does not answer any more\n" * 3


@pytest.mark.parametrize(
    ("where", "env", "says"),
    [
        ("gs://nobucket/run", {}, "the store has no such bucket; make it, or name another"),
        ("gs://bucket/run", {"STORAGE_EMULATOR_HOST": NOBODY}, f"no store answers at {NOBODY}"),
        ("gs://", {}, "a run folder is a local path, or s3://bucket/folder, or gs://bucket"),
    ],
)
def test_a_store_that_does_not_let_us_in(
    where: str, env: dict[str, str], says: str, pair: Path
) -> None:
    line = refused("run", "short.toml", "--run", where, cwd=pair, by=said, env=env)
    assert line.startswith(f"karez: {where}: {says}")


def test_without_googles_library_the_line_to_type_is_said(pair: Path, tmp_path: Path) -> None:
    (tmp_path / "google").mkdir()
    (tmp_path / "google/__init__.py").write_text("raise ImportError('hidden')")
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    line = refused("plan", "short.toml", "--run", "gs://bucket/run", cwd=pair, by=said, env=path)
    assert "pip install 'karez[gs]'" in line
