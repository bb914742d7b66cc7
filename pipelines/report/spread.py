"""How the columns of a run are spread: a histogram of numbers, a tally of strings, part by part.

Numbers are gone through twice: once for their range, once to count them.  No more than one part of
one table is in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines import sql
from pipelines.report.axes import Axis, Floats, axis
from pipelines.report.tally import Values, is_word, tally
from pipelines.runs import Run, latest
from pipelines.runs.tables import DECISIONS_TABLE

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
SAMPLE = 200_000  # numbers that the quantiles come from, at most about


@dataclass(frozen=True)
class Mark:
    """A number that a rule compares the column with.

    Attributes:
        holds: documents for which the comparison holds.
        dropped: those of them that this rule dropped.
    """

    rule: str
    operator: str
    number: float
    holds: int
    dropped: int


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes:
        nulls: documents without a number.
        every: the quantiles come from every so many-th document.
        quantiles: at `LEVELS`; of no numbers, none.
        axis: None where all numbers are equal, or there are none.
        kept, dropped: documents in each bin.
    """

    name: str
    rows: int
    nulls: int
    every: int
    quantiles: tuple[float, ...]
    axis: Axis | None
    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    marks: tuple[Mark, ...]

    @property
    def pictured(self) -> bool:
        """Whether there is more than one number to show."""
        return self.axis is not None


def spread(
    run: Run, table: str, names: Sequence[str], rules: Mapping[str, str]
) -> list[Numbers | Values]:
    """The columns of a table, in the order named; what is neither number nor string is left out."""
    if not run.table("documents").parts:
        return []
    schema = run.open_part(table, 0).schema_arrow
    numeric = [n for n in names if is_number(schema.field(n).type)]
    worded = [n for n in names if is_word(schema.field(n).type)]
    found: dict[str, Numbers | Values] = {
        **(_numbers(run, table, numeric, rules) if numeric else {}),
        **(tally(run, table, worded) if worded else {}),
    }
    return [found[name] for name in names if name in found]


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type has a histogram."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


@dataclass
class _Range:
    """What the first pass finds in one column."""

    numbers: int = 0
    low: float = np.inf
    high: float = -np.inf
    whole: bool = True
    sample: list[Floats] = field(default_factory=list)

    def take(self, values: Floats, first: int, every: int) -> None:
        finite = values[np.isfinite(values)]
        if len(finite):
            self.numbers += len(finite)
            self.low = min(self.low, float(finite.min()))
            self.high = max(self.high, float(finite.max()))
            self.whole = self.whole and bool((finite == np.floor(finite)).all())
        some = values[first::every]
        self.sample.append(some[np.isfinite(some)])

    def quantiles(self, sample: Floats) -> tuple[float, ...]:
        """At `LEVELS`: the ends are exact, the rest are the sample's."""
        if not self.numbers:
            return ()
        inner = np.quantile(sample, LEVELS[1:-1]) if len(sample) else [self.low] * 5
        return (self.low, *map(float, inner), self.high)


def _parts(run: Run, table: str, names: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """(Rows before it, columns) of each part."""
    before = 0
    for index, part in enumerate(run.table("documents").parts):
        yield before, latest.columns(run, index, {table: names})
        before += part.rows


def _floats(column: pa.ChunkedArray) -> Floats:
    """As floating-point numbers, NaN for null."""
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _numbers(
    run: Run, table: str, names: Sequence[str], rules: Mapping[str, str]
) -> dict[str, Numbers]:
    rows = run.table("documents").rows
    every = max(1, ceil(rows / SAMPLE))
    ranges = {name: _Range() for name in names}
    for before, part in _parts(run, table, names):
        for name, found in ranges.items():
            found.take(_floats(part[name]), -before % every, every)
    compared = {name: _compared(name, rules) for name in names}
    samples = {name: np.sort(np.concatenate(found.sample)) for name, found in ranges.items()}
    axes = {
        name: axis(
            samples[name], found.low, found.high, found.whole, [t[2] for t in compared[name]]
        )
        for name, found in ranges.items()
    }
    counts = _counted(run, table, axes, compared)
    made = {}
    for name, found in ranges.items():
        kept, dropped, holds, fell = (tuple(map(int, c)) for c in counts[name])
        marks = [Mark(*t, *n) for *n, t in zip(holds, fell, compared[name], strict=True)]
        made[name] = Numbers(
            name,
            rows,
            rows - found.numbers,
            every,
            found.quantiles(samples[name]),
            axes[name],
            kept,
            dropped,
            tuple(marks),
        )
    return made


def _compared(column: str, rules: Mapping[str, str]) -> list[tuple[str, str, float]]:
    """(Rule, operator, number) of what a column is compared with."""
    found = [(rule, t) for rule, text in rules.items() for t in sql.thresholds(text)]
    return [(rule, operator, number) for rule, (name, operator, number) in found if name == column]


Counts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Kept and dropped in each bin; held and dropped by each threshold."""


def _counted(
    run: Run,
    table: str,
    axes: Mapping[str, Axis | None],
    compared: Mapping[str, Sequence[tuple[str, str, float]]],
) -> dict[str, Counts]:
    """The second pass."""
    bins = {n: len(a.edges) - 1 + a.zero if a else 1 for n, a in axes.items()}
    found = {
        n: tuple(np.zeros(k, np.int64) for k in (bins[n], bins[n], *[len(compared[n])] * 2))
        for n in axes
    }
    for index, (_, part) in enumerate(_parts(run, table, list(axes))):
        decided = run.columns(index, {DECISIONS_TABLE: ["kept", "reason"]})
        keeps = decided["kept"].to_numpy()
        for name, bounds in axes.items():
            values = _floats(part[name])
            finite = np.isfinite(values)
            kept, dropped, holds, fell = found[name]
            for total, mask in ((kept, finite & keeps), (dropped, finite & ~keeps)):
                total += bounds.counts(values[mask]) if bounds else mask.sum()
            for i, (rule, operator, number) in enumerate(compared[name]):
                held = finite & COMPARE[operator](values, number)
                holds[i] += held.sum()
                judged = pc.fill_null(pc.equal(decided["reason"], rule), False).to_numpy()
                fell[i] += (held & judged).sum()
    return found  # type: ignore[return-value]


COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "=": np.equal, "<>": np.not_equal,
}  # fmt: skip
