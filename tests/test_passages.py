"""Passages end to end: what is cut from whom, and what is measured and judged once more."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.run import Asked, run
from pipelines.opened import Opened
from pipelines.runs import parts
from pipelines.steps import rules
from pipelines.steps.across import passages
from pipelines.steps.dedup import clusters
from tests.helpers import corpora
from tests.helpers.begun import said
from tests.helpers.command import did, files, here
from tests.helpers.corpora import Rows
from tests.helpers.measuring import lines_of
from tests.test_dedup import jaccard
from tests.test_lines import cut

WORDS = [f"w{i}" for i in range(9000)]
EDITS = "[edits]\nrepeated_paragraphs = {}\nrepeated_passages = { words = 50 }\n"


def text(seed: int | str, words: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def write(folder: Path, texts: list[str], rest: str) -> Path:
    return corpora.recipe(folder, [{"id": i, "text": each} for i, each in enumerate(texts)], rest)


def made(folder: Path, texts: list[str], rest: str = EDITS) -> Rows:
    done = here("run", write(folder, texts, rest), cwd=folder)
    assert done.returncode == 0, done.stderr
    return rows(folder / "runs/a")


def rows(place: Path) -> Rows:
    """Documents as they came to be, in the order of their ids: what comes before what."""
    opened = Opened(place)
    columns = ["id", "source_key", "text", "edits", "reason", "words"]
    found = opened.arrow([c for c in columns if c in opened.homes]).to_pylist()
    for row in found:
        row["left"] = edited(row["text"], row["edits"])
    return sorted(found, key=lambda row: str(row["id"]))


def edited(raw: str, edits: list[dict[str, Any]]) -> str:
    body = raw.encode()
    for edit in reversed(edits):
        body = body[: edit["start"]] + edit["replacement"].encode() + body[edit["end"] :]
    return body.decode()


def counts(place: Path, step: str) -> dict[str, int]:
    return dict(json.loads((place / "manifest.json").read_text())["steps"][step]["counts"])


def test_what_is_long_enough_stays_where_it_stands_first_and_what_is_shorter_everywhere(
    tmp_path: Path,
) -> None:
    run, less = text("run", 50), text("less", 49)
    line, short = text("line", 8), text("short", 7)
    around = ["{}\n", "  {}\t\r\n", "{}\n", "\u3000{}\n"]
    texts = [f"{text(i, 90)} {(run, less)[i % 2]} {text(-i, 40)}" for i in range(6)]
    texts += [
        f"{text(f'p{i}', 90)}\n{each.format(line)}{short}\n{text(f'q{i}', 9)}"
        for i, each in enumerate(around)
    ]
    found = made(tmp_path, texts)
    for part, firsts in ((run, 3), (line, 4)):
        having = [row for row in found if part in row["text"]]
        assert [part in row["left"] for row in having] == [True] + [False] * (firsts - 1)
    for row in found:
        assert all(part in row["left"] for part in (less, short) if part in row["text"])
        kept = "".join(each for each in lines_of(row["text"]) if line not in each)
        if line not in row["left"]:
            assert row["left"].split() == kept.replace(run * (run not in row["left"]), "").split()
    told = counts(tmp_path / "runs/a", "passages")
    edits = [told[f"edits: repeated_{name}"] for name in ("passages", "paragraphs")]
    assert (*edits, told["changed"]) == (2, 3, 5)


def test_a_document_of_which_too_little_is_left_is_dropped(tmp_path: Path) -> None:
    long = text("long", 70)
    texts = [f"{text(i, 100 if i == 0 else 30)} {long}" for i in range(5)]
    rules = '[rules]\nshort = "words < 50"\n[publish]\ncolumns = ["words", "unique_words"]\n'
    found = made(tmp_path, texts, EDITS + rules)
    for row in found:
        assert row["words"] == len(row["left"].split())
        assert row["reason"] == ("short" if row["words"] < 50 else None)
    assert sum(row["reason"] == "short" for row in found) in (3, 4)
    place = tmp_path / "runs/a"
    kept = Opened(place).arrow(["tokens", "reason"]).to_pylist()
    told = json.loads((place / "dataset/manifest.json").read_text())["tokens"]
    assert told == sum(row["tokens"] for row in kept if row["reason"] is None)
    dropped = next(row for row in found if row["reason"])
    value = json.loads(here("explain", place, dropped["id"], "--json", cwd=tmp_path).stdout)
    assert value["rules"][0]["drops"] and value["rules"][0]["values"]["words"] == 30
    assert value["edited_text"] == dropped["left"]
    shown = here("explain", place, dropped["id"], cwd=tmp_path).stdout
    assert "edits: repeated_passages 1" in shown
    assert here("view", place, cwd=tmp_path).returncode == 0
    assert "repeated_passages" in (place / "report.html").read_text()


def test_a_document_that_is_dropped_keeps_nothing_from_others(tmp_path: Path) -> None:
    long, line = text("long", 60), text("line", 10)
    bad = [f"{text(i, 5)} {long}\n{line}\n" + "menu " * 200 for i in range(12)]
    first = f"{text('near', 300)} {text('own', 60)}"
    near = [first, first.replace(text("near", 300)[:6], "other ")]
    good = [f"{text('good', 80)} {long}\n{line}\n", f"{text('more', 80)} {text('own', 60)}"]
    rest = f'{EDITS}[rules]\nmenus = "words > 200 and words < 300"\n[dedup]\n'
    found = made(tmp_path, [*bad, *near, *good], rest)
    by_key = {int(row["source_key"]): row for row in found}
    assert {by_key[i]["reason"] for i in range(12)} == {"menus"}
    assert sorted(str(by_key[i]["reason"]) for i in (12, 13)) == ["None", "near duplicate"]
    assert by_key[14]["left"] == by_key[14]["text"]
    assert all(not row["edits"] for row in found if row["reason"])
    having = [by_key[i] for i in (12, 13, 15) if not by_key[i]["reason"]]
    assert sorted(text("own", 60) in row["left"] for row in having) == [False, True]


def test_a_document_of_which_nothing_is_left_is_dropped(tmp_path: Path) -> None:
    one, two = text(1, 60), text(2, 60)
    long = ["a " * 200_000, "a " * 199_999 + "b"]
    texts = [f"{one} {two}", f"{one}\n", f"\n{two}\n", "", "a", text(3, 49), *long]
    found = made(tmp_path, texts, "[edits]\nrepeated_passages = {}\n")
    gone = [row for row in found if row["edits"] and not row["left"].strip()]
    assert len(gone) in (1, 2, 3) and {row["reason"] for row in gone} == {"nothing left"}
    assert all(row["reason"] is None for row in found if row not in gone)
    first, second = (row for row in found if row["text"].startswith("a a"))
    assert first["left"] == first["text"] and second["left"] in ("", "b")


def test_held_out_documents_are_near_by_what_is_left(tmp_path: Path) -> None:
    texts = [f"{text(i, 20)} {text(f'pair {i // 2}', 100)} {text(-i - 1, 20)}" for i in range(16)]
    pairs = zip(texts[::2], texts[1::2], strict=True)
    assert all(jaccard(a.split(), b.split()) > 0.5 for a, b in pairs)
    rest = EDITS + "[publish]\nsplits = { train = 0.5, test = 0.5 }\n"
    found = made(tmp_path, texts, rest)
    splits = Opened(tmp_path / "runs/a").arrow(["split", "source_key"]).to_pylist()
    of = {int(row["source_key"]): row["split"] for row in splits}
    assert sum(of[i] != of[i + 1] for i in range(0, 16, 2)) >= 3
    assert {row["reason"] for row in found} == {None}


PICKY = """
import pyarrow as pa


