"""What one process holds that grows with the corpus: told by `karez plan`, refused beyond a limit.

Whatever the corpus, a worker holds a few parts.  The rest is here: lines of the manifest, files of
the sources, references between stages, rows that meet because they share a key, rows that resemble
others and are joined in one place, a slice of a shard.  `[limit] memory` is what one process may
hold of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from pipelines import again, clusters, parts, publish
from pipelines.corpus import Corpus
from pipelines.errors import RunError
from pipelines.measures import selected
from pipelines.recipe import FILES, SHUFFLE, Recipe
from pipelines.select import take
from pipelines.steps import Job, Step
from pipelines.units import say_size

LINE = 700  # bytes that a file of a table takes in every process: its line of the manifest
FILE = 1000  # bytes that a file of a source takes there
REFERENCE = 400  # bytes that a reference takes in the process that does all stages
ORDERED = 3  # bytes that are held for each byte of a slice while it is put in order
KINDS = 3  # references of a task to one key of the next stage: one for each kind of columns
WRITTEN = 150  # bytes of a reference as it travels, at most
ELEMENT = 64_000_000  # bytes of one thing that travels, at most
TRAVELS = 5  # bytes that a byte takes which travels in the process that does all stages
EXCHANGED = {  # bytes a document, and a byte of its text, that a step exchanges, about
    "dedup": (700, 0),
    "count": (0, 0.1),
    "hosts": (0, 0.11),
    "passages": (0, 0.4),
    "cap": (80, 0),
    "near": (700, 0),
    **dict.fromkeys((step.name for step in take.STEPS), (1, 0)),
    "curriculum": (1, 0),
    "publish": (0, 1),
}

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


def holdings(step: Step, recipe: Recipe, corpus: Corpus, files: int = 0) -> Iterator[Holding]:
    """What a step holds that grows with the corpus.

    Args:
        step: one that the recipe wants.
        recipe: checked.
        corpus: known or estimated.
        files: of the sources.
    """
    lines = corpus.every_part * tables(recipe)
    yield Holding("lines of the manifest", LINE, lines, f"{RAISE}, or {APART}")
    sizes = step.sizes(recipe, corpus)
    if len(sizes) > 1:
        travels = recipe.exchange == SHUFFLE
        yield travelling(step.name, corpus) if travels else references(step.name, sizes)
    most = max(map(step.holds, range(len(step.stages))))
    if most:
        yield Holding("bytes of rows that meet", ceil(most), None, step.helps)
    if step.name == "ingest":
        yield Holding("files of sources", FILE, files, f"{RAISE}, or pack more into a file")
    if step.name == "dedup" and recipe.dedup is not None:
        each = clusters.NODE + clusters.PAIR * (recipe.dedup.link == "leader")
        yield Holding("rows that resemble others", each, None, f"{RAISE} or [dedup] threshold")
    if step.name == "publish":
        some = recipe.publish.shard // publish.slices(recipe.publish, sizes[1])
        yield Holding("bytes of a slice", ORDERED, some, f"{RAISE}, or lower [publish] shard")


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


def exchanged(step: str, corpus: Corpus) -> int:
    """Bytes that a step exchanges; one that is not known as much as `dedup`."""
    row, byte = EXCHANGED.get(step, EXCHANGED["dedup"])
    return int(row * corpus.every_document + byte * corpus.text)


def travelling(step: str, corpus: Corpus) -> Holding:
    """The same where rows travel themselves.

    Args:
        step: its name.
        corpus: known or estimated.
    """
    most = exchanged(step, corpus)
    helps = f'take exchange = "{FILES}", which holds references alone, or run on a cluster'
    return Holding("bytes between stages", TRAVELS, most, helps, True)


def worker() -> int:
    """Bytes that a worker holds whatever the corpus, at most about."""
    return IDLE + 2 * parts.PART


def tables(recipe: Recipe) -> int:
    """How many tables a run comes to have with a file for each part."""
    every = ["documents", "edits", "rules", "split", "decisions", *selected(recipe).measures]
    every += ["cap"] * (recipe.cap is not None)
    every += ["rank", "select"] * len(recipe.select)
    every += ["curriculum"] * (recipe.curriculum is not None)
    every += ["duplicates"] * (recipe.dedup is not None) + ["near"] * recipe.checks_held_out
    every += ["boilerplate"] * ("boilerplate" in selected(recipe).across)
    if selected(recipe).across:
        every += ["edits again", "rules again", *again.measured(recipe)]
    return len(every)


def check(step: Step, recipe: Recipe, corpus: Corpus, files: int = 0) -> None:
    """Refuse a step whose corpus is beyond what one process may hold.

    Raises:
        RunError: naming what it would hold, and what to set.
    """
    for holding in holdings(step, recipe, corpus, files):
        if not holding.is_local:
            refuse(step.name, holding, recipe.limit.memory)


def check_exchange(job: Job, here: bool) -> None:
    """The same for what travels between the stages of a job.

    Args:
        job: prepared.
        here: whether one process does all stages.

    Raises:
        RunError: also if what comes to one key is larger than what a runner moves.
    """
    name, sizes = job.step.name, job.sizes
    if len(sizes) == 1:
        return
    if here:
        travels = job.exchange == SHUFFLE
        held = travelling(name, Corpus.of(job.run)) if travels else references(name, sizes)
        refuse(name, held, job.recipe.limit.memory)
    grouped = Holding("keys", KINDS * WRITTEN, max(sizes), APART)
    if grouped.is_beyond(ELEMENT):
        raise RunError(
            f"{name}: {max(sizes):,} keys in a stage, {grouped.most(ELEMENT):,} are most "
            f"that travels and notes can tell of: {APART}"
        )


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
