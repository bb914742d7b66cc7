"""An emulator of Google's store, whose objects lie as files in a folder; and Google's libraries."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.helpers.begun import free_port, wait_for_server
from tests.helpers.command import ROOT
from tests.helpers.needs import beside, built

MODULE = "github.com/fsouza/fake-gcs-server@v1.56.1"
BUCKET = "bucket"


def google() -> str:
    """A Python with what Beam and stores want of Google's libraries: 360 MB."""
    return beside("google", "--require-hashes", "-r", str(ROOT / "infra/requirements-google.txt"))


class GoogleStore:
    """The server, its folder, and how it is reached.

    Attributes:
        bucket: the folder in which the objects of our bucket lie.
        environment: variables for who uses it.
    """

    def __init__(self, folder: Path) -> None:
        self.program = built(MODULE, "fake-gcs-server-1.56.1")
        self.folder, self.bucket = folder, folder / "objects" / BUCKET
        self.bucket.mkdir(parents=True)
        self.port = free_port()
        self.environment = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{self.port}"}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        objects = str(self.folder / "objects")
        self.process = subprocess.Popen(
            [
                self.program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port),
                "-backend", "filesystem", "-filesystem-root", objects,
            ],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_server(self.port)

    def put(self, name: str, body: bytes) -> None:
        """Make an object; the server does not see a file that others put into its folder."""
        host = self.environment["STORAGE_EMULATOR_HOST"]
        url = f"{host}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        urlopen(Request(url, data=body, method="POST")).close()

    def delete(self, name: str) -> None:
        """Delete an object."""
        host = self.environment["STORAGE_EMULATOR_HOST"]
        url = f"{host}/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        urlopen(Request(url, method="DELETE")).close()

    def stop(self) -> None:
        """End it, at once."""
        self.process.kill()
        self.process.wait()


@contextmanager
def store(folder: Path) -> Iterator[GoogleStore]:
    """A store that runs while the block does."""
    made = GoogleStore(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
