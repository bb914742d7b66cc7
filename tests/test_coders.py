"""What travels between workers is written by Beam's coders or ours, and grouped by numbers."""

import base64
import bz2
import inspect
import pickletools
import zlib
from pathlib import Path
from typing import Any

import apache_beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability import common_urns, python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.transforms.core import _DoFnParam

from pipelines.beam.pipeline import Gather, Keys, Options, Perform, Send, Stateless, build
from pipelines.engine.step import Job, Plan, Step
from pipelines.recipe import EXCHANGES, SHUFFLE, Recipe, Source
from pipelines.runs import Run
from pipelines.steps.order import STEPS

CODERS = common_urns.coders
KEY, TEXT = (CODERS.VARINT.urn,), (CODERS.STRING_UTF8.urn,)
PIECE = ("pipelines.beam.coders", "PieceCoder")
BETWEEN = {
    (CODERS.BYTES.urn,),  # what starts a pipeline
    *((CODERS.KV.urn, KEY, each) for each in (TEXT, PIECE)),
    *((CODERS.KV.urn, KEY, (CODERS.ITERABLE.urn, each)) for each in (TEXT, PIECE)),
}

each_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
each_exchange = pytest.mark.parametrize("exchange", EXCHANGES)


def graph(step: Step, size: int, folder: Path, exchange: str = SHUFFLE) -> Any:
    """The pipeline of a step, as runners get it."""
    plan = Plan(list(range(size)), [size] * (len(step.stages) - 1))
    recipe = Recipe("a", source=(Source("text", ("x",)),))
    pipeline = apache_beam.Pipeline("FnApiRunner", Options([]))
    build(Job(Run(folder), recipe, step, [], plan, "mark", exchange), pipeline)
    return pipeline.to_runner_api()


def coder(graph: Any, name: str) -> tuple[Any, ...]:
    """A coder's name, and those of what it is made of; of ours, the names it is pickled as."""
    found = graph.components.coders[name]
    if found.spec.urn == python_urns.PICKLED_CODER:
        return words(zlib.decompress(base64.b64decode(found.spec.payload.partition(b"$")[2])))
    return (found.spec.urn, *(coder(graph, each) for each in found.component_coder_ids))


def pickled(transform: Any) -> list[str]:
    """The words in what a function of a graph is pickled as: names of modules and classes."""
    payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
    return list(words(bz2.decompress(base64.b64decode(payload.do_fn.payload))))


def words(body: bytes) -> tuple[str, ...]:
    """The strings in a pickle."""
    return tuple(arg for _, arg, _ in pickletools.genops(body) if isinstance(arg, str))


@each_step
@each_exchange
def test_nothing_is_pickled_and_keys_are_numbers(step: Step, exchange: str, tmp_path: Path) -> None:
    made = graph(step, 3, tmp_path, exchange)
    collections = made.components.pcollections
    assert {coder(made, each.coder_id) for each in collections.values()} <= BETWEEN
    grouped = [
        coder(made, collections[name].coder_id)
        for transform in made.components.transforms.values()
        if transform.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn
        for name in transform.inputs.values()
    ]
    between = len(step.stages) - 1 if exchange == SHUFFLE else 0
    wanted = [TEXT] * len(step.stages) + [PIECE] * between
    assert sorted(grouped) == sorted((CODERS.KV.urn, KEY, each) for each in wanted)


@each_step
def test_no_code_travels(step: Step, tmp_path: Path) -> None:
    """Code is of one Python; and what cannot be read by another cannot refuse it."""
    for transform in graph(step, 3, tmp_path).components.transforms.values():
        if transform.spec.urn == common_urns.primitives.PAR_DO.urn:
            names = pickled(transform)
            assert "pipelines.beam.pipeline" in names
            assert not [name for name in names if "cloudpickle" in name]


@each_step
def test_a_graph_does_not_grow_with_its_keys(step: Step, tmp_path: Path) -> None:
    small, large = (graph(step, size, tmp_path).ByteSize() for size in (1, 100_000))
    assert large - small < 100 * len(step.stages)


def test_options_are_those_of_beam_and_parsed_once() -> None:
    given = ["--runner=Some", "--job_name=one"]
    ours, theirs = Options(given), PipelineOptions(given)
    assert ours.get_all_options() == theirs.get_all_options()
    ours.view_as(StandardOptions).runner = theirs.view_as(StandardOptions).runner = "Another"
    assert ours.view_as(StandardOptions) is ours.view_as(StandardOptions)
    assert ours.get_all_options() == theirs.get_all_options()
    assert ours.to_runner_api() == theirs.to_runner_api()


@pytest.mark.parametrize("kind", [Gather, Keys, Perform, Send])
def test_no_method_names_a_state_that_beam_would_not_be_shown(kind: type[Stateless]) -> None:
    for each in (value for base in kind.__mro__ for value in vars(base).values()):
        if inspect.isfunction(each):
            defaults = [p.default for p in inspect.signature(each).parameters.values()]
            assert not any(isinstance(default, _DoFnParam) for default in defaults)
