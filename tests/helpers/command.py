"""The command as a user types it, and what tests ask of a run folder."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

from pipelines.cli import main

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests/data/sample"
PLANTED: list[dict[str, Any]] = json.loads((SAMPLE / "planted.json").read_text())

Command = Callable[..., subprocess.CompletedProcess[str]]
"""`karez`, `here`, or `tests.helpers.begun.said`."""

Rows = dict[tuple[str, int], dict[str, Any]]
"""Documents with their decisions, by (file, offset)."""


def karez(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def here(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has its imports behind it: for tests that run it often."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(main, [str(a) for a in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(list(arguments), done.exit_code, done.stdout, done.stderr)


def well(*arguments: str | Path, cwd: Path, by: Command = here, **options: Any) -> str:
    """What a command prints that does well; but beside JSON it says nothing else."""
    done = by(*arguments, cwd=cwd, **options)
    quiet = "--json" in arguments or not done.stderr
    assert done.returncode == 0 and quiet, done.stdout + done.stderr
    return done.stdout


def refused(
    *arguments: str | Path, cwd: Path, code: int = 2, by: Command = here, **options: Any
) -> str:
    """The one line that a command says which ends with that code."""
    done = by(*arguments, cwd=cwd, **options)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stdout + done.stderr
    return done.stderr


def did(*arguments: str | Path, cwd: Path) -> list[str]:
    """The steps that a command does, which does well."""
    return re.findall(r"^(\w+) .* begins$", well(*arguments, cwd=cwd), re.MULTILINE)


def rows(run: Path) -> Rows:
    """All documents of a run with their decisions."""
    whole, decisions = table(run, "documents"), table(run, "decisions/documents")
    for name in decisions.column_names[1:]:
        whole = whole.append_column(name, decisions[name])
    return {(r["source"], r["offset"]): r for r in whole.to_pylist()}


def table(run: Path, name: str) -> pa.Table:
    return pq.read_table(run / name)


def shards(run: Path) -> list[Path]:
    return sorted((run / "dataset/data/documents").iterdir())


def files(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file()}


def leftovers(run: Path) -> set[str]:
    """Files that the manifest does not name."""
    tables = json.loads((run / "manifest.json").read_text())["tables"]
    named = {f"{name}/{part['name']}" for name, t in tables.items() for part in t["parts"]}
    return set(files(run)) - named - {"manifest.json", "recipe.toml", "lock"}


def counts(run: Path) -> dict[str, dict[str, int]]:
    """What each step of a run counted."""
    steps = json.loads((run / "manifest.json").read_text())["steps"]
    return {name: step["counts"] for name, step in steps.items()}


def notes(run: Path, step: str) -> list[Path]:
    """What finished tasks of a step left."""
    return [p for p in (run / "work" / step).glob("*/[!.]*.json") if p.name != "plan.json"]
