"""Deduplication against earlier runs: the old always wins, and only like is compared with like."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from filters.exact import Exact
from tests.helpers.command import here
from tests.test_dedup import documents, edited, text


def ran(folder: Path, name: str, rows: list[dict[str, Any]], more: str = "", code: int = 0) -> str:
    """Run some documents under a name, with `[dedup]`; what it said if it failed."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{name}.jsonl").write_text(lines)
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\n[[source]]\nkind = "jsonl"\npaths = ["{name}.jsonl"]\n{more}'
    )
    done = here("run", f"{name}.toml", cwd=folder)
    assert done.returncode == code, done.stderr
    return done.stderr


def decided(folder: Path, run_name: str) -> dict[str, dict[str, Any]]:
    """By the user's own id: what was decided, and why."""
    run = folder / "runs" / run_name
    table = pq.read_table(run / "documents", columns=["id", "source_key"])
    for other in ("decisions/documents", "columns/documents/duplicates"):
        more = pq.read_table(run / other)
        for name in ("kept", "reason", "duplicate", "cluster", "equal"):
            if name in more.column_names and name not in table.column_names:
                table = table.append_column(name, more[name])
    return {row["source_key"]: row for row in table.to_pylist()}


OLD = documents(text(1), text(2), text(3), [*text(1), "twice"])


def test_what_an_earlier_run_kept_stays_kept(tmp_path: Path) -> None:
    ran(tmp_path, "old", OLD, "[dedup]\n")
    before = decided(tmp_path, "old")
    new = documents(edited(text(1), 2, 9), text(2), text(4), [*text(4), "more"])
    ran(tmp_path, "new", new, '[dedup]\nagainst = ["runs/old"]\nkeep = "source_key desc"\n')
    after = decided(tmp_path, "new")
    assert [after[str(i)]["reason"] for i in range(4)] == [
        "near duplicate",
        "duplicate",
        "near duplicate",
        None,
    ]
    kept = {row["id"] for row in before.values() if row["kept"]}
    assert {after["0"]["cluster"], after["1"]["cluster"]} <= kept
    assert after["2"]["cluster"] == after["3"]["id"]
    assert after["1"]["cluster"] == before["1"]["id"] and after["1"]["equal"]


def test_what_an_earlier_run_dropped_has_no_say(tmp_path: Path) -> None:
    ran(tmp_path, "old", OLD, '[rules]\nall = "words > 1"\n[dedup]\n')
    ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/old"]\n')
    assert [row["kept"] for row in decided(tmp_path, "new").values()].count(True) == 3


def test_several_runs_and_a_chain_of_runs(tmp_path: Path) -> None:
    ran(tmp_path, "one", documents(text(1), text(2)), "[dedup]\n")
    ran(tmp_path, "two", documents(text(2), text(3)), '[dedup]\nagainst = ["runs/one"]\n')
    ran(
        tmp_path,
        "three",
        documents(text(1), text(2), text(3), text(4)),
        '[dedup]\nagainst = ["runs/two", "runs/one"]\nlink = "leader"\n',
    )
    assert [row["kept"] for row in decided(tmp_path, "two").values()] == [False, True]
    assert [row["kept"] for row in decided(tmp_path, "three").values()] == [False] * 3 + [True]


def test_the_text_of_an_earlier_run_is_not_read(tmp_path: Path) -> None:
    ran(tmp_path, "old", OLD, "[dedup]\n")
    for part in (tmp_path / "runs/old/documents").iterdir():
        table = pq.read_table(part)
        blank = table.set_column(table.schema.get_field_index("text"), "text", [["?"] * len(table)])
        size = part.stat().st_size
        pq.write_table(blank, part)
        fix(tmp_path / "runs/old/manifest.json", part.name, size, part.stat().st_size)
    shutil.rmtree(tmp_path / "runs/old/dataset")
    ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/old"]\n')
    assert not any(row["kept"] for row in decided(tmp_path, "new").values())


def fix(manifest: Path, name: str, old: int, new: int) -> None:
    """Let the manifest know a file's new size."""
    value = json.loads(manifest.read_text())
    for part in value["tables"]["documents"]["parts"]:
        if (part["name"], part["size"]) == (name, old):
            part["size"] = new
    manifest.write_text(json.dumps(value))


def test_a_changed_earlier_run_is_looked_at_again(tmp_path: Path) -> None:
    ran(tmp_path, "old", documents(text(1)), "[dedup]\n")
    more = '[dedup]\nagainst = ["runs/old"]\n'
    ran(tmp_path, "new", documents(text(1), text(2)), more)
    ran(tmp_path, "old", documents(text(1), text(2)), "[dedup]\n")
    ran(tmp_path, "new", documents(text(1), text(2)), more)
    assert not any(row["kept"] for row in decided(tmp_path, "new").values())


@pytest.mark.parametrize(
    ("measure", "said"),
    [("seed = 2", "seed 2"), ("shingle = 4", "shingle 4"), ("rows = 4", "rows 4")],
)
def test_signatures_of_another_scheme_are_refused_by_name(
    tmp_path: Path, measure: str, said: str
) -> None:
    ran(tmp_path, "old", OLD, f"[measure]\nminhash = {{ {measure} }}\n[dedup]\n")
    told = ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/old"]\n', code=2)
    assert "runs/old" in told and said in told and "another scheme" in told
    assert not (tmp_path / "runs/new").exists()


def test_hashes_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exact, "version", 1)
    ran(tmp_path, "old", OLD, "[dedup]\n")
    monkeypatch.undo()
    told = ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/old"]\n', code=2)
    assert "hashes of texts are of another scheme (exact 1)" in told


def test_a_run_is_no_earlier_run_of_its_own(tmp_path: Path) -> None:
    ran(tmp_path, "new", OLD, "[dedup]\n")
    told = ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/../runs/new"]\n', code=2)
    assert "own folder" in told


def test_a_run_without_signatures_and_a_folder_that_is_none(tmp_path: Path) -> None:
    ran(tmp_path, "old", OLD)
    told = ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs/old"]\n', code=2)
    assert "has no columns/documents/minhash" in told
    told = ran(tmp_path, "new", OLD, '[dedup]\nagainst = ["runs"]\n', code=2)
    assert "is no run folder" in told


def test_against_and_equal_texts_give_the_same_bytes_twice(tmp_path: Path) -> None:
    ran(tmp_path, "old", OLD, "[dedup]\n")
    new = documents(*(edited(text(i % 5), i % 3, i) for i in range(60)))
    ran(tmp_path, "new", new, '[dedup]\nagainst = ["runs/old"]\n')
    first = (tmp_path / "runs/new/columns/documents/duplicates/part-00000-00.parquet").read_bytes()
    shutil.rmtree(tmp_path / "runs/new")
    ran(tmp_path, "new", new, '[dedup]\nagainst = ["runs/old"]\n')
    again = (tmp_path / "runs/new/columns/documents/duplicates/part-00000-00.parquet").read_bytes()
    assert first == again
