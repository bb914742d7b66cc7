"""Rules as SQL predicates: parsed and checked before anything is read, evaluated on Arrow columns.

A rule is one scalar, deterministic expression over known columns.  DuckDB parses it into a tree;
what is not on the lists below is refused: no table, no subquery, no aggregate, no function that
reads a file, a clock or a random number.  The connection that evaluates has external access off.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from math import isfinite
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.errors import RecipeError, nearest

CLASSES = {
    "BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "OPERATOR", "TYPE",
}  # fmt: skip
FUNCTIONS = {
    "+", "-", "*", "/", "//", "%", "||", "->>",
    "~~", "!~~", "~~*", "!~~*", "abs", "ceil", "coalesce",
    "concat", "contains", "date_part", "ends_with", "floor", "greatest", "least", "left", "len",
    "length", "list_contains", "lower", "lpad", "nullif", "prefix", "regexp_extract",
    "regexp_full_match", "regexp_matches", "replace", "right", "round", "rpad", "sign", "sqrt",
    "starts_with", "strlen", "strpos", "strptime", "substr", "substring", "suffix", "trim",
    "upper", "year",
}  # fmt: skip


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that reaches no file and no network."""
    return duckdb.connect(
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "lock_configuration": "true",
            "threads": "1",
        }
    )


def columns(sql: object, where: str) -> tuple[str, ...]:
    """The columns that an expression names, in order.

    Raises:
        RecipeError: saying where, if it does not parse, or is more than a scalar expression.
    """
    if not isinstance(sql, str):
        raise RecipeError(f'{where}: want an expression such as "words < 50", got {sql!r}')
    return _columns(sql, where)


@lru_cache(maxsize=1024)
def _columns(sql: str, where: str) -> tuple[str, ...]:
    try:
        tree = _tree(f"SELECT (\n{sql}\n)")
    except RecursionError as error:
        raise RecipeError(f"{where}: is nested too deeply") from error
    if tree["error"]:
        raise RecipeError(f"{where}: {_unwrapped(tree)}; the rule reads: {sql}")
    statements = tree["statements"]
    node = statements[0]["node"]
    if (
        len(statements) != 1
        or node["type"] != "SELECT_NODE"
        or node["from_table"]["type"] != "EMPTY"
        or len(node["select_list"]) != 1
        or any(node[k] for k in ("modifiers", "where_clause", "group_expressions", "having"))
        or node["cte_map"]["map"]
    ):
        raise RecipeError(f"{where}: want one expression over columns; the rule reads: {sql}")
    found: dict[str, None] = {}
    for part in _expressions(node["select_list"]):
        _check(part, f"{where}: the rule reads: {sql}")
        if part["class"] == "COLUMN_REF":
            found[part["column_names"][0]] = None
    return tuple(found)


def _tree(query: str) -> dict[str, Any]:
    """A query as DuckDB parses it."""
    (text,) = _parser().execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    tree: dict[str, Any] = json.loads(text)
    return tree


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return connect()


def _unwrapped(tree: Mapping[str, Any]) -> str:
    message = str(tree["error_message"])
    return "want one expression" if "serialized" in message else message


def _expressions(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for child in node.values():
            yield from _expressions(child)
    elif isinstance(node, list):
        for child in node:
            yield from _expressions(child)


def _check(part: Mapping[str, Any], where: str) -> None:
    kind = part["class"]
    if kind not in CLASSES:
        raise RecipeError(f"{where}: {kind.lower().replace('_', ' ')} is not allowed in a rule")
    if kind == "FUNCTION":
        name = part["function_name"].lower()
        if name not in FUNCTIONS:
            known = [f for f in FUNCTIONS if f.isidentifier()]
            raise RecipeError(
                f"{where}: function {name!r} is not allowed in a rule; {nearest(name, known)}"
            )
    if kind == "COLUMN_REF" and len(part["column_names"]) != 1:
        first, *inner = part["column_names"]
        want = f"metadata ->> '$.{'.'.join(inner)}'" if first == "metadata" else "the name alone"
        raise RecipeError(f"{where}: of a column write {want}, not {first}.{'.'.join(inner)}")


def check_types(rules: Mapping[str, str], schema: pa.Schema, where: str) -> None:
    """Evaluate on no rows: every rule must be a truth value.

    Raises:
        RecipeError: if a rule does not fit the types of its columns, or is no truth value.
    """
    empty = _never_bare(schema.empty_table())
    with connect() as database:
        database.register("columns", empty)
        for name, sql in rules.items():
            try:
                kind = database.sql(f"SELECT (\n{sql}\n) FROM columns").types[0]
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                raise RecipeError(f"{where} {name}: {first}; the rule reads: {sql}") from error
            if str(kind) != "BOOLEAN":
                raise RecipeError(f"{where} {name}: is no truth value; the rule reads: {sql}")


def evaluate(table: pa.Table, expressions: Iterable[str]) -> pa.Table:
    """The expressions on every row, in order, as columns c0, c1 and so on."""
    chosen = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(expressions))
    with connect() as database:
        database.register("columns", _never_bare(table))
        return database.sql(f"SELECT {chosen} FROM columns").to_arrow_table()


