"""Only what changed is done again; documents and columns of another run are taken by reference."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command import ROOT, did, files, shards
from tests.helpers.command import here as karez

pytestmark = pytest.mark.slow


LINES = [
    {"text": f"{'word ' * (10 * n)} number {n}", "id": n, "url": f"https://s{n % 3}.org/{n}"}
    for n in range(1, 21)
]


def recipe(folder: Path, **changes: str) -> Path:
    text = (
        'name = "a"\nseed = 1\n[[source]]\nkind = "jsonl"\npaths = ["*.jsonl"]\n'
        '[edits]\nrepeated_lines = { words = 3 }\n[rules]\nshort = "words < 50"\n'
        '[dedup]\n[publish]\nshard = "1 kB"\n'
    )
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{len(list(folder.glob('*.toml')))}.toml"
    path.write_text(text)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return tmp_path


def steps(*arguments: str | Path, cwd: Path) -> list[str]:
    """The steps that a run did."""
    return did("run", *arguments, cwd=cwd)


ALL = ["ingest", "scan", "rules", "dedup", "check", "split", "decide", "publish"]


def test_a_change_costs_what_stands_behind_it(folder: Path) -> None:
    assert steps(recipe(folder), cwd=folder) == ALL
    assert steps(recipe(folder), cwd=folder) == []
    again = steps(recipe(folder, **{"words < 50": "words < 60"}), cwd=folder)
    assert again == ["rules", "dedup", "check", "decide", "publish"]
    edit = steps(recipe(folder, **{"words = 3": "words = 4"}), cwd=folder)
    assert edit == ["scan", *ALL[2:5], *ALL[6:]]
    seed = steps(recipe(folder, **{"words = 3": "words = 4", "seed = 1": "seed = 2"}), cwd=folder)
    assert seed == ["check", "split", "decide", "publish"]  # who is drawn


def test_an_edit_that_is_taken_out_of_the_recipe_is_undone(folder: Path) -> None:
    line = {"text": f"Mail jo@example.org or call 212-555-0123. {'word ' * 60}", "id": "x"}
    (folder / "a.jsonl").write_text(json.dumps(line) + "\n")
    with_it = {"[edits]\n": '[edits]\npersonal_data = { replace = ["email", "phone"] }\n'}
    steps(recipe(folder, **with_it), cwd=folder)
    said = json.loads(karez("explain", "runs/a", "x", "--json", cwd=folder).stdout)
    assert said["edited_text"].startswith("Mail <email> or call <phone>. word")
    cuts = {e["reason"]: e["cut"] for e in said["edits"]}
    assert cuts == {"email": "jo@example.org", "phone": "212-555-0123"}
    shown = karez("explain", "runs/a", "x", cwd=folder).stdout
    assert "edits: email 1, phone 1" in shown and "+Mail <email> or call" in shown
    published = b"".join(path.read_bytes() for path in shards(folder / "runs/a"))
    assert b"<email>" in published and b"jo@example" not in published
    assert steps(recipe(folder), cwd=folder)[0] == "scan"
    steps(recipe(folder), "--run", "alone", cwd=folder)
    for name in ("dataset/data", "columns/documents/edits"):
        assert files(folder / "runs/a" / name) == files(folder / "alone" / name)
    assert b"jo@example.org" in b"".join(path.read_bytes() for path in shards(folder / "runs/a"))


def test_more_input_is_noticed(folder: Path) -> None:
    steps(recipe(folder), cwd=folder)
    (folder / "b.jsonl").write_text(json.dumps({"text": "another " * 70}) + "\n")
    assert steps(recipe(folder), cwd=folder) == ALL


def test_from_takes_by_reference_and_publishes_the_same(folder: Path) -> None:
    stricter = {"words < 50": "words < 90"}
    steps(recipe(folder), "--run", "one", cwd=folder)
    before = files(folder / "one")
    did = steps(recipe(folder, **stricter), "--run", "two", "--from", "one", cwd=folder)
    assert did == ["rules", "dedup", "check", "decide", "publish"]
    assert not (folder / "two/documents").exists()
    assert files(folder / "one") == before
    steps(recipe(folder, **stricter), "--run", "alone", cwd=folder)
    assert steps(recipe(folder, **stricter), "--run", "two", cwd=folder) == []
    datasets = [files(folder / name / "dataset") for name in ("two", "alone")]
    differ = {name for name, body in datasets[0].items() if datasets[1].get(name) != body}
    assert differ <= {"README.md"} and datasets[0].keys() == datasets[1].keys()


def test_documents_that_changed_in_the_other_run_are_not_taken_silently(folder: Path) -> None:
    steps(recipe(folder), "--run", "one", cwd=folder)
    steps(recipe(folder), "--run", "two", "--from", "one", cwd=folder)
    (folder / "b.jsonl").write_text(json.dumps({"text": "another " * 70}) + "\n")
    steps(recipe(folder), "--run", "one", cwd=folder)
    done = karez("run", recipe(folder), "--run", "two", cwd=folder)
    assert done.returncode == 1
    assert "have changed since" in done.stderr
    steps(recipe(folder), "--run", "two", "--from", "one", cwd=folder)


def figures(*arguments: str | Path, cwd: Path) -> dict[str, Any]:
    done = karez("run", *arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_first_documents_of_each_source(folder: Path) -> None:
    told = figures(recipe(folder), "--limit", "7", cwd=folder)
    assert told["documents"] == 7
    assert figures(recipe(folder), cwd=folder)["documents"] == len(LINES)


def test_one_step_alone(folder: Path) -> None:
    assert steps(recipe(folder), "--only", "ingest", cwd=folder) == ["ingest"]
    done = karez("run", recipe(folder), "--only", "rules", cwd=folder)
    assert (done.returncode, "needs scan first" in done.stderr) == (1, True)
    assert steps(recipe(folder), "--only", "scan", cwd=folder) == ["scan"]
    done = karez("run", recipe(folder), "--only", "rule", cwd=folder)
    assert (done.returncode, "did you mean rules" in done.stderr) == (2, True)


def test_the_plan_is_what_the_run_does(folder: Path) -> None:
    done = karez("plan", recipe(folder), "--json", cwd=folder)
    planned = json.loads(done.stdout)
    assert planned["sealed"] == []
    assert planned["sources"][0]["files"] == 1
    assert planned["rules"][0]["columns"] == ["words"]
    told = figures(recipe(folder), cwd=folder)
    again = json.loads(karez("plan", recipe(folder), "--json", cwd=folder).stdout)
    assert (again["sealed"], again["documents"]) == (ALL, told["documents"])
    measured = {p.name for p in (folder / "runs/a/columns/documents").iterdir()}
    assert set(again["measures"]) <= measured
    assert shards(folder / "runs/a")


def test_a_plan_reads_nothing_and_makes_nothing(folder: Path) -> None:
    karez("plan", recipe(folder), cwd=folder)
    assert not (folder / "runs").exists()
    done = karez("plan", ROOT / "infra/recipes/sample.toml", cwd=folder)
    assert "12 files" in done.stdout
