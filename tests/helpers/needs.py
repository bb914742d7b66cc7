"""What a test needs beside Python: there, installed, or the test is skipped with the line to type.

Where the environment variable CI is set a skip is a failure: nothing may go unchecked unseen.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.command import ROOT


def program(name: str, package: str) -> str:
    """The path of a program; as root it is installed if it is missing.

    Args:
        name: of the program.
        package: Debian's, that holds it.
    """
    path = shutil.which(name) or _installed(name, package)
    if path is None:
        missing(f"{name} is not here; install it: sudo apt-get install {package}")
    return str(path)


def built(module: str, into: str) -> str:
    """The path of a program that Go builds, in a folder of build/.

    Args:
        module: with its version: ``example.org/cmd/name@v1.0.0``.
        into: name of the folder, which changes with the version.
    """
    place = ROOT / "build" / into
    path = place / module.partition("@")[0].rpartition("/")[2]
    if not path.exists():
        if shutil.which("go") is None:
            line = f"GOBIN={place} go install {module}"
            missing(f"{path.name} is not here, nor is Go; with Go type: {line}")
        worked("go", "install", module, GOBIN=str(place))
    return str(path)


def beside(name: str, *requirements: str) -> str:
    """The Python of an environment in build/ that sees all that ours does, and has more.

    Args:
        name: of its folder.
        requirements: as pip takes them; where a file that they name changes, it is made anew.
    """
    place = ROOT / "build" / name
    python, mark = place / "bin/python", place / "requirements"
    wanted = "\n".join(Path(r).read_text() if Path(r).is_file() else r for r in requirements)
    if not mark.exists() or mark.read_text() != wanted:
        for line in (
            [sys.executable, "-m", "venv", "--clear", str(place)],
            [str(python), "-m", "pip", "install", "--quiet", "--no-compile", *requirements],
        ):
            worked(*line)
            # it is written before pip looks, which then fetches only what we lack
            site = next(place.glob("lib/python*/site-packages"))
            (site / "ours.pth").write_text(sysconfig.get_path("purelib"))
        mark.write_text(wanted)
    return str(python)


def unpacked(package: str, digest: str = "") -> Path:
    """The files of a Debian package, unpacked into a folder of build/ and not installed.

    Args:
        package: its name; apt checks what it fetches against Debian's signed list.
        digest: the SHA-256 of its file, where that does not change with every mended fault.
    """
    place = ROOT / "build/debian" / package
    line = f"apt-get update && apt-get download {package}"
    if not place.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            missing(f"{package} is not here; on Debian 12 type: {line}")
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as name:
            said = _downloaded(Path(name), package)
            found = sorted(Path(name).glob("*.deb"))
            if not found:
                missing(f"this did not work:\n{line}\n{said}")
            if digest and hashlib.sha256(found[0].read_bytes()).hexdigest() != digest:
                missing(f"{found[0].name} is another one than was checked: want SHA-256 {digest}")
            subprocess.run(["dpkg-deb", "-x", found[0], f"{name}/root"], check=True)
            with contextlib.suppress(OSError):  # another test was first
                Path(name, "root").rename(place)
    return place


def missing(why: str) -> None:
    """Skip the test, or fail it where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def worked(*line: str | Path, **env: str) -> None:
    """Run what makes something, or skip the test with the line to type and what it said."""
    known = {**os.environ, **env}
    done = subprocess.run(line, env=known, capture_output=True, text=True, check=False)
    if done.returncode:
        typed = " ".join([*(f"{name}={value}" for name, value in env.items()), *map(str, line)])
        missing(f"this did not work:\n{typed}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@cache
def _installed(name: str, package: str) -> str | None:
    """The path of a program after an attempt to install it, made once a session."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return None
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        subprocess.run([apt, *arguments], env=quiet, capture_output=True, check=False, timeout=900)
    return shutil.which(name)


def _downloaded(folder: Path, package: str) -> str:
    """What apt said when it fetched a package; its lists are read anew only if it must."""
    said = ""
    for arguments in (["download", package], ["update"], ["download", package]):
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
            timeout=900,
        )
        said = done.stderr[-2000:]
        if list(folder.glob("*.deb")):
            break
    return said


def torch() -> None:
    """PyTorch and what else the extra `train` brings."""
    for name in ("torch", "tokenizers", "transformers"):
        if importlib.util.find_spec(name) is None:
            missing(f"{name} is not here; install it: pip install 'karez[train]', or make train")
