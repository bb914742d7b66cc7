"""A step's job on a runner elsewhere: what it is called, waited for, and cancelled."""

import json
import re
import socket
import threading
from collections.abc import Sequence
from urllib.request import Request, urlopen

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
)
from apache_beam.runners.runner import PipelineResult

from pipelines.engine.step import Job, is_begun
from pipelines.errors import RecipeError, RunError

NAME = 60  # letters of a job's name, at most
KNOCK = 5  # seconds in which a job server, or Flink, must answer
PATIENCE = 180  # seconds in which a worker must begin, once a job server has the job
OVER = ("FINISHED", "CANCELED", "FAILED")
"""States of a job that Flink does no more."""


def named(job: Job, options: Sequence[str]) -> list[str]:
    """Beam's options with a name for the job of a step, unless they have one."""
    own = [] if any(o.startswith("--job_name") for o in options) else [f"--job_name={name(job)}"]
    return [*options, *own]


def name(job: Job) -> str:
    """Of the job of a step: lower-case letters, digits and dashes, a letter first."""
    ends = f"-{job.step.name}-{job.mark}"
    begins = f"karez-{job.recipe.name}".lower()[: NAME - len(ends)]
    return re.sub(r"[^a-z0-9]+", "-", begins + ends)


def check_endpoint(options: PipelineOptions) -> None:
    """Knock at the job server: Beam would wait for it, and then show its own insides.

    Raises:
        RecipeError: if nobody answers.
    """
    endpoint = options.view_as(PortableOptions).job_endpoint
    if endpoint in (None, "embed"):
        return
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), KNOCK).close()
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"after --: --job_endpoint={endpoint}: no job server answers there ({error})"
        ) from error


def wait_for(pipeline: beam.Pipeline, job: Job) -> PipelineResult:
    """Run it to its end; who interrupts us wants that it ends elsewhere too.

    Raises:
        RunError: if a job server takes the job, and no worker begins; or if we are interrupted, and
            it may go on there.
    """
    result = pipeline.run()
    ended, idle = threading.Event(), threading.Event()
    if pipeline.options.view_as(PortableOptions).job_endpoint:  # others begin here, or tell
        threading.Thread(target=_look, args=(result, job, ended, idle), daemon=True).start()
    try:
        result.wait_until_finish()
    except KeyboardInterrupt:
        result.cancel()
        if said := cancel(pipeline.options):
            raise RunError(f"interrupted; {said}; run again and it goes on from here") from None
        raise
    except RuntimeError:
        if not idle.is_set():
            raise
    finally:
        ended.set()
    if idle.is_set():
        raise RunError(
            f"{job.step.name}: no worker has begun for {PATIENCE} s: see that the cluster has as "
            "many free slots as --parallelism, and a pool beside each TaskManager; "
            f"{cancel(pipeline.options) or 'the job is cancelled'}"
        )
    return result


def _look(result: PipelineResult, job: Job, ended: threading.Event, idle: threading.Event) -> None:
    """Give up a job that no worker has begun for too long."""
    if not ended.wait(PATIENCE) and not is_begun(job):
        idle.set()
        result.cancel()


def cancel(options: PipelineOptions) -> str | None:
    """Cancel a job by Flink's own interface: Beam's job server says it did, and lets it go on.

    Returns:
        what the user must do; None if nothing.
    """
    if not options.view_as(PortableOptions).job_endpoint:
        return None
    called = options.view_as(GoogleCloudOptions).job_name
    master = options.view_as(FlinkRunnerOptions).flink_master
    if master.startswith("["):
        return f"cancel the job {called} in Flink; --flink_master=HOST:8081 would do that"
    at = master if "://" in master else f"http://{master}"
    try:
        with urlopen(f"{at}/jobs/overview", timeout=KNOCK) as answer:
            jobs = json.load(answer)["jobs"]
        for each in jobs:
            if each["name"] == called and each["state"] not in OVER:
                urlopen(Request(f"{at}/jobs/{each['jid']}", method="PATCH"), timeout=KNOCK).close()
    except (OSError, ValueError) as error:
        return f"cancel the job {called} in Flink, which does not answer at {master} ({error})"
    return None


def gave_up(error: Exception) -> str:
    """What a runner said last, in one line."""
    if isinstance(error, grpc.RpcError):
        return f"the job server is gone: {error.details().splitlines()[0]}"
    said = re.sub(r"^Pipeline \S+ failed in state \w+: ", "", str(error))
    first, *more = said.splitlines()
    return f"the runner gave up: {' '.join([first, *more[:1]]) if first.endswith(':') else first}"
