"""Run folders on an S3-compatible store, and what goes wrong there is said in one line."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.errors import BusyError
from pipelines.opened import Opened
from pipelines.runs import Run, leases, s3, stores
from tests.helpers.begun import wait_for
from tests.helpers.command import ROOT, files, here, refused, well
from tests.helpers.store import STRANGER, Store, fresh, store

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs/cluster.md").read_text()
WHOLE = re.findall(r"karez run recipe.toml --run (s3://\S+)$", PAGE, re.MULTILINE)[0]
THERE = WHOLE.removeprefix("s3://bucket/")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with store(Store(tmp_path_factory.mktemp("store"))) as running:
        yield running


@pytest.fixture(scope="module")
def folder(server: Store, pair: Path) -> Path:
    """The pair, the whole one of which lies on the store too."""
    run(pair, "whole", WHOLE)
    return pair


def run(folder: Path, recipe: str, at: str, *more: str) -> str:
    """What a command prints that does well."""
    return well("run", f"{recipe}.toml", "--run", at, *more, cwd=folder)


def test_the_page_says_where_a_run_may_lie(server: Store, folder: Path) -> None:
    assert set(re.findall(r"\bAWS_\w+(?==)", PAGE)) <= set(server.environment)
    assert server.is_same(THERE, folder / "whole")


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


REFUSED = {
    "no bucket": ({}, "s3://none/run", "the store has no such bucket; make it, or name another"),
    "no server": (
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        "s3://bucket/run",
        "no store answers at http://127.0.0.1:9; see that it runs, and that AWS_ENDPOINT_URL names",
    ),
    "wrong secret": (
        {"AWS_SECRET_ACCESS_KEY": "sand"},
        "s3://bucket/run",
        "the key or its secret is wrong; see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    "no permission": (
        {"AWS_ACCESS_KEY_ID": STRANGER},
        "s3://bucket/run",
        "this key has no permission there; let it list, read, write and delete",
    ),
    "no key": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        "s3://bucket/run",
        "no key is set; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    "no bucket named": ({}, "s3://", "a run folder is a local path, or s3://bucket/folder, or gs"),
    "another store": ({}, "az://bucket/run", "a run folder is a local path, or s3://bucket/folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_store_that_does_not_let_us_in(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, where, says = REFUSED[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    fresh()
    try:
        for command in (
            ["run", "short.toml", "--run", where],
            ["run", "short.toml", "--from", where],
            ["plan", "short.toml", "--run", where],
            ["view", where],
        ):
            assert refused(*command, cwd=folder).startswith(f"karez: {where}: {says}")
        refused("explain", where, "some", cwd=folder)
    finally:
        monkeypatch.undo()
        fresh()


def test_a_key_that_may_read_and_not_write(
    server: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": [STRANGER]},
        "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    s3.client().put_bucket_policy(Bucket="bucket", Policy=json.dumps(policy))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", STRANGER)
    fresh()
    try:
        assert here("plan", "whole.toml", "--run", WHOLE, cwd=folder).returncode == 0
        line = refused("run", "short.toml", "--run", "s3://bucket/mine", cwd=folder, code=1)
        says = "this key has no permission there; let it list, read, write and delete"
        assert line == f"karez: s3://bucket/mine: {says}\n"
    finally:
        monkeypatch.undo()
        fresh()
        s3.client().delete_bucket_policy(Bucket="bucket")


def test_a_store_that_does_not_come_back(
    server: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 2)
    fresh()
    where, write = "s3://bucket/gone", stores.Store.write

    def last(self: stores.Store, name: str, data: bytes) -> None:
        write(self, name, data)
        if name.startswith("work/scan") and "plan" not in name:
            server.stop()

    monkeypatch.setattr(stores.Store, "write", last)
    line = refused("run", "short.toml", "--run", where, cwd=folder, code=1)
    server.start()
    monkeypatch.undo()
    fresh()
    says = "the store does not answer any more; what is done stays done"
    assert re.match(rf"karez: scan: s3://bucket/gone/\S+: {says}", line), line
    server.delete("gone/lock")  # of this process, which goes on
    assert "ingest   files" not in run(folder, "short", where)
    assert server.is_same("gone", folder / "short")


def test_one_command_at_a_time(server: Store, folder: Path) -> None:
    where = "s3://bucket/held"
    command = [sys.executable, "-c", HOLD, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        line = refused("run", "short.toml", "--run", where, cwd=folder, code=1)
        works = rf"process {other.pid} on \S+ works on it, last heard of \d+ s ago; .*"
        after = r"after 60 s without a sign of life its lock is taken over\n"
        assert re.fullmatch(rf"karez: {where}: {works}{after}", line), line
        other.kill()
    assert (server.bucket / "held/lock").exists()
    run(folder, "short", where)  # on this machine it is seen to be dead
    assert server.is_same("held", folder / "short")


HOLD = """
import sys, time
from pipelines.runs import Run
with Run(sys.argv[1]).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def write_lock(folder: str, process: int) -> None:
    about = {"who": f"process {process} on far", "machine": "far", "process": process}
    s3.client().put_object(Bucket="bucket", Key=f"{folder}/lock", Body=json.dumps(about).encode())


