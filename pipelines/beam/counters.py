"""What tasks count, as Beam's counters: a runner's page shows them, and the manifest holds them.

Namespace `karez` has what every step counts, `karez.<step>` the step's own: rows, bytes, dead
letters by reason.  A task that was done by an earlier command is counted from its note.
"""

from collections import Counter

from apache_beam.metrics import Metrics
from apache_beam.runners.runner import PipelineResult

from pipelines.engine.step import COUNTED, Counts
from pipelines.engine.tasks import Note

LOST = ("_MIN", "_MAX", "_MEAN", "_COUNT")
"""Ends of names that Beam takes for parts of distributions on Dataflow, and leaves out."""


def count(step: str, note: Note) -> None:
    """What a task did."""
    own = note["counts"]
    every = {"tasks": 1, "counted": sum(own.values()), "exchanged": note["exchanged"]}
    for namespace, counts in ((COUNTED, every), (f"{COUNTED}.{step}", own)):
        for name, number in counts.items():
            Metrics.counter(namespace, f"{name}." if name.endswith(LOST) else name).inc(number)
    count_cpu(note["cpu"])


def count_cpu(seconds: float) -> None:
    """What was taken by the way."""
    Metrics.counter(COUNTED, "cpu_milliseconds").inc(round(1000 * seconds))


def committed(result: PipelineResult) -> Counts:
    """Our counters of a pipeline that has ended; what failed attempts counted is not in them."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in result.metrics().query()["counters"]:
        space, name = each.key.metric.namespace, each.key.metric.name
        if space.partition(".")[0] == COUNTED:
            whole = name[:-1] if name[:-1].endswith(LOST) else name
            counts[space, whole] += each.committed or 0
    return counts