def _never_bare(table: pa.Table) -> pa.Table:
    """A rule may name no column at all (1 = 1); a table must have one."""
    if table.num_columns:
        return table
    return table.append_column("_", pa.nulls(table.num_rows, pa.int8()))


def reasons(table: pa.Table, rules: Mapping[str, str]) -> pa.Array:
    """The first rule that holds for each row, in written order; null where none does.

    A rule without a value drops the row too, as "<rule>: no value": silence keeps nothing.
    """
    cases = "".join(
        f" WHEN (\n{sql}\n) IS NULL THEN {_quoted(name + ': no value')} "
        f"WHEN (\n{sql}\n) THEN {_quoted(name)}"
        for name, sql in rules.items()
    )
    if not cases:
        return pa.nulls(table.num_rows, pa.string())
    return evaluate(table, [f"CASE{cases} END"])["c0"].cast(pa.string()).combine_chunks()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def mentioned(query: str) -> set[str] | None:
    """The columns that a whole query names; None: all of them, or it cannot be told."""
    tree = _tree(query)
    if tree["error"]:
        return None
    parts = list(_expressions(tree["statements"]))
    if any(part["class"] == "STAR" for part in parts):
        return None
    return {part["column_names"][-1] for part in parts if part["class"] == "COLUMN_REF"}


COMPARED = {
    "COMPARE_LESSTHAN": "<", "COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=", "COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>",
}  # fmt: skip
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}

Threshold = tuple[str, str, float]
"""A column, an operator and the number that the column is compared with."""


@lru_cache(maxsize=1024)
def thresholds(sql: str) -> tuple[Threshold, ...]:
    """The numbers that an expression compares a bare column with, in order, once each.

    A ``not`` is carried inwards: ``words not between 50 and 90`` gives ``< 50`` and ``> 90``.  An
    expression that does not parse has none.
    """
    tree = _tree(f"SELECT (\n{sql}\n)")
    if tree["error"]:
        return ()
    return tuple(dict.fromkeys(_compared(tree["statements"][0]["node"]["select_list"], False)))


def _compared(node: object, negated: bool) -> Iterator[Threshold]:
    if isinstance(node, list):
        for child in node:
            yield from _compared(child, negated)
    elif isinstance(node, dict):
        kind = node.get("type")
        for left, operator, right in _comparisons(node):
            column, number = _column(left), _number(right)
            if column is None or number is None:
                column, number, operator = _column(right), _number(left), MIRRORED[operator]
            if column is not None and number is not None:
                yield column, OPPOSITE[operator] if negated else operator, number
        for child in node.values():
            yield from _compared(child, negated != (kind == "OPERATOR_NOT"))


def _comparisons(node: Mapping[str, Any]) -> list[tuple[Any, str, Any]]:
    """What a node compares with what: (operand, operator, operand)."""
    if node.get("class") == "BETWEEN":
        return [(node["input"], ">=", node["lower"]), (node["input"], "<=", node["upper"])]
    if node.get("class") == "COMPARISON" and node["type"] in COMPARED:
        return [(node["left"], COMPARED[node["type"]], node["right"])]
    return []


def _column(node: Mapping[str, Any]) -> str | None:
    """The column that a node is, a cast of it included."""
    while node["class"] == "CAST":
        node = node["child"]
    return node["column_names"][0] if node["class"] == "COLUMN_REF" else None


def _number(node: Mapping[str, Any]) -> float | None:
    """The number that a node without columns comes to; None if it is none."""
    if any(part["class"] == "COLUMN_REF" for part in _expressions(node)):
        return None
    tree = _tree("SELECT 0")
    tree["statements"][0]["node"]["select_list"] = [node]
    try:
        row = _parser().execute("FROM json_execute_serialized_sql(?)", [json.dumps(tree)])
        (value,) = row.fetchone() or (None,)
    except duckdb.Error:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return float(value) if isfinite(value) else None
