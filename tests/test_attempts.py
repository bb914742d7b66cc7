"""Two attempts of one task, an attempt that outlives its plan, and workers of another version."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.beam import pipeline as beam
from pipelines.engine import step as steps
from pipelines.engine import versions
from pipelines.engine.step import Batches, Done, Job, Key, Plan, Step, prepare, reopened
from pipelines.engine.tasks import perform
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.recipe.text import load
from pipelines.runs import Run, parts
from pipelines.steps import order
from tests.helpers.command import files

ROWS = pa.record_batch({"number": pa.array(range(1000))})


def meet() -> object:
    """What happens in the middle of an attempt; tests put something here."""


def plan(run: Run, recipe: Recipe) -> Plan:
    return Plan([None], [1])


def do(job: Job, key: int, _: Batches) -> Done:
    """Write a part, in two halves between which something happens; and put out two batches."""
    with parts.Writer(job.run, "made", "part.parquet", ROWS.schema) as writer:
        writer.write(ROWS)
        meet()
        writer.write(ROWS)
    return Done({"made": [writer.part]}, out())


def out() -> Iterator[tuple[Key, pa.RecordBatch]]:
    yield 0, ROWS
    meet()
    yield 0, ROWS


def end(job: Job, key: int, batches: Batches) -> Done:
    return Done()


STEP = Step("mine", "rows to rows", lambda run, recipe: {"made": "x"}, (do, end), plan=plan)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """As a worker opens it."""
    (tmp_path / "recipe.toml").write_text(
        'name = "a"\n[[source]]\nkind = "text"\npaths = ["x.txt"]\n'
    )
    monkeypatch.setattr(order, "STEPS", (STEP,))
    run, recipe = Run(tmp_path), load(tmp_path / "recipe.toml")
    mark = prepare(run, recipe, STEP, STEP.tables(run, recipe), ["made"]).mark
    return reopened(str(tmp_path), STEP, mark)


def during(does: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "meet", does)


def whole(job: Job) -> dict[str, bytes]:
    """All files; of a note's no more than that it is there: it tells of seconds."""
    note = job.note(0, 0)
    return {k: v if k != note else b"" for k, v in files(Path(job.run.folder.path)).items()}


def test_two_attempts_at_once_leave_what_one_leaves(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    during(threading.Barrier(2).wait, monkeypatch)
    found = []

    def attempt() -> None:
        found.append(perform(job, 0, 0, [])["out"])

    attempts = [threading.Thread(target=attempt) for _ in "12"]
    for each in attempts:
        each.start()
    for each in attempts:
        each.join(30)
    both = whole(job)
    job.run.folder.delete(job.note(0, 0))
    during(lambda: None, monkeypatch)
    once = perform(job, 0, 0, [])["out"]
    assert found == [once, once]
    assert both == whole(job)


def test_an_attempt_that_outlives_its_plan_leaves_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    during(lambda: job.run.folder.delete("work"), monkeypatch)
    with pytest.raises(RunError, match="another command took over"):
        perform(job, 0, 0, [])
    assert list(files(Path(job.run.folder.path))) == ["recipe.toml"]


def test_nobody_puts_a_file_into_a_folder_that_is_being_deleted(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(folder: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Path(job.run.folder.at(job.work), "late").write_bytes(b"")
        rmtree(folder)

    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", late)
    job.run.folder.delete("work")
    assert list(files(Path(job.run.folder.path))) == ["recipe.toml"]


@pytest.mark.parametrize("name", versions.here())
def test_workers_of_another_version_are_refused(
    name: str, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = versions.here()
    monkeypatch.setattr(versions, "here", lambda: {**mine, name: "9.9"})
    reopened.cache_clear()
    began: list[bool] = []
    during(lambda: began.append(True), monkeypatch)
    beam.execute(job, [])  # other tasks have nothing to do, and no runner tries again
    said = steps.word(job)
    assert said is not None and f"has {name} 9.9, the command {mine[name]};" in said
    assert not began


def test_a_worker_that_does_not_see_the_run_folder_says_so(job: Job, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"does not see .*elsewhere/work/mine.* under one path"):
        reopened(str(tmp_path / "elsewhere"), STEP, job.mark)
