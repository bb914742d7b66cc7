"""Trainings side by side, each a process of its own; what is done is not done again."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.errors import RunError
from pipelines.trainer.job import Job, environment

Progress = Callable[[str, int], None]
"""Is called with a job's name and the tokens that it learned from so far."""


def workers(device: str) -> int:
    """How many models are trained at a time: one a core, or one on a GPU."""
    return 1 if device == "cuda" else len(os.sched_getaffinity(0))


def trained(
    jobs: Mapping[str, Job], count: int, told: Progress, ended: Callable[[str], None]
) -> dict[str, Any]:
    """What comes of each job; of those that were done before it is read.

    Args:
        jobs: by name, in the order they are begun.
        count: at a time.
        told: see `Progress`.
        ended: is called with the name of a job that is done.

    Raises:
        RunError: if one fails, with the last it said.
    """
    started: list[subprocess.Popen[str]] = []
    left = {job.out: (name, job) for name, job in jobs.items() if not Path(job.out).exists()}
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="karez-jobs-") as place:

        def one(name: str, job: Job) -> None:
            if not stop.is_set():
                file = Path(place, Path(job.out).name)
                file.write_text(json.dumps(asdict(job)))
                _run(file, started, lambda tokens: told(name, tokens))
                ended(name)

        with ThreadPoolExecutor(count) as pool:
            futures = [pool.submit(one, name, job) for name, job in left.values()]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                stop.set()
                for process in started:
                    with suppress(OSError):
                        process.terminate()
                raise
    return {name: json.loads(Path(job.out).read_text()) for name, job in jobs.items()}


def _run(file: Path, started: list[subprocess.Popen[str]], told: Callable[[int], None]) -> None:
    line = [sys.executable, "-P", "-m", "pipelines.trainer.job", str(file)]
    with (
        file.with_suffix(".said").open("w+") as said,
        subprocess.Popen(
            line,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=environment(),
            start_new_session=True,  # Ctrl-C is for us; we end it
        ) as process,
    ):
        started.append(process)
        for row in process.stdout or ():
            told(json.loads(row)["tokens"])
        if process.wait():
            said.seek(0)
            last = [*filter(None, said.read().splitlines()), f"ended with {process.returncode}"][-1]
            raise RunError(f"a training failed: {last}")
