"""Same input, recipe and seed: the same published bytes, however the work was cut up and spread.

What a resumed run publishes is compared in test_resume.
"""

import json
import random
import shutil
from pathlib import Path

import pytest

from pipelines.commands.run import Asked, run
from pipelines.runs import parts
from pipelines.steps import ingest
from tests.helpers.begun import said
from tests.helpers.command import SAMPLE, counts, files, well

pytestmark = pytest.mark.slow

RECIPE = """\
name = "same"
seed = 3
limit = { dead = "90 %" }
[[source]]
kind = "jsonl"
paths = ["in/b.jsonl", "in/a.jsonl", "in/deep/*.jsonl"]
[[source]]
kind = "warc"
paths = ["in/*.warc.gz"]
[edits]
repeated_lines = { words = 3 }
[rules]
short = "words < 20"
unsure = "language_score < 0.2"
[dedup]
[cap]
documents = 7
keep = "words desc"
[[select]]
strategy = "band"
by = "compression_ratio"
low = "2 %"
high = "98 %"
[[select]]
strategy = "importance"
by = "words desc"
temperature = 50
budget = "90 %"
per = "language"
[curriculum]
by = "compression_ratio"
pacing = "linear"
[publish]
splits = { train = 0.8, test = 0.2 }
shard = "30 kB"
columns = ["date", "domain", "entropy", "words", "media_type", "unique_words"]
"""
WORDS = [
    "the water comes down from the hills in a tunnel that people dug by hand",
    "das Wasser kommt aus den Bergen durch einen Stollen den Menschen gruben",
    "l'eau descend des collines par un tunnel que les gens ont creusé",
    "水は丘から 人々が掘った トンネルを 通って 下りてくる",
]


