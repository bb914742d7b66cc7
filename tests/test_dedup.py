"""Near-duplicates end to end: who is found, who is kept, and what bad input does to it."""

import random
from pathlib import Path

import pyarrow as pa
import pytest

from filters.exact import Exact
from filters.lsh import recall
from pipelines.schema import DUPLICATES
from tests.helpers.command import PLANTED, rows
from tests.helpers.corpora import Rows, ran, told

WORDS = [f"w{i}" for i in range(5000)]


def text(seed: int, words: int = 200) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def jaccard(one: list[str], other: list[str]) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def edited(words: list[str], changes: int, seed: int) -> list[str]:
    draw, copy = random.Random(seed), list(words)
    for at in draw.sample(range(len(copy)), changes):
        copy[at] = f"x{draw.random()}"
    return copy


def decided(folder: Path, rows: Rows, dedup: str = "") -> Rows:
    """Decisions and duplicates of each document, by its own id."""
    run = ran(folder, rows, f"[measure]\nquality = {{}}\n[dedup]\n{dedup}")
    found = told(run, *(f"duplicates/{name}" for name in DUPLICATES.names)).to_pylist()
    return sorted(found, key=lambda row: int(row["source_key"]))


def documents(*texts: list[str]) -> Rows:
    return [{"id": i, "text": " ".join(words)} for i, words in enumerate(texts)]


def test_near_copies_are_found_as_often_as_theory_says(tmp_path: Path) -> None:
    changes = [0, 1, 2, 3, 4, 6, 10, 20] * 40
    pairs = [(text(i), edited(text(i), n, i)) for i, n in enumerate(changes)]
    found = decided(tmp_path, documents(*(words for pair in pairs for words in pair)))
    hits: list[tuple[float, bool]] = []
    for at, (one, other) in enumerate(pairs):
        j = jaccard(one, other)
        hit = found[2 * at]["cluster"] is not None
        assert hit == (found[2 * at + 1]["cluster"] is not None)
        assert not hit or found[2 * at]["cluster"] == found[2 * at + 1]["cluster"]
        hits.append((j, hit))
    assert all(hit for j, hit in hits if j >= 0.9)
    assert not any(hit for j, hit in hits if j < 0.6)
    # verification takes away from what bands find near the threshold, and adds nothing
    chances = [recall(j, 14, 8) for j, _ in hits]
    expected, spread = sum(chances), sum(p * (1 - p) for p in chances) ** 0.5
    near = sum(0.6 <= j < 0.8 for j, _ in hits)
    assert expected - near - 3 * spread <= sum(hit for _, hit in hits) <= expected + 3 * spread


def test_the_estimate_stands_beside_the_duplicate(tmp_path: Path) -> None:
    one, other = text(1), edited(text(1), 2, 1)
    found = decided(tmp_path, documents(one, other, text(2)))
    gone = next(row for row in found if row["duplicate"])
    assert abs(gone["similarity"] - jaccard(one, other)) < 0.12
    assert (gone["equal"], gone["cluster_size"], gone["reason"]) == (False, 2, "near duplicate")
    assert gone["cluster_diameter"] == pytest.approx(1 - gone["similarity"])
    assert found[2]["cluster"] is None and found[2]["kept"]


def test_of_many_equal_texts_one_is_kept(tmp_path: Path) -> None:
    found = decided(tmp_path, documents(*[text(1)] * 500, text(2)))
    assert sum(row["kept"] for row in found) == 2
    assert {row["reason"] for row in found} == {None, "duplicate"}
    first = min(row["id"] for row in found[:500])
    assert {row["cluster"] for row in found[:500]} == {first}
    assert {row["cluster_size"] for row in found[:500]} == {500}


def test_texts_made_to_share_a_hash_are_no_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shared(self: Exact, batch: pa.RecordBatch) -> pa.RecordBatch:
        hashes = pa.array([bytes(16)] * batch.num_rows, pa.binary(16))
        return pa.record_batch([hashes], schema=self.columns)

    monkeypatch.setattr(Exact, "measure", shared)
    found = decided(tmp_path, documents(text(1), text(1), text(2), text(3)))
    assert [row["duplicate"] is None for row in found] == [False, False, True, True]


