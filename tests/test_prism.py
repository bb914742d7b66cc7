"""Prism, Beam's runner in Go: another engine, the same bytes."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from pipelines.recipe import EXCHANGES
from tests.helpers.begun import said
from tests.helpers.cluster import Space
from tests.helpers.command import SAMPLE, counts, files, leftovers, well
from tests.helpers.needs import built, missing, program

pytestmark = pytest.mark.server

VERSION = version("apache-beam")
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
def space() -> Iterator[Space]:
    """A network namespace: Prism listens on all interfaces."""
    if os.geteuid() != 0:
        missing("network namespaces want root: sudo make test")
    program("ip", "iproute2")
    made = Space("127.0.0.1")
    yield made
    made.end()


def test_prism_makes_the_same_bytes(space: Space, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(f'base = "{SAMPLE}"\nfirst = 60\n{RECIPE}')
    well("run", "recipe.toml", "--run", "here", cwd=tmp_path)
    prism = built(f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{VERSION}", f"prism-{VERSION}")
    options = ("--", "--runner=PrismRunner", f"--prism_location={prism}")
    for how in EXCHANGES:
        command = ("run", "recipe.toml", "--run", how, "--exchange", how, *options)
        well(*command, cwd=tmp_path, by=said, prefix=space.inside())
        assert files(tmp_path / how / "dataset") == files(tmp_path / "here/dataset")
        assert counts(tmp_path / how) == counts(tmp_path / "here")
        assert leftovers(tmp_path / how) == set()