def row(draw: random.Random, number: int) -> dict[str, object]:
    lines = [
        " ".join(draw.choices(draw.choice(WORDS).split(), k=12)) for _ in range(draw.randint(1, 9))
    ]
    made: dict[str, object] = {"text": "\n".join([*lines, *lines[: number % 3]])}
    if number % 4:
        made["url"] = f"https://host{number % 13}.example/{number % 5}/{number}"
    if number % 3:
        made["id"] = number
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe, and files with copies, rows without URL, dead lines and damaged pages."""
    folder = tmp_path_factory.mktemp("same")
    draw = random.Random(5)
    rows = [row(draw, number) for number in range(180)]
    rows += rows[::9]  # whole copies, some in other files
    for part, name in enumerate(["a", "b", "deep/c", "deep/d"]):
        lines = [json.dumps(each) for each in rows[part::4]]
        path = folder / f"in/{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, "{broken"]) + "\n")
    for name in ("cut.warc.gz", "faults.warc.gz"):
        shutil.copy(SAMPLE / name, folder / "in")
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


def published(run_folder: Path) -> dict[str, bytes]:
    """Shards and their manifest."""
    dataset = files(run_folder / "dataset")
    del dataset["README.md"]
    return dataset


def made(folder: Path, place: Path, recipe: str = "recipe.toml", other: Path | None = None) -> Path:
    run(Asked([folder / recipe], str(place), str(other) if other else None))
    return place


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, bytes]:
    """What is published when nothing special is done."""
    return published(made(folder, folder / "whole"))


def test_there_is_something_to_compare(folder: Path, whole: dict[str, bytes]) -> None:
    manifest = json.loads(whole["manifest.json"])
    assert manifest["documents"] > 100
    assert len(manifest["shards"]) >= 3
    counted = counts(folder / "whole")
    assert counted["dedup"]["duplicates"] >= 15
    assert counted["ingest"]["dead"] >= 4
    assert counted["select2"]["left"] >= 5
    assert {"dropped: duplicate", "dropped: short"} <= counted["decide"].keys()


def test_twice_in_a_row(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    assert published(made(folder, tmp_path / "again")) == whole
    before = files(folder / "whole")
    assert files(made(folder, folder / "whole")) == before


def test_two_workers(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    command = ("run", "recipe.toml", "--run", tmp_path / "two", "--workers", "2")
    well(*command, cwd=folder, by=said)
    assert published(tmp_path / "two") == whole
    assert counts(tmp_path / "two") == counts(folder / "whole")


@pytest.mark.parametrize("rows", [1, 50])
def test_other_batch_sizes(
    rows: int,
    folder: Path,
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "BATCH_ROWS", rows)
    monkeypatch.setattr(parts, "BATCH", 300 * rows)
    assert published(made(folder, tmp_path / "run")) == whole


@pytest.mark.parametrize(("name", "size", "least"), [("PART", 3_000, 40), ("PART_ROWS", 60, 4)])
def test_other_part_sizes(
    name: str,
    size: int,
    least: int,
    folder: Path,
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, name, size)
    place = made(folder, tmp_path / "run")
    assert len(list((place / "documents").iterdir())) >= least
    assert published(place) == whole


def test_files_read_one_by_one(
    folder: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "GROUP", 1)
    place = made(folder, tmp_path / "run")
    assert len({p.name.split("-")[1] for p in (place / "documents").iterdir()}) >= 5
    assert published(place) == whole


def test_files_in_another_order_and_under_another_root(
    folder: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where [1]"
    for path in sorted((folder / "in").rglob("*.*"), reverse=True):
        copy = elsewhere / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for old, new in [("a", "z"), ("deep/c", "deep/x")]:  # sorted, they come in another order
        (elsewhere / f"in/{old}.jsonl").rename(elsewhere / f"in/{new}.jsonl")
    paths = '["in/*.warc.gz"]\n[[source]]\nkind = "jsonl"\npaths = ["in/**/*.jsonl"]'
    text = RECIPE.replace('[[source]]\nkind = "jsonl"\n', "", 1)
    text = text.replace('paths = ["in/b.jsonl", "in/a.jsonl", "in/deep/*.jsonl"]\n', "")
    (elsewhere / "recipe.toml").write_text(text.replace('["in/*.warc.gz"]', paths))
    assert published(made(elsewhere, tmp_path / "run")) == whole


def test_taken_from_another_run(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    other = RECIPE.replace("words < 20", "words < 60").replace("seed = 3", "seed = 4")
    (folder / "other.toml").write_text(other.replace("[dedup]\n", ""))
    first = made(folder, tmp_path / "one", "other.toml")
    assert published(first) != whole
    second = made(folder, tmp_path / "two", other=first)
    assert not (second / "documents").exists()
    assert published(second) == whole


CHANGES = {
    "[edits]\nrepeated_lines = { words = 3 }\n": "",
    "repeated_lines = { words = 3 }": "repeated_lines = { words = 30 }",
    "[dedup]\n": "",
    'short = "words < 20"\nunsure = "language_score < 0.2"\n': "",
    'shard = "30 kB"': 'shard = "1 MB"',
    "train = 0.8, test = 0.2": "train = 1.0",
}


def test_a_folder_that_was_used_for_other_recipes(
    folder: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    for old, new in CHANGES.items():
        assert old in RECIPE
        (folder / "before.toml").write_text(RECIPE.replace(old, new))
        place = made(folder, tmp_path / "run", "before.toml")
        assert published(place) != whole, old
        assert published(made(folder, place)) == whole, old


def test_an_edit_is_counted_where_no_rule_looks(folder: Path, tmp_path: Path) -> None:
    rules = RECIPE[RECIPE.index("[rules]") : RECIPE.index("[publish]")]
    bare = RECIPE.replace(rules, "").replace('"30 kB"', '"2 kB"')
    unedited = bare.replace("[edits]\nrepeated_lines = { words = 3 }\n", "")
    assert unedited != bare
    (folder / "bare.toml").write_text(bare)
    (folder / "unedited.toml").write_text(unedited)
    place = made(folder, tmp_path / "run", "unedited.toml")
    edited = published(made(folder, place, "bare.toml"))
    assert edited == published(made(folder, tmp_path / "fresh", "bare.toml"))


def test_another_seed_gives_another_order(
    folder: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    (folder / "seed.toml").write_text(RECIPE.replace("seed = 3", "seed = 4"))
    other = published(made(folder, tmp_path / "run", "seed.toml"))
    assert other != whole
    # who is held out is drawn too, and so who is near to train, and who is chosen
    drawn = ("kept", "dropped: near train", "dropped: not selected")
    decided = [counts(run)["decide"] for run in (folder / "whole", tmp_path / "run")]
    kept = [sum(each.get(name, 0) for name in drawn) for each in decided]
    assert kept[0] == kept[1]
