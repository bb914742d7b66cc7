"""Dataflow without Dataflow: each job's request as it would be sent, and its graph run here."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.beam import template
from pipelines.engine import limits
from pipelines.errors import RunError
from pipelines.recipe import Limit
from pipelines.recipe.text import load
from pipelines.steps.order import STEPS
from tests.helpers.command import ROOT, counts, files, leftovers, refused, well
from tests.helpers.gcs import GoogleStore, google
from tests.helpers.making import write_pair
from tests.helpers.store import store
from tests.test_coders import BETWEEN, coder, graph, pickled

pytestmark = pytest.mark.server

PAGE = (ROOT / "infra/README.md").read_text()
READ = {"ingest", "pairs", "fit"}  # what the recipe names
OFFLINE = '''\
"""Beam's runner for Dataflow, whose client keeps requests, and runs their graphs here."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

from apache_beam.internal.gcp import auth
from apache_beam.io.gcp.gcsio import GcsIO
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns, python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow import dataflow_runner
from apache_beam.runners.dataflow.internal import apiclient
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

FOLDER = Path(os.environ["REQUESTS"])
Client = apiclient.DataflowApplicationClient


def submit(self, job):
    self.create_job_description(job)
    name = job.proto.name
    (FOLDER / f"{name}.json").write_text(job.json())
    (FOLDER / f"{name}.pb").write_bytes(job.proto_pipeline.SerializeToString())
    if os.environ.get("FAILS"):
        raise dataflow_runner.DataflowRuntimeException(os.environ["FAILS"], None)
    graph = beam_runner_api_pb2.Pipeline.FromString(job.proto_pipeline.SerializeToString())
    job.proto.id = name
    for environment in graph.components.environments.values():
        assert environment.urn == common_urns.environments.DOCKER.urn
        environment.urn, environment.payload = python_urns.EMBEDDED_PYTHON, b""
    result = FnApiRunner().run_via_runner_api(graph, PipelineOptions([]))
    result.wait_until_finish()
    METRICS[name] = [told for each in result.metrics().query()["counters"] for told in tell(each)]
    return job.proto


METRICS = {}


def tell(counter):
    """As Dataflow does: what was tried, and what was committed."""
    metric = counter.key.metric
    for value, how in ((counter.committed, {}), (counter.committed + 1, {"tentative": "true"})):
        context = {"namespace": metric.namespace, "step": counter.key.step, **how}
        name = SimpleNamespace(name=metric.name, origin="user", context=context)
        yield SimpleNamespace(name=name, scalar=float(value), distribution=None)


Client.get_job_metrics = lambda self, name: SimpleNamespace(metrics=METRICS[name])
Client.create_job = submit
Client._stage_resources = lambda self, pipeline, options: []
Client.stage_file_with_retry = lambda self, place, name, *_, **__: None
auth.get_service_credentials = lambda options: None
GcsIO.is_soft_delete_enabled = lambda self, path: False
dataflow_runner.DataflowPipelineResult.wait_until_finish = lambda self, duration=None: None

from pipelines.cli import main