def test_a_lock_of_another_machine_is_dead_after_a_minute_of_silence(server: Store) -> None:
    where, lock = "s3://bucket/far", server.bucket / "far/lock"
    write_lock("far", 7)
    with pytest.raises(BusyError, match="process 7 on far works on it"), Run(where).lock():
        pass
    os.utime(lock, (time.time() - 61,) * 2)
    with Run(where).lock() as ours:
        assert "far" not in lock.read_text()
        ours.save()
        write_lock("far", 8)
        with pytest.raises(BusyError, match="process 8 on far took over"):
            ours.save()
    assert "process 8" in lock.read_text()  # it is theirs


def test_a_lock_is_ours_though_the_answer_got_lost(
    server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is sent again then, and finds what it made itself."""

    def forgets(store: s3.S3Store, name: str, body: bytes, tag: str) -> None:
        assert puts(store, name, body, tag)

    puts = s3.S3Store.put_if
    monkeypatch.setattr(s3.S3Store, "put_if", forgets)
    with Run("s3://bucket/lost").lock() as ours:
        ours.save()


def test_a_lock_is_renewed_while_it_is_held(server: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.05)
    lock = server.bucket / "beat/lock"
    with Run("s3://bucket/beat").lock():
        first = lock.read_bytes()
        assert wait_for(lambda: lock.exists() and lock.read_bytes() not in (first, b""))
    assert not lock.exists()


def test_a_folder_of_somebody_elses(server: Store, folder: Path) -> None:
    server.put("theirs/photo.jpg", b"a photo")
    line = refused("run", "short.toml", "--run", "s3://bucket/theirs", cwd=folder)
    assert "s3://bucket/theirs: is no run folder and holds photo.jpg" in line


def test_commands_look_into_a_store(server: Store, folder: Path) -> None:
    plan = json.loads(well("plan", "whole.toml", "--run", WHOLE, "--json", cwd=folder))
    assert "publish" in plan["sealed"]
    opened = Opened(WHOLE)
    assert opened.arrow().equals(Opened(folder / "whole").arrow())
    assert opened.recipe.name == "stored"
    key = opened.arrow(["id"])["id"][0].as_py()
    explained = json.loads(well("explain", WHOLE, key, "--json", cwd=folder))
    assert explained["document"]["id"] == key
    for out, lies in (
        (None, server.bucket / THERE / "report.html"),
        ("here.html", folder / "here.html"),
        ("s3://bucket/reports/there.html", server.bucket / "reports/there.html"),
    ):
        told = well("view", WHOLE, *(["--out", out] if out else []), cwd=folder)
        assert told.strip() == (out or f"{WHOLE}/report.html")
        assert lies.read_text().startswith("<!DOCTYPE html>")
    server.delete(f"{THERE}/report.html")


def test_documents_are_taken_from_a_run_on_a_store(server: Store, folder: Path) -> None:
    assert "ingest   files" not in run(folder, "short", "s3://bucket/taken", "--from", WHOLE)
    assert not (server.bucket / "taken/documents").exists()
    run(folder, "short", "taken", "--from", WHOLE)  # into a local folder
    assert files(folder / "taken/dataset") == files(folder / "short/dataset")
    assert server.is_same("taken", folder / "short")


def test_a_run_on_a_store_is_one_to_dedup_against(server: Store, folder: Path) -> None:
    text = (folder / "whole.toml").read_text()
    (folder / "new.toml").write_text(text.replace("[dedup]", f'[dedup]\nagainst = ["{WHOLE}"]'))
    run(folder, "new", "s3://bucket/new")
    before, after = (
        {row["id"]: row["reason"] for row in Opened(place).arrow(["id", "reason"]).to_pylist()}
        for place in (WHOLE, "s3://bucket/new")
    )
    kept = [id_ for id_, reason in after.items() if reason is None]
    others = {"over the cap", "near train", "not selected"}  # which it did not keep
    assert {before[id_] for id_ in kept} <= others
    assert sum(reason == "duplicate" for reason in after.values()) > 9
    line = refused("run", "new.toml", "--run", f"{WHOLE}/", cwd=folder)
    assert "is this run's own folder" in line
    (folder / "none.toml").write_text(
        text.replace("[dedup]", '[dedup]\nagainst = ["s3://bucket/0"]')
    )
    line = refused("plan", "none.toml", cwd=folder)
    assert line.endswith("[dedup] against: s3://bucket/0: s3://bucket/0 is no run folder\n")


def test_notes_go_before_the_files_that_they_tell_of(
    server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stores.folder("s3://bucket/order")
    for name in ("a.arrow", "b.json", "c.arrow", "plan.json"):
        folder.write(f"work/{name}", b"")
    gone: list[str] = []

    def delete(Bucket: str, Delete: dict[str, list[dict[str, str]]]) -> dict[str, str]:  # noqa: N803
        gone.extend(each["Key"] for each in Delete["Objects"])
        return {}

    monkeypatch.setattr(s3, "client", lambda: SimpleNamespace(delete_objects=delete))
    monkeypatch.setattr(s3, "MANY", 1)
    folder.delete("work")
    assert [key.rpartition("/")[2] for key in gone] == ["b.json", "plan.json", "a.arrow", "c.arrow"]


def test_sources_are_not_read_from_a_store(folder: Path) -> None:
    text = (folder / "short.toml").read_text()
    (folder / "there.toml").write_text(text.replace("faults.warc.gz", "s3://bucket/a.warc"))
    for command in (["plan", "there.toml"], ["run", "s3://bucket/a.warc"]):
        line = refused(*command, cwd=folder)
        assert "sources are local files; only runs lie on a store" in line
