"""Rules: each document's columns in, the reason why it is dropped out; null: it passed."""

from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from filters import extract
from pipelines import sql
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.errors import RecipeError, RunError
from pipelines.recipe import Recipe, strategies
from pipelines.recipe.measures import Scan, selected
from pipelines.runs import Run, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import FORGOTTEN, RULES

TABLE = "columns/documents/rules"


def named(recipe: Recipe) -> list[str]:
    """The columns that the rules name, once each."""
    found = [c for name, text in recipe.rules.items() for c in sql.columns(text, f"[rules] {name}")]
    return list(dict.fromkeys(found))


def check(recipe: Recipe) -> Scan:
    """What the recipe measures; its rules were tried on no rows.

    Raises:
        RecipeError: if a rule does not parse, names no known column, or is no truth value; if an
            extractor is not known.
    """
    for number, source in enumerate(recipe.sources, 1):
        try:
            if source.extract:
                extract.resolve(source.extract)
        except ValueError as error:
            raise RecipeError(f"[[source]] {number}: {error}") from error
    scan = selected(recipe, anew=True)
    _check_values(recipe, scan)
    for where, column in strategies.numbers(recipe):
        kind = scan.schema([column]).field(column).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise RecipeError(f"{where}: {column} is no number; take a column that tells how much")
    sql.check_types(recipe.rules, scan.schema(named(recipe)), "[rules]")
    return scan


def _check_values(recipe: Recipe, scan: Scan) -> None:
    """Refuse to order or to group by lists.

    Raises:
        RecipeError: naming where.
    """
    asked = [("[dedup] keep", column) for column, _ in recipe.dedup.order] if recipe.dedup else []
    if recipe.cap is not None:
        asked += [("[cap] keep", column) for column, _ in recipe.cap.order]
        asked.append(("[cap] per", recipe.cap.per))
    asked += [(f"[[select]] {n} per", s.per) for n, s in enumerate(recipe.select, 1) if s.per]
    for where, column in asked:
        if pa.types.is_nested(scan.schema([column]).field(column).type):
            raise RecipeError(f"{where}: {column} holds lists; take a column with one value each")


def homes(recipe: Recipe) -> Mapping[str, list[str]]:
    """The columns that the rules name, by their tables."""
    return selected(recipe).homes(named(recipe))


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The reasons, by the rules and the columns that they name."""
    seen = run.marks(homes(recipe))
    return {
        TABLE: fingerprint(run.table("documents").fingerprint, list(recipe.rules.items()), seen)
    }


def judge(job: Job, key: int, _: Batches) -> Done:
    """The reasons of one part; what was forgotten stays so, whatever the rules say."""
    gone = pc.equal(job.run.columns(key, {"documents": ["source"]})["source"], "")
    reasons = judged(job.run.columns(key, homes(job.recipe)), len(gone), job.recipe)
    reasons = pc.if_else(gone.combine_chunks(), FORGOTTEN, reasons)
    table = pa.table([reasons], schema=RULES)
    done = Done({TABLE: [parts.write_columns(job.run, TABLE, key, table)]})
    for count in reasons.value_counts().to_pylist():
        done.counts[count["values"] or "passed"] += count["counts"]
    return done


def judged(columns: pa.Table, rows: int, recipe: Recipe) -> pa.Array:
    """The reasons of so many rows, by the columns that the rules name.

    Raises:
        RunError: if a rule fails on a value.
    """
    if not columns.num_columns:
        columns = pa.table({"_": pa.nulls(rows, pa.int8())})
    try:
        return sql.reasons(columns, recipe.rules)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise RunError(f"[rules]: {first}; mend the rule and run again") from error


STEP = Step("rules", "columns to reasons", tables, (judge,), every=True)
