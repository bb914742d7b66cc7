"""`karez recipe`: what is printed is a recipe, whole, and decides the same."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.commands import written as whole
from pipelines.recipe.text import parse
from pipelines.steps import rules
from tests.helpers.command import here

SOURCE = '[[source]]\nkind = "text"\npaths = ["a/*.txt"]\n'
TEXT = f"""\
name = "a"
presets = ["basic", "gopher", "c4", "fineweb"]
{SOURCE}
[measure]
minhash = {{ target = 0.9 }}
[rules]
long = "words > 99"
mine = "url = 'a  \\"b\\"' or {" or ".join(["words = 1"] * 20)}"
[dedup]
[[select]]
strategy = "top"
by = "words desc"
per = "language"
share = {{ en = 0.5 }}
[[select]]
strategy = "random"
budget = "5 %"
add = true
[curriculum]
by = "words"
[publish]
splits = {{ train = 0.5, test = 0.5 }}
"""


def written(text: str) -> str:
    recipe = parse(text, Path("/x/recipe.toml"))
    return whole.written(text, rules.check(recipe))


def test_it_decides_the_same() -> None:
    first = parse(TEXT, Path("/x/recipe.toml"))
    again = parse(written(TEXT), Path("/x/recipe.toml"))
    sections = (
        "name",
        "seed",
        "limit",
        "source",
        "edits",
        "dedup",
        "select",
        "curriculum",
        "publish",
    )
    for section in sections:
        assert getattr(again, section) == getattr(first, section), section
    assert list(again.rules.items()) == list(first.rules.items())  # their order is meant
    one, other = rules.check(first), rules.check(again)
    assert one == other and list(one.measures) == list(other.measures)


def test_it_says_where_an_entry_comes_from() -> None:
    lines = {key.strip(): rest for key, _, rest in (x.partition("=") for x in _lines(TEXT))}
    assert lines["short"] == ' "words < 50"  # gopher'  # which comes after basic
    assert lines["noise"] == ' "entropy > 6.8"  # basic'
    assert lines["c4_lines"] == " {}  # c4"
    assert lines["long"] == ' "words > 99"'
    assert lines["minhash"] == " { target = 0.9 }"
    assert lines["quality"] == " {}  # brought along"
    assert lines["shard"] == ' "256 MB"  # default'


def _lines(text: str) -> list[str]:
    return written(text).splitlines()


def test_what_is_whole_stays_so() -> None:
    once = written(TEXT)
    assert tomllib.loads(written(once)) == tomllib.loads(once)
    assert "# gopher" not in written(once)


TOML = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.dates()
    | st.text("ab ", min_size=80, max_size=300),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('a. é"'), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(TOML)
def test_values_are_read_as_they_were(value: Any) -> None:
    assert tomllib.loads(f"x = {whole._value(value)}")["x"] == value


def test_a_whole_recipe_runs_nothing_anew(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_text("Some words that stand in a line of a text.\n" * 20)
    text = f'name = "a"\npresets = ["basic"]\n{SOURCE}[dedup]\n'
    (tmp_path / "recipe.toml").write_text(text)
    here("run", tmp_path / "recipe.toml", "--run", tmp_path / "run", cwd=tmp_path)
    said = here("recipe", tmp_path / "recipe.toml", cwd=tmp_path).stdout
    (tmp_path / "whole.toml").write_text(said)
    again = here("run", tmp_path / "whole.toml", "--run", tmp_path / "run", cwd=tmp_path)
    assert "begins" not in again.stdout + again.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\npresets = ["gofer"]\n' + SOURCE, "gopher"),
        ('name = "a"\n' + SOURCE + '[rules]\na = "word > 1"\n', "word"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    ended = here("recipe", path, cwd=tmp_path)
    assert ended.returncode == 2
    assert str(path) in ended.stderr and said in ended.stderr and "Traceback" not in ended.stderr
