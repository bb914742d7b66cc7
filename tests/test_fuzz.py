"""Mutated real pages never make a kernel read beyond its arrays, nor run for long."""

import os
import subprocess
import sys

import pytest


def fuzz(seconds: int, seed: int) -> int:
    """Pages that were read with bounds checks on."""
    command = [sys.executable, "-m", "tests.fuzz", str(seconds), str(seed)]
    done = subprocess.run(
        command,
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        timeout=seconds + 900,  # with bounds checks all kernels are compiled anew
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0])


@pytest.mark.slow
def test_a_minute_of_mutated_pages() -> None:
    assert fuzz(60, 1) > 100


@pytest.mark.soak
def test_an_hour_of_mutated_pages() -> None:
    assert fuzz(3600, 2) > 10_000
