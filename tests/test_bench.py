"""The benchmark of near-duplicates: its corpus is what it says, and its figures are right."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bench import neardup, neardup_corpus, personal

WORDS = [f"word{i}" for i in range(3000)]


def page(seed: int, words: int = 150) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def test_a_copy_has_the_stated_share_of_its_words_replaced() -> None:
    original, draw = page(1, 200), random.Random(2)
    copy = neardup_corpus.copied(original, 0.05, False, ["new"], draw)
    pairs = zip(original.split(), copy.split(), strict=True)
    assert sum(a != b for a, b in pairs) == 10
    framed = neardup_corpus.copied(original, 0.0, True, ["new"], draw)
    assert original in framed and len(framed.split()) == 200 + 10 + 5


def test_the_truth_is_the_similarity_of_shingles() -> None:
    assert neardup_corpus.jaccard("a b c d e f", "a b c d e g") == pytest.approx(1 / 3)
    assert neardup_corpus.jaccard("a b", "a b") == 1
    texts, groups = neardup_corpus.injected([page(i) for i in range(77)])
    assert 98 <= len(texts) <= 102 and len(set(groups)) == 77
    for pair in neardup_corpus.truth(texts, groups).to_pylist():
        assert groups[pair["one"]] == groups[pair["other"]]
        one, other = texts[pair["one"]], texts[pair["other"]]
        assert pair["jaccard"] == neardup_corpus.jaccard(one, other)


def test_pages_that_resemble_an_earlier_one_are_left_out() -> None:
    near = neardup_corpus.copied(page(1), 0.02, False, ["new"], random.Random(1))
    assert neardup_corpus.unlike([page(1), page(2), near, page(3)]) == [page(1), page(2), page(3)]


def test_the_race_counts_what_is_removed(tmp_path: Path) -> None:
    texts = [page(0), page(1), page(0), page(2)]
    ids = [f"{row:06d}" for row in range(4)]
    pq.write_table(pa.table({"id": ids, "text": texts}), tmp_path / "corpus.parquet")
    took, removed = neardup.run(tmp_path, "karez", tmp_path / "corpus.parquet")
    assert removed == {"000002"} and took.cpu > 0
    assert not (tmp_path / "run/dataset").exists()
    (tmp_path / "karez.removed").write_text("\n".join(removed))
    pairs = {"one": [0, 1, 0], "other": [2, 3, 1], "jaccard": [1.0, 0.72, 0.92]}
    pq.write_table(pa.table(pairs), tmp_path / "truth.parquet")
    found = neardup.quality(tmp_path, "karez")
    half, low, high, count = found["recall 0.90"]
    assert (half, count) == (0.5, 2) and 0 < low < 0.5 < high < 1
    assert found["recall 0.70"][0] == 0
    assert found["precision"][0] == 1


def test_costs_are_marginal_and_from_medians() -> None:
    rows = {"corpus": 10, "fourfold": 40, "part": 5}
    turns = {
        "karez": {"corpus": [2.0, 2.0, 3.0], "fourfold": [5.0, 8.0, 6.0], "peak": [1.0, 3.0, 2.0]},
        "reading": {"corpus": [1.0] * 3, "fourfold": [2.5] * 3, "peak": [1.0] * 3},
        "gaoya": {"corpus": [0.0] * 3, "fourfold": [12.0] * 3, "peak": [1.0] * 3},
        "datatrove": {"part": [20.0], "peak": [7.0]},
    }
    table = neardup.costs(rows, turns)
    karez = table["karez"]
    assert karez["documents a CPU s"] == pytest.approx((10, 5, 10))
    assert karez["start, CPU s"] == pytest.approx((1, 0, 2)) and karez["peak, MB"][2] == 3
    assert karez["times gaoya, with the reading"][0] == pytest.approx(4)
    assert karez["times gaoya, without it"][0] == pytest.approx(8)
    assert table["gaoya"]["documents a CPU s"] == pytest.approx((2.5, 2.5, 2.5))
    assert table["datatrove"]["documents a CPU s"] == pytest.approx((0.25, 0.25, 0.25))


def test_disguised_texts_are_like_nothing_before() -> None:
    table = pa.table({"id": ["000000"], "text": ["Der Zug kommt um 9 an, Zoë."]})
    assert neardup_corpus.disguised(table, 0)["text"].to_pylist() == table["text"].to_pylist()
    assert neardup_corpus.disguised(table, 1)["text"].to_pylist() == ["Efs Avh lpnnu vn 9 bo, Apë."]


def test_a_missed_bar_says_so() -> None:
    figures = {"times gaoya, without it": 5.0, "times gaoya, with the reading": 3.0}
    ratios = {name: (figure, figure, figure) for name, figure in figures.items()}
    names = ("recall 0.80", "recall 0.85", "recall 0.90", "precision")
    good = dict.fromkeys(names, (1.0, 0.99, 1.0, 100))
    said = neardup.bars({"karez": ratios}, {"karez": good, "gaoya": good})
    assert [line for line in said if not line.startswith("met")] == [
        "MISSED: times gaoya, with the reading 3, bar 4"
    ]


def test_planted_values_stand_in_the_texts_and_are_judged() -> None:
    frame = {"frame": "Ask {}, please."}
    values = [
        {"kind": "email", "value": "a@b.org", **frame},
        {"kind": "email", "value": "c@d.org", **frame},
        {"kind": "date", "value": "01.02.2003", **frame},
        {"kind": "ip", "value": "9.8.7.96", **frame},
    ]
    texts, where = personal.planted(["one\ntwo", "three"], values)
    assert all(frame["frame"].format(v["value"]) in texts[v["row"]] for v in where)
    assert sorted(line for text in texts for line in text.split("\n") if " " not in line) == [
        *("one", "three", "two")
    ]
    assert personal.judged(where, personal.cleaned(texts), True)["email"]["recall"][0] == 1
    hasty = [{"email": t.replace("Ask a@b.org", "<email>").replace("01.02", "")} for t in texts]
    for whole, found, precise in ((False, 0.5, 0.5), (True, 0.0, 0.0)):
        figures = personal.judged(where, hasty, whole)["email"]
        assert (figures["recall"][0], figures["precision"][0]) == (found, precise)
