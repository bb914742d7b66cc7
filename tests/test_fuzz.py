"""Mutated inputs never make a reader raise, nor run for long, nor a kernel leave its arrays."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.readers import http
from pipelines.readers.indexed import PLACES
from tests.helpers import fuzzed
from tests.helpers.fuzzed import FUZZERS


def fuzz(seconds: int, seed: int) -> dict[str, int]:
    """How many inputs were read with bounds checks on, by fuzzer."""
    command = [sys.executable, "-m", "tests.helpers.fuzz", str(seconds), str(seed)]
    done = subprocess.run(
        command,
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        timeout=seconds + 900,  # with bounds checks all kernels are compiled anew
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout.split()
    return dict(zip(words[1::2], map(int, words[::2]), strict=True))


@pytest.mark.slow
def test_a_minute_of_mutated_inputs() -> None:
    counts = fuzz(60, 1)
    assert counts.keys() == FUZZERS.keys() and min(counts.values()) > 0


@pytest.mark.soak
def test_an_hour_of_mutated_inputs() -> None:
    assert min(fuzz(3600, 2).values()) > 100


@pytest.mark.parametrize("name", FUZZERS)
def test_what_is_mutated_is_read(name: str) -> None:
    for given in FUZZERS[name].given()[:3]:
        FUZZERS[name].read(given)


def negative() -> bytes:
    """A stream with an offset below 0."""
    table = pa.table({"text": ["seven"] * 7})
    with pa.ipc.new_stream(out := pa.BufferOutputStream(), table.schema) as writer:
        writer.write_table(table)
    body, offsets = out.getvalue().to_pybytes(), np.arange(0, 40, 5).astype(np.int32)
    at = body.index(offsets.tobytes())
    return body[: at + 8] + b"\xff" * 4 + body[at + 12 :]


def immense() -> bytes:
    """A quantised classifier that says of its vectors that they are longer than what is there."""
    (whole,) = fuzzed.model()
    begin = whole[: -(1 + 16 + 4 * 36) - (1 + 16 + 4 * 8)]
    said = struct.pack("<b b2qi", 1, 0, 1, 1 << 50, 1) + b"\0" + struct.pack("<4i", 1, 1, 1, 1)
    return begin + said + bytes(4 * 256)


def unreadable(schema: pa.Schema, name: str) -> bytes:
    """Parquet of a schema whose column of strings is no UTF-8."""
    arrays = {f.name: pa.array([9], pa.int64()) for f in schema if pa.types.is_int64(f.type)}
    arrays["url"] = pa.array(["long"])
    bad = pa.array([b"\xff\xfe"]).view(pa.string())
    table = pa.table({**arrays, name: bad})
    pq.write_table(table, out := pa.BufferOutputStream())
    return out.getvalue().to_pybytes()


FOUND: list[tuple[str, Callable[[], bytes]]] = [
    ("given", negative),
    ("index", lambda: fuzzed.place_rows()[0].replace(b"url", b"\x9arl")),
    ("recipe", lambda: b"seed = " + b"9" * 5_000),
    ("prices", lambda: b"cpu_hour = " + b"9" * 5_000),
    ("refusals", lambda: fuzzed.refused().replace(b"\x15", b"\xff", 1)),
    ("recipe", lambda: b'[limit]\nmemory = "' + b"9" * 400 + b' GB"'),
    ("rules", lambda: b"-(" * 400 + b"words" + b")" * 400),
    ("index", lambda: unreadable(PLACES, "warc_filename")),
    ("sealed", lambda: fuzzed.parquet()[0].replace(b"url", b"\x9arl")),
    ("model", immense),
]


@pytest.mark.parametrize(
    ("name", "body"), FOUND, ids=[f"{n}-{name}" for n, (name, _) in enumerate(FOUND)]
)
def test_what_was_found_is_a_fault_of_the_file(name: str, body: Callable[[], bytes]) -> None:
    FUZZERS[name].read(body())


def test_a_body_that_cannot_be_unpacked_leaves_nothing_behind() -> None:
    def held() -> int:
        return 4_096 * int(Path("/proc/self/statm").read_text().split()[0])

    before = held()
    for _ in range(100):
        with pytest.raises(http.CodingError, match="broken"):
            http.decode(b"no such thing", "", "br", 64_000_000)
    assert held() - before < 1_000_000_000
