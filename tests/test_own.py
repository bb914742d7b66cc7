"""A user's own measure and extractor, from a package of their own, by name in the recipe."""

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.begun import said
from tests.helpers.command import shards

pytestmark = pytest.mark.slow

STARS = """
from dataclasses import dataclass, field
import pyarrow as pa, pyarrow.compute as pc

@dataclass(frozen=True)
class Stars:
    sign: str = "*"
    needs = ("text",)
    columns = pa.schema([("_stars", pa.int32())])

    def measure(self, batch):
        return pa.record_batch([pc.count_substring(batch["text"], self.sign)], schema=self.columns)

@dataclass(frozen=True)
class Unmeant(Stars):
    words: object = field(default=(), metadata={"files": "word"})
"""

RECIPE = """
name = "own"
[[source]]
kind = "html"
paths = ["*.html"]
extract = "mine.pages:title"
[measure]
"mine.stars:Stars" = { sign = "+" }
[rules]
many = "_stars > 1"
[publish]
columns = ["_stars"]
splits = { train = 1 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "stars.py").write_text(STARS)
    (package / "pages.py").write_text("def title(html):\n    return html.split('<title>')[1][:9]\n")
    (tmp_path / "a.html").write_text("<title>one + two</title><p>text</p>")
    (tmp_path / "b.html").write_text("<title>+ and ++ </title><p>text</p>")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return said("run", "recipe.toml", "--json", cwd=folder)


def test_a_measure_and_an_extractor_by_name(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dropped"] == {"many": 1}
    documents = pq.read_table(folder / "runs/own/documents")
    assert documents["text"].to_pylist() == ["one + two", "+ and ++ "]
    stars = pq.read_table(folder / "runs/own/columns/documents/mine.stars.Stars")
    assert stars["_stars"].to_pylist() == [1, 3]
    [shard] = shards(folder / "runs/own")
    assert pa.ipc.open_stream(shard).read_all()["_stars"].to_pylist() == [1]


def test_changed_code_is_measured_anew_and_nothing_else(folder: Path) -> None:
    run(folder)
    source = folder / "mine/stars.py"
    source.write_text(source.read_text().replace("return pa", "return pa  ") + "\n# again\n")
    done = run(folder)
    assert "scan" in done.stderr and "ingest" not in done.stderr
    (folder / "mine/pages.py").write_text("def title(html):\n    return 'another + title +'\n")
    done = run(folder)
    assert "ingest" in done.stderr
    assert json.loads(done.stdout)["dropped"] == {"many": 2}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("mine.stars:Stars", "mine.stars:Star", r"[measure]: 'mine.stars:Star' cannot be imported"),
        ("mine.stars:Stars", "mine.nothing:Stars", "No module named 'mine.nothing'"),
        ("mine.stars:Stars", "mine.stars:Unmeant", "list, hosts, model, folder, not 'word'"),
        ("mine.stars:Stars", "mine.pages:title", "[measure]: mine.pages:title"),
        ('sign = "+"', "sing = 1", "unexpected keyword argument 'sing'"),
        ("mine.pages:title", "mine.pages:heading", "no extractor 'mine.pages:heading'"),
        ("mine.pages:title", "resilparse", "no extractor 'resilparse'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(
    folder: Path, old: str, new: str, why: str
) -> None:
    (folder / "recipe.toml").write_text(RECIPE.replace(old, new))
    done = run(folder)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert why in done.stderr
    assert not (folder / "runs").exists()
