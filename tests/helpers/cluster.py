"""A real Flink cluster: a JobManager, TaskManagers, Beam's job server, and pools of our workers.

All of it runs in network namespaces that reach one another and nothing else, for Beam listens on
all interfaces.  A TaskManager and its pool share one, as the containers of a pod do.  The jars come
from Maven into build/flink.  Needs root and Linux.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.beam.jobs import OVER
from tests.helpers.begun import family, parent, surroundings
from tests.helpers.command import ROOT
from tests.helpers.needs import missing, program, worked

SETTINGS = ROOT / "infra/flink"
BUILD = ROOT / "build/flink"
HUB = "10.99.0.1"
SLOTS = 2  # of a TaskManager
MINUTE = 60

OPENS = (
    "lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent",
    "util.concurrent.atomic", "util.concurrent.locks",
)  # fmt: skip
JAVA = [
    "java",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # it does not live long enough for more
    "-XX:MaxMetaspaceSize=256m",
    f"-Dlog4j2.configurationFile=file:{SETTINGS}/log4j2.properties",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENS),
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "-cp",
    f"{BUILD}/classes:{BUILD}/jars/*",
]
"""Java 17 as Flink 1.19 wants it."""


def installed() -> None:
    """Java, and the jars in build/flink; or the test is skipped with the line to type."""
    if os.geteuid() != 0:
        missing("network namespaces want root: sudo make test")
    program("ip", "iproute2")
    program("javac", "default-jdk-headless")
    program("mvn", "maven")
    pom = SETTINGS / "pom.xml"
    mark = BUILD / "pom.xml"
    if not mark.exists() or mark.read_text() != pom.read_text():
        shutil.rmtree(BUILD, ignore_errors=True)
        worked(
            "mvn", "-B", "-q", "-f", pom, "dependency:copy-dependencies",
            "-DincludeScope=runtime", f"-DoutputDirectory={BUILD}/jars",
        )  # fmt: skip
        worked(
            "javac", "-cp", f"{BUILD}/jars/*", "-d", BUILD / "classes", SETTINGS / "JobServer.java"
        )
        shutil.copy(pom, mark)


class Space:
    """A network namespace with an address; it is there as long as its holder."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sleep", "infinity"]
        )
        mine = Path("/proc/self/ns/net").readlink()
        _wait(lambda: Path(f"/proc/{self.holder.pid}/ns/net").readlink() != mine, "a namespace")
        self.run("ip", "link", "set", "lo", "up")

    def inside(self, *command: str | Path) -> list[str]:
        """The command, to be run in it; it ends with who runs it."""
        enter = ["setpriv", "--pdeathsig", "KILL", "nsenter", "-n", "-t", str(self.holder.pid)]
        return [*enter, *map(str, command)]

    def run(self, *command: str) -> str:
        """What a command says that is run in it."""
        return subprocess.run(
            self.inside(*command), capture_output=True, text=True, check=True, timeout=MINUTE
        ).stdout

    def end(self) -> None:
        """What still runs in it keeps it."""
        self.holder.kill()
        self.holder.wait()

    def join(self, hub: "Space", number: int) -> None:
        """Lay a cable to the hub."""
        wire = f"wire{number}"
        hub.run(
            "ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0",
            "netns", str(self.holder.pid),
        )  # fmt: skip
        hub.run("ip", "link", "set", wire, "master", "hub", "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")


