"""How a step runs on Beam: a task a key; between stages references are grouped by key."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence

logging.disable(logging.WARNING)  # Beam warns of clouds that are not installed
import apache_beam as beam  # noqa: E402
from apache_beam.metrics import Metrics  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

logging.disable(logging.NOTSET)
logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # what fails is raised, and said once

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
        for key, segment in out.items():
            yield key, json.dumps(segment)


class Keys(beam.PTransform):
    """The keys of a stage, spread over the workers."""

    def __init__(self, label: str, size: int) -> None:
        super().__init__(label)
        self.size = size

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[Reference]:
        """One reference to nothing for each key: the graph stays small whatever the size."""
        return (
            begin
            | beam.Create([self.size])
            | beam.FlatMap(_keys)
            | beam.Reshuffle()
            | beam.Map(_named)
        )


def _keys(size: int) -> Iterator[int]:
    yield from range(size)


def _named(key: int) -> Reference:
    return key, ""


def _alone(reference: Reference) -> tuple[int, list[str]]:
    return reference[0], []


def execute(job: Job, options: Sequence[str]) -> None:
    """Run all stages of a job in one pipeline, and wait.

    Args:
        job: prepared; its plan stands in the run folder.
        options: Beam's, as on a command line; without a runner all happens in this process.
    """
    known = PipelineOptions(list(options))
    runner = None if any(o.startswith("--runner") for o in options) else "FnApiRunner"
    sizes = [len(job.plan.tasks), *job.plan.keys]
    names = [do.__name__.replace("_", " ") for do in job.step.stages]
    with beam.Pipeline(runner, known) as pipeline:
        references = None
        for stage, (name, size) in enumerate(zip(names, sizes, strict=True)):
            keys = pipeline | Keys(f"Keys of {name}", size)
            if references is None:
                grouped = keys | f"Start {name}" >> beam.Map(_alone)
            else:
                both = (keys, references) | f"Meet {name}" >> beam.Flatten()
                grouped = both | f"Group {name}" >> beam.GroupByKey()
            work = beam.ParDo(Perform(job.run.folder.path, job.step, stage))
            references = grouped | f"Do {name}" >> work
