"""The sample from end to end: planted faults end as they should, what is published opens."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.command import PLANTED, Rows, files, karez, rows, shards, table, well
from tests.helpers.corpora import ran, recipe


@pytest.fixture(scope="session")
def documents(sample: Path) -> Rows:
    return rows(sample)


def is_dropped(row: dict[str, Any]) -> bool:
    return not row["kept"] and row["reason"] is not None


def expected(kind: str) -> list[Any]:
    rows = [p for p in PLANTED if p["expect"].startswith(kind)]
    assert rows, f"nothing planted is expected to be {kind}"
    return [pytest.param(p, id=f"{p['kind']}-{p['offset']}") for p in rows]


@pytest.mark.parametrize("planted", expected("document"))
def test_a_page_with_a_fault_that_can_be_mended_is_a_document(
    planted: dict[str, Any], documents: Rows
) -> None:
    row = documents[planted["file"], planted["offset"]]
    assert row["url"] == planted["url"]
    assert planted.get("contains", "") in row["text"]
    assert is_dropped(row) or planted.get("then") != "dropped"


@pytest.mark.parametrize("planted", expected("dead"))
def test_what_cannot_be_read_is_a_dead_letter(planted: dict[str, Any], sample: Path) -> None:
    dead = table(sample, "dead/ingest").to_pylist()
    here = [d for d in dead if (d["source"], d["offset"]) == (planted["file"], planted["offset"])]
    assert [d["reason"] for d in here] == [planted["expect"].removeprefix("dead: ")]


@pytest.mark.parametrize("planted", expected("skipped"))
def test_a_record_that_is_no_page_is_counted_and_no_fault(
    planted: dict[str, Any], documents: Rows, sample: Path
) -> None:
    assert (planted["file"], planted["offset"]) not in documents
    counts = json.loads((sample / "manifest.json").read_text())["steps"]["ingest"]["counts"]
    assert counts[planted["expect"]] >= 1


@pytest.mark.parametrize("planted", expected("duplicate"))
def test_of_equal_texts_one_is_kept(planted: dict[str, Any], documents: Rows) -> None:
    copy = documents[planted["file"], planted["offset"]]
    original = next(r for r in documents.values() if r["url"] == planted["from"] and r is not copy)
    assert original["text"] == copy["text"]
    kept, gone = sorted((copy, original), key=lambda r: not r["kept"])
    assert (kept["kept"], gone["reason"], gone["cluster"]) == (True, "duplicate", kept["id"])
    assert kept["id"] <= gone["id"]


def test_nothing_else_is_dead(sample: Path) -> None:
    planted = {(p["file"], p["offset"]) for p in PLANTED if p["expect"].startswith("dead")}
    dead = table(sample, "dead/ingest").to_pylist()
    assert {(d["source"], d["offset"]) for d in dead} == planted


def test_every_record_is_accounted_for(sample: Path, documents: Rows) -> None:
    decisions = table(sample, "decisions/documents")
    assert decisions.num_rows == len(documents)
    kept = [reason is None for reason in decisions["reason"].to_pylist()]
    assert decisions["kept"].to_pylist() == kept


def test_columns_lie_row_for_row_beside_the_documents(sample: Path) -> None:
    names = sorted(p.name for p in (sample / "documents").iterdir())
    for folder in (sample / "columns/documents").iterdir():
        assert sorted(p.name for p in folder.iterdir()) == names
        for name in names:
            columns = pq.ParquetFile(folder / name)
            rows = pq.ParquetFile(sample / "documents" / name).metadata.num_rows
            assert columns.metadata.num_rows == rows
            assert columns.schema_arrow.metadata[b"karez.rows"] == str(rows).encode()


def read_shard(path: Path) -> pa.Table:
    return pa.ipc.open_stream(path).read_all()


def test_what_was_kept_is_published_once_and_edited(sample: Path, documents: Rows) -> None:
    published = pa.concat_tables(map(read_shard, shards(sample))).to_pylist()
    kept = {r["id"]: r for r in documents.values() if r["kept"]}
    assert sorted(p["id"] for p in published) == sorted(kept)
    repeated = next(p for p in PLANTED if "cut_lines" in p)
    row = documents[repeated["file"], repeated["offset"]]
    edited = next(p["text"] for p in published if p["id"] == row["id"])
    assert row["text"].count("\n") - edited.count("\n") >= repeated["cut_lines"]
    untouched = [p for p in published if len(p["text"]) == len(kept[p["id"]]["text"])]
    assert len(untouched) > len(published) / 2
    assert all(p["text"] == kept[p["id"]]["text"] for p in untouched)


def test_no_site_stands_on_both_sides_of_a_split(sample: Path) -> None:
    site = table(sample, "columns/documents/site")["group"].to_pylist()
    split = table(sample, "columns/documents/split")["split"].to_pylist()
    sides: dict[str, set[str]] = {}
    for group, side in zip(site, split, strict=True):
        sides.setdefault(group, set()).add(side)
    assert all(len(both) == 1 for group, both in sides.items() if group)
    assert {s for both in sides.values() for s in both} == {"train", "validation", "test"}


def test_shards_are_about_equal_and_stand_in_the_drawn_order(sample: Path) -> None:
    train = [p for p in shards(sample) if p.name.startswith("train")]
    assert len(train) >= 3
    sizes = [p.stat().st_size for p in train]
    assert max(sizes) < 2 * min(sizes)
    decisions = table(sample, "decisions/documents").to_pylist()
    place = {r["id"]: r["order"] for r in decisions if r["kept"]}
    order = [place[i] for p in train for i in read_shard(p)["id"].to_pylist()]
    assert order == sorted(order)


def test_the_manifest_names_every_shard_with_its_checksum(sample: Path) -> None:
    manifest = json.loads((sample / "dataset/manifest.json").read_text())
    order = ["train", "validation", "test"]
    files = sorted(shards(sample), key=lambda p: order.index(p.name.split("-")[0]))
    assert [sample / "dataset" / s["path"] for s in manifest["shards"]] == files
    for entry in manifest["shards"]:
        body = (sample / "dataset" / entry["path"]).read_bytes()
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (entry["sha256"], entry["bytes"])
    assert sum(s["rows"] for s in manifest["shards"]) == manifest["documents"]


def test_datasets_opens_what_is_published(sample: Path, tmp_path: Path) -> None:
    import datasets

    whole = datasets.load_dataset(str(sample / "dataset"), cache_dir=str(tmp_path))
    manifest = json.loads((sample / "dataset/manifest.json").read_text())
    assert {name: len(split) for name, split in whole.items()} == {
        name: sum(s["rows"] for s in manifest["shards"] if f"/{name}-" in s["path"])
        for name in ("train", "validation", "test")
    }
    shard = datasets.Dataset.from_file(str(shards(sample)[0]))
    assert shard.column_names[:6] == ["id", "source_key", "url", "text", "language", "tokens"]


def test_the_card_is_read_back(sample: Path) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(sample / "dataset/README.md")
    (config,) = card.data.configs
    assert (config["config_name"], config["default"]) == ("documents", True)
    assert [f["split"] for f in config["data_files"]] == ["train", "validation", "test"]
    assert {"de", "en", "es", "fr", "ja", "ru"} <= set(card.data.language)
    assert str(table(sample, "documents").num_rows) in card.text.replace(",", "")


def test_names_with_brackets_are_said_as_they_are(tmp_path: Path) -> None:
    texts = [{"text": "one two"}, {"text": "one two three"}]
    asked = recipe(tmp_path, texts, '[rules]\n"[red]a[b]" = "words < 3"')
    said = well("run", asked, "--run", "run[e]", cwd=tmp_path)
    assert "  [red]a[b]" in said and "run[e]/dataset" in said


def test_a_rerun_does_nothing(sample: Path) -> None:
    before = files(sample)
    done = karez("run", sample / "recipe.toml", "--run", sample)
    assert done.returncode == 0, done.stderr
    assert "begins" not in done.stdout
    assert files(sample) == before


def test_no_work_is_left_over(sample: Path) -> None:
    assert not (sample / "work").exists()
    assert not [name for name in files(sample) if name.split("/")[-1].startswith(".")]


def test_the_card_says_by_what_tokens_were_estimated(tmp_path: Path) -> None:
    run = ran(tmp_path, [{"text": "x" * 101}], "[measure]\ntokens = { bytes_per_token = 10 }")
    card = (run / "dataset/README.md").read_text()
    assert "11 tokens (estimated, 10 bytes a token)" in card
