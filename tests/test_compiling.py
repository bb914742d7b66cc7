"""All kernels of a run are compiled under one bar before its steps begin."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.command import ROOT

pytestmark = pytest.mark.slow

RECIPE = f"""
name = "wide"
presets = ["gopher", "c4", "fineweb"]
[[source]]
kind = "html"
paths = ["{ROOT}/tests/data/site/*.html"]
extract = "karez"
[[source]]
kind = "warc"
paths = ["{ROOT}/tests/data/sample/help-en*", "{ROOT}/tests/data/sample/mirror*"]
[edits]
repeated_lines = {{}}
repeated_blocks = {{}}
personal_data = {{}}
foreign = {{}}
boilerplate = {{}}
repeated_paragraphs = {{}}
repeated_passages = {{}}
[measure]
overlap = {{ files = ["words.txt"] }}
blocklist = {{ words = ["words.txt"] }}
ngrams = {{}}
diversity = {{}}
features = {{}}
[dedup]
[[select]]
strategy = "coverage"
budget = 5000
[[select]]
strategy = "compression"
budget = 4000
[[select]]
strategy = "clusters"
budget = 3000
"""
LISTED = """
import sys
from pathlib import Path
from filters.kernels import KERNELS
from pipelines.commands import run

def loaded():
    return {str(each.function) for each in KERNELS if "compiled" in vars(each)}

def compile_kernels(*asked, compiled=run.compile_kernels):
    compiled(*asked)
    before.update(loaded())

before, run.compile_kernels = set(), compile_kernels
run.run(run.Asked([Path("wide.toml")], as_json=True))
print(len(before), *loaded() - before, file=sys.stderr)
"""


def test_no_kernel_is_compiled_later(tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text(RECIPE)
    (tmp_path / "words.txt").write_text("thirteen words of a benchmark " * 3)
    command = [sys.executable, "-c", LISTED]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, *later = done.stderr.splitlines()[-1].split()
    assert int(count) > 40 and not later
