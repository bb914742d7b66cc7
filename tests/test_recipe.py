from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.recipe import Recipe
from pipelines.recipe.text import limited, load, parse, rebased

LEAST = 'name = "a"\n[[source]]\nkind = "jsonl"\npaths = ["a.jsonl"]\n'


def read(text: str) -> Recipe:
    return parse(text, Path("/recipes/a.toml"))


def test_everything_but_name_and_sources_has_a_default() -> None:
    recipe = read(LEAST)
    assert (recipe.seed, recipe.dedup, recipe.rules) == (0, None, {})
    assert (recipe.limit.dead, recipe.publish.shard) == (0.01, 256_000_000)
    assert recipe.source[0].paths == ("a.jsonl",)


def test_a_recipe_in_words() -> None:
    recipe = read(
        LEAST + '[limit]\ndead = "10 %"\n[rules]\nb = "words < 5"\na = "words > 9"\n[dedup]\n'
        '[publish]\nsplits = { train = 0.9, test = 0.1 }\nshard = "1 MB"\ncolumns = ["words"]\n'
    )
    assert recipe.limit.dead == 0.1
    assert list(recipe.rules) == ["b", "a"]
    assert recipe.dedup is not None
    assert (recipe.publish.shard, recipe.publish.columns) == (1_000_000, ("words",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not TOML"),
        ('name = "a"', r"no \[\[source\]\]"),
        (LEAST.replace("name", "nmae"), "unknown key 'nmae'; did you mean name"),
        (LEAST + "[publsh]\n", "unknown key 'publsh'; did you mean publish"),
        (
            LEAST + "[publish]\nshards = 3\n",
            r"\[publish\]: unknown key 'shards'; did you mean shard",
        ),
        (LEAST + '[publish]\nshard = "big"\n', r"\[publish\]: shard: want a size"),
        (LEAST + "[publish]\nsplits = { a = 0.5 }\n", "add up to 0.5"),
        (LEAST + '[publish]\nsplits = { "a/b" = 1.0 }\n', "a/b"),
        (LEAST + '[publish]\ncolumns = "words"\n', "list of strings"),
        (LEAST + "[rules]\nx = 3\n", None),
        (LEAST.replace("[[source]]", "[source]"), "two brackets"),
        (
            LEAST.replace('"jsonl"', '"jsnl"'),
            r"\[\[source\]\] 1: unknown kind 'jsnl'; did you mean jsonl",
        ),
        (LEAST.replace('paths = ["a.jsonl"]', ""), "missing 'paths'"),
        (LEAST.replace('["a.jsonl"]', "[]"), "paths is empty"),
        ('seed = "x"\n' + LEAST, "seed: want a whole number"),
        (LEAST.replace('"a"', '"a b"', 1), "name 'a b'"),
        ('limit = { dead = "200 %" }\n' + LEAST, "limit.*dead: want a share"),
        ("limit = 3\n" + LEAST, "want a table"),
        ("x = " + "[" * 10_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, said: str | None) -> None:
    if said is None:  # seen when the rules are parsed
        assert read(text)
        return
    with pytest.raises(RecipeError, match=said) as error:
        read(text)
    assert str(error.value).startswith("/recipes/a.toml")
    assert error.value.exit_code == 2


def test_paths_are_relative_to_the_recipe_or_its_base() -> None:
    assert read(LEAST).base == "/recipes"
    assert read('base = "../data"\n' + LEAST).base == "/data"


def test_a_folder_whose_name_cannot_be_written_is_refused() -> None:
    with pytest.raises(RecipeError, match="no UTF-8"):
        parse(LEAST, Path("/recipes\udcff/a.toml"))


@pytest.mark.parametrize("base", ["new\nline", "\x7f", "\\", "' \" #", "\x1b[31m", "🙂 é"])
def test_a_copy_holds_any_name(base: str) -> None:
    assert read(rebased(LEAST, base)).base == f"/recipes/{base}"


def test_a_copy_elsewhere_still_reads_the_same_files(tmp_path: Path) -> None:
    text = '# mine\nbase = "x"\n' + LEAST + '[rules]\nbase = "words < 5"\n'
    copy = tmp_path / "recipe.toml"
    copy.write_text(rebased(text, "../elsewhere"))
    recipe = load(copy)
    assert recipe.base == str(tmp_path.parent / "elsewhere")
    assert recipe.rules == {"base": "words < 5"}


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_preset_comes_before_what_the_recipe_says_itself() -> None:
    recipe = read(
        'presets = ["basic"]\n' + LEAST + '[rules]\nmine = "words > 9"\nshort = "words < 3"\n'
    )
    assert (*recipe.rules,)[:: len(recipe.rules) - 1] == ("short", "mine")
    assert recipe.rules["short"] == "words < 3"
    assert recipe.edits == {"repeated_lines": {}}


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="unknown preset 'bsic'; did you mean basic"):
        read('presets = ["bsic"]\n' + LEAST)


def test_the_first_documents_are_a_number() -> None:
    assert parse(limited(LEAST, 5), Path("/recipes/a.toml")).first == 5
    with pytest.raises(RecipeError, match="first"):
        read("first = 0\n" + LEAST)
