"""The proof of a run: its arms, its command, and one that is trained."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.commands import written
from pipelines.prove import arms as prove_arms
from pipelines.prove import command as prove
from pipelines.prove import pieces as prove_pieces
from pipelines.prove import sets as prove_sets
from pipelines.prove import without as prove_without
from pipelines.prove.arms import Arm
from pipelines.recipe.measures import selected
from pipelines.recipe.text import of_run, parse
from pipelines.report import command as report
from pipelines.report.view import gather
from pipelines.runs import Run
from tests.helpers import needs
from tests.helpers.begun import begin, family, wait_for
from tests.helpers.command import SAMPLE, files, here, karez, rows, table
from tests.helpers.making import write_run

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
splits = {{ learn = 0.9, test = 0.1 }}
"""


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
    arms = {arm.name: texts_of(arm) for arm in prove_arms.the_three(opened, of_run(opened.folder))}
    every = list(rows(run).values())
    train = [r for r in every if r["split"] == "learn" and r["kept"]]
    assert sorted(arms["random"]) == sorted(r["text"] for r in train)
    assert arms["karez"] == [r["text"] for r in sorted(train, key=lambda r: r["order"])]
    ruled = {"short", "long"}
    dropped = [r for r in every if r["reason"] in ("duplicate", "near duplicate")]
    assert dropped and len(arms["ocean"]) > len(arms["random"])
    clean = [r["text"] for r in every if r["reason"] not in ruled]
    assert set(arms["ocean"]) <= set(clean)
    assert any(r["text"] in arms["ocean"] and r["text"] not in arms["random"] for r in dropped)


def test_a_set_is_the_same_in_any_order_of_asking(run: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"Document {n}. {'word ' * 900}", "more": "x"}) for n in range(40)]
    file, opened = tmp_path / "a.jsonl", Run(run)
    file.write_text("\n".join(lines))
    both, again = (
        prove_sets.gathered(opened, of_run(opened.folder), [file], others, 20_000)
        for others in ([], [file])
    )
    assert [each.name for each in both] == ["target", "general"]
    assert both[0] == again[0] and both[1].told == "what the run held out: test"
    assert 18_000 < both[0].size <= 20_000 or len(both[0].texts) == prove_sets.LEAST
    assert all(len(text) <= prove_pieces.PIECE for each in both for text in each.texts)


def test_a_recipe_without_one_rule_is_the_same_otherwise(run: Path) -> None:
    recipe = of_run(Run(run).folder)
    text = Run(run).folder.read("recipe.toml").decode()
    less = parse(written.written(text, selected(recipe), "short"), run / "recipe.toml")
    assert dict(less.rules) == {"long": recipe.rules["long"]}
    for section in ("seed", "source", "dedup", "publish"):
        assert getattr(less, section) == getattr(recipe, section)


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


def test_what_is_forgotten_stands_in_no_proof(run: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(run, tmp_path / "run"))
    opened = Run(place)
    opened.folder.write_json("prove/prove.json", {})
    opened.folder.write("prove/tokenizer-0.json", b"{}")
    prove_without.runs(opened, of_run(opened.folder), Console(stderr=True))
    url = next(r["url"] for r in rows(place).values() if r["kept"])
    tried = here("forget", place, url, "--dry-run", cwd=tmp_path)
    kept = len(files(place / "prove")) - 1
    assert f"{kept}  files that a proof kept" in tried.stdout
    done = here("forget", place, url, cwd=tmp_path)
    assert done.returncode == 0 and "files that a proof kept" in done.stdout, done.stderr
    assert list(files(place / "prove")) == ["prove.json"]


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
    here("run", "recipe.toml", "--run", "half", "--only", "ingest", cwd=tmp_path)
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
    prose = texts_of(prove_arms.the_three(Run(run), of_run(Run(run).folder))[0])
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

        monkeypatch.setattr("pipelines.prove.trainings._run", refuse)
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

    def test_ended_by_a_signal_it_leaves_nothing_running_and_no_tokens(
        self, run: Path, proof: dict[str, Any], tmp_path: Path
    ) -> None:
        (tmp_path / "tmp").mkdir()
        asked = ("--size", "tiny", "--seeds", "9", "--tokens", "2000000", "--json")
        env = {"TMPDIR": str(tmp_path / "tmp")}
        with begin("prove", run, *asked, cwd=tmp_path, env=env) as begun:
            assert wait_for(lambda: any((run / "prove/models").glob("*.state")), begun)
            running = family(begun.pid)
            begun.terminate()
            assert begun.wait(60) == 1
        assert len(running) > 1 and not any(Path(f"/proc/{pid}").exists() for pid in running)
        assert list((tmp_path / "tmp").glob("karez-*")) == []
        for state in (run / "prove/models").glob("*.state"):
            state.unlink()

    def test_one_more_arm_trains_its_own_models_alone(
        self, run: Path, proof: dict[str, Any], tmp_path: Path
    ) -> None:
        rows = [json.dumps({"text": f"{n} is a number. " * 40}) for n in range(200)]
        (tmp_path / "a.jsonl").write_text("\n".join(rows))
        before = set(files(run / "prove/models"))
        done = karez("prove", run, *ASKED, "--against", tmp_path / "a.jsonl")
        assert done.returncode == 0, done.stderr
        assert "8 models of 59,904 tokens, 6 trained before" in done.stdout
        assert len(set(files(run / "prove/models")) - before) == 2
