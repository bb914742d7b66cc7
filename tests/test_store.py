"""Run folders on a store: the bytes of a local run, and what goes wrong is said in one line."""

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
from tests.helpers.begun import begin, said, wait_for
from tests.helpers.command import ROOT, files, here, leftovers
from tests.helpers.making import write_pair
from tests.helpers.store import STRANGER, Store, store

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs/cluster.md").read_text()
WHOLE = re.findall(r"karez run recipe.toml --run (s3://\S+)$", PAGE, re.MULTILINE)[0]


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
    for known in (s3.filesystem, s3.client, s3.region):
        known.cache_clear()


@pytest.fixture(scope="module")
def folder(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes, "whole" with every step and "short" with six, and the local runs of both."""
    folder = tmp_path_factory.mktemp("recipes")
    write_pair(folder, ("help-en", "faults"), 40)
    for name in ("whole", "short"):
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
    assert set(re.findall(r"\bAWS_\w+(?==)", PAGE)) <= set(server.environment)
    assert is_same(server, folder, "whole", WHOLE)
    assert "begins" not in run(folder, "whole", WHOLE)
    assert is_same(server, folder, "whole", WHOLE)


def test_worker_processes_write_to_a_store(server: Store, folder: Path) -> None:
    where = "s3://bucket/workers"
    done = said("run", "short.toml", "--run", where, "--workers", "2", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"dataset  {where}/dataset\nrun      {where}\n" in done.stdout
    assert is_same(server, folder, "short", where)


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
            done = here(*command, cwd=folder)
            assert done.returncode == 2
            assert done.stderr.startswith(f"karez: {where}: {says}")
            assert done.stderr.count("\n") == 1
        done = here("explain", where, "some", cwd=folder)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
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
        done = here("run", "short.toml", "--run", "s3://bucket/mine", cwd=folder)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        says = "this key has no permission there; let it list, read, write and delete"
        assert done.stderr == f"karez: s3://bucket/mine: {says}\n"
    finally:
        monkeypatch.undo()
        fresh()
        s3.client().delete_bucket_policy(Bucket="bucket")


def test_a_store_that_is_away_for_a_while(server: Store, folder: Path) -> None:
    with begin("run", "short.toml", "--run", "s3://bucket/away", cwd=folder) as begun:
        assert wait_for((place(server, "s3://bucket/away") / "work/ingest").exists, begun)
        server.stop()
        time.sleep(6)  # 20 were tried by hand
        assert begun.poll() is None
        server.start()
        _, err = begun.communicate(timeout=120)
    assert (begun.returncode, err) == (0, "")
    assert is_same(server, folder, "short", "s3://bucket/away")


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
    done = here("run", "short.toml", "--run", where, cwd=folder)
    server.start()
    monkeypatch.undo()
    fresh()
    assert done.returncode == 1
    assert re.fullmatch(
        r"karez: scan: s3://bucket/gone/\S+: the store does not answer any more; "
        r"what is done stays done.*\n",
        done.stderr,
    ), done.stderr
    (place(server, where) / "lock").unlink()  # of this process, which goes on
    assert "ingest   files" not in run(folder, "short", where)
    assert is_same(server, folder, "short", where)


def test_one_command_at_a_time(server: Store, folder: Path) -> None:
    where, lock = "s3://bucket/held", place(server, "s3://bucket/held") / "lock"
    command = [sys.executable, "-c", HOLD, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        done = here("run", "short.toml", "--run", where, cwd=folder)
        assert done.returncode == 1
        assert re.fullmatch(
            rf"karez: {where}: process {other.pid} on \S+ works on it, last heard of \d+ s ago; .*"
            r"after 60 s without a sign of life its lock is taken over\n",
            done.stderr,
        ), done.stderr
        other.kill()
    assert lock.exists()
    run(folder, "short", where)  # on this machine it is seen to be dead
    assert is_same(server, folder, "short", where)


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
    where, lock = "s3://bucket/far", place(server, "s3://bucket/far") / "lock"
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
    lock = place(server, "s3://bucket/beat") / "lock"
    with Run("s3://bucket/beat").lock():
        first = lock.read_bytes()
        assert wait_for(lambda: lock.exists() and lock.read_bytes() not in (first, b""))
    assert not lock.exists()


def test_a_folder_of_somebody_elses(server: Store, folder: Path) -> None:
    (server.bucket / "theirs").mkdir()
    (server.bucket / "theirs/photo.jpg").write_bytes(b"a photo")
    done = here("run", "short.toml", "--run", "s3://bucket/theirs", cwd=folder)
    assert done.returncode == 2
    assert "s3://bucket/theirs: is no run folder and holds photo.jpg" in done.stderr


def test_commands_look_into_a_store(server: Store, folder: Path) -> None:
    done = here("plan", "whole.toml", "--run", WHOLE, "--json", cwd=folder)
    assert "publish" in json.loads(done.stdout)["sealed"]
    opened = Opened(WHOLE)
    local = Opened(folder / "whole")
    assert opened.arrow().equals(local.arrow())
    assert opened.recipe.name == "stored"
    key = opened.arrow(["id"])["id"][0].as_py()
    done = here("explain", WHOLE, key, "--json", cwd=folder)
    assert json.loads(done.stdout)["document"]["id"] == key
    for out, lies in (
        (None, place(server, WHOLE) / "report.html"),
        ("here.html", folder / "here.html"),
        ("s3://bucket/reports/there.html", server.bucket / "reports/there.html"),
    ):
        done = here("view", WHOLE, *(["--out", out] if out else []), cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == (out or f"{WHOLE}/report.html")
        assert lies.read_text().startswith("<!DOCTYPE html>")
    (place(server, WHOLE) / "report.html").unlink()


def test_documents_are_taken_from_a_run_on_a_store(server: Store, folder: Path) -> None:
    said_ = run(folder, "short", "s3://bucket/taken", "--from", WHOLE)
    assert "ingest   files" not in said_
    assert not (place(server, "s3://bucket/taken") / "documents").exists()
    run(folder, "short", "taken", "--from", WHOLE)  # into a local folder
    assert files(folder / "taken/dataset") == files(folder / "short/dataset")
    assert is_same(server, folder, "short", "s3://bucket/taken")


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
    done = here("run", "new.toml", "--run", f"{WHOLE}/", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is this run's own folder" in done.stderr
    (folder / "none.toml").write_text(
        text.replace("[dedup]", '[dedup]\nagainst = ["s3://bucket/0"]')
    )
    done = here("plan", "none.toml", cwd=folder)
    assert done.stderr.endswith("[dedup] against: s3://bucket/0: s3://bucket/0 is no run folder\n")


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
        done = here(*command, cwd=folder)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "sources are local files; only runs lie on a store" in done.stderr