class Picky:
    needs = ("words",)
    columns = pa.schema([("picky", pa.int32())])

    def measure(self, batch):
        counts = [len(words) for words in batch["words"].to_pylist()]
        if any(count < 40 for count in counts):
            raise ValueError("too few")
        return pa.record_batch([pa.array(counts, pa.int32())], schema=self.columns)
"""


def test_what_cannot_be_measured_again_is_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky_passages.py").write_text(PICKY)
    monkeypatch.syspath_prepend(tmp_path)
    texts = [f"{text(i, 30)} {text('long', 60)}" for i in range(3)]
    rest = EDITS + '[measure]\n"picky_passages:Picky" = {}\n[rules]\nfew = "picky < 50"\n'
    done = here("run", write(tmp_path, texts, rest), cwd=tmp_path)
    assert (done.returncode, "again: 2 of 3 records" in done.stderr) == (1, True)
    made(tmp_path, texts, f'{rest}[limit]\ndead = "70 %"\n')
    found = Opened(tmp_path / "runs/a")
    assert found.arrow(["reason"])["reason"].to_pylist().count("few: no value") == 2
    letters = found.dead().to_pylist()
    said = [(e["step"], e["reason"], e["detail"]) for e in letters]
    assert said == [("again", "not measured", "ValueError: too few")] * 2


def test_the_plan_names_the_edits_and_what_they_exchange(tmp_path: Path) -> None:
    path = write(tmp_path, [text(1, 5000)], EDITS)
    planned = json.loads(here("plan", path, "--json", cwd=tmp_path).stdout)
    assert planned["edits"] == ["repeated_paragraphs", "repeated_passages"]
    assert 0 < planned["exchanged"]["passages"] < planned["exchanged"]["publish"]
    assert "passages about" in here("plan", path, cwd=tmp_path).stdout


RECIPE = """\
name = "same"
seed = 3
[[source]]
kind = "jsonl"
paths = ["in/*.jsonl"]
[edits]
repeated_lines = {}
repeated_paragraphs = { words = 6 }
repeated_passages = { words = 20 }
[rules]
short = "words < 50"
[dedup]
[publish]
splits = { train = 0.8, test = 0.2 }
shard = "30 kB"
columns = ["words", "entropy"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts that share lines and passages, in two files."""
    folder, draw = tmp_path_factory.mktemp("same"), random.Random(7)
    shared = [text(f"shared {i}", draw.randint(10, 60)) for i in range(12)]
    lines = []
    for number in range(150):
        pieces = [text(f"{number} {i}", draw.randint(1, 30)) for i in range(5)]
        pieces += draw.sample(shared, draw.randint(0, 4))
        draw.shuffle(pieces)
        body = "".join(piece + draw.choice(" \n") for piece in pieces)
        url = f"https://host{number % 9}.example/{number}"
        lines.append(json.dumps({"text": body, "url": url}) + "\n")
    (folder / "in").mkdir()
    (folder / "in/a.jsonl").write_text("".join(lines[::2]))
    (folder / "in/b.jsonl").write_text("".join(lines[1::2]))
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


def published(folder: Path, place: Path) -> Any:
    """Shards and their manifest."""
    (folder / "recipe.toml").write_text(RECIPE)
    run(Asked([folder / "recipe.toml"], str(place)))
    dataset = files(place / "dataset")
    del dataset["README.md"]
    return dataset


@pytest.fixture(scope="module")
def whole(folder: Path) -> Any:
    return published(folder, folder / "whole")


def twin(texts: list[str], least: int, size: int) -> list[list[str]]:
    """The words that are left of each text, one text after the other."""
    runs, known, left = set[tuple[str, ...]](), set[str](), list[list[str]]()
    for body in texts:
        lines = [line.strip() for line in lines_of(body)]
        words = [(word, line) for line in lines for word in line.split()]
        mine = [tuple(w for w, _ in words[i : i + size]) for i in range(len(words) - size + 1)]
        gone = {i + n for i, each in enumerate(mine) if each in runs for n in range(size)}
        lost = {line for line in lines if line in known and len(line.split()) >= least}
        left.append([w for i, (w, line) in enumerate(words) if i not in gone and line not in lost])
        runs |= set(mine)
        known |= set(lines)
    return left


def test_what_is_left_is_what_a_twin_leaves(folder: Path, whole: Any) -> None:
    opened = Opened(folder / "whole")
    first = opened.run.columns(0, {rules.TABLE: ["reason"], clusters.TABLE: ["duplicate"]})
    ids = opened.run.columns(0, {"documents": ["id"]})["id"].to_pylist()
    decided = zip(ids, *first.to_pydict().values(), strict=True)
    passed = {id_ for id_, reason, copy in decided if reason is None and not copy}
    found = [row for row in rows(folder / "whole") if row["id"] in passed]
    assert 100 < len(found) < 150
    assert [row["left"].split() for row in found] == twin([cut(r["text"], 3) for r in found], 6, 20)
    told = counts(folder / "whole", "passages")
    assert told["edits: repeated_paragraphs"] > 20 and told["edits: repeated_passages"] > 20
    assert counts(folder / "whole", "again")["short"] > 0


def test_other_parts_and_partitions_give_the_same_bytes(
    folder: Path, whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART", 9_000)
    monkeypatch.setattr(parts, "BATCH_ROWS", 7)
    monkeypatch.setattr(passages, "PARTITION", 30_000)
    assert published(folder, tmp_path / "run") == whole
    assert len(list((tmp_path / "run/again/documents/edits").iterdir())) > 9


@pytest.mark.slow
def test_files_in_another_order_and_two_workers_give_the_same_bytes(
    folder: Path, whole: Any, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for old, new in (("a", "z"), ("b", "b")):
        lines = (folder / f"in/{old}.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / f"in/{new}.jsonl").write_text("".join(reversed(lines)))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    done = said("run", "recipe.toml", "--run", "two", "--workers", "2", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    dataset = files(tmp_path / "two/dataset")
    assert {name: dataset[name] for name in whole} == whole


NONE = RECIPE.replace(RECIPE[RECIPE.index("repeated_paragraphs") : RECIPE.index("[rules]")], "")


def steps(folder: Path, place: str, recipe: str, *more: str) -> list[str]:
    """The steps that a run did."""
    (folder / "recipe.toml").write_text(recipe)
    return did("run", "recipe.toml", "--run", place, *more, cwd=folder)


def test_a_change_costs_what_stands_behind_it(folder: Path, whole: Any) -> None:
    after = ["passages", "again", "near", "decide", "publish"]
    shutil.copytree(folder / "whole", folder / "run")
    assert steps(folder, "run", RECIPE) == []
    stricter = RECIPE.replace("words < 50", "words < 60")
    assert steps(folder, "run", stricter) == ["rules", "dedup", "check", *after]
    assert steps(folder, "run", NONE) == ["rules", "dedup", "check", *after[2:]]
    assert not list((folder / "run/again").rglob("*.*"))
    assert "passages" not in json.loads((folder / "run/manifest.json").read_text())["steps"]
    less, more = (counts(folder / name, "decide")["dropped: short"] for name in ("run", "whole"))
    assert less < more
    assert steps(folder, "run", RECIPE) == after
    (folder / "run/columns/documents/rules/part-00000-00.parquet").unlink()
    assert steps(folder, "run", RECIPE) == ["rules"]
    assert published(folder, folder / "run") == whole


def test_taken_from_another_run(folder: Path, whole: Any, tmp_path: Path) -> None:
    place = tmp_path / "one"
    assert steps(folder, str(place), RECIPE, "--from", str(folder / "whole")) == ["publish"]
    assert published(folder, place) == whole
    assert not (place / "again").exists() and not (place / "documents").exists()
