"""How a step runs on Beam: keys are grouped with the references to what was put out for them.

Grouping spreads the keys over the workers, the first stage's too, so one shape does for all.  Where
the exchange is by shuffle, what a stage puts out is grouped before that, and then written.
"""

import json
import logging
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TypeVar

from pipelines.steps import holdings

logging.disable(logging.WARNING)  # Beam warns of clouds that are not installed
import apache_beam as beam  # noqa: E402
import grpc  # noqa: E402
from apache_beam.options.pipeline_options import (  # noqa: E402
    PipelineOptions,
    PortableOptions,
    StandardOptions,
)
from apache_beam.transforms import environments  # noqa: E402

logging.disable(logging.NOTSET)
logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # what fails is raised, and said once
for server in ("PrismJobServer", "JavaJarJobServer"):  # what they print
    logging.getLogger(server).propagate = False
    logging.getLogger(server).addHandler(logging.NullHandler())

from pipelines.beam import coders, counters, dataflow, jobs, loopback, workers  # noqa: E402
from pipelines.engine import limits  # noqa: E402
from pipelines.engine.exchange import Piece, gather  # noqa: E402
from pipelines.engine.segments import Segment  # noqa: E402
from pipelines.engine.step import Counts, Job, failed, reopened  # noqa: E402
from pipelines.engine.tasks import leaving_word, perform, send  # noqa: E402
from pipelines.errors import AWAY, KarezError, RecipeError, RunError, is_told, said_of  # noqa: E402
from pipelines.recipe import SHUFFLE  # noqa: E402
from pipelines.steps.order import named  # noqa: E402

coders.register()

QUICK = "--experiments=disable_logging_submission_environment"  # pip freeze, at every step
OURS = "Traceback (most recent call last)"  # in what runners make of what a task raised
LOST = ("DataflowRuntimeException", "HttpError", "DefaultCredentialsError")
"""What the runner raises that is not always installed, by name."""

AGAIN = "what is done stays done: run again"

Reference = tuple[int, str]
"""Key of a stage, and the segment for it as JSON; "" only says that the key exists."""


Each = TypeVar("Each")


