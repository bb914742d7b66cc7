"""One command on a run folder at a time, where no system holds a lock for us: on a store.

The lock is an object that a conditional PUT makes where there is none.  It says who holds it, and
is written again every `BEAT` seconds, each time on the condition that it is the one written last.
One that was not, for `SILENT` seconds by the store's own clock, is dead, and anybody may take it
over on the same condition; so is at once one of a process of this machine that is no more.  Who
lost the lock learns it before the next manifest is written.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pipelines.errors import BusyError, RunError
from pipelines.runs import stores
from pipelines.runs.stores import WAIT, Store

BEAT = 10  # seconds between two signs of life
LOCK = "lock"  # name of the file
SILENT = 60  # seconds without one after which a lock is dead


def myself() -> str:
    """This process, for others to read."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def machine() -> str:
    """What the processes have in common among which a number means one; "" if it cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


@dataclass(frozen=True)
class Held:
    """A lock as it lies there.

    Attributes:
        tag: of this writing of it.
        age: seconds since then.
    """

    tag: str
    age: float
    who: str
    machine: str
    process: int

    @property
    def is_dead(self) -> bool:
        """Whether its holder is no more, or was silent for too long."""
        is_here = self.machine != "" and self.machine == machine()
        return self.age >= SILENT or (is_here and not Path(f"/proc/{self.process}").exists())


class Lease:
    """A lock on a folder of a store, that we take and hold."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.store = cast(Store, stores.folder(folder))
        self.tag = ""
        self._one = threading.Lock()

    def take(self) -> None:
        """Make it, or take over a dead one.

        Raises:
            BusyError: if another command holds it, naming it.
        """
        there = None
        while there is None:  # it may be let go of between two of our requests
            if self._put(""):
                return
            there = self._look()
        if there.is_dead and self._put(there.tag):
            return
        raise BusyError(
            f"{self.folder}: {there.who} works on it, last heard of {max(0, there.age):.0f} s ago; "
            "wait, or take another --run folder.  Should it have died, run this again: after "
            f"{SILENT} s without a sign of life its lock is taken over"
        )

    def renew(self) -> None:
        """Give a sign of life.

        Raises:
            BusyError: if it is ours no more.
        """
        with self._one:
            if not self._put(self.tag):
                there = self._look()
                who = there.who if there is not None else "another command"
                raise BusyError(
                    f"{self.folder}: {who} took over, for nothing was heard of this one for "
                    f"{SILENT} s; what is done stays done"
                )

    def _put(self, tag: str) -> bool:
        """Write it, if what is there has this tag ("": is not there); whether it did."""
        about = {"who": myself(), "machine": machine(), "process": os.getpid()}
        body = json.dumps({**about, "sign": secrets.token_hex(6)}).encode()
        new = self.store.put_if(LOCK, body, tag)
        if new is None:
            found = self.store.tagged(LOCK)  # the first answer to a request may get lost
            new = found.tag if found is not None and found.body == body else None
        self.tag = new or self.tag
        return new is not None

    def _look(self) -> Held | None:
        found = self.store.tagged(LOCK)
        if found is None:
            return None
        try:
            about = json.loads(found.body)
            return Held(found.tag, found.age, about["who"], about["machine"], about["process"])
        except (ValueError, KeyError, TypeError):
            return Held(found.tag, found.age, "another command", "", 0)

    def drop(self) -> None:
        """Let go of it, unless another command took over."""
        self.store.drop(LOCK, self.tag)

    def beat(self, ended: threading.Event) -> None:
        """Renew it until it is let go of, or lost."""
        while not ended.wait(BEAT):
            with contextlib.suppress(RunError):  # said when the manifest is written
                self.renew()


@contextlib.contextmanager
def held(folder: str) -> Iterator[Lease]:
    """Hold a folder on a store while the block runs.

    Raises:
        BusyError: if another command holds it, naming it.
    """
    lease, ended = Lease(folder), threading.Event()
    lease.take()
    beats = threading.Thread(target=lease.beat, args=(ended,), daemon=True)
    beats.start()
    try:
        yield lease
    finally:
        ended.set()
        beats.join(WAIT)
        with contextlib.suppress(RunError):  # it dies by itself
            lease.drop()
