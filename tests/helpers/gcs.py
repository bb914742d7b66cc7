"""An emulator of Google's store, and Google's libraries."""

from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.helpers.command import ROOT
from tests.helpers.needs import beside, built
from tests.helpers.store import BUCKET, Server

MODULE = "github.com/fsouza/fake-gcs-server@v1.56.1"


def google() -> str:
    """A Python with what Beam and stores want of Google's libraries: 360 MB."""
    return beside("google", "--require-hashes", "-r", str(ROOT / "infra/requirements-google.txt"))


class GoogleStore(Server):
    """The emulator; it does not see a file that others put into its folder."""

    scheme = "gs"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.command = [
            built(MODULE, "fake-gcs-server-1.56.1"),
            "-scheme", "http", "-host", self.host, "-port", str(self.port),
            "-backend", "filesystem", "-filesystem-root", str(folder / "objects"),
        ]  # fmt: skip
        self.url = f"http://{self.host}:{self.port}"
        self.environment = {"STORAGE_EMULATOR_HOST": self.url}

    def put(self, name: str, body: bytes) -> None:
        """Make an object."""
        place = f"upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        urlopen(Request(f"{self.url}/{place}", data=body, method="POST")).close()

    def delete(self, name: str) -> None:
        """Delete an object."""
        place = f"storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"
        urlopen(Request(f"{self.url}/{place}", method="DELETE")).close()
