"""How one step is done on a runner, whatever it makes: prepared, watched, collected."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.engine import exchange
from pipelines.engine.step import Done, Job, Step, collect, prepare, word
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.runs import Run

Watch = Callable[[Step, Callable[[], tuple[int, int]]], Any]
"""Shows a step's progress: the step, and a function that tells (tasks done, tasks planned)."""


@dataclass(frozen=True)
class How:
    """How steps are done; nothing here decides what comes out.

    Attributes:
        options: Beam's, as on a command line.
        watch: a context manager around each step that has work to do.
        follow: the same around a crawl, which tells how it goes.
        ready: called once before the first of these.
        only: name of the one step to do.
    """

    options: Sequence[str] = ()
    watch: Watch = lambda name, count: contextlib.nullcontext()
    follow: Callable[..., Any] = lambda tell: contextlib.nullcontext()
    ready: Callable[[], None] = lambda: None
    only: str | None = None


@contextlib.contextmanager
def looking(look: Callable[[], None], every: float) -> Iterator[None]:
    """Look, again and again, until the block ends.

    Args:
        look: what it raises of what is being written, or of a store that is away, is passed over.
        every: seconds in between.
    """
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(every):
            with contextlib.suppress(OSError, ValueError):
                look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def do(
    run: Run,
    recipe: Recipe,
    step: Step,
    tables: Mapping[str, str],
    stale: list[str],
    how: How,
    watch: Callable[[Job], Any],
    by: str | None = None,
) -> tuple[Job, Done, dict[str, float]]:
    """Do all tasks of a step.

    Args:
        run: locked by the caller.
        recipe: checked.
        step: to do.
        tables: that it makes, with their fingerprints.
        stale: those of them that are made now.
        how: with which means.
        watch: gives a context manager that shows how the job goes.
        by: how rows are exchanged; None: as suits recipe and runner.

    Returns:
        the job, what its tasks did, and what it took.

    Raises:
        RunError: what a task said, if the user can put it right.
    """
    from pipelines.beam import pipeline as beam  # takes a second: not before there is work

    by = by or exchange.chosen(recipe, how.options)
    job = prepare(run, recipe, step, tables, stale, by)
    with watch(job):
        try:
            counts = beam.execute(job, how.options)
        except Exception as error:
            if "KeyboardInterrupt" in str(error):  # runners wrap this too
                raise KeyboardInterrupt from None
            said = word(job, error)
            if said is None:
                raise
            raise RunError(said) from None
        if (said := word(job)) is not None:
            raise RunError(said)
    total, took = collect(job, counts)
    if step.finish is not None:
        step.finish(job, total)
    return job, total, took
