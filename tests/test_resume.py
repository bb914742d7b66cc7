"""A command that was killed: the next one does what is missing, and ends with the same bytes."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.begun import SLOW, begin, kill, said, wait_for
from tests.helpers.command import files, leftovers, notes, well

pytestmark = pytest.mark.slow

PAGE = """

def page(text: str) -> str:
    time.sleep(float(os.environ.get("SLOW", "0")))
    return text.partition("<p>")[2]
"""
"""An extractor that takes its time."""

SOURCE = '[[source]]\nkind = "html"\npaths = ["{number}.html"]\nextract = "slow:page"\n'
RECIPE = """\
name = "cut"
{sources}
[[source]]
kind = "jsonl"
paths = ["rows.jsonl"]
[measure]
"slow:Slow" = {{}}
[dedup]
[publish]
shard = "200 B"
"""
PAGES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe whose ingest and scan are six slow tasks each, and whose publish is many."""
    folder = tmp_path_factory.mktemp("cut")
    (folder / "slow.py").write_text(SLOW + PAGE)
    for number in range(PAGES):
        (folder / f"{number}.html").write_text(f"<p>Page {number} {'and so on ' * 30}")
    rows = [{"text": f"Row {n} {'and so forth ' * (n % 20)}", "id": n} for n in range(400)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sources = "".join(SOURCE.format(number=number) for number in range(PAGES))
    (folder / "recipe.toml").write_text(RECIPE.format(sources=sources))
    well("run", "recipe.toml", "--run", "whole", cwd=folder, by=said)
    return folder


def cut(folder: Path, run: Path, step: str, many: int, workers: int = 1) -> None:
    """Kill a command when so many tasks of a step are done."""

    def under_way() -> bool:
        return len(notes(run, step)) >= many

    arguments = ("run", "recipe.toml", "--run", run, "--workers", str(workers))
    with begin(*arguments, cwd=folder, env={"SLOW": "0.4"}) as begun:
        assert wait_for(under_way, begun), begun.communicate()[1]
        kill(begun)
        begun.wait()
    tables = json.loads((run / "manifest.json").read_text())["tables"]
    assert not any(table in tables for table in FIRST[step]), "it was over already"


FIRST = {"ingest": ["documents"], "scan": ["columns/documents/slow.Slow"], "publish": ["dataset"]}
"""A table that a step makes."""


def finish(folder: Path, run: Path, recipe: str = "recipe.toml") -> None:
    well("run", recipe, "--run", run, cwd=folder, by=said)


def same(folder: Path, run: Path) -> bool:
    return files(run / "dataset") == files(folder / "whole/dataset")


@pytest.mark.parametrize(
    ("step", "many", "workers"),
    [("ingest", 2, 1), ("scan", 2, 1), ("publish", 20, 1), ("scan", 1, 2)],
)
def test_what_was_cut_off_is_finished(
    step: str, many: int, workers: int, folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    cut(folder, run, step, many, workers)
    parts = [p for note in notes(run, step) for p in made_by(run, note)]
    assert len(parts) >= 1
    before = {path: path.stat().st_mtime_ns for path in parts}
    finish(folder, run)
    assert same(folder, run)
    assert leftovers(run) == set()
    assert not (run / "work").exists()
    assert {path: path.stat().st_mtime_ns for path in parts} == before, "done twice"


def made_by(run: Path, note: Path) -> list[Path]:
    """The files that a finished task wrote."""
    parts = json.loads(note.read_text())["parts"]
    return [run / table / part["name"] for table in parts for part in parts[table]]


def test_what_another_recipe_does_not_want_is_swept(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    cut(folder, run, "scan", 2)
    (run / "columns/documents/slow.Slow/.part-00000.parquet.1.part").write_bytes(b"half")
    (run / ".manifest.json.1.part").write_bytes(b"half")
    text = (folder / "recipe.toml").read_text().replace('[measure]\n"slow:Slow" = {}\n', "")
    (folder / "other.toml").write_text(text)
    finish(folder, run, "other.toml")
    assert leftovers(run) == set()
    assert not list(run.glob("columns/documents/slow*/*"))
    assert same(folder, run)


def test_a_part_that_went_missing_is_made_again(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder / "whole", run)
    (run / "columns/documents/language/part-00002-00.parquet").unlink()
    (run / "dataset/README.md").unlink()
    finish(folder, run)
    assert same(folder, run)
    cut_short = run / "documents/part-00001-00.parquet"
    cut_short.write_bytes(cut_short.read_bytes()[:-5])
    finish(folder, run)
    assert same(folder, run)
    assert leftovers(run) == set()


def test_columns_of_other_documents_are_no_part_of_the_run(folder: Path, tmp_path: Path) -> None:
    run, work = tmp_path / "run", tmp_path / "work"
    shutil.copytree(folder, work, ignore=shutil.ignore_patterns("whole"))
    finish(work, run)
    with (work / "rows.jsonl").open("a") as file:
        file.write('{"text": "One more row", "id": 400}\n')
    text = (work / "recipe.toml").read_text()
    (work / "recipe.toml").write_text(text.replace('[measure]\n"slow:Slow" = {}\n', ""))
    finish(work, run)
    row = json.loads(well("explain", run, "400", "--json", cwd=work))
    assert row["document"]["text"] == "One more row"


def test_files_that_change_while_they_are_read(folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(folder, work, ignore=shutil.ignore_patterns("whole"))
    last = work / "4.html"
    with begin("run", "recipe.toml", "--run", "run", cwd=work, env={"SLOW": "0.6"}) as begun:
        assert wait_for(lambda: notes(work / "run", "ingest"), begun)
        last.rename(work / "gone")
        with (work / "0.html").open("a") as file:
            file.write(" One line more.")
        _, err = begun.communicate(timeout=60)
    assert (begun.returncode, err) == (0, "")
    dead = said("explain", "run", "No such file", cwd=work).stderr
    assert "a dead letter, cannot be opened" in dead
    assert "One line more" not in explained(work, "0.html")
    (work / "gone").rename(last)
    finish(work, work / "run")
    assert "One line more" in explained(work, "0.html")
    assert "Page 4" in explained(work, "4.html")


def explained(work: Path, key: str) -> str:
    return str(json.loads(said("explain", "run", key, "--json", cwd=work).stdout)["document"])


@pytest.mark.soak
@pytest.mark.parametrize("moment", range(30))
def test_thirty_moments(moment: int, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    workers = 1 + moment % 2
    for again in range(1 + moment % 3):  # killed once, twice, three times
        arguments = ("run", "recipe.toml", "--run", run, "--workers", str(workers))
        late = contextlib.suppress(subprocess.TimeoutExpired)
        with begin(*arguments, cwd=folder, env={"SLOW": "0.1"}) as begun, late:
            begun.wait(1.5 + moment * 0.25 + again * 0.7)
    finish(folder, run)
    assert same(folder, run)
    assert leftovers(run) == set()
    assert not (run / "work").exists()
