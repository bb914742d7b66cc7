"""A job elsewhere is cancelled by Flink's own interface; on a real Flink see test_flink."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.beam import jobs
from pipelines.engine.step import Job, Plan
from pipelines.recipe import Recipe, Source
from pipelines.runs import Run
from pipelines.steps.order import STEPS

NAMES = [("mine", "RUNNING"), ("mine", "CANCELED"), ("other", "RUNNING"), ("mine", "CREATED")]


class Flink(BaseHTTPRequestHandler):
    """Its REST interface, with four jobs."""

    cancelled: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        told = [{"jid": str(n), "name": j, "state": s} for n, (j, s) in enumerate(NAMES)]
        self.answer({"jobs": told} if self.path == "/jobs/overview" else {"what": self.path})

    def do_PATCH(self) -> None:
        self.cancelled.append(self.path)
        self.answer({})

    def answer(self, value: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Flink) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def options(*more: str) -> PipelineOptions:
    return PipelineOptions(["--job_endpoint=x:1", "--job_name=mine", *more])


def test_a_job_is_called_by_its_step_unless_told(tmp_path: Path) -> None:
    recipe = Recipe("Größe." + "x" * 90, source=(Source("text", ("x",)),))
    job = Job(Run(tmp_path), recipe, STEPS[0], [], Plan([]), "0123456789ab")
    (option,) = jobs.named(job, [])
    assert re.fullmatch(r"--job_name=karez-gr-e-x+-ingest-0123456789ab", option)
    assert len(jobs.name(job)) <= jobs.NAME
    told = ["--runner=PrismRunner", "--job_name=mine"]
    assert jobs.named(job, told) == told


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_the_jobs_of_that_name_that_are_not_over_are_cancelled(scheme: str, port: int) -> None:
    Flink.cancelled.clear()
    assert jobs.cancel(options(f"--flink_master={scheme}127.0.0.1:{port}")) is None
    assert Flink.cancelled == ["/jobs/0", "/jobs/3"]


def test_where_flink_is_not_known_or_away_the_job_is_named() -> None:
    assert jobs.cancel(PipelineOptions(["--job_name=mine"])) is None  # no job server, nothing left
    told = jobs.cancel(options())
    assert told == "cancel the job mine in Flink; --flink_master=HOST:8081 would do that"
    told = jobs.cancel(options("--flink_master=127.0.0.1:1"))
    assert told is not None
    assert told.startswith("cancel the job mine in Flink, which does not answer at 127.0.0.1:1")
