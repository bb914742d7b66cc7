"""Imports flow one way: pipelines -> filters, labeling, graphs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"filters", "labeling", "graphs", "pipelines"}
MAY_IMPORT = {
    "filters": set[str](),
    "labeling": set[str](),
    "graphs": set[str](),
    "pipelines": {"filters", "labeling", "graphs"},
}
KERNELS = ("filters", "labeling", "graphs")
KNOW = ("beam", "coders", "counters", "jobs", "loopback", "pool", "template", "workers")  # of Beam
BEAM = {f"pipelines/{name}.py" for name in KNOW}
MODULES = [path for package in sorted(OURS) for path in sorted((ROOT / package).rglob("*.py"))]


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


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_flow_one_way(path: Path) -> None:
    home = path.relative_to(ROOT)
    reached = imported(path) & OURS
    assert reached <= MAY_IMPORT[home.parts[0]] | {home.parts[0]}
    if home.as_posix() not in BEAM:
        assert "apache_beam" not in imported(path)


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.relative_to(ROOT).parts[0] in KERNELS], ids=lambda p: p.name
)
def test_kernels_know_no_clock_and_no_randomness(path: Path) -> None:
    assert not imported(path) & {"time", "datetime", "random", "secrets", "uuid"}
