"""The proof's parts: figures against slow twins, samples, what is refused, what is shown."""

import json
import re
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipelines.errors import RecipeError
from pipelines.prove import arms as prove_arms
from pipelines.prove import figures as prove_figures
from pipelines.prove import jobs as prove_jobs
from pipelines.prove import view as prove_view
from pipelines.prove.arms import Arm, Sample
from pipelines.prove.figures import figures, mean, reached, verdicts
from pipelines.prove.jobs import Ready
from pipelines.prove.pieces import PIECE, pieces
from pipelines.report import proof as prove_plot
from pipelines.report.plots import WIDTH
from pipelines.trainer.sizes import SIZES

BITS = st.floats(0.5, 8, allow_nan=False)


# Figures


def test_tokens_are_read_off_between_two_points() -> None:
    curve = [(100, 4.0), (200, 3.0), (400, 2.0), (800, 1.5)]
    assert reached(curve, 3.0) == pytest.approx(200) and reached(curve, 5.0) == 100
    assert reached(curve, 2.5) == pytest.approx(200 * 2**0.5)
    assert reached(curve, 1.4) is None


def test_what_is_lost_again_was_not_reached() -> None:
    curve = [(100, 4.0), (200, 2.0), (300, 3.0), (400, 2.0)]
    assert reached(curve, 2.5) == pytest.approx(300 * (4 / 3) ** 0.5)


@given(st.lists(BITS, min_size=1, max_size=8), BITS)
def test_from_there_on_a_curve_stays_at_the_loss(bits: list[float], loss: float) -> None:
    curve = [(100 * (i + 1), b) for i, b in enumerate(bits)]
    tokens = reached(curve, loss)
    assert (tokens is None) == (bits[-1] > loss)
    for n, b in curve:
        assert tokens is None or n < tokens or b <= loss or n == pytest.approx(tokens)


def test_half_the_tokens_are_saved_by_what_learns_twice_as_fast() -> None:
    slow = [[(n, 8 - np.log(n) / 3 + seed) for n in range(100, 2100, 100)] for seed in range(3)]
    fast = [[(n, 8 - np.log(2 * n) / 3 + seed) for n in range(100, 2100, 100)] for seed in range(3)]
    worse = [[(n, b + 1) for n, b in curve] for curve in slow]
    found = figures({"random": slow, "karez": fast, "worse": worse})
    saved, worth = found["karez"].saved, found["karez"].worth
    assert saved and worth
    assert (saved.value, saved.low, saved.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-9)
    assert worth.value == pytest.approx(1.0) and found["karez"].never == 0
    assert found["worse"].saved is None and found["worse"].never == 3
    assert found["random"].saved == prove_figures.Mean(0, 0, 0)
    assert found["worse"].excess.value > 0 > found["karez"].excess.value


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=10))
def test_an_interval_is_students(values: list[float]) -> None:
    found, n = mean(values), len(values)
    spread = (sum((v - sum(values) / n) ** 2 for v in values) / (n - 1)) ** 0.5
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
    assert found.high is not None and found.low is not None
    assert found.high - found.value == pytest.approx(t[n] * spread / n**0.5, abs=1e-9)
    assert found.high - found.value == pytest.approx(found.value - found.low, abs=1e-9)
    assert mean(values[:1]) == prove_figures.Mean(values[0], None, None)


def judged(saved: list[float], excess: list[float]) -> list[tuple[str, str]]:
    """The verdicts on an arm that saves and loses so much, by seeds."""
    ends = [[(500, 3.0), (1000, 2.0)] for _ in saved]
    quick = [[(1, 9.0), (round(1000 * (1 - s)), 2.0), (1000, 2.0)] for s in saved]
    general = [[(1000, 2.0 * (1 + e))] for e in excess]
    both = {
        "target": figures({"random": ends, "karez": quick}),
        "general": figures({"random": [c[1:] for c in ends], "karez": general}),
    }
    return [(v.what.split(",")[0], v.verdict) for v in verdicts(both)]


def test_a_bar_that_is_missed_is_called_so() -> None:
    saved, general = "tokens saved on target", "loss above random on general"
    assert judged([0.4, 0.41], [0.01, 0.01]) == [(saved, "met"), (general, "met")]
    average = [(saved, "met on average"), (general, "met on average")]
    assert judged([0.2, 0.4], [0.0, 0.09]) == average
    assert judged([0.2, 0.21], [0.06, 0.08]) == [(saved, "missed"), (general, "missed")]
    never = [[(1000, 2.5)], [(1000, 2.5)]]
    worse = figures({"random": [[(1000, 2.0)], [(1000, 2.0)]], "karez": never})
    (verdict,) = verdicts({"target": worse})
    assert (verdict.said, verdict.verdict) == ("never as good as random", "missed")


# Arms and sets


