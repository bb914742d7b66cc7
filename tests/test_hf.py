"""Folders of Hugging Face datasets: the rows that `datasets` itself would load."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import RecipeError
from pipelines.readers import Document, by_kind, hf
from pipelines.recipe import Source
from pipelines.steps.sources import files
from tests.helpers.reading import each


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def found(folder: Path, **options: Any) -> list[str]:
    """The texts of a source of kind "hf", in order of the names of the files."""
    source = Source("hf", (folder.name,), **options)
    items = []
    for file in files(source, str(folder.parent)):
        with Path(file.path).open("rb") as opened:
            items += each(by_kind("hf")(opened, file.name, source))
    assert all(isinstance(item, Document) for item in items), items
    return [item.text for item in items if isinstance(item, Document)]


def check_splits(folder: Path, config: str | None = None) -> None:
    """The texts are those that `datasets` finds, as a whole and by split."""
    splits = {
        str(k): list(s["text"]) for k, s in datasets.load_dataset(str(folder), config).items()
    }
    assert sorted(found(folder, config=config)) == sorted(t for s in splits.values() for t in s)
    for name, there in splits.items():
        assert sorted(found(folder, config=config, split=name)) == sorted(there)


def write(folder: Path, *names: str) -> None:
    """Files of rows that say where they stand."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"text": f"{name} {i}", "n": i} for i in range(3)]
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            path.write_text("{}")


def write_card(folder: Path, configs: str, title: str = "# Data") -> None:
    (folder / "README.md").write_text(f"---\nlicense: cc0-1.0\n{configs}---\n{title}\n")


TABLE = datasets.Dataset.from_dict(
    {"text": [f"row {i}" for i in range(30)], "label": [0, 1, 0] * 10},
    features=datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["a", "b"])
    ),
)


def test_a_saved_dataset(tmp_path: Path) -> None:
    TABLE.save_to_disk(tmp_path / "d", num_shards=3)
    assert hf.is_dataset(tmp_path / "d")
    assert found(tmp_path / "d") == TABLE["text"][:]
    with pytest.raises(RecipeError, match="no split 'test'; known: train"):
        found(tmp_path / "d", split="test")


def test_a_saved_selection_is_what_was_selected(tmp_path: Path) -> None:
    few = TABLE.shuffle(seed=1).select(range(4))
    few.save_to_disk(tmp_path / "d")
    assert found(tmp_path / "d") == few["text"][:]


def test_a_saved_dict_of_splits(tmp_path: Path) -> None:
    both = datasets.DatasetDict(train=TABLE.select(range(20)), extra=TABLE.select(range(20, 30)))
    both.save_to_disk(tmp_path / "d", num_shards={"train": 2, "extra": 1})
    assert hf.is_dataset(tmp_path / "d")
    assert not hf.is_dataset(tmp_path)
    assert sorted(found(tmp_path / "d")) == sorted(TABLE["text"])
    assert found(tmp_path / "d", split="extra") == both["extra"]["text"][:]


LAYOUTS: Mapping[str, list[str]] = {
    "shards": [
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
        "data/my.split-00000-of-00001.parquet",
        "old.parquet",
    ],
    "folders": ["train/a.jsonl", "x-val/b.jsonl", "constrain/c.jsonl", "testing/deep/d.jsonl"],
    "files": ["train.jsonl", "data/my_dev_1.jsonl", "contest.jsonl", "eval-2.jsonl"],
    "both": ["train/dev-1.jsonl", "test/train-2.jsonl"],
    "facts": ["a.jsonl", "dataset_infos.json", "config.json"],
    "neither": ["a.parquet", "deep/b.parquet", ".hidden/c.parquet"],
    "kinds": ["a.parquet", "b.parquet", "notes.jsonl"],
}


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_without_configs_splits_are_told_by_names_as_datasets_does(
    names: list[str], tmp_path: Path
) -> None:
    write(tmp_path, *names)
    write_card(tmp_path, "pretty_name: Data\n")
    if names[-1] == "notes.jsonl":  # which datasets trips over
        assert {text.split()[0] for text in found(tmp_path)} == {"a.parquet", "b.parquet"}
        return
    check_splits(tmp_path)


