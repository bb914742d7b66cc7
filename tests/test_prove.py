"""The proof: its figures against slow twins, what it refuses, and one that is trained."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipelines import (
    prove,
    prove_arms,
    prove_figures,
    prove_jobs,
    prove_plot,
    prove_sets,
    prove_view,
    prove_without,
    report,
    whole,
)
from pipelines.errors import RecipeError
from pipelines.measures import selected
from pipelines.plots import WIDTH
from pipelines.prove_arms import Arm, Sample
from pipelines.prove_figures import figures, mean, reached, verdicts
from pipelines.prove_jobs import Ready
from pipelines.recipe import of_run, parse
from pipelines.runs import Run
from pipelines.trainer.shards import Shards
from pipelines.trainer.sizes import SIZES
from pipelines.view import gather
from tests import needs
from tests.command import SAMPLE, files, here, karez, rows, shards, table
from tests.making import write_run

RECIPE = """\
name = "proof"
seed = 3
[[source]]
kind = "warc"
paths = {paths}
[rules]
short = "words < 200"
long = "words > 2000"
[dedup]
probes = 0
[publish]
splits = {{ train = 0.9, test = 0.1 }}
"""
BITS = st.floats(0.5, 8, allow_nan=False)


# Figures


def test_tokens_are_read_off_between_two_points() -> None:
    curve = [(100, 4.0), (200, 3.0), (400, 2.0), (800, 1.5)]
    assert reached(curve, 3.0) == pytest.approx(200) and reached(curve, 5.0) == 100
    assert reached(curve, 2.5) == pytest.approx(200 * 2**0.5)
    assert reached(curve, 1.4) is None


def test_what_is_lost_again_was_not_reached() -> None:
    assert reached([(100, 4.0), (200, 2.0), (300, 3.0), (400, 2.0)], 2.5) == pytest.approx(
        300 * (4 / 3) ** 0.5
    )


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
    found = figures(
        {"random": slow, "karez": fast, "worse": [[(n, b + 1) for n, b in c] for c in slow]}
    )
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
    return [
        (v.what.split(",")[0], v.verdict)
        for v in verdicts(
            {
                "target": figures({"random": ends, "karez": quick}),
                "general": figures({"random": [c[1:] for c in ends], "karez": general}),
            }
        )
    ]


def test_a_bar_that_is_missed_is_called_so() -> None:
    saved, general = "tokens saved on target", "loss above random on general"
    assert judged([0.4, 0.41], [0.01, 0.01]) == [(saved, "met"), (general, "met")]
    assert judged([0.2, 0.4], [0.0, 0.09]) == [
        (saved, "met on average"),
        (general, "met on average"),
    ]
    assert judged([0.2, 0.21], [0.06, 0.08]) == [(saved, "missed"), (general, "missed")]
    never = [[(1000, 2.5)], [(1000, 2.5)]]
    worse = figures({"random": [[(1000, 2.0)], [(1000, 2.0)]], "karez": never})
    (verdict,) = verdicts({"target": worse})
    assert (verdict.said, verdict.verdict) == ("never as good as random", "missed")


# Arms and sets


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the English pages of the sample."""
    folder = tmp_path_factory.mktemp("proof")
    paths = [str(SAMPLE / f"{n}.warc.gz") for n in ("help-en", "python", "postgresql", "mirror")]
    (folder / "r.toml").write_text(RECIPE.format(paths=json.dumps(paths)))
    done = here("run", folder / "r.toml", "--run", folder / "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def texts_of(arm: Arm) -> list[str]:
    return [text for batch in arm.read() for text in batch.to_pylist()]


def test_arms_are_what_they_are_called(run: Path) -> None:
    opened = Run(run)
    arms = {arm.name: texts_of(arm) for arm in prove_arms.of_run(opened)}
    every = list(rows(run).values())
    train = {r["id"] for r in every if r["split"] == "train"}
    assert sorted(arms["random"]) == sorted(
        r["text"] for r in every if r["id"] in train and r["kept"]
    )
    assert arms["karez"] == [
        t for s in shards(run) if "train" in s.name for t in Shards([s]).table["text"].to_pylist()
    ]
    ruled = {"short", "long"}
    dropped = [r for r in every if r["reason"] in ("duplicate", "near duplicate")]
    assert dropped and len(arms["ocean"]) > len(arms["random"])
    clean = [r["text"] for r in every if r["reason"] not in ruled]
    assert set(arms["ocean"]) <= set(clean)
    assert any(r["text"] in arms["ocean"] and r["text"] not in arms["random"] for r in dropped)


@given(
    st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "", "é👩\u200d🚀", "\r\n"]), max_size=30),
    st.integers(1, 40),
    st.integers(0, 5),
)
@settings(max_examples=60)
def test_a_sample_holds_enough_and_nothing_twice(words: list[str], size: int, seed: int) -> None:
    texts = [f"{word} {number}" if word else "" for number, word in enumerate(words)]
    arm = Arm(
        "a", lambda: iter([pa.array(texts[:4], pa.string()), pa.array(texts[4:], pa.string())])
    )
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


