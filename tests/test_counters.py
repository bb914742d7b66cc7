"""The manifest is filled from Beam's counters, and they are what the tasks' notes tell.

That they are the same on every runner, also after tasks were tried again, is asked where the
runners are: test_determinism, test_prism, test_flink, test_dataflow.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from apache_beam.metrics import Metrics

from pipelines.engine import doing, tasks
from pipelines.engine import step as steps
from pipelines.engine.step import Job
from pipelines.recipe import EXCHANGES
from pipelines.runs import parts
from tests.helpers.command import counts, here, notes
from tests.helpers.making import write_pair

pytestmark = pytest.mark.slow


Noted = dict[str, tuple[Counter[str], float, int]]
"""Of each step what its notes come to: counts, CPU seconds, bytes exchanged."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pair(tmp_path, ("help-en", "faults"), 30)
    return tmp_path


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Filled by runs."""
    found: Noted = {}

    def collect(job: Job, counts: steps.Counts) -> Any:
        told = [json.loads(p.read_text()) for p in notes(Path(job.run.folder.path), job.step.name)]
        total: Counter[str] = Counter()
        for note in told:
            total.update(note["counts"])
        sums = (sum(note[what] for note in told) for what in ("cpu", "exchanged"))
        found[job.step.name] = (total, *sums)
        return steps.collect(job, counts)

    monkeypatch.setattr(doing, "collect", collect)
    monkeypatch.setattr(parts, "PART_ROWS", 9)
    return found


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_manifest_tells_what_the_notes_tell(exchange: str, folder: Path, noted: Noted) -> None:
    assert here("run", "whole.toml", "--exchange", exchange, cwd=folder).returncode == 0
    run = folder / "runs/stored"
    assert {name: dict(sorted(told[0].items())) for name, told in noted.items()} == counts(run)
    done = json.loads((run / "manifest.json").read_text())["steps"]
    ingested = counts(run)["ingest"]
    reasons = [n for name, n in ingested.items() if name.startswith("dead: ")]
    assert ingested["dead"] == sum(reasons)
    assert counts(run)["rules"]["größe: <b>x</b>_MAX"] > 0
    for name, (_, cpu, exchanged) in noted.items():
        assert done[name]["exchanged"] == exchanged
        assert done[name]["cpu_seconds"] >= cpu - 0.001 * len(noted) - 0.02
    assert done["publish"]["exchanged"] > 0


def test_what_an_earlier_command_did_is_counted(
    folder: Path, noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    does, done = tasks.perform, []

    def fails(*arguments: Any) -> Any:
        done.append(arguments)
        if len(done) == 7:  # of the scan's
            raise KeyboardInterrupt
        return does(*arguments)

    monkeypatch.setattr("pipelines.beam.pipeline.perform", fails)
    assert here("run", "whole.toml", cwd=folder).returncode == 1
    assert here("run", "whole.toml", cwd=folder).returncode == 0
    assert here("run", "whole.toml", "--run", "whole", cwd=folder).returncode == 0
    assert counts(folder / "runs/stored") == counts(folder / "whole")


@pytest.mark.parametrize("loses", ["tasks", "short"])
def test_a_runner_that_loses_count_is_one_line(
    loses: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Metrics.counter

    def loser(space: str, name: str) -> Any:
        return counter("elsewhere" if name == loses else space, name)

    monkeypatch.setattr(Metrics, "counter", loser)
    done = here("run", "short.toml", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert " the runner lost count, of " in done.stderr
