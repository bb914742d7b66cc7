"""Imports flow one way: pipelines -> filters, labeling, graphs; and within pipelines."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.command import ROOT

KERNELS = {"filters", "labeling", "graphs"}
OURS = KERNELS | {"pipelines"}
ORDER = (
    *("errors", "plain", "schema", "sql", "units"),
    *("runs", "readers", "recipe", "engine", "crawl", "steps", "execute", "beam", "trainer"),
    *("opened", "commands", "prove", "forget", "report", "cli", "__main__"),
)
"""Of what stands in pipelines: each imports what stands before it, and itself."""
MODULES = [path for package in sorted(OURS) for path in sorted((ROOT / package).rglob("*.py"))]


def each_of(wanted: Callable[[Path], bool]) -> pytest.MarkDecorator:
    some = [path for path in MODULES if wanted(path)]
    return pytest.mark.parametrize("path", some, ids=lambda p: str(p.relative_to(ROOT)))


def imported(path: Path) -> set[str]:
    """Top-level packages a file imports, wherever in the file it does so."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: relative import"
            names.add(node.module.split(".")[0])
    return names


@each_of(lambda _: True)
def test_imports_flow_one_way(path: Path) -> None:
    home = path.relative_to(ROOT)
    reached = imported(path) & OURS
    assert reached <= (OURS if home.parts[0] == "pipelines" else {home.parts[0]})
    if home.parts[:2] != ("pipelines", "beam"):
        assert "apache_beam" not in imported(path)


def place(path: Path) -> int:
    """Of a module of pipelines in their order."""
    return ORDER.index(path.relative_to(ROOT / "pipelines").parts[0].removesuffix(".py"))


@each_of(lambda p: p.relative_to(ROOT).parts[0] == "pipelines" and not p.stem.startswith("__"))
def test_packages_of_pipelines_know_those_before_them(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:  # what is imported late is a matter of time
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines"):
            for alias in node.names:
                named = ".".join([str(node.module), alias.name]).split(".")[1]
                assert ORDER.index(named) <= place(path), f"{path}: imports {named}"


@each_of(lambda p: p.relative_to(ROOT).parts[0] != "pipelines")
def test_kernels_know_no_clock_and_no_randomness(path: Path) -> None:
    assert not imported(path) & {"time", "datetime", "random", "secrets", "uuid"}
