"""A real Flink cluster, and what it loses on the way: the bytes are those of one process."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.begun import Begun, begin, ran, said, wait_for
from tests.helpers.cluster import HUB, Cluster, cluster
from tests.helpers.command import ROOT, counts, files, leftovers, notes, well
from tests.helpers.making import write_pair
from tests.helpers.store import Store

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs/cluster.md").read_text()
SOURCES = ("help-en", "help-de", "python", "postgresql", "mirror", "faults")
BRAKE = '''\
"""A measure that takes its time while a file is there: what is killed must be under way."""

import time
from pathlib import Path

import pyarrow as pa


class Brake:
    needs = ("text",)
    columns = pa.schema([("nothing", pa.int32())])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if Path(__file__).with_name("brake").exists():
            time.sleep(2)
        return pa.record_batch([pa.nulls(batch.num_rows, pa.int32())], schema=self.columns)
'''


class Flink(NamedTuple):
    """A cluster, a folder with two recipes, what they made in one process, a brake; and a store.

    The recipe "whole" has every step, "short" has six.
    """

    cluster: Cluster
    folder: Path
    store: Store

    def options(self, parallelism: int) -> list[str]:
        """The page's, for this cluster."""
        found = re.search(r"^\$ karez run .* -- ((?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
        assert found
        line = found[1].replace("\\\n", " ").replace("flink:8099", f"{HUB}:8099")
        return re.sub(r"--parallelism=\d+", f"--parallelism={parallelism}", line).split()

    def command(self, recipe: str, run: Path | str, parallelism: int, *more: str) -> list[str]:
        """Arguments of karez, for the page's options, and some more of ours."""
        ours = ["run", f"{recipe}.toml", "--run", str(run), *more]
        return [*ours, "--", *self.options(parallelism)]

    def well(self, recipe: str, run: Path | str, parallelism: int = 4, *more: str) -> str:
        """What a command says that does well beside the job server."""
        command = self.command(recipe, run, parallelism, *more)
        done = said(*command, cwd=self.folder, prefix=self.cluster.spaces[0].inside())
        assert (done.returncode, done.stderr) == (0, ""), self.cluster.said()
        return done.stdout

    @contextmanager
    def scanning(self, run: Path, *more: str, at: str | None = None) -> Iterator[Begun]:
        """A command that runs the short recipe, when the first part is measured of six.

        Args:
            run: where the files of the run folder lie.
            more: options beside the page's.
            at: what the command calls that folder.
        """
        brake = self.folder / "brake"
        command, hub = self.command("short", at or run, 4), self.cluster.spaces[0].inside()
        command += more
        with begin(*command, cwd=self.folder, prefix=hub) as begun:
            brake.touch()
            try:
                assert wait_for(lambda: notes(run, "scan"), begun), begun.communicate()
                yield begun
            finally:
                brake.unlink()

    def is_same(self, recipe: str, run: Path) -> bool:
        """Whether a run published and counted what it does in one process, and left no more."""
        here = self.folder / recipe
        same = files(run / "dataset") == files(here / "dataset") and counts(run) == counts(here)
        return same and leftovers(run) == set()

    def is_quiet(self) -> bool:
        """Whether all workers have ended, as they do soon after their job."""
        return wait_for(lambda: not [*self.cluster.workers(1), *self.cluster.workers(2)])

    @contextmanager
    def restarting(self, run: Path) -> Iterator[None]:
        """What makes the JobManager begin a job anew, which makes what one process does."""
        before = self.restarts()
        yield
        assert self.restarts() > before
        assert self.is_same("short", run)
        assert self.is_quiet()

    def restarts(self) -> int:
        """How often the JobManager began a job anew."""
        log = self.cluster.folder / "jobmanager.log"
        return log.read_text().count("from state RUNNING to RESTARTING")


@pytest.fixture(scope="module")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    folder = tmp_path_factory.mktemp("flink")
    (folder / "brake.py").write_text(BRAKE)
    write_pair(folder, SOURCES, 60, '[measure]\n"brake:Brake" = {}\n')
    for name in ("whole", "short"):
        well("run", f"{name}.toml", "--run", name, cwd=folder, by=said)
    store = Store(folder / "store", 7070, HUB)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():  # the workers know it too
            patch.setenv(name, value)
        with cluster(folder / "cluster", folder) as running:
            yield Flink(running, folder, store)


@pytest.mark.parametrize(("parallelism", "exchange"), [(2, "files"), (4, "shuffle")])
def test_a_cluster_makes_the_same_bytes(
    parallelism: int, exchange: str, flink: Flink, tmp_path: Path
) -> None:
    flink.well("whole", tmp_path / "run", parallelism, "--exchange", exchange)
    assert flink.is_same("whole", tmp_path / "run")
    assert flink.is_quiet()


def test_the_run_folder_lies_on_a_store(flink: Flink) -> None:
    flink.store.begin(flink.cluster.spaces[0].inside())
    try:
        assert wait_for(lambda: flink.cluster.answers(HUB, flink.store.port))
        flink.well("whole", "s3://bucket/run")
    finally:
        flink.store.stop()
    assert flink.is_same("whole", flink.store.bucket / "run")
    assert flink.is_quiet()


def ended(begun: Begun) -> tuple[int, str]:
    """Exit code of a command, and what it said of errors."""
    _, err = begun.communicate(timeout=120)
    return begun.returncode, err


@pytest.mark.soak
def test_a_taskmanager_is_killed_and_replaced(flink: Flink, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with flink.restarting(run), flink.scanning(run) as begun:
        flink.cluster.kill("taskmanager 1")
        flink.cluster.start_taskmanager(1)
        assert ended(begun) == (0, "")


def test_a_taskmanager_is_killed_while_rows_travel(flink: Flink, tmp_path: Path) -> None:
    """What was sent is sent again, and what was counted is counted once."""
    before, hub = flink.restarts(), flink.cluster.spaces[0].inside()
    with begin(*flink.command("short", tmp_path / "run", 4), cwd=flink.folder, prefix=hub) as begun:
        assert wait_for(lambda: notes(tmp_path / "run", "publish"), begun), begun.communicate()
        others = flink.cluster.workers(2)
        for pid in others:  # so that the job is not over before
            os.kill(pid, signal.SIGSTOP)
        flink.cluster.kill("taskmanager 1")
        flink.cluster.start_taskmanager(1)
        for pid in others:
            os.kill(pid, signal.SIGCONT)
        assert ended(begun) == (0, "")
    assert flink.restarts() > before
    assert flink.is_same("short", tmp_path / "run")
    flink.cluster.kill("taskmanager 2")  # on which a worker may be left, until it ends
    flink.cluster.start_taskmanager(2)
    flink.cluster.wait_for_slots(4)
    assert flink.is_quiet()


def test_a_taskmanager_is_killed_and_not_replaced(flink: Flink, tmp_path: Path) -> None:
    run, forced = tmp_path / "run", "--execution_mode_for_batch=BATCH_FORCED"
    with flink.restarting(run):
        with flink.scanning(run, forced) as begun:
            flink.cluster.kill("taskmanager 1")
            assert ended(begun) == (0, "")
        flink.cluster.start_taskmanager(1)
        flink.cluster.wait_for_slots(4)


def test_the_store_is_away_while_a_job_runs(flink: Flink) -> None:
    hub = flink.cluster.spaces[0].inside()
    flink.store.begin(hub)
    assert wait_for(lambda: flink.cluster.answers(HUB, flink.store.port))
    try:
        with flink.scanning(flink.store.bucket / "away", at="s3://bucket/away") as begun:
            flink.store.stop()
            time.sleep(20)
            assert begun.poll() is None
            flink.store.begin(hub)
            assert ended(begun) == (0, "")
    finally:
        flink.store.stop()
    assert flink.is_same("short", flink.store.bucket / "away")
    assert flink.is_quiet()


MASTER = f"--flink_master={HUB}:8081"
IMPATIENT = (
    "from pipelines.beam import pipeline, jobs; "
    "jobs.PATIENCE = 15; from pipelines.cli import main; main()"
)


def test_a_cluster_without_free_slots_is_one_line(flink: Flink, tmp_path: Path) -> None:
    command = flink.command("short", tmp_path / "run", 9)
    python = flink.cluster.spaces[0].inside(sys.executable, "-c", IMPATIENT)
    done = ran(*python, *command, MASTER, cwd=flink.folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    says = "no worker has begun for 15 s: see that the cluster has as many free slots"
    assert done.stderr.startswith(f"karez: ingest: {says}")
    assert done.stderr.endswith("; the job is cancelled\n")
    assert wait_for(lambda: not flink.cluster.running())  # else it would keep the slots there are
    flink.well("short", tmp_path / "run")
    assert flink.is_same("short", tmp_path / "run")


@pytest.mark.parametrize("knows", [True, False])
def test_a_command_is_interrupted(knows: bool, flink: Flink, tmp_path: Path) -> None:
    """Where it knows Flink it cancels the job, which takes no more tasks; else it says which."""
    with flink.scanning(tmp_path / "run", *([MASTER] if knows else [])) as begun:
        os.kill(begun.pid, signal.SIGINT)
        code, err = ended(begun)
        assert (code, err.count("\n")) == (1, 1), err
        if knows:
            assert err == "karez: interrupted; run it again and it goes on from here\n"
            assert wait_for(lambda: not flink.cluster.running())
            last = max(flink.cluster.jobs(), key=lambda job: job["start-time"])
            assert last["state"] == "CANCELED"
        else:
            (name,) = [job["name"] for job in flink.cluster.jobs() if job["state"] == "RUNNING"]
            assert f"interrupted; cancel the job {name} in Flink; --flink_master" in err
            assert re.fullmatch(r"karez-stored-scan-[0-9a-f]{12}", name)
    assert wait_for(lambda: not flink.cluster.running())
    flink.well("short", tmp_path / "run")
    assert flink.is_same("short", tmp_path / "run")


@pytest.mark.soak
def test_workers_are_killed(flink: Flink, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with flink.restarting(run), flink.scanning(run) as begun:
        for pid in flink.cluster.workers(1):
            os.kill(pid, signal.SIGKILL)
        assert ended(begun) == (0, "")


def test_the_jobmanager_is_killed_and_the_next_command_goes_on(
    flink: Flink, tmp_path: Path
) -> None:
    with flink.scanning(tmp_path / "run") as begun:
        flink.cluster.kill("jobmanager")
        code, err = ended(begun)
    assert (code, err.count("\n")) == (1, 1), err
    assert err.startswith("karez: scan: the runner gave up: ")
    flink.cluster.start_jobmanager()
    flink.cluster.wait_for_slots(4)
    told = flink.well("short", tmp_path / "run")
    assert "ingest" not in told.partition("documents in")[0]
    assert flink.is_same("short", tmp_path / "run")
    assert flink.is_quiet()
