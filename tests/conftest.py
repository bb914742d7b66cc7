"""Fixed examples for hypothesis, and the run of the sample that many tests look at."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.command import karez, well
from tests.helpers.making import write_pair

# the same examples in every run, and a slow machine fails nothing
settings.register_profile("karez", deadline=None, derandomize=True)
settings.load_profile("karez")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the sample, as its recipe says."""
    folder = tmp_path_factory.mktemp("sample") / "run"
    done = karez("run", "infra/recipes/sample.toml", "--run", folder)
    assert done.returncode == 0, done.stderr
    assert "documents kept" in done.stdout
    return folder


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes, "whole" with every step and "short" with six, and the local runs of both."""
    folder = tmp_path_factory.mktemp("pair")
    write_pair(folder, ("help-en", "faults"), 40)
    for name in ("whole", "short"):
        well("run", f"{name}.toml", "--run", name, cwd=folder)
    return folder
