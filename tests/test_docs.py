"""The pages of docs/ cannot drift: what they name is there, what they show is what a run says."""

import ast
import json
import math
import re
import shutil
import sys
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from pipelines.crawl.tables import TABLES
from pipelines.opened import Opened
from pipelines.recipe.text import of_run
from pipelines.runs import FORMAT, INTERMEDIATE, OTHERS, Run
from pipelines.runs.refusals import REFUSALS
from pipelines.runs.tables import DATASET, DECISIONS_TABLE, EDITS_TABLE, PAIRS_TABLE
from pipelines.schema import CAPPED, CHECK, DUPLICATES, NEAR, PAIRS, RULES, SPLIT
from pipelines.steps import order
from pipelines.steps.select.curriculum import PLACED
from pipelines.steps.select.rank import RANKED
from pipelines.steps.select.take import TAKEN
from tests.helpers.command import ROOT, files, karez

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
ARCHITECTURE = DOCS / "architecture.md"
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "runs"}
FOR_USERS = ("cluster.md", "crawl.md", "recipe.md", "selection.md")  # may name no file of ours

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def code(page: Path) -> list[str]:
    """What stands between backticks, outside of blocks."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


@cache
def defined(path: str) -> set[str]:
    """Names that a file defines; those of a class as ``Class.name``."""
    found = set[str]()
    for node in ast.parse((ROOT / path).read_text()).body:
        found |= named(node)
        if isinstance(node, ast.ClassDef):
            inner = [name for each in node.body for name in named(each)]
            found |= {f"{node.name}.{name}" for name in inner}
    return found


def named(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


@each_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    paths = [word.partition(":")[0] for word in code(page) if re.fullmatch(r"[\w./:-]+", word)]
    ours = [p for p in paths if p.partition("/")[0] in FOLDERS or p.endswith(".py")]
    assert ours or page.name in FOR_USERS
    assert not [path for path in ours if not (ROOT / path).exists()]


@each_page
def test_every_name_is_defined_in_the_file_that_is_named(page: Path) -> None:
    pairs = [m.groups() for word in code(page) if (m := re.fullmatch(r"([\w./]+\.py):(.+)", word))]
    assert pairs or page.name in FOR_USERS
    assert not [(path, name) for path, name in pairs if name not in defined(path)]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), link
            heads = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE) if anchor else []
            slugs = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
            assert not anchor or anchor in slugs, link


@pytest.mark.parametrize("picture", sorted(DOCS.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_runs_nothing_and_fetches_nothing(picture: Path) -> None:
    for element in ElementTree.parse(picture).iter():
        assert element.tag.rpartition("}")[2] not in ("script", "image", "foreignObject", "use")
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    assert "prefers-color-scheme: dark" in picture.read_text()


def like(said: Any, value: Any) -> bool:
    """Whether a value is what a page says of it; "…" at the end stands for more."""
    if isinstance(value, bytes):
        value = value.hex()
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(said, str) and said.endswith("…"):
        return str(value).startswith(said[:-1].rstrip())
    if isinstance(said, float):
        return value is not None and math.isclose(said, value, abs_tol=5e-5)
    if isinstance(said, dict):
        return all(key in value and like(said[key], value[key]) for key in said)
    if isinstance(said, list) and said[-1:] == ["…"]:
        said, value = said[:-1], value[: len(said) - 1]
    if isinstance(said, list):
        return len(said) == len(value) and all(map(like, said, value))
    return bool(said == value and type(said) is type(value))


def published(run: Path, shard: str, key: str) -> dict[str, Any]:
    with pa.ipc.open_stream(run / shard) as stream:
        rows = stream.read_all().to_pylist()
    return next(row for row in rows if row["id"] == key)


def test_the_document_is_what_the_page_on_architecture_says(sample: Path) -> None:
    shown: dict[str, dict[str, Any]] = {}
    for block in re.findall(r"^```json\n(.*?)^```", ARCHITECTURE.read_text(), re.M | re.S):
        shown |= json.loads(block)
    opened, key = Opened(sample), shown["documents"]["id"]
    (address,) = opened.find(key)
    rows = opened.row(address)
    rows |= {name: published(sample, name, key) for name in shown if name.endswith(".arrow")}
    assert set(shown) <= set(rows)
    for table, said in shown.items():
        for name, value in said.items():
            assert like(value, rows[table][name]), (table, name, rows[table][name])
    assert set(re.findall(r"row (\d+)", ARCHITECTURE.read_text())) == {str(address[1])}
    assert set(rows) == set(shown), "a table that the page leaves out"


def test_the_document_and_its_copy_agree_as_the_page_says(sample: Path) -> None:
    opened, page = Opened(sample), ARCHITECTURE.read_text()
    path = "www.postgresql.org/docs/15/queries-limit.html"
    found = [opened.find(f"https://{host}{path}")[0] for host in ("", "mirror.example.org/")]
    for column, width, said in (("bands", 8, "{} are the same"), ("minhash", 1, "{} of 112 slots")):
        one, other = (opened.row(at)["columns/documents/minhash"][column] for at in found)
        assert isinstance(one, bytes) and isinstance(other, bytes)
        pieces = [(one[i : i + width], other[i : i + width]) for i in range(0, len(one), width)]
        assert said.format(sum(a == b for a, b in pieces)) in page


RUN_FOLDER = DOCS / "run-folder.md"


def section(name: str) -> str:
    """The text below a heading of the page on the run folder."""
    return RUN_FOLDER.read_text().partition(f"\n### {name}\n")[2].partition("\n#")[0]


def columns(name: str) -> list[tuple[str, str]]:
    """Columns and types that the page tells of."""
    return re.findall(r"^\| (\w+) \| `(.+?)` \|", section(name), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "table"),
    [("documents",) * 2, ("decisions", "decisions/documents"), ("dead", "dead/ingest")],
)
def test_the_columns_of_a_table_are_those_of_the_page(name: str, table: str, sample: Path) -> None:
    schema = Run(sample).open_part(table, 0).schema_arrow
    assert columns(name) == [(field.name, str(field.type)) for field in schema]


def test_the_columns_of_the_dataset_are_those_of_the_page(sample: Path) -> None:
    run, extra = Run(sample), of_run(Run(sample).folder).publish.columns
    for part in run.table("dataset").parts:
        if part.name.endswith(".arrow"):
            schema = pa.ipc.open_stream(run.folder.open(f"dataset/{part.name}")).schema
            told = [(field.name, str(field.type)) for field in schema]
            assert told[: -len(extra)] == columns("dataset")
            assert [name for name, _ in told[-len(extra) :]] == list(extra)


def test_every_table_of_a_run_and_each_of_its_columns_is_on_the_page(sample: Path) -> None:
    run, words = Run(sample), set(re.findall(r"[\w./]+", RUN_FOLDER.read_text()))
    rules = set(re.findall(r"`(\w+)`", (DOCS / "recipe.md").read_text()))
    for name, table in run.manifest.tables.items():
        assert name in words, name
        if name != "dataset" and table.parts:
            made = set(run.open_part(name, 0).schema_arrow.names)
            assert made <= words | rules, name


MADE = [RULES, DUPLICATES, CAPPED, SPLIT, NEAR, CHECK, PAIRS, REFUSALS, TAKEN, RANKED, PLACED]


@pytest.mark.parametrize("schema", MADE, ids=lambda schema: schema.names[0])
def test_the_columns_that_steps_make_are_on_the_page(schema: pa.Schema) -> None:
    assert set(schema.names) <= set(re.findall(r"`(\w+)`", RUN_FOLDER.read_text()))


def test_every_folder_and_table_that_the_code_names_is_on_the_page() -> None:
    page = RUN_FOLDER.read_text()
    modules = [vars(sys.modules[step.stages[0].__module__]) for step in order.STEPS]
    tables = {module["TABLE"] for module in modules if "TABLE" in module}
    tables |= {DATASET, DECISIONS_TABLE, EDITS_TABLE, PAIRS_TABLE}
    for name in (*INTERMEDIATE, *OTHERS, *tables, *TABLES):
        assert re.search(rf"(?<![\w/]){re.escape(name)}\b", page), name


def test_the_manifest_holds_what_the_page_says(sample: Path) -> None:
    manifest = json.loads((sample / "manifest.json").read_text())
    told = re.findall(r"^\| `([\w.*]+)` \|", RUN_FOLDER.read_text(), re.MULTILINE)
    assert list(manifest) == [key for key in told if "." not in key]
    for table in manifest["tables"].values():
        assert {f"tables.*.{key}" for key in table} == {key for key in told if "." in key}
        assert all(set(part) == {"name", "rows", "size", "sha256"} for part in table["parts"])
    assert manifest["format"] == FORMAT
    assert f"format {FORMAT}\n" in RUN_FOLDER.read_text()


def test_what_another_format_holds_is_not_touched(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(sample, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": FORMAT + 1}))
    before = files(folder)
    done = karez("run", folder / "recipe.toml", "--run", folder)
    assert done.returncode == 1
    assert f"format {FORMAT + 1}, this version reads {FORMAT}" in done.stderr
    assert files(folder) == before


def test_a_recipe_is_code_as_the_page_on_threats_says(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A text.")
    source = '[[source]]\nkind = "text"\npaths = ["a.txt"]\n'
    obeyed = f'[measure]\n"os:system" = {{ command = "touch {tmp_path}/obeyed" }}\n'
    (tmp_path / "r.toml").write_text(f'name = "r"\n{source}{obeyed}')
    assert karez("plan", tmp_path / "r.toml").returncode == 2
    assert (tmp_path / "obeyed").exists()
