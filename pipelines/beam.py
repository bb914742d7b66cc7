"""How a step runs on Beam: keys are grouped with the references to what was put out for them.

Grouping spreads the keys over the workers, the first stage's too, so one shape does for all.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence

logging.disable(logging.WARNING)  # Beam warns of clouds that are not installed
import apache_beam as beam  # noqa: E402
from apache_beam.metrics import Metrics  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

logging.disable(logging.NOTSET)
logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # what fails is raised, and said once

from pipelines import loopback, workers  # noqa: E402, F401 (workers: registers itself)
from pipelines.errors import RecipeError  # noqa: E402
from pipelines.steps import Job, Segment, Step, perform, reopened  # noqa: E402

Reference = tuple[int, str]
"""Key of a stage, and the segment for it as JSON; "" only says that the key exists."""


class Perform(beam.DoFn):
    """Does the task of a key, and says where what it put out lies."""

    def __init__(self, run: str, step: Step, stage: int) -> None:
        self.run, self.step, self.stage = run, step, stage

    def process(self, element: tuple[int, Iterable[str]]) -> Iterator[Reference]:
        """One key."""
        key, references = element
        job = reopened(self.run, self.step)
        segments = [Segment(*json.loads(each)) for each in references if each]
        out = perform(job, self.stage, key, segments)
        Metrics.counter("karez", f"{self.step.name} tasks").inc()
        for key, segment in out:
            yield key, json.dumps(segment)


def _keys(size: int) -> Iterator[Reference]:
    for key in range(size):
        yield key, ""


def execute(job: Job, options: Sequence[str]) -> None:
    """Run all stages of a job in one pipeline, and wait.

    Args:
        job: prepared; its plan stands in the run folder.
        options: Beam's, as on a command line; without a runner all happens in this process.
    """
    loopback.stay_here()
    known = PipelineOptions(list(options))
    runner = None if any(o.startswith("--runner") for o in options) else "FnApiRunner"
    sizes = [len(job.plan.tasks), *job.plan.keys]
    names = [do.__name__.replace("_", " ") for do in job.step.stages]
    try:
        begun = beam.Pipeline(runner, known)
    except ValueError as error:  # of a runner that there is not
        raise RecipeError(f"after --: {error}") from error
    with begun as pipeline:
        references = None
        for stage, (name, size) in enumerate(zip(names, sizes, strict=True)):
            # one reference to nothing for each key: the graph stays small whatever the size
            count = pipeline | f"Count {name}" >> beam.Create([size])
            keys = count | f"Keys of {name}" >> beam.FlatMap(_keys)
            if references is not None:
                keys = (keys, references) | f"Meet {name}" >> beam.Flatten()
            work = beam.ParDo(Perform(job.run.folder.path, job.step, stage))
            references = keys | f"Spread {name}" >> beam.GroupByKey() | f"Do {name}" >> work
