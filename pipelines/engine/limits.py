"""What one process holds that grows with the corpus: told by `karez plan`, refused beyond a limit.

Whatever the corpus, a worker holds a few parts.  The rest is here: lines of the manifest, files of
the sources, references between stages, rows that meet because they share a key, rows that resemble
others and are joined in one place, a slice of a shard.  `[limit] memory` is what one process may
hold of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.errors import RunError
from pipelines.recipe import FILES
from pipelines.runs import parts
from pipelines.units import say_size

LINE = 700  # bytes that a file of a table takes in every process: its line of the manifest
REFERENCE = 400  # bytes that a reference takes in the process that does all stages
KINDS = 3  # references of a task to one key of the next stage: one for each kind of columns
WRITTEN = 150  # bytes of a reference as it travels, at most
ELEMENT = 64_000_000  # bytes of one thing that travels, at most
TRAVELS = 5  # bytes that a byte takes which travels in the process that does all stages
IDLE = 350_000_000  # bytes that Python, Beam, Arrow and the kernels hold

RAISE = "raise [limit] memory"
APART = "run the sources one by one, each with [dedup] against those before"


@dataclass(frozen=True)
class Holding:
    """Something that is held in one process.

    Attributes:
        what: in the plural.
        each: bytes of one.
        count: how many there are, about; None: the texts decide, and a task refuses.
        helps: what to do beyond the limit.
        is_local: whether it is held only where one process does all stages.
    """

    what: str
    each: int
    count: int | None
    helps: str
    is_local: bool = False

    def most(self, memory: int) -> int:
        """How many of them one process may hold."""
        return memory // self.each

    def is_beyond(self, memory: int) -> bool:
        """Whether there are more."""
        return self.count is not None and self.count > self.most(memory)


def references(step: str, sizes: Sequence[int]) -> Holding:
    """Those between two stages of a step, held where one process does all of them.

    Args:
        step: its name.
        sizes: how many keys each stage has.
    """
    most = KINDS * max(one * other for one, other in pairwise(sizes))
    first = "raise [publish] shard, or " if step == "publish" else ""
    helps = f"{first}{RAISE}, or run on a cluster, which moves them"
    return Holding("references between stages", REFERENCE, most, helps, True)


def travelling(exchanged: int) -> Holding:
    """So many bytes that are exchanged, where rows travel themselves."""
    helps = f'take exchange = "{FILES}", which holds references alone, or run on a cluster'
    return Holding("bytes between stages", TRAVELS, exchanged, helps, True)


def worker() -> int:
    """Bytes that a worker holds whatever the corpus, at most about."""
    return IDLE + 2 * parts.PART


def refuse(step: str, holding: Holding, memory: int) -> None:
    """Refuse what is beyond the limit.

    Raises:
        RunError: if it is.
    """
    if holding.is_beyond(memory):
        size = say_size((holding.count or 0) * holding.each)
        raise RunError(
            f"{step}: {holding.count:,} {holding.what} take about {size} in one process, "
            f"[limit] memory is {say_size(memory)}: {holding.helps}"
        )
