"""What is typed first over files of one's own: what is told, what is kept, what is let through."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.command import here, table

WORDS = [
    f"A sentence of text number {n} with words in it that are not all alike. " for n in range(99)
]


def rows(count: int, **fields: object) -> str:
    return "".join(json.dumps({"text": WORDS[n] * 9, **fields}) + "\n" for n in range(count))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, in which one is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> CompletedProcess[str]:
    return here("run", *arguments, "--only", "ingest", cwd=Path.cwd())


def line(*arguments: str) -> str:
    """The one line of a command that fails."""
    done = run(*arguments)
    assert done.returncode == 1, done.stdout
    return done.stderr.strip()


def test_a_few_files_of_many_that_cannot_be_read_stop_nobody(place: Path) -> None:
    (place / "dump.jsonl").write_text(rows(40) + '{"text": "cut o')
    assert run("dump.jsonl").returncode == 0
    assert len(table(place / "runs/dump", "dead/ingest")) == 1


def test_a_text_that_is_too_large_says_what_to_do(place: Path) -> None:
    (place / "book.txt").write_text("water and hills " * 1_000_001)
    said = line("book.txt")
    assert "too large 1 (book.txt" in said and "at most 16.0 MB of text: cut it" in said


def test_a_run_that_fails_says_how_many_why_and_where_to_change_it(place: Path) -> None:
    (place / "dump.jsonl").write_text(rows(40) + '{"no": 1}\n' * 7 + "{\n" * 2)
    said = line("dump.jsonl")
    assert "9 of 49 records could not be read, the limit is 5.0%" in said
    assert "no text 7 (dump.jsonl at " in said
    assert "not JSON 2 (dump.jsonl at " in said
    assert 'text = "…"' in said
    assert f"{place}/runs/dump/recipe.toml" in said
    more = said.split("say limit = ")[1].split("}")[0] + "}"
    recipe = place / "runs/dump/recipe.toml"
    recipe.write_text(recipe.read_text().replace('{ dead = "5 %" }', more))
    assert run(str(recipe), "--run", "runs/dump").returncode == 0


def test_where_nothing_can_be_read_it_says_which_columns_there_are(place: Path) -> None:
    pq.write_table(pa.table({"content": WORDS, "score": [1.0] * 99}), place / "some.parquet")
    said = line("some.parquet")
    assert "nothing to read" in said
    assert "there are content, score" in said
    assert 'text = "…"' in said
    assert "runs/some/recipe.toml" in said


def test_files_of_unknown_kind_are_counted_by_their_ending(place: Path) -> None:
    (place / "in").mkdir()
    (place / "in/a.txt").write_text(WORDS[0])
    for n in range(3):
        (place / f"in/no{n}").write_text("?")
    for n in range(10):
        (place / f"in/x.e{n}").write_text("?")
    told = " ".join(run("in").stdout.split())
    assert "without ending 3" in told
    assert "others 3" in told  # of 11 endings 8 are named
    assert "no0" not in told


def test_a_recipe_that_was_changed_is_not_written_over(place: Path) -> None:
    (place / "dump.jsonl").write_text(rows(40))
    assert run("dump.jsonl", "--limit", "3").returncode == 0
    assert run("dump.jsonl").returncode == 0, "a limit is no change"
    recipe = place / "runs/dump/recipe.toml"
    mine = recipe.read_text().replace("words < 50", "words < 5")
    recipe.write_text(mine)
    refused = run("dump.jsonl")
    assert refused.returncode == 2
    assert "karez run runs/dump/recipe.toml --run runs/dump" in refused.stderr
    assert recipe.read_text() == mine
    assert run("runs/dump/recipe.toml", "--run", "runs/dump").returncode == 0


def test_another_folder_of_the_same_name_does_not_take_the_run(place: Path) -> None:
    for name in ("one/data", "two/data"):
        (place / name).mkdir(parents=True)
        (place / name / "dump.jsonl").write_text(rows(3, of=name))
    assert run("one/data").returncode == 0
    assert run("two/data").returncode == 2
    assert run("two/data", "--run", "runs/two").returncode == 0


def test_which_splits_of_a_dataset_are_read_is_told(place: Path) -> None:
    (place / "set/data").mkdir(parents=True)
    (place / "set/more").mkdir()
    for name in ("data/train", "data/test", "more/x"):
        (place / f"set/{name}.jsonl").write_text(rows(3))
    (place / "set/README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n"
        "    path: data/train.jsonl\n  - split: test\n    path: data/test.jsonl\n"
        "- config_name: extra\n  data_files: more/*.jsonl\n---\n"
    )
    assert "set: splits train, test; not config extra" in run("set").stdout
