"""Dataflow: what its workers do not see, and what a job is told beside the user's options.

Each step is a job of its own: the command plans it, waits, seals it, and begins the next.
"""

from collections.abc import Sequence

from pipelines.engine.limits import worker
from pipelines.engine.step import Job
from pipelines.errors import RecipeError
from pipelines.runs.stores import is_remote

RUNNER = "DataflowRunner"


def checked(job: Job, options: Sequence[str]) -> list[str]:
    """The options of a step's job: the user's, and what he did not say.

    Raises:
        RecipeError: if the workers would not see the run folder, or what the step reads.
    """
    if not is_remote(job.run.folder.path):
        raise RecipeError(
            f"{job.run.folder.path}: workers of Dataflow do not see it; take --run gs://bucket/folder"
        )
    step = job.step
    if step.reads(job.recipe):
        raise RecipeError(
            f"{step.name}: workers of Dataflow do not see the local files that it reads; first run "
            f"this command with --only {step.name} and without what follows --, then again as it is"
        )
    own = {
        "--resource_hint": f"min_ram={(worker() + job.recipe.limit.memory) // 10**6}MB",
        "--number_of_worker_harness_threads": "1",  # a task holds a part: one at a time
    }
    said = {option.partition("=")[0] for option in options}
    return [*options, *(f"{key}={value}" for key, value in own.items() if key not in said)]
