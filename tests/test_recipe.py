from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.recipe import Recipe
from pipelines.recipe.text import limited, load, parse, rebased
from tests.helpers import corpora
from tests.helpers.command import here

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


TOP = 'strategy = "top"\nby = "words {}"\nbudget = "{}"'


@pytest.mark.parametrize(
    ("section", "rest", "said"),
    [
        ("[edits]", "repeated_passages = { words = 1 }", "words wants a whole number of 2 to "),
        ("[edits]", "repeated_paragraphs = { word = 8 }", "unexpected keyword argument 'word'"),
        ("[edits]", "repeated_passage = {}", "did you mean repeated_passages?"),
        ("[measure]", "minhash = { shingle = true }", "shingle wants a whole number of 1 to 4,096"),
        ("[dedup]", "threshold = 0", "threshold must be above 0"),
        ("[dedup]", "threshold = 2", "threshold: want a share"),
        ("[dedup]", 'link = "chain"', "link is component or leader, not 'chain'"),
        ("[dedup]", 'keep = "words down"', "keep wants columns as in"),
        ("[dedup]", "keep = 3", "keep: want a string, got 3"),
        ("[dedup]", 'keep = "paragraphs"', "paragraphs holds lists"),
        ("[dedup]", 'against = ["runs/a"]', "runs/a is no run folder"),
        ("[cap]", "documents = 0", "documents wants a number, at least 1, got 0"),
        ("[cap]", "", "missing 'documents'"),
        ("[cap]", 'documents = 3\nper = "hots"', "unknown column 'hots'"),
        ("[cap]", 'documents = 3\nper = "languages"', "languages holds lists"),
        ("[cap]", 'documents = 3\nkeep = "wrds"', "unknown column 'wrds'"),
        ("[cap]", 'documents = 3\nkeep = "words down"', "keep wants columns as in"),
        ("[[select]]", TOP.format("desc", "0 tokens"), "nothing would be chosen by '0 tokens'"),
        ("[[select]]", TOP.format("desc", "0 %"), "nothing would be chosen by '0 %'"),
        ("[[select]]", TOP.format("desc", "many"), 'want tokens such as "200M tokens", or "30 %"'),
        ("[[select]]", TOP.format("down", "5k"), 'by wants a column as in "words desc", got'),
        ("[[select]]", 'strategy = "top"\nby = "wrods"', "unknown column 'wrods'"),
        ("[[select]]", 'strategy = "tpo"', "unknown name 'tpo'; "),
        ("[[select]]", 'strategy = "top"\nby = "words"\nbudegt = 5', "unknown key 'budegt'"),
        ("[[select]]", 'strategy = "top"', "top: missing 'by'"),
        ("[select]", 'strategy = "random"', "write [[select]], with two brackets"),
        ("", '[[select]]\nstrategy = "random"\n' * 5, "5 strategies; at most 4 follow each other"),
        ("[[select]]", 'strategy = "random"\nbalance = 0.5', "balance are of groups"),
        ("[[select]]", 'strategy = "random"\nadd = true', "nothing was taken before"),
        ("[[select]]", 'strategy = "random"\nper = "lang"', "unknown column 'lang'"),
        ("[[select]]", 'strategy = "importance"\nby = "words"\ntemperature = 0', "above 0"),
        ("[[select]]", 'strategy = "band"\nby = "words"\nlow = 0.9\nhigh = 0.1', "must be below"),
        ("[curriculum]", 'by = "wrods"', "unknown column 'wrods'"),
        ("[curriculum]", 'by = "words up"', 'by wants a column as in "compression_ratio asc"'),
        ("[curriculum]", 'by = "words"\npacing = "fast"', "is sorted, linear, root, not 'fast'"),
        ("[curriculum]", 'by = "words"\nstart = 0', "start is a share above 0 and below 1"),
        ("[curriculum]", 'by = "language"', "language is no number"),
        ("[curriculum]", "", "missing 'by'"),
        ("[publish]", "near_train = 0", "near_train must be above 0"),
        *(("[publish]", f"near_train = {each}", "want a share") for each in (2, '"much"', "true")),
    ],
)
def test_what_a_step_cannot_do_is_told_in_one_line_before_anything_is_read(
    section: str, rest: str, said: str, tmp_path: Path
) -> None:
    path = corpora.recipe(tmp_path, [{"text": "a"}], f"{section}\n{rest}")
    done = here("run", path, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(f"karez: {path}") and section in done.stderr
    assert said in done.stderr and not (tmp_path / "runs").exists()
