"""Deduplication against earlier runs: the old always wins, and only like is compared with like."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from filters.exact import Exact
from tests.helpers import corpora
from tests.helpers.command import here
from tests.helpers.corpora import Rows, ran, told
from tests.test_dedup import documents, edited, text

pytestmark = pytest.mark.slow


AGAINST = '[dedup]\nagainst = ["runs/old"]\n'


def refused(folder: Path, rows: Rows, more: str) -> str:
    """What is said of a run of that name, "new", which is not begun."""
    done = here("run", corpora.recipe(folder, rows, more, name="new"), cwd=folder)
    assert done.returncode == 2, done.stderr
    return done.stderr


def decided(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """By the user's own id: what was decided, and why."""
    table = told(folder / "runs" / name, "duplicates/cluster", "duplicates/equal")
    return {row["source_key"]: row for row in table.to_pylist()}


OLD = documents(text(1), text(2), text(3), [*text(1), "twice"])


def test_what_an_earlier_run_kept_stays_kept(tmp_path: Path) -> None:
    ran(tmp_path, OLD, "[dedup]", name="old")
    before = decided(tmp_path, "old")
    new = documents(edited(text(1), 2, 9), text(2), text(4), [*text(4), "more"])
    ran(tmp_path, new, f'{AGAINST}keep = "source_key desc"', name="new")
    after = decided(tmp_path, "new")
    reasons = [after[str(i)]["reason"] for i in range(4)]
    assert reasons == ["near duplicate", "duplicate", "near duplicate", None]
    kept = {row["id"] for row in before.values() if row["kept"]}
    assert {after["0"]["cluster"], after["1"]["cluster"]} <= kept
    assert after["2"]["cluster"] == after["3"]["id"]
    assert after["1"]["cluster"] == before["1"]["id"] and after["1"]["equal"]


def test_what_an_earlier_run_dropped_has_no_say(tmp_path: Path) -> None:
    ran(tmp_path, OLD, '[rules]\nall = "words > 1"\n[dedup]', name="old")
    ran(tmp_path, OLD, AGAINST, name="new")
    assert [row["kept"] for row in decided(tmp_path, "new").values()].count(True) == 3


def test_several_runs_and_a_chain_of_runs(tmp_path: Path) -> None:
    one, two, three, four = (text(i) for i in range(1, 5))
    ran(tmp_path, documents(one, two), "[dedup]", name="one")
    ran(tmp_path, documents(two, three), '[dedup]\nagainst = ["runs/one"]', name="two")
    both = '[dedup]\nagainst = ["runs/two", "runs/one"]\nlink = "leader"'
    ran(tmp_path, documents(one, two, three, four), both, name="three")
    assert [row["kept"] for row in decided(tmp_path, "two").values()] == [False, True]
    assert [row["kept"] for row in decided(tmp_path, "three").values()] == [False] * 3 + [True]


def test_the_text_of_an_earlier_run_is_not_read(tmp_path: Path) -> None:
    ran(tmp_path, OLD, "[dedup]", name="old")
    for part in (tmp_path / "runs/old/documents").iterdir():
        table = pq.read_table(part)
        blank = table.set_column(table.schema.get_field_index("text"), "text", [["?"] * len(table)])
        size = part.stat().st_size
        pq.write_table(blank, part)
        fix(tmp_path / "runs/old/manifest.json", part.name, size, part.stat().st_size)
    shutil.rmtree(tmp_path / "runs/old/dataset")
    ran(tmp_path, OLD, AGAINST, name="new")
    assert not any(row["kept"] for row in decided(tmp_path, "new").values())


def fix(manifest: Path, name: str, old: int, new: int) -> None:
    """Let the manifest know a file's new size."""
    value = json.loads(manifest.read_text())
    for part in value["tables"]["documents"]["parts"]:
        if (part["name"], part["size"]) == (name, old):
            part["size"] = new
    manifest.write_text(json.dumps(value))


def test_a_changed_earlier_run_is_looked_at_again(tmp_path: Path) -> None:
    for rows in (OLD[:1], OLD[:2]):
        ran(tmp_path, rows, "[dedup]", name="old")
        ran(tmp_path, OLD[:2], AGAINST, name="new")
    assert not any(row["kept"] for row in decided(tmp_path, "new").values())


@pytest.mark.parametrize(
    ("measure", "said"),
    [("seed = 2", "seed 2"), ("shingle = 4", "shingle 4"), ("rows = 4", "rows 4")],
)
def test_signatures_of_another_scheme_are_refused_by_name(
    tmp_path: Path, measure: str, said: str
) -> None:
    ran(tmp_path, OLD, f"[measure]\nminhash = {{ {measure} }}\n[dedup]", name="old")
    line = refused(tmp_path, OLD, AGAINST)
    assert "runs/old" in line and said in line and "another scheme" in line
    assert not (tmp_path / "runs/new").exists()


def test_hashes_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = Exact.columns.with_metadata({"scheme": "exact 1"})
    monkeypatch.setattr(Exact, "columns", columns)
    ran(tmp_path, OLD, "[dedup]", name="old")
    monkeypatch.undo()
    line = refused(tmp_path, OLD, AGAINST)
    assert "hashes of texts are of another scheme (exact 1)" in line


def test_a_run_is_no_earlier_run_of_its_own(tmp_path: Path) -> None:
    ran(tmp_path, OLD, "[dedup]", name="new")
    assert "own folder" in refused(tmp_path, OLD, '[dedup]\nagainst = ["runs/../runs/new"]')


def test_a_run_without_signatures_and_a_folder_that_is_none(tmp_path: Path) -> None:
    ran(tmp_path, OLD, name="old")
    assert "has no columns/documents/minhash" in refused(tmp_path, OLD, AGAINST)
    assert "is no run folder" in refused(tmp_path, OLD, '[dedup]\nagainst = ["runs"]')


def test_against_and_equal_texts_give_the_same_bytes_twice(tmp_path: Path) -> None:
    ran(tmp_path, OLD, "[dedup]", name="old")
    new = documents(*(edited(text(i % 5), i % 3, i) for i in range(60)))
    duplicates = tmp_path / "runs/new/columns/documents/duplicates/part-00000-00.parquet"
    bodies = []
    for _ in range(2):
        ran(tmp_path, new, AGAINST, name="new")
        bodies.append(duplicates.read_bytes())
        shutil.rmtree(tmp_path / "runs/new")
    assert bodies[0] == bodies[1]
