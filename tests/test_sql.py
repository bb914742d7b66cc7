import pyarrow as pa
import pytest

from pipelines import sql
from pipelines.errors import RecipeError

COLUMNS = pa.table({"words": [10, 60, None], "language": ["en", "fr", "de"]})


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("words < 50", ["words"]),
        ("language not in ('en', 'de') or words < 5", ["language", "words"]),
        ("case when words > 3 then language like 'e%' end", ["words", "language"]),
        ("words between 1 and 2 -- few", ["words"]),
        ("1 = 1", []),
        ("metadata ->> '$.a.b' < '3'", ["metadata"]),
        ('"words" / 2 > coalesce(words, 3)', ["words"]),
    ],
)
def test_columns_of_a_rule(rule: str, columns: list[str]) -> None:
    assert list(sql.columns(rule, "r")) == columns


@pytest.mark.parametrize(
    "rule",
    [
        "words <",
        "",
        "words < 5; drop table columns",
        "1) from columns --",
        "(select 1) = 1",
        "exists(select 1)",
        "words in (select 1)",
        "count(*) > 1",
        "row_number() over () > 1",
        "read_text('/etc/passwd') = ''",
        "random() > 0.5",
        "now() > date",
        "nextval('a') > 1",
        "getenv('HOME') = ''",
        "a.words > 1",
        "*",
        "? > 1",
        "list_filter([1], x -> x > 1) is null",
    ],
)
def test_what_is_more_than_an_expression_is_refused(rule: str) -> None:
    with pytest.raises(RecipeError, match="r"):
        sql.columns(rule, "[rules] r")


def test_a_rule_reads_a_field_of_the_users_own() -> None:
    fields = pa.table({"metadata": ['{"day": "2023", "a": {"b": 3}}', '{"day": "2025"}', None]})
    old = {"old": "metadata ->> 'day' < '2024'"}
    assert sql.reasons(fields, old).to_pylist() == ["old", None, "old: no value"]
    inner = {"b": "cast(metadata ->> '$.a.b' as int) > 2"}
    assert sql.reasons(fields, inner).to_pylist() == ["b", "b: no value", "b: no value"]
    with pytest.raises(RecipeError, match=r"write metadata ->> '\$.a.b', not metadata.a.b"):
        sql.columns("metadata.a.b > 2", "[rules] b")


@pytest.mark.parametrize("rule", [3, None, ["words < 5"], {"words": 5}])
def test_what_is_no_text_is_no_rule(rule: object) -> None:
    with pytest.raises(RecipeError, match=r"rules.toml: want an expression such as"):
        sql.columns(rule, "rules.toml")


def test_a_rule_must_be_a_truth_value_over_the_types_it_names() -> None:
    with pytest.raises(RecipeError, match="truth value"):
        sql.check_types({"r": "words + 1"}, COLUMNS.schema, "[rules]")
    with pytest.raises(RecipeError, match=r"\[rules\] r"):
        sql.check_types({"r": "words < date_part('year', language)"}, COLUMNS.schema, "[rules]")
    sql.check_types({"r": "words < 5"}, COLUMNS.schema, "[rules]")


def test_the_first_rule_that_holds_is_the_reason() -> None:
    rules = {"short": "words < 50", "english": "language = 'en'", "it's fr": "language = 'fr'"}
    assert sql.reasons(COLUMNS, rules).to_pylist() == ["short", "it's fr", "short: no value"]


def test_a_rule_may_ask_for_what_is_missing() -> None:
    assert sql.reasons(COLUMNS, {"none": "words is null"}).to_pylist() == [None, None, "none"]


def test_no_rule_drops_nothing_and_no_row_is_no_reason() -> None:
    assert sql.reasons(COLUMNS, {}).to_pylist() == [None] * 3
    assert sql.reasons(COLUMNS[:0], {"short": "words < 50"}).to_pylist() == []


def test_the_database_reaches_no_file() -> None:
    with pytest.raises(Exception, match=r"(?i)disabled|permission"):
        sql.connect().execute("SELECT * FROM read_csv('/etc/passwd')")
    with pytest.raises(Exception, match=r"(?i)locked"):
        sql.connect().execute("SET enable_external_access = true")