def test_what_is_held_out_is_left_out_of_an_arm() -> None:
    passage = "one two three four five six seven eight nine ten eleven twelve thirteen"
    texts = [f"Before. {passage.upper()}, and after.", passage.rpartition(" ")[0] + " x", "Other."]
    found = prove_arms.sample(
        Arm("a", lambda: iter([pa.array(texts)])), [f"It says: {passage}."], 99, 0
    )
    assert sorted(found.texts.to_pylist()) == sorted(texts[1:]) and found.shared == 1
    with pytest.raises(RecipeError, match="all 1 documents share 13 words"):
        prove_arms.sample(Arm("a", lambda: iter([pa.array(texts[:1])])), [passage], 99, 0)


def test_a_set_is_the_same_in_any_order_of_asking(run: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": f"Document {n}. " + "word " * 900, "more": "x"}) for n in range(40)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    both = prove_sets.gathered(Run(run), [tmp_path / "a.jsonl"], [], 20_000)
    again = prove_sets.gathered(Run(run), [tmp_path / "a.jsonl"], [tmp_path / "a.jsonl"], 20_000)
    assert [each.name for each in both] == ["target", "general"]
    assert both[0] == again[0] and both[1].told == "what the run held out: test"
    assert 18_000 < both[0].size <= 20_000 or len(both[0].texts) == prove_sets.LEAST
    assert all(len(text) <= prove_sets.PIECE for each in both for text in each.texts)


@pytest.mark.parametrize("kind", ["short", "few tokens", "many tokens"])
def test_what_cannot_be_trained_on_is_refused(kind: str) -> None:
    sample = Sample(pa.array(["x"]), 1, 0, 1, "")
    count = 100 if kind == "short" else 10_000
    every = [Ready(Arm("random", lambda: iter([])), sample, "", count)]
    wanted = {"short": None, "few tokens": 600, "many tokens": 2_000_000}[kind]
    said = {
        "short": "a step alone takes 512",
        "few tokens": "want 10,240 at least",
        "many tokens": "more than 100 times",
    }
    with pytest.raises(RecipeError, match=said[kind]):
        prove_jobs.steps_of(every, SIZES["tiny"], wanted)
    assert prove_jobs.steps_of([Ready(every[0].arm, sample, "", 10_000)], SIZES["tiny"], None) == 78


def test_a_recipe_without_one_rule_is_the_same_otherwise(run: Path) -> None:
    recipe = of_run(Run(run).folder)
    text = Run(run).folder.read("recipe.toml").decode()
    less = parse(whole.written(text, selected(recipe), "short"), run / "recipe.toml")
    assert dict(less.rules) == {"long": recipe.rules["long"]}
    assert (less.seed, less.source, less.dedup, less.publish) == (
        recipe.seed,
        recipe.source,
        recipe.dedup,
        recipe.publish,
    )


def test_each_rule_is_left_out_once_over_the_same_documents(run: Path) -> None:
    opened = Run(run)
    found = prove_without.runs(opened, of_run(opened.folder), Console(stderr=True))
    assert list(found) == ["short", "long"]
    every = rows(run)
    for rule, other in found.items():
        assert other.manifest.tables["documents"].at == opened.folder.path
        spared = {r["id"] for r in every.values() if r["reason"] == rule}
        decided = table(Path(other.folder.path), "decisions/documents").to_pylist()
        reasons = {row["reason"] for row in decided if row["id"] in spared}
        assert spared and rule not in reasons and None in reasons
    marks = [other.manifest.tables["dataset"].fingerprint for other in found.values()]
    again = prove_without.runs(opened, of_run(opened.folder), Console(stderr=True))
    assert [other.manifest.tables["dataset"].fingerprint for other in again.values()] == marks


# The command


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if torch were here."""
    monkeypatch.setattr(prove, "find_spec", lambda name: name)


def test_without_torch_it_says_what_to_type(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "find_spec", lambda name: None)
    done = here("prove", run, cwd=run)
    assert done.returncode == 2 and "pip install 'karez[train]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.usefixtures("ready")
def test_what_is_wrong_is_said_in_one_line(run: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("A single document, and nothing more.")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for arguments, code, said in (
        ([tmp_path], 2, "is no run folder"),
        ([run, "--target", tmp_path / "one.txt"], 2, "holds 1 document, want 10 at least"),
        ([run, "--target", tmp_path / "gone"], 2, "no such file"),
        ([run, "--against", nothing], 2, "no such file"),
        ([run, "--against", tmp_path / "gone"], 2, "no such file"),
    ):
        done = here("prove", *arguments, cwd=tmp_path)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
        assert said in done.stderr
    texts = [f"Some document of {n} words and numbers " * 9 for n in range(30)]
    other = write_run(tmp_path, texts, {})
    here(
        "run",
        tmp_path / "recipe.toml",
        "--run",
        tmp_path / "half",
        "--only",
        "ingest",
        cwd=tmp_path,
    )
    done = here("prove", tmp_path / "half", cwd=tmp_path)
    assert done.returncode == 1 and "published nothing" in done.stderr
    done = here("prove", other, "--target", tmp_path / "0.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and "documents share 13 words in a row" in done.stderr


@pytest.mark.train
def test_no_gpu_is_said_in_one_line(run: Path) -> None:
    needs.torch()
    import torch

    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    done = here("prove", run, "--size", "gpu", cwd=run)
    assert done.returncode == 2 and "no GPU is here" in done.stderr


# A proof that is trained


@pytest.fixture(scope="module")
def arms(run: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The run's own prose, and the same words in any order."""
    folder = tmp_path_factory.mktemp("arms")
    prose = texts_of(prove_arms.of_run(Run(run))[0])
    draw = random.Random(1)
    shuffled = [" ".join(draw.sample(t.split(), len(t.split()))) for t in prose]
    for name, texts in (("prose", prose), ("shuffled", shuffled)):
        (folder / name).mkdir()
        lines = [json.dumps({"text": text}) for text in texts]
        (folder / name / "a.jsonl").write_text("\n".join(lines))
    return [folder / "prose", folder / "shuffled"]


ASKED = ("--size", "tiny", "--seeds", "2", "--tokens", "60000")


@pytest.fixture(scope="module")
def proof(run: Path, arms: list[Path]) -> Iterator[dict[str, Any]]:
    needs.torch()
    against = [word for arm in arms for word in ("--against", arm)]
    done = karez("prove", run, *ASKED, *against, "--json")
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout)


