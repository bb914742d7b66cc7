"""The values of columns of strings, counted part by part."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.runs import Run, latest
from pipelines.runs.tables import DECISIONS_TABLE

TOP = 15  # values that are shown
DISTINCT = 200_000  # values counted at once; of more, the rarer half is forgotten


Counts = dict[str | None, tuple[int, int]]
"""Documents with a value, and how many of them were kept."""


@dataclass(frozen=True)
class Values:
    """A column of strings.

    Attributes:
        top: value, documents, and how many of them were kept; most frequent first.
        forgot: whether rare values were forgotten, so that counts may be too low.
    """

    name: str
    rows: int
    nulls: int
    distinct: int
    top: tuple[tuple[str, int, int], ...]
    forgot: bool

    @property
    def pictured(self) -> bool:
        """Whether values recur, so that counting them tells something."""
        return 0 < self.distinct <= max(TOP, self.rows // 2)


def is_word(kind: pa.DataType) -> bool:
    """Whether the values of a column of this type are counted one by one."""
    of = kind.value_type if pa.types.is_dictionary(kind) else kind
    strings = (pa.string(), pa.large_string(), pa.string_view(), pa.bool_())
    return of in strings


def tally(run: Run, table: str, names: Sequence[str]) -> dict[str, Values]:
    """Count the values of some columns of a table."""
    rows = run.table("documents").rows
    counted: dict[str, Counts] = {name: {} for name in names}
    forgot = set()
    for index in range(run.parts):
        part = latest.columns(run, index, {table: names})
        kept = run.columns(index, {DECISIONS_TABLE: ["kept"]})["kept"].cast(pa.int64())
        for name, counts in counted.items():
            both = pa.table({"value": part[name].cast(pa.string()), "kept": kept})
            sums = both.group_by("value").aggregate([("kept", "count"), ("kept", "sum")])
            for row in sums.to_pylist():
                value, n, k = row["value"], row["kept_count"], row["kept_sum"]
                before = counts.get(value, (0, 0))
                counts[value] = (before[0] + n, before[1] + k)
            if len(counts) > DISTINCT:
                forgot.add(name)
                counted[name] = dict(_most(counts)[: DISTINCT // 2])
    made = {}
    for name, counts in counted.items():
        nulls = counts.pop(None, (0, 0))[0]
        top = tuple((str(value), n, k) for value, (n, k) in _most(counts)[:TOP])
        made[name] = Values(name, rows, nulls, len(counts), top, name in forgot)
    return made


def _most(counts: Counts) -> list[tuple[str | None, tuple[int, int]]]:
    """Nulls first, then the most frequent; ties by value."""
    return sorted(
        counts.items(), key=lambda pair: (pair[0] is not None, -pair[1][0], pair[0] or "")
    )
