"""Every kind of source in one folder, under odd names: each document arrives, and arrives once."""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipelines.errors import RecipeError
from pipelines.readers import KINDS, SUFFIXES, by_kind, kind_of
from pipelines.recipe import Source
from pipelines.steps.sources import files
from tests.helpers.command import here, karez, table

WARC = (
    "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.org/{0}\r\n"
    "WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: text/plain\r\n"
    "Content-Length: {1}\r\n\r\n{2}\r\n\r\n"
)
PACKS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".tgz": gzip.compress,
    ".zst": zstandard.compress,
}
ODD = ["a b", "[c]", "#d", "ü日本", "new\nline", "-e", "*", "what?", "'q'\"", "\x7f", "a\\b", "%41"]


def row(text: str) -> str:
    return json.dumps({"text": text}) + "\n"


def write_tar(path: Path, text: str) -> None:
    with tarfile.open(path, "w") as file:
        info = tarfile.TarInfo("1.txt")
        info.size = len(text.encode())
        file.addfile(info, io.BytesIO(text.encode()))


def write_all(folder: Path) -> set[str]:
    """One file of every kind and of every odd name; returns the texts in them."""
    texts = {f"text of {name!r}" for name in ODD}
    for number, odd in enumerate(ODD):
        text = f"text of {odd!r}"
        if number % 2:
            (folder / f"{odd}.txt").write_text(text)
        else:
            (folder / odd).mkdir()
            (folder / odd / "same.jsonl").write_text(row(text))
    for suffix, kind in SUFFIXES.items():
        text = f"text in {suffix}"
        name = folder / f"one{suffix}"
        plain = {
            "html": f"<html><body><p>{text}</p></body></html>",
            "warc": WARC.format(suffix, len(text), text),
            "jsonl": row(text),
            "text": text,
        }
        if kind == "parquet":
            both = pa.table({"text": [text]})
            if suffix == ".parquet":
                pq.write_table(both, name)
            else:
                with pa.ipc.new_stream(name, both.schema) as stream:
                    stream.write_table(both)
        elif kind == "webdataset":
            write_tar(name, text)
        else:
            name.write_bytes(plain[kind].encode())
        pack = PACKS.get(Path(suffix).suffix, bytes)
        name.write_bytes(pack(name.read_bytes()))
        texts.add(text)
    for place in ("hub", "deep/in [here]/saved"):
        datasets.Dataset.from_dict({"text": [f"text in {place}"]}).save_to_disk(folder / place)
        texts.add(f"text in {place}")
    (folder / os.fsdecode(b"not \xff.txt")).write_text("text of bytes")
    (folder / "loop").symlink_to(folder)
    (folder / "notes.xyz").write_text("not read")
    return {*texts, "text of bytes"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str], str]:
    """A run over such a folder, whose own name is a pattern; the texts; what was said."""
    base = tmp_path_factory.mktemp("sources")
    (base / "all [of] them?").mkdir()
    texts = write_all(base / "all [of] them?")
    done = karez("run", "all [of] them?", "--run", "run", cwd=base)
    assert done.returncode == 0, done.stderr
    return base, texts, done.stdout


def test_every_document_arrives_once(run: tuple[Path, set[str], str]) -> None:
    base, texts, said = run
    documents = table(base / "run", "documents")
    assert sorted(documents["text"].to_pylist()) == sorted(texts)
    assert not (base / "run/dead/ingest").exists()
    assert ".xyz 1" in said


def test_a_name_that_is_no_utf8_is_written_out(run: tuple[Path, set[str], str]) -> None:
    rows: list[dict[str, Any]] = table(run[0] / "run", "documents").to_pylist()
    (odd,) = [r for r in rows if r["text"] == "text of bytes"]
    assert odd["source"] == odd["source_key"] == "not \\xff.txt"


def test_the_recipe_that_was_saved_runs_again(run: tuple[Path, set[str], str]) -> None:
    done = here("run", "run/recipe.toml", "--run", "run", cwd=run[0])
    assert (done.returncode, "begins" in done.stdout) == (0, False)


def read(base: Path, path: str, column: str) -> list[str]:
    """A column of the documents that are read from a path."""
    done = here("run", "--run", "run", "--only", "ingest", path, cwd=base)
    assert done.returncode == 0, done.stderr
    return list(table(base / "run", "documents")[column].to_pylist())


@pytest.mark.parametrize("name", ["-x.txt", "[x].txt", "é #\x7f.txt"])
def test_a_file_may_be_named_by_itself(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("text")
    (tmp_path / "x.txt").write_text("another")
    assert read(tmp_path, f"./{name}", "source") == [name]


def test_a_name_that_no_recipe_can_hold_is_said(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.txt")
    (tmp_path / name).write_text("text")
    done = here("run", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "\\xff.txt: the name is not UTF-8; name the folder that holds it" in done.stderr


def test_the_readme_and_the_state_of_a_dataset_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "data/train-00000-of-00001.parquet")
    (tmp_path / "README.md").write_text("---\npretty_name: X\n---\n# X\n")
    (tmp_path / "dataset_infos.json").write_text("{}")
    assert read(tmp_path, ".", "text") == ["a"]


def test_a_folder_may_hold_nothing_but_a_dataset(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "all/saved")
    assert read(tmp_path, "all", "text") == ["a"]


def named(base: Path, *paths: str, **options: Any) -> list[str]:
    return [file.name for file in files(Source("text", paths, **options), str(base))]


def test_what_exists_as_it_is_written_is_no_pattern(tmp_path: Path) -> None:
    for name in ("a[b]/x.txt", "ab/x.txt", "a[b]/[x].txt", "ab/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert named(tmp_path, "a[b]/*.txt") == ["[x].txt", "x.txt"]
    assert named(tmp_path, "a[b]/[x].txt") == ["[x].txt"]
    assert named(tmp_path, "a?/*.txt") == ["ab/x.txt", "ab/y.txt"]
    assert named(tmp_path, "a[b]") == ["[x].txt", "x.txt"]


def test_files_of_one_name_are_all_read_and_none_twice(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(folder)
    assert named(tmp_path, "a/x.txt", "b/x.txt") == ["x.txt", "x.txt"]
    assert named(tmp_path, "a/x.txt", "a/x.txt", "a", "a/*.txt") == ["x.txt"]
    assert named(tmp_path, "**/*.txt") == ["a/x.txt", "b/x.txt"]
    assert named(tmp_path, "**/*.txt", exclude=("a",)) == ["b/x.txt"]
    assert named(tmp_path, "*/x.txt", exclude=("b/*", "no/*")) == ["a/x.txt"]


@pytest.mark.parametrize("path", ["no.txt", "no/*.txt", "*.txt", "a/**/*.md", ""])
def test_a_path_or_pattern_without_a_file_is_a_mistake(path: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(RecipeError, match="no such file"):
        named(tmp_path, path)


def test_every_kind_has_a_reader_and_every_ending_a_kind() -> None:
    assert all(callable(by_kind(kind)) for kind in KINDS)
    assert set(SUFFIXES.values()) == set(KINDS) - {"wet", "hf"}
    names = ["A.TXT", "b.md.zst", "c.PARQUET", "d.arrow", "e.tar.gz", "f.tgz", "g.gz", "h.csv"]
    kinds = ["text", "text", "parquet", "parquet", "webdataset", "webdataset", None, None]
    assert [kind_of(name) for name in names] == kinds


def test_options_of_datasets_are_of_datasets() -> None:
    Source("hf", ("d",), config="c", split="s")
    with pytest.raises(ValueError, match="of kind hf"):
        Source("parquet", ("d",), split="train")
