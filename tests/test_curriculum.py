"""The curriculum: easy before hard, strictly or as a pacing opens it, in shards of one size."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.recipe.select import Curriculum
from pipelines.steps.select.curriculum import opens, paced
from tests.helpers import corpora
from tests.helpers.command import shards

ROWS = 500


def ran(folder: Path, curriculum: str, more: str = "", parts: int = 3) -> list[list[int]]:
    """Words of each document of each published shard of the train split, in order."""
    draw = random.Random(1)
    rows = [
        {"id": i, "text": " ".join(draw.choices("abcdefghij", k=draw.choice([20, 40, 60, 80])))}
        for i in range(ROWS)
    ]
    publish = '[publish]\nshard = "10 kB"\ncolumns = ["words", "compression_ratio"]'
    run = corpora.ran(folder, rows, f"[curriculum]\n{curriculum}\n{more}\n{publish}", parts)
    shards = sorted((run / "dataset/data/documents").glob("train-*"))
    return [pa.ipc.open_stream(s).read_all()["words"].to_pylist() for s in shards]


@pytest.mark.parametrize("how", ["asc", "desc"])
def test_shards_go_from_easy_to_hard(how: str, tmp_path: Path) -> None:
    shards = ran(tmp_path, f'by = "words {how}"')
    words = [w for shard in shards for w in shard]
    assert words == sorted(words, reverse=how == "desc") and len(words) == ROWS
    sizes = [sum(shard) for shard in shards]
    assert len(shards) > 3 and max(sizes) < 1.2 * min(sizes)


def test_every_document_that_is_left_has_a_difficulty_and_a_place(tmp_path: Path) -> None:
    select = '[[select]]\nstrategy = "top"\nby = "words"\nbudget = "50 %"'
    ran(tmp_path, 'by = "compression_ratio"', select)
    run = tmp_path / "runs/a"
    placed = pq.read_table(run / "columns/documents/curriculum")
    decided = pq.read_table(run / "decisions/documents")
    kept = decided["kept"].to_pylist()
    assert [p is not None for p in placed["place"].to_pylist()] == kept
    assert decided["order"].to_pylist() == placed["place"].to_pylist()
    assert 0 < sum(kept) < ROWS
    values = (placed[name].drop_null().to_pylist() for name in ("place", "difficulty"))
    pairs = sorted(zip(*values, strict=True))
    assert [hard for _, hard in pairs] == sorted(hard for _, hard in pairs)


def test_parts_decide_nothing(tmp_path: Path) -> None:
    """Ties are broken by id, whatever part a document is in; only the curve is told by parts."""
    found = []
    for parts in (1, 5):
        (tmp_path / str(parts)).mkdir()
        shards = ran(tmp_path / str(parts), 'by = "words"', parts=parts)
        found.append([w for shard in shards for w in shard])
    assert found[0] == found[1]


@pytest.mark.parametrize("pacing", ["linear", "root"])
def test_a_pacing_opens_what_is_hard_in_its_time(pacing: str) -> None:
    asked = Curriculum("x", pacing, 0.2)
    draw = np.random.default_rng(2)
    share, chance = np.sort(draw.random(20_000)), draw.random(20_000)
    place = paced(share, chance, asked)
    assert place.min() >= 0 and place.max() <= 1
    counts = np.histogram(place, 20, (0, 1))[0]
    assert counts.max() < 1.25 * counts.min()  # shards of one size
    early = share[place < 0.02]
    assert early.max() < 0.45 < share[place > 0.9].max() and early.min() < 0.02
    means = [share[(place >= t) & (place < t + 0.1)].mean() for t in np.arange(0, 1, 0.1)]
    assert means == sorted(means)
    grown = {"linear": lambda t: 0.2 + 0.8 * t, "root": lambda t: np.sqrt(0.04 + 0.96 * t)}
    time = np.linspace(0.01, 0.99, 50)
    assert opens(grown[pacing](time), asked) == pytest.approx(time)
    assert (opens(np.linspace(0, 0.2, 9), asked) == 0).all()


def test_without_a_value_a_document_is_the_hardest(tmp_path: Path) -> None:
    rows = [{"id": i, "text": text} for i, text in enumerate(["a b c", "…", "a b", "— —"])]
    by = '[curriculum]\nby = "mean_word_length"\n[publish]\ncolumns = ["mean_word_length"]'
    (shard,) = shards(corpora.ran(tmp_path, rows, by))
    values = pa.ipc.open_stream(shard).read_all()["mean_word_length"].to_pylist()
    assert values == sorted(values, key=lambda v: (v is None, v)) and len(values) == 4
