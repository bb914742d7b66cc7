"""Held-out documents that resemble a train document: found, named, and dropped."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from filters.buffers import table as bytes_of
from filters.lsh import similarity
from tests.helpers import corpora
from tests.helpers.corpora import Rows, told
from tests.test_dedup import documents, edited, text


def ran(folder: Path, rows: Rows, publish: str, more: str = "") -> pa.Table:
    """Each document with its split, what it is near to, and what was decided."""
    run = corpora.ran(folder, rows, f"{more}\n[publish]\n{publish}")
    return told(run, "split/split", "near/near_train", "near/near_id", "minhash/minhash")


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
        near = row["near_train"] is not None and row["near_train"] >= 0.5  # null in train
        assert (row["reason"] == "near train") == near
        if near:
            other = by_id[row["near_id"]]
            assert (other["split"], other["reason"]) == ("train", None)


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
    for least in ("0.5", "0.9", "1"):
        found = ran(tmp_path, rows, f"{HALVES}\nnear_train = {least}")
        count.append(found["reason"].to_pylist().count("near train"))
    assert count[0] > count[1] >= count[2]
    run = corpora.ran(tmp_path, rows, f"[publish]\n{HALVES}\nnear_train = false", name="b")
    assert "near train" not in told(run)["reason"].to_pylist()
    assert not (run / "columns/documents/near").exists()


def test_a_crowded_bucket_is_compared_with_few(tmp_path: Path) -> None:
    rows = [{"id": i, "text": " ".join(text(1, 20))} for i in range(5000)]
    found = ran(tmp_path, rows, HALVES)
    held = [row for row in found.to_pylist() if row["split"] != "train"]
    assert held and all(row["reason"] == "near train" for row in held)
    steps = json.loads((tmp_path / "runs/a/manifest.json").read_text())["steps"]
    assert steps["near"]["counts"]["beyond"] > 0