CONFIGS = """\
configs:
- config_name: one
  data_files: one/*.jsonl
- config_name: two
  default: true
  data_files:
  - split: train
    path: [two/a.jsonl, "two/deep/*"]
  - split: test
    path: "two/t?.jsonl"
- config_name: three
  data_dir: three
"""
FILES = [
    *("one/a.jsonl", "one/b.jsonl", "two/a.jsonl", "two/deep/b.jsonl", "two/t1.jsonl"),
    *("three/train.jsonl", "three/test.jsonl", "stray.jsonl"),
]


def test_configs_of_the_card_name_their_files_as_for_datasets(tmp_path: Path) -> None:
    write(tmp_path, *FILES)
    write_card(tmp_path, CONFIGS)
    assert hf.is_dataset(tmp_path)
    for config in (None, "one", "two", "three"):
        check_splits(tmp_path, config)
    with pytest.raises(RecipeError, match="no config 'tow'; did you mean two"):
        found(tmp_path, config="tow")


def test_where_the_default_config_is_not_there_all_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, *(name for name in FILES if not name.startswith("two")))
    write_card(tmp_path, CONFIGS + "- config_name: four\n  data_files: 'one/a*'\n")
    assert sorted({t.split()[0] for t in found(tmp_path)}) == sorted(
        name for name in FILES if name.startswith(("one", "three"))
    )
    assert len(found(tmp_path)) == 4 * 3


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("configs:\n- config_name: a\n  data_files: ../../x.parquet\n", "not in the folder"),
        ("configs:\n- config_name: a\n  data_files: /etc/x.parquet\n", "not in the folder"),
        ("configs:\n- config_name: a\n  data_dir: ..\n", "not in the folder"),
        ("configs:\n- config_name: a\n  data_files: https://x.org/x.parquet\n", "not in the fol"),
        ("configs:\n- config_name: a\n  data_files: no/*.parquet\n", "no Parquet"),
        ("configs:\n- config_name: a\n  data_files: 5\n", "no Parquet"),
        ("configs: {a: b}\n", ""),
        ("configs: [[[\n", ""),
        ("configs: " + "[" * 5000 + "\n", ""),
        ("pretty_name: x\n", ""),
    ],
)
def test_a_card_that_leads_nowhere_is_the_users_to_mend(
    card: str, message: str, tmp_path: Path
) -> None:
    write(tmp_path, "a.parquet")
    write_card(tmp_path, card)
    if message:
        with pytest.raises(RecipeError, match=message):
            found(tmp_path)
    else:
        assert len(found(tmp_path)) == 3


@pytest.mark.parametrize(
    "state",
    [
        "",
        "[]",
        '{"_data_files": 5}',
        '{"_data_files": [{}]}',
        '{"_data_files": [{"filename": "../x.arrow"}]}',
        '{"_data_files": [{"filename": "a.parquet"}], "_indices_data_files": [1]}',
        '{"_data_files": [{"filename": "missing.arrow"}]}',
    ],
)
def test_a_broken_state_is_the_users_to_mend(state: str, tmp_path: Path) -> None:
    write(tmp_path, "a.parquet")
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(RecipeError):
        found(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such folder"):
        found(tmp_path / "no")
    write(tmp_path, "text.html")
    with pytest.raises(RecipeError, match="no Parquet"):
        found(tmp_path)


def test_other_folders_are_no_datasets(tmp_path: Path) -> None:
    assert not hf.is_dataset(tmp_path)
    write(tmp_path, "a.parquet")
    assert not hf.is_dataset(tmp_path)
    (tmp_path / "README.md").write_text("# Notes\n\n---\nconfigs: []\n---\n")
    assert not hf.is_dataset(tmp_path)
    write_card(tmp_path, "")  # a licence alone is no sign of one
    assert not hf.is_dataset(tmp_path)


def test_a_card_whose_path_no_system_knows_names_no_file(tmp_path: Path) -> None:
    write(tmp_path, "a.parquet")
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n- data_files: {'a' * 6000}\n---\n")
    assert hf.is_dataset(tmp_path)
    assert hf.choices(tmp_path) == ""
    with pytest.raises(RecipeError, match="no Parquet"):
        found(tmp_path)