class Options(PipelineOptions):
    """Beam's, each view made once: to make one is to parse them all, hundreds of times a run."""

    def view_as(self, cls: type[PipelineOptions]) -> PipelineOptions:
        """The same values under other names; a change of one is a change of all."""
        views: dict[type[PipelineOptions], PipelineOptions] = self.__dict__.setdefault("views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


class Stateless(beam.DoFn):
    """Keeps no state and sets no timers; Beam would ask each method for them, a dozen times."""

    def __dir__(self) -> list[str]:
        """Where state and timers would be named."""
        return ["process"]


class Task(Stateless):
    """What the parts of a step's pipeline have in common.

    They hold names alone, so that they can be read by any version, which then refuses the other.
    """

    def __init__(self, run: str, step: str, mark: str, stage: int) -> None:
        self.run, self.step, self.mark, self.stage = run, step, mark, stage

    def job(self) -> Job:
        """The job, as it stands in the run folder."""
        return reopened(self.run, named(self.step), self.mark)

    def guarded(self, done: Iterable[Each]) -> Iterator[Each]:
        """What is done; nothing where a task has failed for a reason that stays."""
        where = self.run, self.step, self.mark
        try:
            if not failed(*where):
                yield from done
        except KarezError as error:
            if AWAY in str(error) or not failed(*where):
                raise
        except OSError as error:
            if not is_told(error):
                raise
            raise RunError(f"{self.step}: {said_of(error, self.run)}; {AGAIN}") from error

    def references(self, segments: Iterable[tuple[int, Segment]]) -> Iterator[Reference]:
        """Where batches lie, as it travels."""
        for key, segment in segments:
            reference = json.dumps(segment)
            assert len(reference) <= limits.WRITTEN, reference  # noqa: S101 (names are ours)
            yield key, reference


class Perform(Task):
    """Does the task of a key, and says where what it put out lies."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[Reference]:
        """One key."""
        return self.guarded(self._done(*element))

    def _done(self, key: int, references: Iterable[str]) -> Iterator[Reference]:
        note = perform(self.job(), self.stage, key, segments(references))
        counters.count(self.step, note)
        yield from self.references((key, Segment(*each)) for key, each in note.get("out", []))


class Send(Task):
    """Does the task of a key; what it puts out travels."""

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[tuple[int, Piece]]:
        """One key."""
        return self.guarded(self._done(*element))

    def _done(
        self, key: int, references: Iterable[str]
    ) -> Generator[tuple[int, Piece], None, None]:
        note = yield from send(self.job(), self.stage, key, segments(references))
        counters.count(self.step, note)


class Gather(Task):
    """Writes what met in a cell, and says where it lies."""

    def process(self, element: tuple[int, Iterable[Piece]]) -> Iterator[Reference]:
        """One cell."""
        return self.guarded(self._done(*element))

    def _done(self, cell: int, met: Iterable[Piece]) -> Iterator[Reference]:
        began = time.process_time()
        job = self.job()
        with leaving_word(job):
            found = gather(job, self.stage, cell, met)
        counters.count_cpu(time.process_time() - began)
        yield from self.references(found)


def segments(references: Iterable[str]) -> list[Segment]:
    """Where batches lie, as it travelled."""
    return [Segment(*json.loads(each)) for each in references if each]


class Keys(Stateless):
    """All keys of a stage, each with a reference to nothing: graphs stay small whatever the size.

    A class, as `Perform` is, and not `beam.Create`: that puts code of one Python into the graph.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def process(self, element: bytes) -> Iterator[Reference]:
        """From 0 on."""
        for key in range(self.size):
            yield key, ""


def execute(job: Job, options: Sequence[str]) -> Counts:
    """Run all stages of a job in one pipeline, and wait.

    Args:
        job: prepared; its plan stands in the run folder.
        options: Beam's, as on a command line; without a runner all happens in this process.

    Returns:
        what its tasks counted.

    Raises:
        RecipeError: if there is no such runner, or no job server where it should be.
        RunError: if the runner gave up.
    """
    here = not any(o.startswith("--runner") for o in options)
    holdings.check_exchange(job, here)
    loopback.stay_here()
    options = jobs.named(job, options)
    known = Options([*options, QUICK])
    if known.view_as(StandardOptions).runner == dataflow.RUNNER:
        known = Options([*dataflow.checked(job, options), QUICK])
    jobs.check_endpoint(known)
    try:
        pipeline = beam.Pipeline("FnApiRunner" if here else None, known)
    except (ValueError, ImportError) as error:  # of a runner that there is not, or not as it wants
        raise RecipeError(f"after --: {' '.join(str(error).split())}") from error
    build(job, pipeline)
    if here:
        result = pipeline.run()
        result.wait_until_finish()
        return counters.committed(result)
    if known.view_as(PortableOptions).environment_type:
        leave_versions_to_us()
    logging.disable(logging.ERROR)  # what fails is raised, and said once
    threading.excepthook = workers.excepted
    try:
        return counters.committed(jobs.wait_for(pipeline, job))
    except Exception as error:
        is_theirs = isinstance(error, (RuntimeError, grpc.RpcError)) or type(error).__name__ in LOST
        if OURS in str(error) or not is_theirs:  # a task raised it
            raise
        raise RunError(f"{job.step.name}: {jobs.gave_up(error)}; {AGAIN}") from error
    finally:
        logging.disable(logging.NOTSET)
        threading.excepthook = threading.__excepthook__


def leave_versions_to_us() -> None:
    """Let Beam's workers not compare versions, from now on: the first task does.

    When they refuse, Flink waits three minutes for them, tries again, and does not say why.
    """
    environments.sdk_base_version_capability = lambda: "karez:versions"


def build(job: Job, pipeline: beam.Pipeline) -> None:
    """Put the stages of a job into a pipeline."""
    names = [do.__name__.replace("_", " ") for do in job.step.stages]
    references = None
    for stage, (name, size) in enumerate(zip(names, job.sizes, strict=True)):
        begin = pipeline | f"Begin {name}" >> beam.Impulse()
        keys = begin | f"Keys of {name}" >> beam.ParDo(Keys(size))
        if references is not None:
            keys = (keys, references) | f"Meet {name}" >> beam.Flatten()
        spread = keys | f"Spread {name}" >> beam.GroupByKey()
        about = job.run.folder.path, job.step.name, job.mark, stage
        if job.exchange == SHUFFLE and stage + 1 < len(names):
            sent = spread | f"Do {name}" >> beam.ParDo(Send(*about))
            met = sent | f"Exchange {name}" >> beam.GroupByKey()
            references = met | f"Gather {name}" >> beam.ParDo(Gather(*about))
        else:
            references = spread | f"Do {name}" >> beam.ParDo(Perform(*about))
