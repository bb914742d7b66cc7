"""Every reader and parser, given what is mutated.

``NUMBA_BOUNDSCHECK=1 python -m tests.helpers.fuzz SECONDS SEED [NAME…]``: without the variable no
kernel raises that reads or writes beyond its arrays.  Each turn is a process of its own, so a crash
of a library is a finding like others.
"""

import faulthandler
import mmap
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.helpers.fuzzed import FUZZERS, Fuzzer, warm

LARGEST = 400_000  # bytes of an input
SLOW = 2.0  # seconds that none may take, with bounds checks and on a busy machine
HUNG = 60  # seconds after which it is given up
MEMORY = 8_000_000_000  # bytes of address space
TURN = 20.0  # seconds
FOUND = Path(__file__).parents[2] / "build" / "fuzz"


def mutated(given: bytes, others: list[bytes], tokens: list[bytes], rng: random.Random) -> bytes:
    """An input with a few pieces cut, doubled, swapped, taken from another or made up."""
    data = bytearray(given)
    for _ in range(rng.choice((1, 2, 5, 20, 100))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 3, 10, 100, 2_000))
        kind = rng.randrange(6)
        if kind == 0:
            del data[at : at + size]
        elif kind == 1:
            data[at:at] = data[at : at + size] * rng.choice((1, 3, 50))
        elif kind == 2:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 3:
            other = rng.choice(others)
            begin = rng.randrange(len(other))
            data[at:at] = other[begin : begin + size]
        elif kind == 4:
            data[at:at] = rng.choice(tokens) * rng.choice((1, 1, 1, 600))
        else:
            del data[at + rng.choice((0, 500, 50_000)) :]
        del data[LARGEST:]
    return bytes(data)


def turn(fuzzer: Fuzzer, seconds: float, rng: random.Random, last: mmap.mmap) -> int:
    """Mutate and read for so long; how many inputs that were.  The last one is left."""
    count, end, given = 0, time.monotonic() + seconds, fuzzer.given()
    while time.monotonic() < end:
        data = mutated(rng.choice(given), given, fuzzer.tokens, rng)
        last[:LARGEST] = data.ljust(LARGEST, b"\0")
        last[LARGEST:] = len(data).to_bytes(8, "little")
        faulthandler.dump_traceback_later(HUNG, exit=True)
        begin = time.process_time()
        fuzzer.read(data)
        took = time.process_time() - begin
        if took > SLOW:
            raise TimeoutError(f"{took:.1f} s")
        count += 1
    return count


def apart(do: Callable[[], int], told: Path) -> int:
    """What a function gives that runs in a process of its own; -1: it failed, and `told` says why.

    It has memory for `MEMORY`.
    """
    child = os.fork()
    if child:
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended < 0:
            told.write_text(f"ended by signal {-ended}")
        return int(told.read_text()) if ended == 0 else -1
    try:
        with told.open("w") as out:
            faulthandler.enable(out)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            out.write(str(do()))
        os._exit(0)
    except BaseException:
        told.write_text(traceback.format_exc())
    finally:
        os._exit(1)


def main(seconds: float, seed: int, *names: str) -> int:
    """One fuzzer after the other, until the time is over; how many inputs failed."""
    FOUND.mkdir(parents=True, exist_ok=True)
    wanted = {name: FUZZERS[name] for name in names or FUZZERS}
    warm()
    counts, faults = Counter[str](), Counter[str]()
    end, length = time.monotonic() + seconds, min(TURN, seconds / len(wanted))
    last = mmap.mmap(-1, LARGEST + 8)
    while time.monotonic() < end:
        for name, fuzzer in wanted.items():
            seed += 1
            rng, told = random.Random(seed), FOUND / f"{name}-{seed}.txt"
            count = apart(partial(turn, fuzzer, length, rng, last), told)
            if count < 0:
                why = told.read_text().strip().splitlines() or ["hung"]
                faults[f"{name}: {why[-1]}"] += 1
                told.with_suffix("").write_bytes(last[: int.from_bytes(last[LARGEST:], "little")])
                print(f"{told}: {why[-1]}", flush=True)
            else:
                counts[name] += count
                told.unlink()
    print(" ".join(f"{counts[name]} {name}" for name in wanted))
    return sum(faults.values())


if __name__ == "__main__":
    sys.exit(min(main(float(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]), 1))
