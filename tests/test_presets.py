"""The presets that ship: thresholds as published, side by side, and in a run."""

import itertools
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines import sql
from pipelines.recipe import Recipe
from pipelines.recipe import presets as shipped
from pipelines.recipe.measures import selected
from pipelines.recipe.text import parse
from tests.helpers import corpora
from tests.helpers.command import ROOT, here

NAMES = [path.stem for path in sorted((ROOT / "pipelines/recipe/presets").glob("*.toml"))]
PUBLISHED: dict[str, dict[str, dict[str, tuple[float, float]]]] = {
    "gopher": {
        "short": {"words": (50, -1)},
        "long": {"words": (100_000, 1)},
        "word_length": {"mean_word_length": (10, 0.01)},
        "hashes": {"hashes": (0.1, 0.01)},
        "ellipses": {"ellipses": (0.1, 0.01)},
        "bullet_lines": {"bullet_lines": (0.9, 0.01)},
        "ellipsis_lines": {"ellipsis_lines": (0.3, 0.01)},
        "no_letters": {"alphabetic_words": (0.8, -0.01)},
        "stop_words": {"stop_words": (2, -1)},
        "duplicate_lines": {
            "duplicate_lines": (0.3, 0.01),
            "duplicate_line_characters": (0.2, 0.01),
        },
        "duplicate_paragraphs": {
            "duplicate_paragraphs": (0.3, 0.01),
            "duplicate_paragraph_characters": (0.2, 0.01),
        },
        "top_ngram": {
            "top_2gram": (0.2, 0.01),
            "top_3gram": (0.18, 0.01),
            "top_4gram": (0.16, 0.01),
        },
        "duplicate_ngrams": {f"duplicate_{n}grams": ((20 - n) / 100, 0.01) for n in range(5, 11)},
    },
    "c4": {
        "few_sentences": {"sentences": (5, -1)},
        "curly_brackets": {"curly_brackets": (0, 1)},
        "lorem_ipsum": {"lorem_ipsum": (0, 1)},
    },
    "fineweb": {
        "unpunctuated": {"punctuated_lines": (0.12, -0.01)},
        "short_lines": {"short_lines": (0.67, 0.01)},
        "repeated_lines": {"duplicate_line_characters": (0.01, 0.001)},
        "list_like": {"newlines": (0.3 * 500, 1)},
    },
}
"""Of each rule the columns with the last value that passes, and a step beyond.

Rae et al. 2021, table A1; Raffel et al. 2020, section 2.2; Penedo et al. 2024, section 3.6, with
datatrove's 0.01 for repeated characters.
"""
GOOD = {
    **{"words": 500, "mean_word_length": 5.0, "alphabetic_words": 0.95, "stop_words": 8},
    **{"punctuated_lines": 0.9, "sentences": 30, "newlines": 20},
}
"""Columns of a good document; the others are 0."""


def recipe(presets: Sequence[str], more: str = "") -> Recipe:
    text = f'name = "a"\npresets = {json.dumps(presets)}\n{more}\n'
    return parse(text + '[[source]]\nkind = "jsonl"\npaths = ["a.jsonl"]\n', Path("/a/a.toml"))


def reason(value: Recipe, columns: dict[str, Any]) -> str | None:
    named = {c for name, rule in value.rules.items() for c in sql.columns(rule, name)}
    row = {name: [columns.get(name, GOOD.get(name, 0))] for name in named}
    return sql.reasons(pa.table(row), value.rules)[0].as_py()


@pytest.mark.parametrize("name", PUBLISHED)
def test_thresholds_are_those_published(name: str) -> None:
    value = recipe([name])
    assert [*value.rules] == [*PUBLISHED[name]] and reason(value, {}) is None
    for rule, columns in PUBLISHED[name].items():
        for column, (last, step) in columns.items():
            assert reason(value, {column: last}) is None, column
            assert reason(value, {column: last + step}) == rule
    if name == "gopher":
        assert reason(value, {"mean_word_length": 3}) is None
        assert reason(value, {"mean_word_length": 2.9}) == "word_length"


@pytest.mark.parametrize("names", [*itertools.permutations(NAMES, 2)], ids="-".join)
def test_presets_stand_side_by_side(names: tuple[str, str]) -> None:
    both = recipe(names)
    for name in names:
        for section, entries in tomllib.loads(shipped.text(name)).items():
            assert entries.items() <= getattr(both, section).items()
    scan = selected(both)
    columns = {column for rule in both.rules.values() for column in sql.columns(rule, "")}
    sql.check_types(both.rules, scan.schema(columns), "")


def test_a_recipe_changes_what_a_preset_says() -> None:
    more = '[edits]\nc4_lines = { ended = false }\n[rules]\nshort = "words < 9"'
    value = recipe(["c4", "gopher"], more)
    assert value.edits == {"c4_lines": {"ended": False}}
    assert value.rules["short"] == "words < 9" and "stop_words" in value.rules


PROSE = """\
The water comes down from the hills in a tunnel that people dug by hand long ago.
They have kept it clean with much work, and it will be there for those who come after.
Every spring a few men go down to see what the winter has done to the walls.
Where a stone fell they put it back; where sand has gathered they carry it out in baskets.
In return each family may open its gate for an hour, day or night, as the list says.
"""
DOCUMENTS = {
    None: PROSE,
    "short": PROSE[:200],
    "stop_words": PROSE.translate(dict.fromkeys(map(ord, "aeiou"), "y")),
    "few_sentences": PROSE.replace(".\n", ", ") + "as ever.",
    "curly_brackets": PROSE.replace("water", "{water}"),
    "lorem_ipsum": PROSE.replace("water", "lorem ipsum"),
    "duplicate_ngrams": PROSE + PROSE.replace("\n", " "),
    "word_length": re.sub("([aeiou])", r"\1" * 7, PROSE),
    "short_lines": re.sub(r"(\w+ \w+ \w+) ", r"\1.\n", PROSE),
    "repeated_lines": PROSE + "The water comes down at last.\n" * 2,
}


def test_a_run_says_how_many_each_rule_drops(tmp_path: Path) -> None:
    lines = [{"id": str(key), "text": f"Home | Menu\n{text}"} for key, text in DOCUMENTS.items()]
    path = corpora.recipe(tmp_path, lines)
    path.write_text(f'presets = ["gopher", "c4", "fineweb"]\n{path.read_text()}')
    planned = here("plan", "a.toml", cwd=tmp_path).stdout
    for rule, text in recipe(["gopher", "c4", "fineweb"]).rules.items():
        assert f"{rule}: {' '.join(text.split())}"[:40] in " ".join(planned.split())
    told = json.loads(here("run", "a.toml", "--run", "run", "--json", cwd=tmp_path).stdout)
    assert told["dropped"] == {rule: 1 for rule in DOCUMENTS if rule}
    assert told["kept"] == 1
    cuts = told["steps"]["scan"]["counts"]
    assert cuts["edits: few words"] + cuts["edits: no sentence end"] >= len(DOCUMENTS)
