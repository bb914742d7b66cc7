"""Our pool of workers, asked by Beam's own job server: no Java, but the protocol of clusters."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.helpers.begun import SLOW, family, free_port, said, surroundings, wait_for
from tests.helpers.command import ROOT, files
from tests.helpers.making import write_two
from tests.test_sockets import is_alive, listening

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_two(tmp_path)
    return tmp_path


@contextmanager
def pool(*code: Path) -> Iterator[tuple[int, int]]:
    """A pool with the code of some folders, while the block runs: its port and process id."""
    port = free_port()
    begun = subprocess.Popen(
        [sys.executable, "-m", "pipelines.beam.pool", str(port)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, code))},
        cwd=code[0],
    )
    try:
        assert wait_for(lambda: listening([begun.pid]))
        yield port, begun.pid
    finally:
        everything = family(begun.pid)
        begun.kill()
        begun.wait()
        assert wait_for(lambda: not any(map(is_alive, everything))), "workers outlive their pool"


def options(port: int) -> list[str]:
    external = ("--environment_type=EXTERNAL", f"--environment_config=localhost:{port}")
    return ["--runner=PortableRunner", "--job_endpoint=embed", *external]


def test_workers_of_a_pool_make_the_same_bytes(folder: Path) -> None:
    done = said("run", "recipe.toml", "--run", "here", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    with pool(ROOT) as (port, pid):
        done = said("run", "recipe.toml", "--run", "there", "--", *options(port), cwd=folder)
        addresses = listening(family(pid))
    assert (done.returncode, done.stderr) == (0, "")
    assert files(folder / "there/dataset") == files(folder / "here/dataset")
    assert addresses and all(ip_address(each).is_loopback for each in addresses)


def test_a_worker_with_other_code_is_refused_before_it_reads(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for package in ("filters", "labeling", "graphs", "pipelines"):
        shutil.copytree(ROOT / package, other / package)
    with (other / "pipelines/units.py").open("a") as file:
        file.write("# changed\n")
    with pool(other) as (port, _):
        done = said("run", "recipe.toml", "--run", "run", "--", *options(port), cwd=folder)
    line, *more = done.stderr.splitlines()
    assert (done.returncode, more) == (1, [])
    assert line.startswith(f"karez: ingest: a worker on {os.uname().nodename} has karez 0.1")
    assert not (folder / "run/documents").exists()


OTHER = """\
import platform

from apache_beam.transforms import environments

platform.python_version = lambda: "3.99.1"
environments.sdk_base_version_capability = lambda: (
    "beam:version:sdk_base:apache/beam_python3.99_sdk:2.77.0"
)
"""
"""What a worker of another Python says that it is, to us and to Beam."""


def test_a_worker_of_another_python_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text(OTHER)
    with pool(ROOT, other) as (port, _):
        done = said("run", "recipe.toml", "--run", "run", "--", *options(port), cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f" has Python 3.99, the command 3.{sys.version_info[1]};" in done.stderr
    assert not (folder / "run/documents").exists()


@pytest.mark.parametrize("endpoint", ["127.0.0.1:1", "nowhere.invalid:8099", "8099"])
def test_no_job_server_is_one_line(endpoint: str, folder: Path) -> None:
    arguments = ("--", "--runner=PortableRunner", f"--job_endpoint={endpoint}")
    done = said("run", "recipe.toml", "--run", "run", *arguments, cwd=folder)
    assert done.stderr.startswith(f"karez: after --: --job_endpoint={endpoint}: no job server")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


PATIENT = (
    "from pipelines.beam import pipeline, jobs; "
    "jobs.PATIENCE = 6; from pipelines.cli import main; main()"
)


def test_a_job_that_takes_its_time_is_not_taken_for_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    write_two(tmp_path, '[measure]\n"slow:Slow" = {}\n')
    monkeypatch.setenv("SLOW", "8")
    with pool(ROOT, tmp_path) as (port, _):
        command = [sys.executable, "-c", PATIENT, "run", "recipe.toml", "--only"]
        for step in ("ingest", "scan"):
            done = subprocess.run(
                [*command, step, "--", *options(port)],
                cwd=tmp_path,
                env=surroundings(tmp_path),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert (done.returncode, done.stderr) == (0, "")
