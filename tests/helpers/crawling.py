"""A crawl in this process or in a child, and what tests ask of what it left."""

import os
import resource
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fastwarc import ArchiveIterator, WarcRecordType

from pipelines.crawl import rounds
from pipelines.engine.doing import How
from pipelines.errors import RunError
from pipelines.recipe.text import parse, rebased
from pipelines.runs import Run
from tests.helpers.begun import ran
from tests.helpers.command import ROOT

Rows = list[dict[str, Any]]


def recipe(*start: str, **options: Any) -> str:
    """A recipe that crawls this machine, fast."""
    keys: dict[str, Any] = {
        "delay": 0.05,
        "patience": 0.1,
        "timeout": 1.5,
        "retries": 0,
        "private": True,
    }
    keys |= {"contact": "crawler@example.org", "start": list(start)} | options
    lines = "".join(f"{name} = {_toml(value)}\n" for name, value in keys.items())
    return f'name = "a"\n[[source]]\nkind = "crawl"\n{lines}'


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def crawl(folder: Path, text: str, *options: str) -> Rows:
    """Crawl into a run folder; gives what was fetched, and if it is nothing."""
    parsed = parse(text, folder.parent / "a.toml")
    with Run(folder).lock() as run:
        run.folder.write("recipe.toml", rebased(text, "..").encode())
        try:
            rounds.bring(run, parsed, How(options))
        except RunError as error:
            if "no page was fetched" not in str(error):
                raise
    return fetches(folder)


def fetches(folder: Path) -> Rows:
    """The rows of the log, in order of time."""
    return sorted(table(folder, "frontier/fetches").to_pylist(), key=lambda row: row["time"])


def archives(folder: Path) -> list[Path]:
    """The WARC files of a run, in order."""
    return sorted((folder / "warc").glob("*.warc.gz"))


def records(
    folder: Path, kinds: WarcRecordType = WarcRecordType.response, **options: Any
) -> Iterator[Any]:
    """The records of a run's WARC files, in order; each is read before the next."""
    for path in archives(folder):
        with path.open("rb") as file:
            yield from ArchiveIterator(file, kinds, **options)


def bodies(folder: Path) -> dict[str, bytes]:
    """What the WARC files hold for each URL."""
    return {each.headers["WARC-Target-URI"]: each.reader.read() for each in records(folder)}


def warcio(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What warcio's command says."""
    program = Path(sysconfig.get_path("scripts"), "warcio")
    return ran(program, *arguments, cwd=ROOT)


def reasons(rows: Rows, name: str = "url") -> dict[str, list[str]]:
    """What became of each URL, in order."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row["reason"])
    return found


def table(folder: Path, name: str) -> pa.Table:
    """A sealed table of a run."""
    parts = Run(folder).table(name).parts
    return pa.concat_tables([pq.read_table(folder / name / part.name) for part in parts])


def frontier(folder: Path) -> dict[str, tuple[Any, ...]]:
    """What is known of each URL, but for times and ids."""
    names = ("kind", "depth", "state", "reason", "tries", "digest")
    rows = table(folder, "frontier/urls").to_pylist()
    return {row["url"]: tuple(row[name] for name in names) for row in rows}


class Child:
    """A crawl in a process of its own, begun with all imports behind it.

    Args:
        folder: of the run.
        text: its recipe.
        before: is called in the child first, with what the crawl must stumble over.
    """

    def __init__(self, folder: Path, text: str, before: Callable[[], None] | None = None) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(["pipelines.beam.pipeline", "pipelines.crawl.rounds"])
        self._told, told = context.Pipe(False)
        self.process = context.Process(target=_child, args=(folder, text, before, told))
        self.process.start()
        told.close()

    def wait(self, seconds: float = 60) -> int:
        """Until it ends; gives its exit code."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, "it hangs"
        return self.process.exitcode

    def kill(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.process.pid or 0, number)

    @property
    def memory(self) -> tuple[int, int]:
        """The most bytes that it held, before the crawl and at its end."""
        before, after = self._told.recv()
        return before, after


def _child(folder: Path, text: str, before: Callable[[], None] | None, told: Any) -> None:
    if before is not None:
        before()
    first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    crawl(folder, text)
    told.send((1024 * first, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def timed(work: Callable[[], object]) -> float:
    """CPU seconds of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
