"""README and docs cannot drift: commands and Python run, tables are those of the code."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipelines.cli import main
from pipelines.recipe.measures import MEASURES, PLAIN, made
from tests.helpers import needs
from tests.helpers.command import ROOT

README = (ROOT / "README.md").read_text()
DOCS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
BOOK = {"README.md": README, **DOCS}
WHOLE = "\n".join(BOOK.values())
COMMANDS = re.findall(r"^\$ karez (.*[^\\])$", WHOLE, re.MULTILINE)  # on one line
PYTHON = {
    name: found
    for name, page in BOOK.items()
    if (found := re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
}
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a clone to a command; what it writes stays here."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("infra", "tests"):
        (folder / name).symlink_to(ROOT / name)
    line = re.search(r"^run:.*\n\t\$\(BIN\)/karez (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert line
    done = run([sys.executable, "-m", "pipelines", *shlex.split(line[1])], folder)
    assert done.returncode == 0, done.stderr
    (folder / "said").write_text(done.stdout)
    return folder


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HOME": str(cwd / "hf"), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )


def test_what_make_run_says_is_what_the_readme_shows(clone: Path) -> None:
    said = (clone / "said").read_text()
    block = re.search(r"^```\n(ingest .*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block
    for shown in re.findall(r"^ *-?[\d,]+ +(?!seconds)[a-z]+.*$", block[1], re.MULTILINE):
        assert " ".join(shown.split()[:3]) in " ".join(said.split()), shown


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=[pytest.mark.train] * c.startswith("prove ")) for c in COMMANDS],
)
def test_every_command_runs(command: str, clone: Path) -> None:
    if command.startswith("prove "):
        needs.torch()
    done = run([sys.executable, "-m", "pipelines", *shlex.split(command)], clone)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PYTHON)
def test_every_python_example_runs(page: str, clone: Path) -> None:
    done = run([sys.executable, "-c", "\n".join(PYTHON[page])], clone)
    assert done.returncode == 0, done.stderr


def test_the_readme_is_read_in_a_sitting_and_leads_to_every_page() -> None:
    assert README.count("\n") <= 250
    named = {path for path, _ in LINK.findall(WHOLE)}
    for name in DOCS:
        assert {name, f"docs/{name}"} & named, name


@pytest.mark.parametrize("command", main.commands.values(), ids=lambda c: str(c.name))
def test_every_command_is_in_the_book_and_has_an_example(command: click.Command) -> None:
    assert any(line.split()[0] == command.name for line in COMMANDS)
    assert f"karez {command.name} " in (command.help or "")


def test_every_column_that_a_rule_may_name_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| (\w[\w ]*) \| (.*) \|$", DOCS["recipe.md"], re.MULTILINE))
    for name in MEASURES:
        columns = made(name, {}, MEASURES, "README").columns.names
        assert rows[name] == ", ".join(f"`{c}`" for c in columns)
    assert rows["every document"] == ", ".join(f"`{c}`" for c in PLAIN)


def test_make_installs_what_the_readme_installs() -> None:
    lines = re.findall(r"^\$ karez-env/bin/(pip .*)$", README, re.MULTILINE)
    assert lines
    for line in lines:
        assert line.replace("pip install", "pip install --quiet") in (ROOT / "Makefile").read_text()
