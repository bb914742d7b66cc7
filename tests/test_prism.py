"""Prism, Beam's runner in Go: another engine, the same bytes."""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from pipelines.recipe import EXCHANGES
from tests.helpers.begun import said
from tests.helpers.cluster import Space
from tests.helpers.command import ROOT, counts, files, leftovers
from tests.helpers.needs import missing, program

pytestmark = pytest.mark.server

PRISM = ROOT / "build/prism/prism"
RECIPE = """\
name = "prism"
[[source]]
kind = "warc"
paths = ["help-en.warc.gz"]
[[source]]
kind = "warc"
paths = ["help-de.warc.gz", "mirror.warc.gz"]
[edits]
repeated_passages = { words = 20 }
[rules]
short = "words < 50"
"größe: <b>x</b>_MAX" = "words > 900"
[dedup]
[publish]
splits = { train = 0.8, test = 0.2 }
shard = "50 kB"
"""


@pytest.fixture
def prism() -> Path:
    """The program; it is built if it is missing."""
    if not PRISM.exists():
        go = program("go", "golang-go")
        module = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{version('apache-beam')}"
        environment = {**os.environ, "GOBIN": str(PRISM.parent)}
        built = subprocess.run(
            [go, "install", module], env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            missing(f"build Prism: GOBIN={PRISM.parent} go install {module}\n{built.stderr}")
    return PRISM


@pytest.fixture
def space() -> Iterator[Space]:
    """A network namespace: Prism listens on all interfaces."""
    if os.geteuid() != 0:
        missing("network namespaces want root: sudo make test")
    program("ip", "iproute2")
    made = Space("127.0.0.1")
    yield made
    made.end()


def test_prism_makes_the_same_bytes(prism: Path, space: Space, tmp_path: Path) -> None:
    sample = ROOT / "tests/data/sample"
    (tmp_path / "recipe.toml").write_text(f'base = "{sample}"\nfirst = 60\n{RECIPE}')
    done = said("run", "recipe.toml", "--run", "here", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    options = ("--", "--runner=PrismRunner", f"--prism_location={prism}")
    for how in EXCHANGES:
        command = ("run", "recipe.toml", "--run", how, "--exchange", how, *options)
        done = said(*command, cwd=tmp_path, prefix=space.inside())
        assert (done.returncode, done.stderr) == (0, "")
        assert files(tmp_path / how / "dataset") == files(tmp_path / "here/dataset")
        assert counts(tmp_path / how) == counts(tmp_path / "here")
        assert leftovers(tmp_path / how) == set()
