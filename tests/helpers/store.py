"""Stores whose objects lie as files in a folder; and a real S3-compatible one, versitygw."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from pipelines.runs import s3
from tests.helpers.begun import free_port, wait_for_server
from tests.helpers.command import files, leftovers
from tests.helpers.needs import built

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
KEY, SECRET = "karez", "water"
STRANGER = "stranger"  # a key with no rights on the bucket
BUCKET = "bucket"


class Server:
    """A store's server, its folder, and how it is reached.

    Attributes:
        scheme: of its addresses.
        command: that runs it.
        environment: variables for the server and for who uses it.
        bucket: the folder in which the objects of our bucket lie.
    """

    scheme: str
    command: list[str]
    environment: dict[str, str]

    def __init__(self, folder: Path, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.folder, self.bucket = folder, folder / "objects" / BUCKET
        self.bucket.mkdir(parents=True)
        self.host, self.port = host, port or free_port()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        wait_for_server(self.port, self.host)

    def begin(self, prefix: Sequence[str] = ()) -> None:
        """Start it, by a command that is put before its own."""
        self.process = subprocess.Popen(
            [*prefix, *self.command],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End it, at once."""
        self.process.kill()
        self.process.wait()

    def put(self, name: str, body: bytes) -> None:
        """Make an object."""
        (self.bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (self.bucket / name).write_bytes(body)

    def delete(self, name: str) -> None:
        """Delete an object."""
        (self.bucket / name).unlink()

    def at(self, name: str) -> str:
        """The address of a run folder in our bucket."""
        return f"{self.scheme}://{BUCKET}/{name}"

    def is_same(self, name: str, local: Path) -> bool:
        """Whether a run folder has the dataset of a local one, and nothing is left in it."""
        there = self.bucket / name
        same = files(there / "dataset") == files(local / "dataset")
        return same and leftovers(there) == set() and not (there / "lock").exists()


class Store(Server):
    """An S3-compatible store."""

    scheme = "s3"

    def __init__(self, folder: Path, port: int | None = None, host: str = "127.0.0.1") -> None:
        super().__init__(folder, port, host)
        (folder / "users").mkdir()
        user = {"access": STRANGER, "secret": SECRET, "role": "user"}
        (folder / "users/users.json").write_text(json.dumps({"accessAccounts": {STRANGER: user}}))
        self.command = [
            built(MODULE, "versitygw-1.8.0"), "--quiet", "--port", f"{host}:{self.port}",
            "--iam-dir", str(folder / "users"), "posix", str(folder / "objects"),
        ]  # fmt: skip
        self.environment = {
            "ROOT_ACCESS_KEY": KEY,
            "ROOT_SECRET_KEY": SECRET,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{self.port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


S = TypeVar("S", bound=Server)


@contextmanager
def store(server: S) -> Iterator[S]:
    """A store that runs while the block does, and that this process knows."""
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in server.environment.items():
                patch.setenv(name, value)
            fresh()
            yield server
    finally:
        fresh()
        server.stop()


def fresh() -> None:
    """Forget the store that this process knows."""
    for known in (s3.filesystem, s3.client, s3.region):
        known.cache_clear()
