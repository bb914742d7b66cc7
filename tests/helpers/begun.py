"""Commands that are under way: started in a group of their own, watched, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

Begun = subprocess.Popen[str]

TIMEOUT = 120  # seconds after which a command counts as hanging


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "pipelines", *map(str, arguments)]


def ran(
    *line: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What a program said, and its exit code; it may not hang."""
    return subprocess.run(
        line,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**surroundings(cwd), **(env or {})},
        check=False,
        timeout=TIMEOUT,
    )


def said(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """The same of a command of ours."""
    return ran(*prefix, *command(*arguments), cwd=cwd, env=env)


def surroundings(cwd: Path) -> dict[str, str]:
    """The environment of a command that finds our packages, and modules that stand in a folder."""
    here = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{cwd}"}


@contextmanager
def begin(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[Begun]:
    """A command that runs while the block does; no process of its group outlives the block."""
    begun = subprocess.Popen(
        [*prefix, *command(*arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**surroundings(cwd), **(env or {})},
        start_new_session=True,
    )
    try:
        yield begun
    finally:
        kill(begun)
        begun.communicate()


def kill(begun: Begun, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a command and all its workers."""
    with suppress(ProcessLookupError):
        os.killpg(begun.pid, number)


def wait_for(condition: Callable[[], object], begun: Begun | None = None) -> bool:
    """Look until it is so, or the command has ended; whether it was so."""
    late = time.monotonic() + TIMEOUT
    while not condition():
        if begun is not None and begun.poll() is not None:
            return bool(condition())
        assert time.monotonic() < late, "waited too long"
        time.sleep(0.005)
    return True


def free_port() -> int:
    """One that is free on all of this machine's addresses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for_server(port: int, host: str = "127.0.0.1") -> None:
    """Look until it answers."""

    def answers() -> bool:
        with suppress(OSError):
            socket.create_connection((host, port), 1).close()
            return True
        return False

    wait_for(answers)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it ended
                continue
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


SLOW = '''\
"""A measure that takes its time: what is cut off must be under way."""

import os
import time

import pyarrow as pa


class Slow:
    needs = ("text",)
    columns = pa.schema([("slow", pa.int32())])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        time.sleep(float(os.environ.get("SLOW", "0")))
        return pa.record_batch([pa.nulls(batch.num_rows, pa.int32())], schema=self.columns)
'''
"""A module that tests put beside their recipe, for ``[measure] "slow:Slow" = {}``."""
