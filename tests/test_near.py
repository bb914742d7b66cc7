"""Held-out documents that resemble a train document: found, named, and dropped."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.buffers import table as bytes_of
from filters.lsh import similarity
from tests.helpers.command import here
from tests.test_dedup import documents, edited, text


def ran(folder: Path, rows: list[dict[str, Any]], publish: str, more: str = "") -> pa.Table:
    """Each document with its split, what it is near to, and what was decided."""
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "a.toml").write_text(
        'name = "a"\n[[source]]\nkind = "jsonl"\npaths = ["a.jsonl"]\n'
        f"{more}\n[publish]\n{publish}\n"
    )
    done = here("run", "a.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    run = folder / "runs/a"
    whole = pq.read_table(run / "documents", columns=["id"])
    reads = {"split": ["split"], "near": ["near_train", "near_id"], "minhash": ["minhash"]}
    for table, names in reads.items():
        for name in names:
            columns = pq.read_table(run / "columns/documents" / table)
            whole = whole.append_column(name, columns[name])
    decisions = pq.read_table(run / "decisions/documents")
    return whole.append_column("reason", decisions["reason"])


HALVES = "splits = { train = 0.5, test = 0.3, validation = 0.2 }"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """300 texts and as many copies, of all similarities."""
    pairs = [(text(i), edited(text(i), i % 25, i)) for i in range(300)]
    rows = documents(*(words for pair in pairs for words in pair))
    return ran(tmp_path_factory.mktemp("many"), rows, HALVES, "[dedup]")


def nearest(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the similarity to the nearest train document, by comparing with all of them."""
    low = bytes_of(table["minhash"].combine_chunks())
    gone = np.array([r in ("duplicate", "near duplicate") for r in table["reason"].to_pylist()])
    trained = np.array(table["split"].to_pylist()) == "train"
    of = np.flatnonzero(trained & ~gone)
    agree = np.array([(low[of] == row).sum(axis=1).max() for row in low])
    return similarity(agree, low.shape[1]), ~trained & ~gone


def test_what_is_near_a_train_document_is_found_as_often_as_bands_promise(many: pa.Table) -> None:
    true, held = nearest(many)
    said = many["near_train"].to_numpy()
    assert np.isnan(said[~held]).all()
    near = held & (true >= 0.5)
    assert near.sum() > 40
    found = np.isclose(said, true, atol=1e-6)
    assert found[held & (true >= 0.65)].all()
    assert found[near].mean() > 0.85
    assert (np.nan_to_num(said[held]) <= true[held] + 1e-6).all()


def test_it_is_dropped_and_says_beside_what(many: pa.Table) -> None:
    rows = many.to_pylist()
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        near = row["near_train"] is not None and row["near_train"] >= 0.5
        assert (row["reason"] == "near train") == near
        if near:
            other = by_id[row["near_id"]]
            assert (other["split"], other["reason"]) == ("train", None)


def test_a_train_document_stays_whatever_it_is_near_to(many: pa.Table) -> None:
    reasons = [r["reason"] for r in many.to_pylist() if r["split"] == "train"]
    assert "near train" not in reasons


def test_without_dedup_an_equal_text_is_near_train_too(tmp_path: Path) -> None:
    found = ran(tmp_path, documents(*[text(i // 8) for i in range(80)]), HALVES).to_pylist()
    for at in range(0, 80, 8):
        group = [row for row in found if row["id"] in {r["id"] for r in found[at : at + 8]}]
        trained = any(row["split"] == "train" for row in group)
        held = [row for row in group if row["split"] != "train"]
        assert all((row["reason"] == "near train") == trained for row in held)
        assert all(row["near_train"] == (1 if trained else None) for row in held)


def test_another_threshold_decides_anew_and_false_looks_for_nothing(tmp_path: Path) -> None:
    rows = documents(*[edited(text(i // 4), 2 * (i % 4), i) for i in range(80)])
    count = []
    for least in ("0.5", "0.9", "1", "false"):
        splits = f"{HALVES}\nnear_train = {least}"
        if least == "false":
            (tmp_path / "runs/a").rename(tmp_path / "runs/b")
            with pytest.raises(FileNotFoundError):
                ran(tmp_path, rows, splits)
            reasons = pq.read_table(tmp_path / "runs/a/decisions/documents")["reason"]
        else:
            reasons = ran(tmp_path, rows, splits)["reason"]
        count.append(reasons.to_pylist().count("near train"))
    assert count[0] > count[1] >= count[2] >= count[3] == 0


@pytest.mark.parametrize("value", ["0", "2", '"much"', "true"])
def test_a_threshold_that_makes_no_sense_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "a.toml").write_text(
        'name = "a"\n[[source]]\nkind = "jsonl"\npaths = ["a.jsonl"]\n'
        f"[publish]\nnear_train = {value}\n"
    )
    done = here("run", "a.toml", cwd=tmp_path)
    assert done.returncode == 2 and "near_train" in done.stderr


def test_a_crowded_bucket_is_compared_with_few(tmp_path: Path) -> None:
    rows = [{"id": i, "text": " ".join(text(1, 20))} for i in range(5000)]
    found = ran(tmp_path, rows, HALVES)
    held = [row for row in found.to_pylist() if row["split"] != "train"]
    assert held and all(row["reason"] == "near train" for row in held)
    steps = json.loads((tmp_path / "runs/a/manifest.json").read_text())["steps"]
    assert steps["near"]["counts"]["beyond"] > 0
