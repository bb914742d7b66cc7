"""What dedup missed, measured: by brute force, against the true similarity."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.probes import jaccard, near
from pipelines.opened import Opened
from pipelines.runs import parts
from pipelines.steps.dedup.recall import effective, measured, wilson
from tests.helpers.command import here
from tests.test_dedup import decided, documents, edited, text
from tests.test_dedup import jaccard as true_jaccard

TEXTS = [edited(text(i // 3), 3 * (i % 3), i) for i in range(60)]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(0, 600), st.integers(0, 4))
def test_the_kernel_finds_what_comparing_all_finds(
    seed: int, slots: int, n: int, most: int
) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.integers(0, 3, (n, slots), np.uint8)
    probes = draw.integers(0, 3, (4, slots), np.uint8)
    own = np.array([-1, 0, 1, 5], np.int64)
    least = int(draw.integers(0, slots + 1))
    found = near(probes, rows, own, least, most)
    for p, probe in enumerate(probes):
        agree = [int((probe == row).sum()) for row in rows]
        good = [row for row in range(n) if agree[row] >= least and row != own[p]]
        expected = set(good[:most])
        nearest = max(good, key=lambda row: (agree[row], -row), default=None)
        if nearest is not None and agree[nearest] > 0:
            expected.add(nearest)
        mine = found.probes == p
        assert set(found.rows[mine].tolist()) == expected
        assert found.agreements[mine].tolist() == [agree[r] for r in found.rows[mine]]
        assert found.found[p] == len(good)


def test_jaccard_of_known_sets() -> None:
    sets = [np.array(values, np.uint64) for values in ([1, 2, 3], [2, 3, 4], [], [9])]
    assert jaccard(sets[0], sets[1]) == 0.5
    assert (jaccard(sets[0], sets[0]), jaccard(sets[0], sets[3])) == (1, 0)
    assert jaccard(sets[2], sets[2]) == 1


def test_intervals_of_known_shares() -> None:
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)  # Wilson 1927
    assert wilson(1, 10) == pytest.approx((0.7225, 1), abs=1e-4)
    assert wilson(0, 0) == (0, 1)
    assert effective(["a", "b", "c"]) == pytest.approx(3)
    assert effective(["a", "a", "a"]) == pytest.approx(1)
    assert effective([]) == 0


def checked(folder: Path, dedup: str = "") -> list[dict[str, Any]]:
    decided(folder, documents(*TEXTS), dedup)
    return pq.read_table(folder / "runs/a/check").to_pylist()


def test_the_similarity_of_every_pair_is_the_true_one(tmp_path: Path) -> None:
    pairs = checked(tmp_path)
    ids = pq.read_table(tmp_path / "runs/a/documents", columns=["id", "source_key"]).to_pylist()
    number = {row["id"]: int(row["source_key"]) for row in ids}
    said = {}
    for pair in pairs:
        one, other = number[pair["probe"]], number[pair["other"]]
        assert pair["jaccard"] == pytest.approx(true_jaccard(TEXTS[one], TEXTS[other]))
        said[frozenset((one, other))] = pair
    for one, other in combinations(range(60), 2):
        if true_jaccard(TEXTS[one], TEXTS[other]) >= 0.6:
            assert frozenset((one, other)) in said


def test_recall_is_the_share_of_pairs_that_are_not_both_kept(tmp_path: Path) -> None:
    found = decided(tmp_path, documents(*TEXTS))
    opened = Opened(tmp_path / "runs/a")
    recall = measured(opened.run, opened.recipe)
    assert recall is not None and recall.probes == 60
    pairs = [
        (one, other)
        for one, other in combinations(range(60), 2)
        if one // 3 == other // 3 and true_jaccard(TEXTS[one], TEXTS[other]) >= 0.8
    ]
    gone = sum(not (found[a]["kept"] and found[b]["kept"]) for a, b in pairs)
    assert (recall.above.part, recall.above.whole) == (gone, len(pairs))
    assert recall.half.value == 1


def test_no_probes_and_nothing_to_find(tmp_path: Path) -> None:
    decided(tmp_path, documents(*TEXTS), "probes = 0")
    assert not (tmp_path / "runs/a/check").exists()
    opened = Opened(tmp_path / "runs/a")
    assert measured(opened.run, opened.recipe) is None
    assert here("view", "runs/a", cwd=tmp_path).returncode == 0
    assert [row["kept"] for row in decided(tmp_path, documents(text(1)))] == [True]
    assert pq.read_table(tmp_path / "runs/a/check").num_rows == 0
    assert here("view", "runs/a", cwd=tmp_path).returncode == 0


def test_the_pairs_are_the_same_however_the_documents_are_cut_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = checked(tmp_path, "probes = 20")
    (tmp_path / "runs").rename(tmp_path / "before")
    monkeypatch.setattr(parts, "PART_ROWS", 7)
    assert checked(tmp_path, "probes = 20") == whole
    assert len(list((tmp_path / "runs/a/documents").iterdir())) == 9