@given(
    st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "", "é👩\u200d🚀", "\r\n"]), max_size=30),
    st.integers(1, 40),
    st.integers(0, 5),
)
@settings(max_examples=60)
def test_a_sample_holds_enough_and_nothing_twice(words: list[str], size: int, seed: int) -> None:
    texts = [f"{word} {number}" if word else "" for number, word in enumerate(words)]
    batches = [pa.array(some, pa.string()) for some in (texts[:4], texts[4:])]
    arm = Arm("a", lambda: iter(batches))
    full = [text for text in texts if text]
    if not full:
        with pytest.raises(RecipeError, match="it holds no text"):
            prove_arms.sample(arm, ["nothing"], size, seed)
        return
    found = prove_arms.sample(arm, ["nothing"], size, seed)
    taken = found.texts.to_pylist()
    sizes = [len(text.encode()) for text in taken]
    assert len(set(taken)) == len(taken) and set(taken) <= set(full)
    assert found.documents == len(full) and found.size == sum(len(t.encode()) for t in full)
    assert len(taken) == len(full) or sum(sizes) >= size
    ordered = prove_arms.sample(Arm("a", arm.read, True), ["nothing"], size, seed).texts.to_pylist()
    assert sorted(ordered) == sorted(taken) and ordered == [t for t in full if t in set(ordered)]


@given(
    st.lists(st.text(max_size=3) | st.sampled_from(["x" * 1999, "é" * 2000, "\n" * 9]), max_size=9)
)
def test_pieces_are_the_text_and_words_are_whole_in_them(parts: list[str]) -> None:
    text = "".join(parts)
    found = list(pieces([text]))
    assert "".join(found) == text and all(1 <= len(piece) <= PIECE for piece in found)
    for piece, after in pairwise(found):
        assert piece[-1].isspace() or len(piece) == PIECE
        assert piece[-1].isspace() or not any(map(str.isspace, (piece + after)[1:PIECE]))


def test_a_long_document_is_no_more_than_as_many_short_ones() -> None:
    long = "".join(f"This is line {n} of a long document. " for n in range(20_000))
    arm = Arm("a", lambda: iter([pa.array([long, *("Short. " * 280 for _ in range(380))])]))
    found = prove_arms.sample(arm, ["nothing"], 100_000, 0)
    sizes = [len(text) for text in found.texts.to_pylist()]
    assert 100_000 <= sum(sizes) < 100_000 + PIECE and found.documents == 381
    mine = sum("line" in text for text in found.texts.to_pylist())
    assert 0.25 < mine / len(sizes) < 0.75


def test_what_is_held_out_is_left_out_of_an_arm() -> None:
    passage = "one two three four five six seven eight nine ten eleven twelve thirteen"
    texts = [f"Before. {passage.upper()}, and after.", passage.rpartition(" ")[0] + " x", "Other."]
    arm = Arm("a", lambda: iter([pa.array(texts)]))
    found = prove_arms.sample(arm, [f"It says: {passage}."], 99, 0)
    assert sorted(found.texts.to_pylist()) == sorted(texts[1:]) and found.shared == 1
    with pytest.raises(RecipeError, match="all 1 documents share 13 words"):
        prove_arms.sample(Arm("a", lambda: iter([pa.array(texts[:1])])), [passage], 99, 0)


@pytest.mark.parametrize(
    ("count", "wanted", "said"),
    [
        (100, None, "a step alone takes 512"),
        (10_000, 600, "want 6,144 at least"),
        (10_000, 2_000_000, "more than 100 times"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(count: int, wanted: int | None, said: str) -> None:
    ready = Ready(Arm("random", lambda: iter([])), Sample(pa.array(["x"]), 1, 0, 1, ""), "", count)
    with pytest.raises(RecipeError, match=said):
        prove_jobs.steps_of([ready], SIZES["tiny"], wanted)
    assert prove_jobs.steps_of([replace(ready, tokens=10_000)], SIZES["tiny"], None) == 78


# What is shown


def example(arm: str) -> dict[str, Any]:
    """A small proof, with an arm of some name."""
    points = range(100, 1100, 100)
    curves = {
        name: [[(n, level + 100 / n + seed / 100) for n in points] for seed in (0, 1)]
        for name, level in (("random", 2.0), ("karez", 1.9), (arm, 2.5))
    }
    found = figures(curves)
    return {
        "size": "tiny",
        "tokens": 1000,
        "seeds": 2,
        "run_of_words": 13,
        "sets": {"general": {"documents": 12, "bytes": 3456, "from": arm}},
        "arms": {n: {"documents": 9, "shared": 1, "bytes": 99, "rounds": 2.5} for n in curves},
        "figures": {"general": json.loads(json.dumps({n: asdict(f) for n, f in found.items()}))},
        "verdicts": [asdict(v) for v in verdicts({"general": found})],
        "curves": {"general": curves},
    }


def test_the_table_says_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    prove_view.show(example("bad\x1b[2J[red]"), Console(width=120))
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said and "bad␛[2J[red]" in said
    for part in ("never as good", "met", "Fewer than 3 seeds", "No target set", "more than once"):
        assert part in said


def test_a_name_cannot_break_the_picture() -> None:
    svg = str(prove_plot.plot(example("</title><script>")["curves"]["general"], "<general>"))
    assert "<script" not in svg and "<general>" not in svg and svg.count('class="way"') == 3


def test_the_picture_stays_inside_its_frame() -> None:
    svg = str(prove_plot.plot(example("x")["curves"]["general"], "general"))
    for d in re.findall(r' d="M([^"]*)"', svg):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", d)]
        assert all(0 <= n <= WIDTH for n in numbers)
