"""Consent: how many documents said what to machines, and how many of these were left out for it.

What is said stands in columns of the documents, see `pipelines.readers.consents`; rules decide.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import sql
from pipelines.readers.consents import Consents
from pipelines.recipe import Recipe

COLUMNS = Consents._fields
MARK = "consent "
ASKED = f"{MARK}pages"
VALUES = {"robots": ("disallowed", "unreachable"), "ai_txt": ("disallowed", "in part")}
SAID = ("left out", "kept")


@dataclass(frozen=True)
class Said:
    """Documents that say one thing.

    Attributes:
        column: that says it.
        value: of the column; "": the column is a truth value, or a list that is not empty.
        left_out: by a rule that names the column.
    """

    column: str
    value: str
    documents: int
    left_out: int
    kept: int


def counted(reasons: pa.Array, columns: pa.Table, recipe: Recipe) -> Counter[str]:
    """Documents by what they say and what became of them, as counts of a step.

    Args:
        reasons: null: kept.
        columns: `COLUMNS`, as many rows.
        recipe: whose rules may name them.
    """
    asked = len(reasons) - columns["noindex"].null_count
    counts = Counter({ASKED: asked} if asked else {})
    for column, value in _kinds():
        says = _says(columns[column], value)
        if not pc.any(says).as_py():
            continue
        whose = pa.array([*_rules(recipe, column)], pa.string())
        for about, mask in (
            ("", says),
            (" left out", pc.and_(says, pc.is_in(reasons, whose, skip_nulls=True))),
            (" kept", pc.and_(says, pc.is_null(reasons))),
        ):
            counts[f"{MARK}{column}={value}{about}"] += pc.sum(mask).as_py()
    return counts


def listed(counts: Mapping[str, int]) -> list[Said]:
    """What was said at all, from the counts of a step, in the order of the columns."""
    found = []
    for column, value in _kinds():
        key = f"{MARK}{column}={value}"
        if documents := counts.get(key, 0):
            each = (counts.get(f"{key} {end}", 0) for end in SAID)
            found.append(Said(column, value, documents, *each))
    return found


def _kinds() -> list[tuple[str, str]]:
    """Columns with each of their values that refuses something."""
    given = [c for c in COLUMNS if c != "tdm_policy"]
    return [(c, value) for c in given for value in VALUES.get(c, ("",))]


def _says(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    """Where it is said; no nulls."""
    if value:
        column = pc.equal(column, value)
    elif pa.types.is_list(column.type):
        column = pc.greater(pc.list_value_length(column), 0)
    return pc.fill_null(column, False)


def _rules(recipe: Recipe, column: str) -> list[str]:
    """The reasons of the rules that name a column."""
    names = [n for n, text in recipe.rules.items() if column in sql.columns(text, f"[rules] {n}")]
    return [*names, *(f"{name}: no value" for name in names)]