@pytest.mark.train
class TestTrained:
    """One proof of 10 models, looked at from all sides."""

    def test_prose_teaches_prose_and_shuffled_words_do_not(
        self, proof: dict[str, Any], arms: list[Path]
    ) -> None:
        found = proof["figures"]["general"]
        prose, shuffled = (found[str(arm)] for arm in arms)
        for own in zip(*(proof["curves"]["general"][str(arm)] for arm in arms), strict=True):
            assert own[0][-1][1] < own[1][-1][1] < own[0][0][1]
        assert shuffled["never"] == 2 and shuffled["excess"]["value"] > 0.02
        assert abs(prose["excess"]["value"]) < shuffled["excess"]["value"]

    def test_the_same_texts_come_to_the_same_under_another_name(
        self, proof: dict[str, Any], arms: list[Path]
    ) -> None:
        curves = proof["curves"]["general"]
        assert curves["random"] == curves[str(arms[0])]

    def test_again_nothing_is_trained_and_the_order_of_arms_is_nothing(
        self, run: Path, proof: dict[str, Any], arms: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("a model is trained")

        monkeypatch.setattr("pipelines.prove_train._run", refuse)
        before = {n: b for n, b in files(run / "prove").items() if n != "prove.json"}
        against = [word for arm in reversed(arms) for word in ("--against", arm)]
        done = here("prove", run, *ASKED, *against, "--json", cwd=run)
        assert done.returncode == 0, done.stderr
        again = json.loads(done.stdout)
        assert again["figures"] == proof["figures"] and again["arms"] == proof["arms"]
        assert before == {n: b for n, b in files(run / "prove").items() if n != "prove.json"}

    def test_no_text_is_kept(self, run: Path, proof: dict[str, Any]) -> None:
        kept = [n for n in files(run / "prove") if not n.startswith("models/")]
        assert sorted(n.partition("-")[0] for n in kept) == ["prove.json", "tokenizer"]
        for name, body in files(run / "prove").items():
            if name.startswith("models/"):
                assert set(json.loads(body)) == {"points", "rounds", "seconds", "torch"}

    def test_the_report_shows_it(self, run: Path, proof: dict[str, Any], arms: list[Path]) -> None:
        html = report.page(gather(Run(run)))
        assert 'id="proof"' in html and html.count('<svg class="proof"') == len(proof["sets"])
        assert str(arms[1]) in html and "never as good" in html

    def test_one_more_arm_trains_its_own_models_alone(
        self, run: Path, proof: dict[str, Any], tmp_path: Path
    ) -> None:
        (tmp_path / "a.jsonl").write_text(
            "\n".join(json.dumps({"text": f"{n} is a number. " * 40}) for n in range(200))
        )
        before = set(files(run / "prove/models"))
        done = karez("prove", run, *ASKED, "--against", tmp_path / "a.jsonl")
        assert done.returncode == 0, done.stderr
        assert "8 models of 59,904 tokens, 6 trained before" in done.stdout
        assert len(set(files(run / "prove/models")) - before) == 2


# What is shown


def example(arm: str) -> dict[str, Any]:
    """A small proof, with an arm of some name."""
    curves = {
        name: [
            [(n, level + 100 / n + seed / 100) for n in range(100, 1100, 100)] for seed in (0, 1)
        ]
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
    import re

    svg = str(prove_plot.plot(example("x")["curves"]["general"], "general"))
    for d in re.findall(r' d="M([^"]*)"', svg):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", d)]
        assert all(0 <= n <= WIDTH for n in numbers)
