"""Strategies: in which order documents are chosen, as far as one number of each tells.

A strategy ranks the candidates of one partition; whoever fills the budget takes them by rank over
all partitions.  A user's own is a function ``(candidates, seed) -> array``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Strategy(Protocol):
    """An order of choice.

    Attributes:
        version: raised when the same candidates may get another order.
        needs: columns that it looks at: ``text`` (edited), or those of measures.
        window: shares of the candidates' tokens, in that order, between which it chooses.
    """

    version: ClassVar[int]

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns."""

    @property
    def window(self) -> tuple[float, float]:
        """Two shares in [0, 1]."""

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """A number for each candidate of one partition; the lowest are chosen first.

        Args:
            candidates: ``id``; ``tokens``; ``draw``, a random number of each id, uniform over 64
                bits; and what `needs` names.
            seed: of the recipe.

        Returns:
            float64; null: never chosen.
        """


def uniform(draw: pa.ChunkedArray) -> Floats:
    """Random numbers of 64 bits as such in (0, 1)."""
    return ((draw.to_numpy() >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def floats(column: pa.ChunkedArray) -> Floats:
    """A column of numbers; NaN where there is none."""
    return pc.fill_null(pc.cast(column, pa.float64(), safe=False), np.nan).to_numpy()


def ranked(values: Floats) -> pa.Array:
    """Numbers as a rank; null where there is none."""
    return pa.array(values, mask=np.isnan(values))


def by_id(candidates: pa.Table) -> NDArray[np.int64]:
    """The rows of candidates in the order of their ids."""
    ids = candidates["id"].combine_chunks().to_numpy(zero_copy_only=False)
    return np.argsort(ids, kind="stable")


def in_turn(candidates: pa.Table, chosen: NDArray[np.int64]) -> pa.Array:
    """The share of the tokens that is chosen before each; null for what is not.

    Args:
        candidates: as of `Strategy.rank`.
        chosen: rows, in the order in which they are.
    """
    tokens = candidates["tokens"].to_numpy().astype(np.int64)
    rank = np.full(len(tokens), np.nan)
    rank[chosen] = (np.cumsum(tokens[chosen]) - tokens[chosen]) / max(1, int(tokens.sum()))
    return ranked(rank)


@dataclass(frozen=True, slots=True)
class Random:
    """Every candidate alike."""

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ()
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """Its random number."""
        return ranked(uniform(candidates["draw"]))


@dataclass(frozen=True, slots=True)
class Top:
    """The best by a column.

    Attributes:
        by: the column, with ``asc`` (the lowest first) or ``desc``.
    """

    version: ClassVar[int] = 1
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    by: str

    def __post_init__(self) -> None:
        _by(self.by)

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (_by(self.by)[0],)

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """The column, turned round where the highest come first."""
        name, sign = _by(self.by)
        return ranked(sign * floats(candidates[name]))


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two shares of the corpus by a column: neither trite nor garbled.

    Attributes:
        by: the column.
        low: share of tokens, those of the lowest values, that is passed over.
        high: share of tokens up to which is chosen.

    Source: Wenzek et al. 2020 (CCNet), section 3.4, for shares by perplexity.
    """

    version: ClassVar[int] = 1

    by: str
    low: float = field(default=0.1, metadata={"read": "share"})
    high: float = field(default=0.9, metadata={"read": "share"})

    def __post_init__(self) -> None:
        _by(self.by)
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (_by(self.by)[0],)

    @property
    def window(self) -> tuple[float, float]:
        """Its two shares."""
        return self.low, self.high

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """The column."""
        return Top(self.by).rank(candidates, seed)


@dataclass(frozen=True, slots=True)
class Importance:
    """Importance resampling without replacement: by chance, likelier the heavier the weight.

    A document's logarithmic weight with Gumbel noise is its place: the first k are a sample of k by
    the weights.  A temperature above 1 draws from further afield, one near 0 takes the heaviest.

    Attributes:
        by: the column that holds the logarithm of weights, base 2; ``asc`` where low is heavy.
        temperature: what the logarithm is divided by.

    Source: Xie et al. 2023 (DSIR), section 3; W. Vieira, "Gumbel-max trick and weighted reservoir
    sampling", 2014.
    """

    version: ClassVar[int] = 1
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    by: str = "importance desc"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        _by(self.by)
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (_by(self.by)[0],)

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """The weight and the noise, the sum turned round."""
        name, sign = _by(self.by, "desc")
        gumbel = -np.log(-np.log(uniform(candidates["draw"])))
        weight = -sign * floats(candidates[name]) * np.log(2) / self.temperature
        return ranked(-(weight + gumbel))


def _by(by: str, unless: str = "asc") -> tuple[str, int]:
    """A column and 1, or -1 where its highest values come first.

    Raises:
        ValueError: if it is written otherwise.
    """
    name, _, how = by.strip().partition(" ")
    how = how.strip() or unless
    if not name.isidentifier() or how not in ("asc", "desc"):
        raise ValueError(f'by wants a column as in "words desc", got {by!r}')
    return name, -1 if how == "desc" else 1


@dataclass(frozen=True)
class Own:
    """A user's function as a strategy.

    Attributes:
        function: called with candidates and seed; gives a number for each.
        needs: columns that it looks at.
    """

    version: ClassVar[int] = 1
    window: ClassVar[tuple[float, float]] = (0.0, 1.0)

    function: Callable[..., Any]
    needs: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def rank(self, candidates: pa.Table, seed: int) -> pa.Array:
        """What the function says.

        Raises:
            ValueError: if it is not one number for each candidate.
        """
        said = self.function(candidates, seed, **dict(self.options))
        said = pa.array(said) if not isinstance(said, pa.Array | pa.ChunkedArray) else said
        if len(said) != candidates.num_rows:
            raise ValueError(f"gave {len(said):,} ranks for {candidates.num_rows:,} candidates")
        try:
            return ranked(floats(pa.chunked_array([said]) if isinstance(said, pa.Array) else said))
        except pa.ArrowException as error:
            raise ValueError(f"gave no numbers but {said.type}") from error


def own(function: Any, columns: tuple[str, ...], options: dict[str, Any]) -> Strategy:
    """A user's function, or a class that is a strategy of its own."""
    if isinstance(function, type):
        return cast(Strategy, function(**options))
    return Own(function, columns, tuple(sorted(options.items())))