def test_texts_shorter_than_a_shingle_are_duplicates_only_if_equal(tmp_path: Path) -> None:
    texts: list[list[str]] = [["one", "two"], ["one", "two"], ["two", "one"], ["one"], []]
    found = decided(tmp_path, documents(*texts))
    assert [row["kept"] for row in found].count(True) == 4
    assert found[0]["cluster"] == found[1]["cluster"] != None  # noqa: E711


@pytest.mark.parametrize(("keep", "kept"), [("words desc", 1), ("words", 0), ("words asc", 0)])
def test_the_keep_policy_decides_who_stays(tmp_path: Path, keep: str, kept: int) -> None:
    short, long = text(1), [*text(1), "one", "more"]
    found = decided(tmp_path, documents(short, long), f'keep = "{keep}"')
    assert found[kept]["kept"] and not found[1 - kept]["kept"]


def chain(links: int) -> list[list[str]]:
    """Each is near to the next, the first is far from the last."""
    words = text(1)
    steps = [list(words)]
    for link in range(links):
        words = list(words)
        for at in range(8):
            words[(link * 8 + at) % len(words)] = f"y{link}-{at}"
        steps.append(words)
    return steps


def test_a_chain_is_one_cluster_or_led(tmp_path: Path) -> None:
    found = decided(tmp_path, documents(*chain(12)))
    assert sum(row["kept"] for row in found) == 1
    assert max(row["cluster_diameter"] for row in found) > 0.5
    found = decided(tmp_path, documents(*chain(12)), 'link = "leader"')
    assert sum(row["kept"] for row in found) > 1
    assert all(row["similarity"] > 0.6 for row in found if row["duplicate"])


def test_a_bad_copy_never_kills_a_good_one(tmp_path: Path) -> None:
    bad = [*text(1), *["menu"] * 3]
    rules = 'keep = "words desc"\n[rules]\nmenus = "words > 200"'
    found = decided(tmp_path, documents(text(1), bad), rules)
    assert [row["reason"] for row in found] == [None, "menus"]


def test_planted_copies_of_the_sample_are_found(sample: Path) -> None:
    near = [p for p in PLANTED if p["expect"].startswith("near duplicate")]
    by_url = {row["url"]: row for row in rows(sample).values()}
    for planted in near:
        copy, original = by_url[planted["url"]], by_url[planted["from"]]
        together = {copy["reason"], original["reason"]} & {"near duplicate", "duplicate"}
        if planted["jaccard"] >= 0.85:
            assert together, planted["url"]
        if planted["jaccard"] < 0.5:
            assert not together, planted["url"]


@pytest.mark.parametrize("keep", ["url", "url desc"])
def test_a_document_without_the_value_that_decides_comes_last(tmp_path: Path, keep: str) -> None:
    rows = documents(text(1), text(1), text(1))
    rows[1]["url"] = "https://example.org/"
    found = decided(tmp_path, rows, f'keep = "{keep}"')
    assert [row["kept"] for row in found] == [False, True, False]


def test_equal_texts_and_near_ones_are_one_cluster_whoever_is_kept(tmp_path: Path) -> None:
    near = [*text(1), "one", "more"]
    for link in ("component", "leader"):
        for keep in ("words desc", "words", ""):
            rows = documents(*[text(1)] * 20, *[near] * 20)
            found = decided(tmp_path, rows, f'link = "{link}"\nkeep = "{keep}"')
            assert sum(row["kept"] for row in found) == 1
            assert {row["cluster_size"] for row in found} == {40}
            assert sum(row["reason"] == "duplicate" for row in found) == 19


def test_equal_texts_without_words_are_duplicates_too(tmp_path: Path) -> None:
    found = decided(tmp_path, documents(["…"], ["…"], ["!!!"], ["…"], ["word"], []))
    assert [row["reason"] for row in found].count("duplicate") == 2
    assert found[0]["cluster_size"] == 3
