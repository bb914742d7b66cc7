"""Documents that share text with files that a recipe names: real runs, and what is refused."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.commands import explain
from pipelines.opened import Opened
from tests.helpers import command
from tests.helpers.command import here, refused, rows, table, well

QUESTION = (
    "Which of these tunnels brings water down from the hills to the fields by its own weight alone?"
)
ANSWER = "None does, since people lift all of it by hand with a bucket tied to a long rope."
OTHER = " ".join(f"word{i}" for i in range(30))
ITEM = {"question": QUESTION, "choices": {"text": ["a karez", ANSWER], "label": ["A", "B"]}}
SHORT = {"question": "What is it?", "answer": "a karez"}

TEXTS = {
    "whole": f"{OTHER} {QUESTION} {OTHER}",
    "set otherwise": f"{OTHER}\n{QUESTION.upper().replace(' ', ', ')}\n{OTHER}",
    "an answer": f"{OTHER} {ANSWER}",
    "twelve words": f"{OTHER} {' '.join(QUESTION.split()[:12])} {OTHER}",
    "both in part": f"{' '.join(QUESTION.split()[-9:])} {' '.join(ANSWER.split()[:9])}",
    "clean": OTHER,
    "short": "What is it?",
    "no words": "…",
}
RECIPE = """
name = "a"
[[source]]
kind = "jsonl"
paths = ["in.jsonl"]
[measure]
overlap = { files = ["given/*"] }
[rules]
contaminated = "overlap > 0"
"""
FILES = 'files = ["given/*"]'
ASKED = f"overlap = {{ {FILES} }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "place"
    (place / "given").mkdir(parents=True)
    lines = [json.dumps({"text": text, "id": key}) + "\n" for key, text in TEXTS.items()]
    (place / "in.jsonl").write_text("".join(lines))
    put(place / "given/b.jsonl", ITEM, SHORT)
    (place / "recipe.toml").write_text(RECIPE)
    return place


def put(path: Path, *items: object) -> None:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))


def did(folder: Path, *arguments: str | Path) -> list[str]:
    """The steps that a run did."""
    return command.did("run", "recipe.toml", *arguments, cwd=folder)


def dropped(folder: Path) -> dict[str, str | None]:
    found = rows(folder / "runs/a").values()
    return {row["source_key"]: row["reason"] for row in found}


def test_what_shares_thirteen_words_is_dropped_and_nothing_else(folder: Path) -> None:
    did(folder)
    contaminated = {"whole", "set otherwise", "an answer"}
    assert dropped(folder) == {k: "contaminated" if k in contaminated else None for k in TEXTS}
    columns = table(folder / "runs/a", "columns/documents/overlap").to_pylist()
    found = dict(zip(TEXTS, columns, strict=True))
    shares = {key: row["overlap"] for key, row in found.items() if row["overlap"]}
    assert shares == {"whole": 18 / 78, "set otherwise": 18 / 78, "an answer": 18 / 48}
    assert found["an answer"]["overlap_passage"] == " ".join(ANSWER.split()[:13])
    assert [row["overlap_longest"] for row in columns] == [18, 18, 18, 0, 0, 0, 0, 0]


def test_explain_says_what_was_found_and_in_which_file(folder: Path) -> None:
    put(folder / "given/z.jsonl", {"question": ANSWER})
    did(folder)
    said = " ".join(here("explain", "runs/a", "whole", cwd=folder).stdout.split())
    assert "Which of these tunnels brings water" in said
    assert "found in given/b.jsonl" in said and "z.jsonl" not in said
    opened = Opened(folder / "runs/a")
    (address,) = explain.find(opened, "an answer")
    named = explain.explained(opened, address)["overlaps"]
    assert named == ["given/b.jsonl", "given/z.jsonl"]
    shutil.rmtree(folder / "given")
    assert explain.explained(opened, address)["overlaps"] == []


@pytest.mark.slow
def test_two_workers_find_the_same(folder: Path) -> None:
    did(folder)
    did(folder, "--workers", "2", "--run", "two")
    name = "columns/documents/overlap"
    assert table(folder / "two", name) == table(folder / "runs/a", name)
    assert table(folder / "two", "decisions/documents").num_rows == len(TEXTS)


def text(path: Path) -> None:
    path.with_suffix(".md").write_text(f"# Questions\n\n{QUESTION}\n\nThe answer: {ANSWER}\n")


def lines(path: Path) -> None:
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(json.dumps(ITEM).encode()))


def whole(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"data": [ITEM, SHORT]}, indent=1))


def parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([ITEM]), path.with_suffix(".parquet"))


@pytest.mark.parametrize("write", [text, lines, whole, parquet])
def test_files_of_every_kind(folder: Path, write: Callable[[Path], None]) -> None:
    (folder / "given/b.jsonl").unlink()
    write(folder / "given/b")
    did(folder, "--only", "ingest")
    did(folder, "--only", "scan")
    columns = table(folder / "runs/a", "columns/documents/overlap").to_pylist()
    assert [row["overlap_longest"] for row in columns] == [18, 18, 18, 0, 0, 0, 0, 0]


MEASURED = ["scan", "rules", "decide", "publish"]


def test_changed_files_are_looked_for_anew_and_moved_ones_are_not(folder: Path) -> None:
    did(folder)
    (folder / "given/b.jsonl").rename(folder / "given/renamed.ndjson")
    shutil.copy(folder / "given/renamed.ndjson", folder / "given/copy.jsonl")
    assert did(folder) == []
    moved = folder.rename(folder.with_name("moved"))
    assert did(moved) == []
    put(moved / "given/copy.jsonl", ITEM, {"question": OTHER})
    os.utime(moved / "given/copy.jsonl", (0, 0))
    assert did(moved) == MEASURED
    assert dropped(moved)["clean"] == "contaminated"
    (moved / "given/copy.jsonl").unlink()
    assert did(moved) == MEASURED
    assert dropped(moved)["clean"] is None


def test_fewer_words_are_looked_for_anew(folder: Path) -> None:
    did(folder)
    change(folder, FILES, f"{FILES}, words = 9")
    assert did(folder) == MEASURED
    assert dropped(folder)["both in part"] == "contaminated"


def change(folder: Path, old: str, new: str) -> None:
    assert old in RECIPE
    (folder / "recipe.toml").write_text(RECIPE.replace(old, new))


def test_the_plan_says_what_cannot_be_found(folder: Path) -> None:
    put(folder / "given/c.jsonl", {"question": QUESTION, "n": 1}, {"n": 2}, SHORT)
    (given,) = json.loads(well("plan", "recipe.toml", "--json", cwd=folder))["given"]
    assert given == {
        "measure": "overlap",
        "files": ["given/b.jsonl", "given/c.jsonl"],
        "rows": 5,
        "unusable": 3,
        "why": "shorter than 13 words",
    }
    said = " ".join(here("plan", "recipe.toml", cwd=folder).stdout.split())
    assert "overlap: 2 files, 5 rows; 3 cannot be found: shorter than 13 words" in said


NOTHING = "c.jsonl: nothing in it can be found: "
WRONG = [  # in the recipe what stood there and stands there instead, or a file and what is in it
    (f"[measure]\n{ASKED}", "", "[measure] overlap: names no file: files = ["),
    (FILES, "files = []", "[measure] overlap: names no file: files = ["),
    ("given/*", "nothing/*.jsonl", "nothing/*.jsonl: no such file"),
    (FILES, 'files = "given/*"', "files: want a list of files"),
    (FILES, f"{FILES}, words = 0", "words wants a whole number of 1 to 2,147,483,647, got 0"),
    ("c.jsonl", json.dumps(SHORT), f"{NOTHING}all its texts are shorter than 13 words"),
    ("c.jsonl", "", f"{NOTHING}it holds no text"),
    ("c.jsonl", '{"a": 1}\n{"a', "c.jsonl: cannot be read: not JSON at 9"),
    ("LICENSE", "x", "LICENSE: cannot tell what it is by its name; known: .jsonl"),
    ("c.parquet", "x", "c.parquet: cannot be read: damaged"),
]


@pytest.mark.parametrize(("where", "what", "said"), WRONG)
@pytest.mark.parametrize("word", ["run", "plan"])
def test_what_is_wrong_is_said_before_anything_is_read(
    folder: Path, where: str, what: str, said: str, word: str
) -> None:
    if where in RECIPE:
        change(folder, where, what)
    else:
        (folder / "given" / where).write_text(what)
    line = refused(word, "recipe.toml", cwd=folder)
    assert said in line and line.startswith("karez: recipe.toml [measure]")
    assert not (folder / "runs").exists()


def test_files_that_vanish_while_it_runs_are_no_dead_letters(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(measures: dict[str, object]) -> list[object]:
        assert "Texts(" in repr(measures["overlap"])  # they were looked at
        (folder / "given/b.jsonl").unlink()
        return []

    put(folder / "given/b.jsonl", ITEM, {"vanishes": QUESTION + OTHER})
    monkeypatch.setattr("pipelines.commands.run.given.given", vanish)
    assert "given/*: no such file" in refused("run", "recipe.toml", cwd=folder, code=1)


OWN = """
from collections.abc import Iterable
from dataclasses import dataclass, field
import pyarrow as pa

@dataclass
class Known:
    lists: Iterable[str] = field(default=(), metadata={"files": "texts"})
    needs = ("text",)
    columns = pa.schema([("known", pa.bool_())])

    def measure(self, batch):
        texts = set(self.lists)
        known = [text in texts for text in batch["text"].to_pylist()]
        return pa.record_batch([pa.array(known)], schema=self.columns)
"""


def test_a_measure_of_ones_own_is_given_texts_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine_known.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(folder))
    change(folder, ASKED, '"mine_known:Known" = { lists = ["given/b.jsonl"] }')
    text = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(text.replace("overlap > 0", "known"))
    did(folder)
    assert [k for k, reason in dropped(folder).items() if reason] == ["short"]
    put(folder / "given/b.jsonl", [TEXTS["clean"]], TEXTS["no words"])
    assert did(folder) == MEASURED
    assert [k for k, reason in dropped(folder).items() if reason] == ["clean", "no words"]
