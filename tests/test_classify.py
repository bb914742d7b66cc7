"""Classifiers in a run: learned from samples or taken from a file, told of, and what is refused."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from filters.language import MODEL
from pipelines.runs import Run
from tests.helpers.command import here, rows, shards, table
from tests.helpers.corpora import begun

GOOD = "The water comes down from hill {} in a tunnel that people dug by hand, as for field {}."
BAD = "BUY {} NOW!!! click here for offer {} limited offer click click"
RECIPE = """
name = "a"
seed = 3
[[source]]
kind = "jsonl"
paths = ["in.jsonl"]
[measure]
prose = {{ is = "classifier", {options} }}
[rules]
bad = "prose < 0.5"
"""
SAMPLES = 'samples = { good = ["good/*.txt"], bad = ["bad.jsonl"] }'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good").mkdir()
    for i in range(60):
        (tmp_path / f"good/{i}.txt").write_text(GOOD.format(i, i % 7))
    spam = [{"text": BAD.format(i, i % 5), "url": f"https://hill.org/{i}"} for i in range(90)]
    (tmp_path / "bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spam))
    texts = {"prose": GOOD.format(500, "x"), "spam": BAD.format(900, "y"), "none": ""}
    lines = [json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items()]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    written(tmp_path)
    return tmp_path


def written(folder: Path, options: str = SAMPLES) -> None:
    (folder / "r.toml").write_text(RECIPE.format(options=options))


def did(folder: Path, *arguments: str) -> tuple[list[str], str]:
    """The steps that a run did, and all that it said."""
    done = here("run", "r.toml", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return begun(done.stdout), done.stdout


def refused(folder: Path) -> str:
    done = here("run", "r.toml", cwd=folder)
    assert done.returncode in (1, 2)
    return f"{done.stdout}\n{done.stderr}".strip().splitlines()[-1]


def measured(folder: Path) -> dict[str, dict[str, Any]]:
    run = folder / "runs/a"
    keys = table(run, "documents")["source_key"].to_pylist()
    return dict(zip(keys, table(run, "columns/documents/prose").to_pylist(), strict=True))


def test_good_is_told_from_bad_and_the_error_is_stated(folder: Path) -> None:
    steps, said = did(folder)
    assert steps[:3] == ["ingest", "fit", "scan"]
    found = measured(folder)
    assert found["prose"]["prose"] > 0.8 and found["prose"]["prose_label"] == "good"
    assert found["spam"]["prose"] < 0.2 and found["spam"]["prose_label"] == "bad"
    kept = {row["source_key"]: row["reason"] for row in rows(folder / "runs/a").values()}
    assert kept["prose"] is None and kept["spam"] == "bad"
    for row in found.values():
        p = row["prose"]
        entropy = -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)
        assert row["prose_entropy"] == pytest.approx(entropy, abs=1e-5)
    told = json.loads((folder / "runs/a/models/prose/told.json").read_text())
    held = sum(count for _, _, count in told)
    right = sum(count for label, answer, count in told if label == answer)
    assert 5 <= held <= 30
    assert f"{100 * right / held:.1f}%  of prose samples right" in said
    assert f"of {held} held out" in said


def test_one_field_of_a_row_is_the_sample_and_the_others_are_not(folder: Path) -> None:
    did(folder)
    model = (folder / "runs/a/models/prose/model.bin").read_bytes()
    assert b"https://hill.org" not in model
    assert b"click" in model


def test_only_what_changed_is_learned_again(folder: Path) -> None:
    did(folder)
    first = (folder / "runs/a/models/prose/model.bin").read_bytes()
    assert did(folder)[0] == []
    written(folder, f'{SAMPLES}, label = "bad"')
    assert did(folder)[0][:2] == ["fit", "scan"]
    assert measured(folder)["spam"]["prose"] > 0.8
    written(folder)
    (folder / "good/0.txt").write_text("another good text about water and hills")
    assert did(folder)[0][:2] == ["fit", "scan"]
    second = (folder / "runs/a/models/prose/model.bin").read_bytes()
    assert second != first


@pytest.mark.slow
def test_the_same_bytes_in_another_folder_with_two_workers_and_by_reference(folder: Path) -> None:
    did(folder)
    did(folder, "--run", "two", "--workers", "2")
    did(folder, "--run", "ref", "--from", "runs/a")
    for other in ("two", "ref"):
        pairs = zip(shards(folder / "runs/a"), shards(folder / other), strict=True)
        assert all(a.read_bytes() == b.read_bytes() for a, b in pairs)
    model = "models/prose/model.bin"
    assert (folder / "two" / model).read_bytes() == (folder / "runs/a" / model).read_bytes()
    assert not (folder / "ref" / model).exists()


def test_a_file_of_fasttext_is_taken_as_it_is(folder: Path) -> None:
    shutil.copy(MODEL, folder / "lid.ftz")
    written(folder, 'model = "lid.ftz", label = "en"')
    _, said = did(folder)
    assert "samples right" not in said
    found = measured(folder)["prose"]
    assert found["prose_label"] == "en" and found["prose"] > 0.9
    assert found["prose_entropy"] < 1
    (folder / "lid.ftz").unlink()
    assert Run(folder / "runs/a").read("models/prose", 0) == MODEL.read_bytes()


def test_a_model_without_a_label_tells_labels_alone(folder: Path) -> None:
    shutil.copy(MODEL, folder / "lid.ftz")
    text = RECIPE.format(options='model = "lid.ftz"')
    (folder / "r.toml").write_text(text.replace("prose < 0.5", "prose_label <> 'en'"))
    did(folder)
    assert set(measured(folder)["prose"]) == {"prose_label", "prose_entropy"}


def test_two_classifiers_stand_side_by_side(folder: Path) -> None:
    samples = '{ loud = ["bad.jsonl"], calm = ["good/*.txt"] }'
    more = f'loud = {{ is = "classifier", samples = {samples} }}\n[rules]\nloud = "loud > 0.5"'
    (folder / "r.toml").write_text(RECIPE.format(options=SAMPLES).replace("[rules]", more))
    _, said = did(folder)
    assert "of prose samples right" in said and "of loud samples right" in said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ('samples = { good = ["good/*.txt"] }', "have one label, 'good'; want two"),
        ('samples = { good = ["good/*.txt"], bad = ["few.txt"] }', "'bad' has 1 texts; want 20"),
        ('samples = { good = ["good/*.txt"], bad = ["gone/*"] }', "no such file"),
        ('samples = { good = ["good/*.txt"], bad = ["cut.jsonl"] }', "cannot be read: not JSON"),
        ('samples = { good = ["good/*.txt"], bad = ["notext.jsonl"] }', "cannot be read: no text"),
        ('samples = ["good/*.txt"]', "want files by label"),
        ('samples = { "a b" = ["good/*.txt"], bad = ["bad.jsonl"] }', "a word without white space"),
        (f'{SAMPLES}, model = "m.bin"', "both given; take one"),
        (f'{SAMPLES}, label = "odd"', "label 'odd' is none of good, bad"),
        (f"{SAMPLES}, epochs = 0", "epochs wants a whole number of 1 to 2,147,483,647, got 0"),
        (f"{SAMPLES}, rate = 11", "rate wants a number above 0, 10 at most"),
        ('model = "m.bin", label = "en"', "m.bin: cannot be read: No such file"),
        ('model = "few.txt", label = "en"', "is no fastText model"),
        ('model = "cut.ftz", label = "en"', "ends in the middle, after 5,000 bytes"),
        ('model = "lid.ftz", label = "xx"', "label 'xx' is none of the model's: en, "),
        ("epochs = 3", 'names no file: samples = { good = ["good/*.txt"]'),
    ],
)
def test_what_cannot_be_learned_from_is_refused(folder: Path, options: str, why: str) -> None:
    (folder / "few.txt").write_text("one bad text")
    (folder / "cut.jsonl").write_text('{"text": "a"}\n{"text": ')
    (folder / "notext.jsonl").write_text('{"body": "a"}\n')
    (folder / "lid.ftz").write_bytes(MODEL.read_bytes())
    (folder / "cut.ftz").write_bytes(MODEL.read_bytes()[:5000])
    written(folder, options)
    assert why in refused(folder)


def test_names_that_would_mislead_are_refused(folder: Path) -> None:
    for old, new, why in (
        ("prose =", "quality =", "quality is a name of ours; call yours another"),
        ("prose =", '"my prose" =', "'my prose' is no name for a column"),
        ('is = "classifier"', 'is = "clasifier"', "unknown name 'clasifier'; "),
    ):
        (folder / "r.toml").write_text(RECIPE.format(options=SAMPLES).replace(old, new))
        assert why in refused(folder)


def test_a_model_that_was_changed_on_disk_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did(folder)
    path = folder / "runs/a/models/prose/model.bin"
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)
    monkeypatch.setattr("pipelines.steps.fit._READY", {})
    lines = (folder / "in.jsonl").read_text()
    (folder / "in.jsonl").write_text(lines + '{"id": "more", "text": "more water"}\n')
    assert "was changed; delete it and run the recipe again" in refused(folder)
    path.unlink()
    did(folder)


def test_plan_tells_what_each_label_is_learned_from(folder: Path) -> None:
    said = here("plan", "r.toml", cwd=folder).stdout
    assert "prose, good: 60 files, 60 rows" in said
    assert "prose, bad: 1 files, 90 rows" in said
