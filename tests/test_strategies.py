"""Strategies that look at the texts: what adds most first, and something of every subject."""

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor

from filters import coverage
from filters.clustering import SCALE, Clusters, assigned
from filters.compression import LEVEL, WINDOW, Compression, greedy
from filters.coverage import Coverage
from filters.strategies import Importance, Strategy
from pipelines.schema import drawn
from tests.helpers.command import ROOT
from tests.helpers.measuring import words_of


def rows(texts: list[str], **more: Any) -> pa.Table:
    """Candidates of these texts."""
    ids = pa.array([f"{random.Random(i).getrandbits(128):032x}" for i in range(len(texts))])
    tokens = pa.array([len(t.encode()) // 4 for t in texts], pa.int32())
    columns = {"id": ids, "tokens": tokens, "draw": pa.array(drawn(ids, 1)), "text": texts}
    return pa.table({**columns, **more})


def order(table: pa.Table, rank: pa.Array) -> list[str]:
    """Texts as they are chosen; ties by id."""
    values = rank.to_pylist()
    pairs = zip(values, table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    return [text for value, _, text in sorted(p for p in pairs if p[0] is not None)]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Paragraphs of the README and of the code: real text, some of it alike."""
    whole = [p.read_text() for p in (ROOT / "README.md", *sorted((ROOT / "filters").glob("*.py")))]
    return [part for text in whole for part in text.split("\n\n") if len(part) > 300][:150]


def test_a_copy_comes_after_everything_else(texts: list[str]) -> None:
    copies = [f"{text[:-5]} now" for text in texts[:40]]
    table = rows([*texts[:40], *copies])
    first = order(table, Compression(look=80, take=8).rank(table, 0))[:40]
    pairs = [sum(text[:200] == other[:200] for other in first) for text in first]
    assert sum(count > 1 for count in pairs) <= 4
    by_chance = random.Random(1).sample(table["text"].to_pylist(), 40)
    assert sum(sum(t[:200] == o[:200] for o in by_chance) > 1 for t in by_chance) > 12


def test_what_is_chosen_first_compresses_least(texts: list[str]) -> None:
    """The entropy law's measure: a third chosen so is denser than a third by chance."""
    noisy = [*texts, *(f"{text}\n{text}" for text in texts[:50])]
    table = rows(noisy)
    chosen = order(table, Compression(look=60, take=10).rank(table, 0))
    third = chosen[: len(chosen) // 3]
    drawn_ = [random.Random(seed).sample(noisy, len(third)) for seed in range(5)]

    def ratio(some: list[str]) -> float:
        body = "".join(some).encode()
        return len(ZstdCompressor(level=9).compress(body)) / len(body)

    assert ratio(third) > max(map(ratio, drawn_))


def slow_coverage(texts: list[str], size: int) -> list[int]:
    """Every round looks at every text."""
    runs = [_runs(text, size) for text in texts]
    length = [len(words_of(text)) for text in texts]
    left = {i for i, mine in enumerate(runs) if mine}
    said: set[tuple[str, ...]] = set()
    chosen = []
    while left:
        best = min(left, key=lambda i: (-len(runs[i] - said) / length[i], i))
        said |= runs[best]
        left.discard(best)
        chosen.append(best)
    return chosen


def _runs(text: str, size: int) -> set[tuple[str, ...]]:
    mine = [word.lower() for word in words_of(text)]
    return {tuple(mine[i : i + size]) for i in range(len(mine) - size + 1)}


@settings(max_examples=100)
@given(st.lists(st.text("abAé \n", max_size=40), max_size=20), st.integers(1, 4))
def test_coverage_is_its_slow_twin(some: list[str], size: int) -> None:
    told = coverage.runs(pa.array(some, pa.string()), size)
    assert coverage.greedy(*told, np.arange(len(some))).tolist() == slow_coverage(some, size)


def test_coverage_says_more_than_chance(texts: list[str]) -> None:
    """In a third of the tokens, more different runs than any of five draws by chance."""
    table = rows([*texts, *texts[:50]])
    chosen = order(table, Coverage().rank(table, 0))

    def said(some: list[str]) -> int:
        held: set[tuple[str, ...]] = set()
        size = 0
        for text in some:
            if size < 10_000:
                held |= _runs(text, 3)
                size += len(text) // 4
        return len(held)

    draws = [random.Random(i).sample(chosen, len(chosen)) for i in range(5)]
    assert said(chosen) > 1.05 * max(map(said, draws))


@pytest.mark.parametrize("how", [Compression(look=9, take=3), Coverage(), Clusters(clusters=3)])
def test_the_order_of_rows_decides_nothing(how: Strategy, texts: list[str]) -> None:
    vectors = np.random.default_rng(3).integers(-9, 9, (60, 16), dtype=np.int8)
    features = pa.array([v.tobytes() for v in vectors], pa.binary(16))
    table = rows(texts[:60], features=features)
    mixed = table.take(pa.array(random.Random(2).sample(range(60), 60)))
    ranks = how.rank(table, 0)
    assert order(table, ranks) == order(mixed, how.rank(mixed, 0))
    assert len(order(table, ranks)) == 60


def slow(texts: list[bytes], look: int, take: int) -> list[int]:
    """The same without a heap: each round sorts all that are left."""

    def novelty(text: bytes, known: bytes) -> float:
        extra = ZstdCompressionDict(known, DICT_TYPE_RAWCONTENT) if len(known) > 7 else None
        compressor = ZstdCompressor(level=LEVEL, dict_data=extra)
        return len(compressor.compress(text)) / len(text)

    state = {i: novelty(text, b"") for i, text in enumerate(texts) if text}
    chosen: list[int] = []
    known = b""
    while state:
        best = sorted(state, key=lambda i: (-state[i], i))[:look]
        state |= {i: novelty(texts[i], known) for i in best}
        fresh = b""
        mine: list[int] = []
        for i in sorted(best, key=lambda i: (-state[i], i)):
            alone = novelty(texts[i], b"")
            if len(mine) < take and (not mine or novelty(texts[i], fresh) >= alone / 2):
                mine.append(i)
                fresh += texts[i]
        known = (known + fresh)[-WINDOW:]
        state = {i: value for i, value in state.items() if i not in mine}
        chosen += mine
    return chosen


@settings(max_examples=60)
@given(st.lists(st.text("abc \n", max_size=60).map(str.encode), max_size=25), st.integers(1, 9))
def test_greedy_is_its_slow_twin(texts: list[bytes], take: int) -> None:
    assert greedy([memoryview(t) for t in texts], take + 3, take) == slow(texts, take + 3, take)


def test_an_empty_text_is_never_chosen() -> None:
    table = rows(["", "some words", ""])
    assert Compression().rank(table, 0).is_null().to_pylist() == [True, False, True]


def subjects(counts: list[int]) -> tuple[NDArray[np.int8], list[int]]:
    """Noisy vectors of some subjects, and whose they are."""
    draw = np.random.default_rng(4)
    centres = draw.integers(-60, 60, (len(counts), 32))
    whose = [subject for subject, count in enumerate(counts) for _ in range(count)]
    noise = draw.integers(-15, 15, (len(whose), 32))
    return (centres[whose] + noise).astype(np.int8), whose


@pytest.mark.parametrize(("balance", "shares"), [(0.0, (0.35, 0.65)), (1.0, (0.85, 0.95))])
def test_subjects_come_in_turn(balance: float, shares: tuple[float, float]) -> None:
    """Of two subjects, nine to one, the first documents hold both alike, or as they are."""
    vectors, whose = subjects([900, 100])
    features = pa.array([v.tobytes() for v in vectors], pa.binary(32))
    table = rows([f"text {i:4d}" for i in range(1000)], features=features)
    rank = Clusters(clusters=2, balance=balance).rank(table, 0)
    chosen = order(table, rank)[:150]
    large = sum(whose[int(text.split()[1])] == 0 for text in chosen) / len(chosen)
    assert shares[0] < large < shares[1]


def test_the_best_of_a_cluster_come_first() -> None:
    vectors, _ = subjects([50, 50])
    score = pa.array(np.random.default_rng(1).permutation(100).astype(np.float64))
    features = pa.array([v.tobytes() for v in vectors], pa.binary(32))
    table = rows([f"{i:08d}" for i in range(100)], features=features, score=score)
    chosen = order(table, Clusters(clusters=2, by="score desc").rank(table, 0))
    values = score.to_pylist()
    for half in (range(50), range(50, 100)):
        mine = [values[int(text)] for text in chosen if int(text) in half]
        assert mine == sorted(mine, reverse=True)


def slow_clusters(vectors: NDArray[np.int8], draw: NDArray[np.uint64], count: int) -> list[int]:
    """Spherical k-means in whole numbers of Python."""

    def unit(row: list[int]) -> list[int]:
        length = max(1.0, sum(x * x for x in row) ** 0.5)
        return [round(SCALE * x / length) for x in row]

    data = [[int(x) for x in row] for row in vectors]
    filled = sorted((int(draw[i]), i) for i, row in enumerate(data) if any(row))
    centres = [unit(data[i]) for _, i in filled[:count]]
    cluster = [0] * len(data)
    for _ in range(8 if centres else 0):
        products = [[sum(a * b for a, b in zip(r, c, strict=True)) for c in centres] for r in data]
        before, cluster = cluster, [p.index(max(p)) for p in products]
        if before == cluster:
            break
        for at in range(len(centres)):
            mine = [data[i] for _, i in filled if cluster[i] == at]
            total = [sum(column) for column in zip(*mine, strict=True)]
            centres[at] = unit(total) if any(total) else centres[at]
    return cluster


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(-128, 127)] * 4), max_size=20), st.integers(1, 5))
def test_clusters_are_their_slow_twin(data: list[tuple[int, ...]], count: int) -> None:
    vectors = np.array(data, np.int8).reshape(-1, 4)
    draw = np.random.default_rng(len(data)).permutation(len(data)).astype(np.uint64)
    assert assigned(vectors, draw, count).tolist() == slow_clusters(vectors, draw, count)


def test_without_features_a_document_is_never_chosen() -> None:
    features = pa.array([b"abcd", None, bytes(4)], pa.binary(4))
    rank = Clusters(clusters=2).rank(rows(["a", "b", "c"], features=features), 0)
    assert rank.is_null().to_pylist() == [False, True, False]


def test_importance_draws_by_the_weights() -> None:
    """Of two documents the one of three times the weight comes first three times in four."""
    ids = pa.array([f"{random.Random(i).getrandbits(128):032x}" for i in range(20_000)])
    weight = pa.array([np.log2(3.0), 0.0] * 10_000)
    table = pa.table({"id": ids, "draw": pa.array(drawn(ids, 1)), "importance": weight})
    rank = Importance().rank(table, 0).to_numpy(zero_copy_only=False).reshape(-1, 2)
    assert (rank[:, 0] < rank[:, 1]).mean() == pytest.approx(0.75, abs=0.015)
