"""What a recipe asks for in ``[[select]]`` and ``[curriculum]``, as frozen values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from pipelines import units
from pipelines.errors import RecipeError
from pipelines.recipe.build import build

MOST = 4  # strategies in a recipe
LARGE = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
PACES = SORTED, LINEAR, _ = "sorted", "linear", "root"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is chosen: a number of tokens, or a share of those that are left."""

    tokens: int | None = None
    share: float | None = None

    def of(self, total: int) -> int:
        """Tokens, of so many that there are."""
        return self.tokens if self.tokens is not None else int(total * (self.share or 0))


def budget(value: object) -> Budget:
    """A budget from "200M tokens", "30 %" or a number of tokens.

    Raises:
        ValueError: if it is none, or nothing.
    """
    match = re.fullmatch(r"([\d._]+) *([kMBT]?)(?: *tokens?)?", str(value))
    if isinstance(value, str) and value.rstrip().endswith("%"):
        made = Budget(share=units.share(value))
    elif isinstance(value, str) and match:
        made = Budget(tokens=round(float(match[1]) * LARGE[match[2]]))
    elif isinstance(value, int) and not isinstance(value, bool):
        made = Budget(tokens=value)
    else:
        raise ValueError(f'want tokens such as "200M tokens", or "30 %", got {value!r}')
    if (made.tokens if made.share is None else made.share) <= 0:  # type: ignore[operator]
        raise ValueError(f"nothing would be chosen by {value!r}; leave [[select]] out, or raise it")
    return made


@dataclass(frozen=True, slots=True)
class Select:
    """One strategy and what it may take of the train split.

    Attributes:
        strategy: a name, or ``package.module:function``.
        budget: tokens; None: all that the strategy would choose.
        per: a column; each of its values has a budget of its own.  A document without a value is in
            a group of its own kind.
        balance: exponent of a group's share: 1, as many of the budget as it has of the tokens; 0,
            all groups alike.
        share: of named groups: their shares of the budget; the others divide the rest.
        add: draw from all that those before did not take, and add to what they took.
        options: of the strategy.
    """

    strategy: str
    budget: Budget | None = field(default=None, metadata={"read": budget})
    per: str | None = None
    balance: float = field(default=1.0, metadata={"read": units.share})
    share: Mapping[str, float] = field(default_factory=dict, metadata={"read": dict})
    add: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, metadata={"read": dict})

    def __post_init__(self) -> None:
        if self.per is None and (self.share or self.balance != 1):
            raise ValueError('share and balance are of groups; say which: per = "language"')
        for name, part in self.share.items():
            if not isinstance(part, (int, float)) or not 0 <= part <= 1:
                raise ValueError(f"share of {name} wants a number in [0, 1], got {part!r}")
        if sum(self.share.values()) > 1 + 1e-9:
            raise ValueError(f"shares add up to {sum(self.share.values()):g}, more than 1")


@dataclass(frozen=True, slots=True)
class Curriculum:
    """The order of publication, easy to hard.

    Attributes:
        by: the column that tells how hard a document is, with ``asc`` (low is easy) or ``desc``.
        pacing: "sorted": strictly by difficulty; "linear", "root": what is open to be drawn grows
            from the easiest `start` to everything, so or as its square root.
        start: share of tokens that is open at the beginning.

    Source: Hacohen and Weinshall 2019, for pacing; Platanios et al. 2019, for the square root.
    """

    by: str
    pacing: str = SORTED
    start: float = field(default=0.1, metadata={"read": units.share})

    def __post_init__(self) -> None:
        if self.pacing not in PACES:
            raise ValueError(f"pacing is {', '.join(PACES)}, not {self.pacing!r}")
        if not 0 < self.start < 1:
            raise ValueError(f"start is a share above 0 and below 1, not {self.start:g}")
        if not re.fullmatch(r"\w+( +(asc|desc))?", self.by.strip()):
            raise ValueError(f'by wants a column as in "compression_ratio asc", got {self.by!r}')

    @property
    def column(self) -> str:
        """The column alone."""
        return self.by.split()[0]


def read(tables: Sequence[object], where: str) -> tuple[Select, ...]:
    """The strategies of a recipe; keys that are not of `Select` are options of the strategy.

    Raises:
        RecipeError: if one is wrong, or there are too many.
    """
    if len(tables) > MOST:
        raise RecipeError(f"{where}: {len(tables)} strategies; at most {MOST} follow each other")
    ours = {f.name for f in fields(Select)} - {"options"}
    made = []
    for number, table in enumerate(tables, 1):
        at = f"{where} [[select]] {number}"
        if not isinstance(table, dict):
            raise RecipeError(f"{at}: want a table of keys, got {table!r}")
        own = {key: value for key, value in table.items() if key not in ours}
        known = {key: value for key, value in table.items() if key in ours}
        made.append(build(Select, {**known, "options": own}, at))
    if made and made[0].add:
        raise RecipeError(f"{where} [[select]] 1: nothing was taken before that it could add to")
    return tuple(made)
