"""What a test needs beside Python: there, installed, or the test is skipped with the line to type.

Where the environment variable CI is set a skip is a failure: nothing may go unchecked unseen.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest

from tests.command import ROOT


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
    line = f"GOBIN={place} go install {module}"
    if not path.exists():
        if shutil.which("go") is None:
            missing(f"{path.name} is not here, nor is Go; with Go type: {line}")
        go = {**os.environ, "GOBIN": str(place)}
        done = subprocess.run(
            ["go", "install", module], env=go, capture_output=True, text=True, check=False
        )
        if done.returncode:
            missing(f"this did not work:\n{line}\n{done.stderr[-2000:]}")
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
            [str(python), "-m", "pip", "install", "--quiet", *requirements],
        ):
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            if done.returncode:
                missing(f"this did not work:\n{' '.join(line)}\n{done.stderr[-2000:]}")
            site = next(place.glob("lib/python*/site-packages"))
            (site / "ours.pth").write_text(sysconfig.get_path("purelib"))
        mark.write_text(wanted)
    return str(python)


def missing(why: str) -> None:
    """Skip the test, or fail it where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


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
