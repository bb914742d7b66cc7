"""Whatever listens, listens on this machine alone; and workers end when they should."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.helpers.begun import SLOW, Begun, begin, family, kill, parent, wait_for
from tests.helpers.making import write_two

pytestmark = pytest.mark.slow

LISTENS = "0A"  # linux/include/net/tcp_states.h


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slow.py").write_text(SLOW)
    write_two(tmp_path, '[measure]\n"slow:Slow" = {}\n')
    return tmp_path


def sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.update(re.findall(r"socket:\[(\d+)\]", str(file.readlink())))
        except OSError:  # closed meanwhile
            continue
    return found


def listening(pids: list[int]) -> set[str]:
    """The addresses on which these processes listen for TCP."""
    addresses: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENS:
                addresses[rest[5]] = address(local.partition(":")[0])
    mine = set().union(*map(sockets, pids))
    return {addresses[inode] for inode in mine & addresses.keys()}


def address(digits: str) -> str:
    """An address as the kernel prints it: words of 32 bits, their bytes in reverse."""
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    return str(ip_address(b"".join(words).removeprefix(b"\0" * 10 + b"\xff\xff")))


def test_addresses_as_the_kernel_prints_them() -> None:
    assert address("0100007F") == "127.0.0.1"
    assert address("00000000000000000000000001000000") == "::1"
    assert address("0000000000000000FFFF00000100007F") == "127.0.0.1"


@contextmanager
def watched(begun: Begun) -> Iterator[set[str]]:
    """The addresses on which a command and its workers listen while the block runs."""
    seen: set[str] = set()
    ended = Event()

    def look() -> None:
        while not ended.wait(0.01):
            try:
                seen.update(listening(family(begun.pid)))
            except OSError:  # a process ended while it was looked at
                continue

    thread = Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="sockets are listed by Linux alone")
@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_listens_for_strangers(workers: int, folder: Path) -> None:
    arguments = ("run", "recipe.toml", "--workers", str(workers))
    with begin(*arguments, cwd=folder, env={"SLOW": "0.2"}) as begun, watched(begun) as seen:
        out, err = begun.communicate(timeout=120)
    assert (begun.returncode, err) == (0, ""), out
    assert all(ip_address(each).is_loopback for each in seen), seen
    assert bool(seen) == (workers > 1)


def under_way(folder: Path) -> bool:
    return any((folder / "runs/a/work/scan").glob("*/plan.json"))


def workers_of(begun: Begun) -> list[int]:
    """The processes that are forked once a step is under way."""
    return [pid for pid in family(begun.pid)[1:] if is_alive(pid) and parent(pid) != begun.pid]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are listed by Linux")
@pytest.mark.parametrize("end", ["a worker dies", "the command dies", "ctrl-c"])
def test_workers_and_their_command_end_together(end: str, folder: Path) -> None:
    arguments = ("run", "recipe.toml", "--workers", "2")
    with begin(*arguments, cwd=folder, env={"SLOW": "60"}) as begun:
        assert wait_for(lambda: under_way(folder) and len(workers_of(begun)) == 2, begun)
        workers = workers_of(begun)
        if end == "a worker dies":
            os.kill(workers[0], signal.SIGKILL)
        elif end == "ctrl-c":
            kill(begun, signal.SIGINT)
        else:
            begun.kill()
        _, err = begun.communicate(timeout=30)
        assert wait_for(lambda: not any(map(is_alive, workers)))
    said = {
        "a worker dies": "karez: a worker process ended with -9",
        "ctrl-c": "karez: interrupted; run it again and it goes on from here",
        "the command dies": "",
    }
    assert err.startswith(said[end])
    assert (err.count("\n"), begun.returncode) in [(1, 1), (0, -9)], err
