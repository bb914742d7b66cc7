"""What is released: a wheel of our packages alone, a source that makes it, and their licences."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from infra import licences
from tests.helpers.command import ROOT, SAMPLE
from tests.helpers.needs import missing

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
INFO = f"karez-{VERSION}.dist-info"
CODE = (".py", ".jinja", ".css", ".toml")  # ours, under our licence


def done(*command: str | Path, cwd: Path) -> str:
    """What a command says that sees nothing of this checkout but by its arguments."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    words = [str(word) for word in command]
    run = subprocess.run(words, cwd=cwd, env=bare, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def build(source: Path, out: Path, *options: str) -> None:
    done(sys.executable, "-P", "-m", "hatchling", "build", "-d", out, *options, cwd=source)


def held(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


def metadata(wheel: Path) -> str:
    return held(wheel)[f"{INFO}/METADATA"].decode()


def tracked(*folders: str) -> list[str]:
    """The files that git knows."""
    if not (ROOT / ".git").exists():
        missing("this is no checkout: git says what belongs into a wheel")
    return done("git", "ls-files", "--", *folders, cwd=ROOT).splitlines()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and source."""
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    inside = {name: body for name, body in held(wheel).items() if not name.startswith(INFO)}
    assert sorted(inside) == sorted(tracked(*PACKAGES))
    for name, body in inside.items():
        assert body == (ROOT / name).read_bytes(), name


def test_the_wheel_brings_its_licences(wheel: Path) -> None:
    inside = held(wheel)
    for name in PROJECT["project"]["license-files"]:
        assert inside[f"{INFO}/licenses/{name}"] == (ROOT / name).read_bytes()


def test_the_source_makes_the_same_wheel(dist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(dist / f"karez-{VERSION}.tar.gz") as file:
        file.extractall(tmp_path, filter="data")
    build(tmp_path / f"karez-{VERSION}", tmp_path, "-t", "wheel")
    assert held(tmp_path / wheel.name) == held(wheel)


def test_the_source_holds_what_git_knows_and_nothing_else(dist: Path) -> None:
    with tarfile.open(dist / f"karez-{VERSION}.tar.gz") as file:
        inside = {name.partition("/")[2] for name in file.getnames()}
    hidden = {name for name in tracked(".") if name.startswith(".")}
    assert inside - {"PKG-INFO", ".gitignore"} == set(tracked(".")) - hidden


def test_the_version_is_told_in_one_place(wheel: Path) -> None:
    assert wheel.name == f"karez-{VERSION}-py3-none-any.whl"
    changes = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert changes and changes[1] == VERSION
    short = VERSION.rpartition(".")[0]
    told = re.compile(rf"(?<![\d.]){re.escape(short)}(\.0)?['\"]|karez/{re.escape(short)}")
    code = [name for name in tracked(*PACKAGES) if name.endswith(".py")]
    assert not [name for name in code if re.search(told, (ROOT / name).read_text())]


@pytest.mark.slow
def test_the_wheel_runs_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    python, pip = (tmp_path / "env/bin" / name for name in ("python", "pip"))
    done(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    pins = ROOT / "infra/requirements.txt"
    try:
        options = ("--quiet", "--no-compile", "--require-hashes")
        done(pip, "install", *options, "-r", pins, cwd=tmp_path)
    except AssertionError as error:
        missing(f"install {pins} into an environment of its own:\n{error}")
    done(pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.warc.gz").write_bytes((SAMPLE / "help-en.warc.gz").read_bytes())
    karez = python.with_name("karez")
    at = "import pipelines; print(pipelines.__file__)"
    assert str(tmp_path) in done(python, "-c", at, cwd=tmp_path)
    assert done(karez, "--version", cwd=tmp_path).strip() == VERSION
    assert "documents kept" in done(karez, "run", "in", "--run", "run", cwd=tmp_path)
    assert (tmp_path / "run/dataset/README.md").exists()
    done(karez, "view", "run", cwd=tmp_path)
    assert "<svg" in (tmp_path / "run/report.html").read_text()
    assert "words" in done(karez, "recipe", "run/recipe.toml", cwd=tmp_path)


@pytest.mark.parametrize(
    "name", ["requirements", pytest.param("requirements-train", marks=pytest.mark.train)]
)
def test_every_licence_of_what_is_installed_is_one_to_live_with(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = ROOT / f"infra/{name}.txt"
    found = dict(licences.pinned(pins))
    assert set(found) == set(re.findall(r"^([\w.-]+)==", pins.read_text(), re.MULTILINE))
    assert len([each for each in found.values() if each is not None]) > len(found) / 2
    assert licences.main([str(pins)]) == 0, capsys.readouterr().out


def test_licences_are_asked_of_all_that_an_extra_brings() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (command,) = re.findall(r"^licences:(?:.*\n)+?\n", makefile, re.MULTILINE)
    asked = set(re.findall(r"infra/requirements\S*\.txt(?=[^:]*$)", command, re.MULTILINE))
    pins = {f"infra/{file.name}" for file in (ROOT / "infra").glob("requirements*.txt")}
    assert pins - asked == {"infra/requirements-dev.txt"}  # of use to those who change Karez


def test_the_licence_that_a_wheel_tells_is_that_of_all_it_holds(wheel: Path) -> None:
    rows = re.findall(r"^\| `.*\| (.*) \|$", (ROOT / "filters/NOTICE.md").read_text(), re.MULTILINE)
    data = {re.sub(r"\[(.*)\]\(.*\)", r"\1", each) for each in rows}
    told = re.search(r"^License-Expression: (.*)$", metadata(wheel), re.MULTILINE)
    assert told and set(told[1].split(" AND ")) == {"Apache-2.0"} | data
    assert len(data) > 1


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("", False),
        ("GPL-3.0-only", False),
        ("LGPL-2.1-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("(GPL-2.0-only OR AGPL-3.0-only) AND MIT", False),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False),
    ],
)
def test_which_licences_are_to_live_with(expression: str, fine: bool) -> None:
    assert licences.is_fine(expression) == fine


def test_what_should_be_installed_and_is_not_is_no_licence(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("is-not-there==1.0 ; sys_platform == 'win32' \\\n")
    assert list(licences.pinned(pins)) == [("is-not-there", None)]
    pins.write_text("is-not-there==1.0 \\\n")
    with pytest.raises(PackageNotFoundError):
        list(licences.pinned(pins))


def test_data_that_ships_has_a_licence_named_beside_it() -> None:
    data = [name for name in tracked("filters") if not name.endswith((*CODE, ".md", ".txt"))]
    assert data
    notice = (ROOT / "filters/NOTICE.md").read_text()
    for name in data:
        assert f"`{name.removeprefix('filters/')}`" in notice, name
    pages = (ROOT / "tests/data/sample/LICENSES.md").read_text()
    for name in tracked("tests/data/sample"):
        assert name.endswith(".md") or f"{Path(name).name}" in pages, name