class Cluster:
    """The processes of a cluster.

    Attributes:
        folder: for logs and temporary files.
        spaces: the namespaces, the hub first.
        processes: by their names: "jobmanager", "jobserver", "taskmanager 1", "pool 1".
    """

    def __init__(self, folder: Path, path: Path) -> None:
        """Nothing runs yet.

        Args:
            folder: is made.
            path: where workers find modules of the user's own.
        """
        self.folder = folder
        folder.mkdir(parents=True)
        self.environment = surroundings(path)
        self.spaces = [Space(HUB)]
        hub = self.spaces[0]
        hub.run("ip", "link", "add", "hub", "type", "bridge")
        hub.run("ip", "address", "add", f"{HUB}/24", "dev", "hub")
        hub.run("ip", "link", "set", "hub", "up")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, space: Space, *command: str | Path) -> None:
        """Start a process; what it says goes into a file of its name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                space.inside(*command),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )

    def begin(self, managers: int = 2) -> None:
        """Start everything, and wait until there are slots."""
        self.start_jobmanager()
        for _ in range(managers):
            self.add_taskmanager()
        self.start_jobserver()
        self.wait_for_slots(managers * SLOTS)
        _wait(lambda: self.answers(HUB, 8099), "the job server")

    def start_jobmanager(self) -> None:
        """The one that gives out the work."""
        main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        self.start(
            "jobmanager", self.spaces[0], *JAVA, "-Xmx512m", main, *self._settings(),
            f"-Djobmanager.bind-host={HUB}", f"-Drest.bind-address={HUB}",
        )  # fmt: skip

    def start_jobserver(self) -> None:
        """What takes Beam's pipelines."""
        self.start(
            "jobserver", self.spaces[0], *JAVA, "-Xmx512m", "JobServer",
            f"--job-host={HUB}", "--job-port=8099", "--artifact-port=8098",
            "--expansion-port=8097", f"--flink-master=http://{HUB}:8081",
            f"--artifacts-dir={self.folder}/artifacts", f"--flink-conf-dir={self.settings()}",
        )  # fmt: skip

    def add_taskmanager(self) -> int:
        """One more, in a namespace of its own, with its pool; its number."""
        number = len(self.spaces)
        space = Space(f"10.99.0.{number + 1}")
        space.join(self.spaces[0], number)
        self.spaces.append(space)
        self.start_pool(number)
        self.start_taskmanager(number)
        return number

    def start_pool(self, number: int) -> None:
        """Our workers beside a TaskManager."""
        command = [sys.executable, "-m", "pipelines.beam.pool", "50000"]
        self.start(f"pool {number}", self.spaces[number], *command)

    def start_taskmanager(self, number: int) -> None:
        """In the namespace of that number."""
        space = self.spaces[number]
        main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
        self.start(
            f"taskmanager {number}", space, *JAVA, "-Xmx1g", "-XX:MaxDirectMemorySize=1g", main,
            *self._settings(), f"-Dtaskmanager.host={space.address}",
            f"-Dtaskmanager.resource-id=taskmanager-{number}",
        )  # fmt: skip

    def settings(self) -> Path:
        """A folder with nothing but the settings: Flink looks for others where ours lie."""
        place = self.folder / "conf"
        place.mkdir(exist_ok=True)
        shutil.copy(SETTINGS / "config.yaml", place)
        return place

    def _settings(self) -> list[str]:
        return [
            "--configDir",
            str(self.settings()),
            f"-Djobmanager.rpc.address={HUB}",
            f"-Drest.address={HUB}",
            f"-Dio.tmp.dirs={self.folder}/tmp",
        ]

    def kill(self, name: str) -> None:
        """With -9, and wait for its end."""
        self.processes[name].kill()
        self.processes[name].wait()

    def workers(self, number: int) -> list[int]:
        """Process ids of the workers of a pool: they are forked by a process of its own."""
        pool = self.processes[f"pool {number}"].pid
        return [pid for pid in family(pool) if parent(pid) not in (os.getpid(), pool)]

    def slots(self) -> int:
        """How many there are; none where no JobManager answers."""
        try:
            return int(json.loads(self.asked("/overview"))["slots-total"])
        except (subprocess.CalledProcessError, ValueError):
            return 0

    def jobs(self) -> list[dict[str, Any]]:
        """What the JobManager tells of each job."""
        return list(json.loads(self.asked("/jobs/overview"))["jobs"])

    def running(self) -> list[str]:
        """Names of the jobs that are not over."""
        return [job["name"] for job in self.jobs() if job["state"] not in OVER]

    def asked(self, path: str) -> str:
        """What the JobManager's REST interface answers."""
        ask = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
        return self.spaces[0].run(sys.executable, "-S", "-c", ask, f"http://{HUB}:8081{path}")

    def answers(self, host: str, port: int) -> bool:
        """Whether something listens there."""
        ask = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
        with contextlib.suppress(subprocess.CalledProcessError):
            self.spaces[0].run(sys.executable, "-S", "-c", ask, host, str(port))
            return True
        return False

    def wait_for_slots(self, count: int) -> None:
        """Until there are exactly so many."""
        _wait(lambda: self.slots() == count, f"{count} slots")

    def said(self) -> str:
        """The ends of all logs, for messages."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in logs)

    def stop(self) -> None:
        """Everything."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        for space in self.spaces:
            space.end()


@contextmanager
def cluster(folder: Path, path: Path) -> Iterator[Cluster]:
    """A cluster of two TaskManagers, while the block runs."""
    installed()
    made = Cluster(folder, path)
    try:
        made.begin()
        yield made
    finally:
        made.stop()


def _wait(condition: Callable[[], object], what: str) -> None:
    late = time.monotonic() + MINUTE
    while not condition():
        assert time.monotonic() < late, f"waited too long for {what}"
        time.sleep(0.1)