main()
'''


class Offline(NamedTuple):
    """A store, and a folder with a recipe, its local run, and what was sent to Dataflow."""

    store: GoogleStore
    folder: Path

    def said(self, *command: str, fails: str = "") -> subprocess.CompletedProcess[str]:
        """What a command says; and what Dataflow is to say, if its jobs are to fail."""
        failing = {"FAILS": fails, "REQUESTS": str(self.folder)}
        return self.ran(OFFLINE, *command, **(failing if fails else {}))

    def ran(self, code: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What code says that has Google's libraries, and the store."""
        known = {"REQUESTS": str(self.folder / "requests"), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [google(), "-c", code, *arguments],
            env={**known, **self.store.environment, "PATH": "/usr/bin", "HOME": "/root", **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def requests(self) -> dict[str, Any]:
        """The requests, by the names of their jobs."""
        found = sorted((self.folder / "requests").glob("*.json"))
        return {path.stem: json.loads(path.read_text()) for path in found}

    def graph(self, name: str) -> Any:
        """The graph of a job."""
        body = (self.folder / f"requests/{name}.pb").read_bytes()
        return beam_runner_api_pb2.Pipeline.FromString(body)


def options() -> list[str]:
    """Those of infra's page."""
    found = re.search(r"--runner=DataflowRunner((?:.*\\\n)*.*)", PAGE)
    assert found
    return found[0].replace("\\\n", " ").split()


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """After a whole run: ingest here, the rest as jobs."""
    folder = tmp_path_factory.mktemp("dataflow")
    (folder / "requests").mkdir()
    write_pair(folder, ("help-en", "faults"), 40)
    well("run", "whole.toml", "--run", "here", cwd=folder)
    with store(GoogleStore(folder / "store")) as running:
        made = Offline(running, folder)
        first = ("run", "whole.toml", "--run", "gs://bucket/run")
        assert made.said(*first, "--only", "ingest").returncode == 0
        done = made.said(*first, "--", *options())
        assert (done.returncode, done.stderr) == (0, "")
        yield made


def test_the_graphs_that_are_sent_give_the_bytes_of_a_local_run(offline: Offline) -> None:
    there = offline.store.bucket / "run"
    assert files(there / "dataset") == files(offline.folder / "here/dataset")
    assert counts(there) == counts(offline.folder / "here")
    assert leftovers(there) == set()
    steps = [name.split("-")[2] for name in offline.requests()]
    here = [s.name for s in STEPS if not s.name[-1].isdigit()]  # it has one strategy
    assert sorted(steps) == sorted(set(here) - READ)


def test_a_request_says_what_a_worker_needs(offline: Offline) -> None:
    wanted = dict(option.lstrip("-").partition("=")[::2] for option in options())
    memory = (limits.worker() + Limit().memory) // 10**6 * 10**6
    for name, request in offline.requests().items():
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)
        sent = request["environment"]["sdkPipelineOptions"]["options"]
        for key, value in wanted.items():
            assert value in sent[key] if key == "experiments" else str(sent[key]).startswith(value)
        assert sent["number_of_worker_harness_threads"] == 1
        (pool,) = request["environment"]["workerPools"]
        images = pool["sdkHarnessContainerImages"]
        assert {i["containerImage"] for i in images} == {wanted["sdk_container_image"]}
        environments = offline.graph(name).components.environments.values()
        hints = [e.resource_hints for e in environments if e.resource_hints]
        assert hints and all(h["beam:resources:min_ram_bytes:v1"] == b"%d" % memory for h in hints)


def test_what_is_sent_has_right_coders_and_no_code_of_a_script(offline: Offline) -> None:
    for name in offline.requests():
        sent = offline.graph(name)
        collections = sent.components.pcollections.values()
        assert {coder(sent, each.coder_id) for each in collections} <= BETWEEN
        for transform in sent.components.transforms.values():
            if transform.spec.urn == common_urns.primitives.PAR_DO.urn:
                names = pickled(transform)
                assert "pipelines.beam.pipeline" in names
                assert not any("__main__" in name or "cloudpickle" in name for name in names)


def test_a_graph_is_small_for_a_hundred_thousand_files(offline: Offline, tmp_path: Path) -> None:
    for step in STEPS:
        assert graph(step, 100_000, tmp_path).ByteSize() < 1_000_000
    for name in offline.requests():
        assert len((offline.folder / f"requests/{name}.pb").read_bytes()) < 1_000_000
        assert len((offline.folder / f"requests/{name}.json").read_bytes()) < 1_000_000


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("there", "there: workers of Dataflow do not see it; take --run gs://"),
        ("gs://bucket/new", "karez: ingest: workers of Dataflow do not see"),
    ],
)
def test_what_workers_would_not_see_is_refused(run: str, says: str, offline: Offline) -> None:
    done = offline.said("run", "short.toml", "--run", run, "--", *options())
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert says in done.stderr


@pytest.mark.parametrize(
    ("measure", "reads"),
    [
        ('overlap = { files = ["a.txt"] }', {"scan", "again"}),
        ('bad = { is = "listed", files = ["a.txt"] }', {"scan", "again"}),
        ('blocklist = { hosts = ["a.txt"] }', {"scan", "again"}),
        ('ngrams = { sample = ["a.txt"] }', set()),
        ("quality = {}", set()),
    ],
)
def test_what_a_measure_is_given_is_read_where_it_lies(
    measure: str, reads: set[str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("example.org")
    source = '[[source]]\nkind = "text"\npaths = ["a.txt"]\n'
    (tmp_path / "r.toml").write_text(f'name = "r"\n{source}[measure]\n{measure}\n')
    recipe = load(tmp_path / "r.toml")
    found = {step.name for step in STEPS if step.reads(recipe)}
    assert found == reads | READ


def test_what_dataflow_says_is_one_line(offline: Offline) -> None:
    offline.said("run", "short.toml", "--run", "gs://bucket/fails", "--only", "ingest")
    says = "Dataflow pipeline failed. State: FAILED, Error:\nWorkflow failed. Causes: no quota."
    command = ("run", "short.toml", "--run", "gs://bucket/fails", "--", *options())
    done = offline.said(*command, fails=says)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "scan: the runner gave up: Dataflow" in done.stderr and "no quota" in done.stderr
    done = offline.said(*(word for word in command if "--region" not in word))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("karez: after --: ")


def test_without_googles_libraries_the_line_to_type_is_said(offline: Offline) -> None:
    arguments = ("run", "short.toml", "--run", "gs://bucket/other", "--", "--runner=DataflowRunner")
    assert "pip install 'karez[gs]'" in refused(*arguments, cwd=offline.folder)


def test_a_run_folder_that_workers_do_not_see_is_refused(offline: Offline) -> None:
    arguments = ("run", "short.toml", "--run", "here", "--", "--runner=DataflowRunner")
    assert "workers of Dataflow do not see it" in refused(*arguments, cwd=offline.folder)


TEMPLATE = """
import sys
from apache_beam.options.pipeline_options import PipelineOptions
from pipelines.beam import template

template.RUNNER = "FnApiRunner"
template.main([*sys.argv[1:], "--runner=FnApiRunner", "--job_name=mine"])
"""


def test_a_template_drives_a_run(offline: Offline) -> None:
    metadata = json.loads((ROOT / "infra/dataflow/metadata.json").read_text())
    values = {
        "recipe": "gs://bucket/recipes/whole.toml",
        "run": "gs://bucket/template",
        "from": "gs://bucket/run",
        "sdk_container_image": "registry/karez:1",
        "max_workers": "3",
    }
    assert {each["name"] for each in metadata["parameters"]} == set(values)
    for each in metadata["parameters"]:
        assert re.fullmatch(each["regexes"][0], values[each["name"]])
    offline.store.put("recipes/whole.toml", (offline.folder / "whole.toml").read_bytes())
    done = offline.ran(TEMPLATE, *(f"--{name}={value}" for name, value in values.items()))
    assert (done.returncode, done.stderr) == (0, "")
    there = offline.store.bucket / "template/dataset"
    assert files(there) == files(offline.folder / "here/dataset")


def test_the_jobs_of_steps_have_the_options_of_the_template(
    offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    (offline.folder / "recipes").mkdir()
    (offline.folder / "recipes/a.toml").write_text("name = 'a'")
    recipe = str(offline.folder / "recipes/a.toml")
    own = ["--job_name=x", "--template_location=gs://b/t", "--num_workers=3"]
    others = ["--region=r", "--sdk_container_image=i"]
    given = [f"--recipe={recipe}", "--run=gs://b/r", "--from=gs://b/f", "--max_workers=7"]
    drive, options = template.read([*given, *own, *others])
    steps = ["--", "--runner=DataflowRunner", *others, "--max_num_workers=7"]
    assert drive.arguments == ["--run", "gs://b/r", "--from", "gs://b/f", *steps]
    assert (drive.recipe, options) == ("name = 'a'", [*own, *others, "--max_num_workers=1"])
    with pytest.raises(RunError, match=r"recipe\.toml: no \[\[source\]\]; say what to read"):
        list(drive.process(b""))


def test_every_option_is_explained() -> None:
    told = set(re.findall(r"^\| `(--\w+)` \|", PAGE, re.MULTILINE))
    assert {option.partition("=")[0] for option in options()} <= told
    assert {"--job_name", "--resource_hint", "--number_of_worker_harness_threads"} <= told
