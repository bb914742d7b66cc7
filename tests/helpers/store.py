"""A real S3-compatible store: versitygw, whose objects lie as files in a folder."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.begun import free_port, wait_for_server
from tests.helpers.needs import built

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
KEY, SECRET = "karez", "water"
STRANGER = "stranger"  # a key with no rights on the bucket
BUCKET = "bucket"


class Store:
    """The server, its folder, and how it is reached.

    Attributes:
        bucket: the folder in which the objects of our bucket lie.
        environment: variables for who uses it.
    """

    def __init__(self, folder: Path, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.program = built(MODULE, "versitygw-1.8.0")
        self.folder, self.bucket = folder, folder / "objects" / BUCKET
        self.bucket.mkdir(parents=True)
        (folder / "users").mkdir()
        user = {"access": STRANGER, "secret": SECRET, "role": "user"}
        (folder / "users/users.json").write_text(json.dumps({"accessAccounts": {STRANGER: user}}))
        self.host, self.port = host, port or free_port()
        self.environment = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{self.port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        wait_for_server(self.port, self.host)

    def begin(self, prefix: Sequence[str] = ()) -> None:
        """Start it, by a command that is put before its own."""
        self.process = subprocess.Popen(
            [
                *prefix,
                self.program, "--quiet", "--port", f"{self.host}:{self.port}",
                "--iam-dir", str(self.folder / "users"), "posix", str(self.folder / "objects"),
            ],
            env={**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        """End it, at once."""
        self.process.kill()
        self.process.wait()


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """A store that runs while the block does."""
    made = Store(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
