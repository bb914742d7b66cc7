"""Fixed examples for hypothesis, and the run of the sample that many tests look at."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.command import karez

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
