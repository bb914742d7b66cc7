"""Small corpora that a test writes itself: run, and asked what became of each document."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers.command import here

Rows = list[dict[str, Any]]

GOOD = "".join(
    json.dumps({"text": f"{'good words ' * 9}{n}", "id": f"good {n}"}) + "\n" for n in range(9)
)
"""Lines of JSON that have nothing wrong."""


def recipe(
    folder: Path, rows: Sequence[dict[str, Any]], rest: str = "", parts: int = 1, name: str = "a"
) -> Path:
    """A recipe over rows of JSON lines, dealt out to so many files, each of which is a part.

    Args:
        folder: for the recipe and its files, and for the run.
        rows: one or more for each part.
        rest: what the recipe says after its sources.
        parts: how many files.
        name: of the run, the recipe and the files.
    """
    sources = ""
    for part in range(parts):
        lines = [json.dumps(row) for row in rows[part::parts]]
        (folder / f"{name}{part}.jsonl").write_text("\n".join(lines))
        sources += f'[[source]]\nkind = "jsonl"\npaths = ["{name}{part}.jsonl"]\n'
    (folder / f"{name}.toml").write_text(f'name = "{name}"\n{sources}{rest}\n')
    return folder / f"{name}.toml"


def ran(
    folder: Path, rows: Sequence[dict[str, Any]], rest: str = "", parts: int = 1, name: str = "a"
) -> Path:
    """The run folder of such a recipe."""
    done = here("run", recipe(folder, rows, rest, parts, name), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / name


def told(run: Path, *columns: str) -> pa.Table:
    """Of each document who it is and what was decided, and columns such as "quality/words"."""
    whole = pq.read_table(run / "documents", columns=["id", "source_key", "url"])
    decisions = pq.read_table(run / "decisions/documents")
    for name in ("kept", "reason"):
        whole = whole.append_column(name, decisions[name])
    for column in columns:
        table, _, name = column.partition("/")
        whole = whole.append_column(name, pq.read_table(run / "columns/documents" / table)[name])
    return whole


def begun(stdout: str) -> list[str]:
    """The steps that a command did, by what it said."""
    return [line.split()[0] for line in stdout.splitlines() if line.endswith("begins")]
