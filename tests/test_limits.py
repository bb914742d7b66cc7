"""What one process holds is told beforehand, and refused beyond a limit that names what helps."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.beam import pipeline as beam
from pipelines.engine import limits
from pipelines.engine.corpus import Corpus
from pipelines.engine.limits import ELEMENT, WRITTEN
from pipelines.engine.segments import Segment
from pipelines.engine.step import Job, Plan, Step
from pipelines.errors import RunError
from pipelines.recipe import Cap, Dedup, Limit, Publish, Recipe, Source
from pipelines.recipe.select import MOST, Curriculum, Select
from pipelines.runs import Run, parts
from pipelines.steps import holdings, order
from pipelines.steps.dedup import check, clusters
from pipelines.steps.dedup import step as dedup
from pipelines.steps.select import rank, take
from tests.helpers.command import files, refused, well

pytestmark = pytest.mark.slow


SPLITS = Publish({"train": 0.8, "test": 0.2})
EDITS: dict[str, Any] = {"boilerplate": {}, "repeated_passages": {}}
EVERY = Recipe(
    "a",
    source=(Source("warc", ("x",), images=True),),
    measure={"ngrams": {}},
    edits=EDITS,
    dedup=Dedup(link="leader"),
    cap=Cap(9),
    select=(Select("random"),) * MOST,
    curriculum=Curriculum("tokens"),
    publish=SPLITS,
)
LARGE = Corpus(10**9, 10**13, 10**5, 10**6, 10**3)
TEXTS = [f"{' '.join(f'w{n}x{i}' for n in range(60))} end" for i in range(40) for _ in "12"]
PASSAGES = "[edits]\nboilerplate = {}\nrepeated_passages = { words = 20 }"
ONCE = ("dataset", "check/", "models/")  # tables that have no file for each part
NEAR = "[publish]\nsplits = { train = 0.5, test = 0.5 }"

each_step = pytest.mark.parametrize("step", order.STEPS, ids=lambda step: step.name)


def job(step: Step, recipe: Recipe, folder: Path, sizes: list[int]) -> Job:
    plan = Plan(list(range(sizes[0])), sizes[1:])
    return Job(Run(folder), recipe, step, [], plan, "0123456789ab")


def test_all_steps_are_of_such_a_recipe() -> None:
    assert order.wanted(EVERY) == list(order.STEPS)
    plain = replace(EVERY, measure={}, edits={}, dedup=None, cap=None, select=(), curriculum=None)
    names = {step.name for step in order.wanted(plain)}
    asked = "count score curriculum dedup check hosts passages again cap"
    chosen = (*rank.STEPS, *take.STEPS)
    assert names | set(asked.split()) == {s.name for s in order.STEPS if s not in chosen}
    assert names.isdisjoint(asked.split())


@each_step
def test_a_step_has_the_sizes_that_it_plans(step: Step) -> None:
    assert len(step.sizes(EVERY, LARGE)) == len(step.stages)
    assert set(dict(step.held)) <= set(step.stages)


@each_step
def test_a_step_refuses_what_is_beyond_its_limit(step: Step) -> None:
    known = [h for h in holdings.holdings(step, EVERY, LARGE, 10**6) if h.count is not None]
    most = max(holding.each * (holding.count or 0) for holding in known)
    memory = max(h.each * (h.count or 0) for h in known if "references" not in h.what)
    enough = replace(EVERY, limit=Limit(memory=memory))
    holdings.check(step, enough, LARGE, 10**6)
    short = replace(EVERY, limit=Limit(memory=memory - 1))
    with pytest.raises(RunError, match=rf"^{step.name}: [\d,]+ .*\[limit\] memory is .*: raise"):
        holdings.check(step, short, LARGE, 10**6)
    assert most >= memory


@each_step
def test_references_are_held_where_one_process_does_all_stages(step: Step, tmp_path: Path) -> None:
    sizes = step.sizes(EVERY, replace(LARGE, parts=50))
    if len(sizes) == 1:
        holdings.check_exchange(job(step, EVERY, tmp_path, [10**6]), True)
        return
    held = limits.references(step.name, sizes)
    memory = (held.count or 0) * held.each
    holdings.check_exchange(
        job(step, replace(EVERY, limit=Limit(memory=memory)), tmp_path, sizes), True
    )
    short = job(step, replace(EVERY, limit=Limit(memory=memory - 1)), tmp_path, sizes)
    with pytest.raises(RunError, match=rf"^{step.name}: .* references .* or run on a cluster"):
        holdings.check_exchange(short, True)
    holdings.check_exchange(short, False)


@each_step
def test_nothing_that_travels_is_large(step: Step, tmp_path: Path) -> None:
    most = ELEMENT // WRITTEN // limits.KINDS
    stages = len(step.stages)
    for stage in range(stages):
        name = job(step, EVERY, tmp_path, [1] * stages).note(stage, most)
        longest = Segment(most, name.replace(".json", ".arrow"), 10**14, 10**14)
        assert len(json.dumps(longest)) <= WRITTEN
    if stages == 1:
        return
    sizes = [1] * stages
    sizes[stages // 2] = most
    holdings.check_exchange(job(step, EVERY, tmp_path, sizes), False)
    sizes[stages // 2] += 1
    with pytest.raises(RunError, match=rf"^{step.name}: .* keys in a stage, .*: run the sources"):
        holdings.check_exchange(job(step, EVERY, tmp_path, sizes), False)


def test_what_travels_in_a_run_is_as_long_as_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []  # references that came to a key, and the longest put out

    def process(self: beam.Perform, element: tuple[int, Iterable[str]]) -> Iterator[Any]:
        key, references = element[0], list(element[1])
        found = list(does(self, (key, references)))
        seen.append((len(references), max((len(said) for _, said in found), default=0)))
        return iter(found)

    does = beam.Perform.process
    monkeypatch.setattr(beam.Perform, "process", process)
    monkeypatch.setattr(parts, "PART_ROWS", 9)
    path = write(tmp_path, f"{PASSAGES}\n[dedup]\n{NEAR}", "1 GB")
    well("run", path, cwd=tmp_path)
    assert 0 < max(longest for _, longest in seen) <= WRITTEN
    count = len(list((tmp_path / "runs/a/documents").iterdir()))
    assert (
        count < max(came for came, _ in seen) <= limits.KINDS * count + 1
    )  # one says that the key exists


def test_rows_that_resemble_others_are_joined_up_to_the_limit(tmp_path: Path) -> None:
    rows = 1000
    pairs = pa.table([range(rows), [0] * rows], dedup.PAIR).to_batches(max_chunksize=100)
    for link, each in (("component", clusters.NODE), ("leader", clusters.NODE + clusters.PAIR)):
        recipe = replace(EVERY, dedup=Dedup(link=link))
        one = job(dedup.STEP, replace(recipe, limit=Limit(memory=each * rows)), tmp_path, [1] * 9)
        assert clusters.join(one, 0, pairs).out
        short = replace(one, recipe=replace(recipe, limit=Limit(memory=each * rows - 1)))
        with pytest.raises(RunError, match=r"1,000 rows and more resemble others.* threshold"):
            clusters.join(short, 0, pairs)


def write(folder: Path, rest: str, memory: str) -> Path:
    """A recipe over texts of which each stands there twice, on two sites."""
    rows = [{"text": t, "url": f"http://h{i % 9}.org/{i}"} for i, t in enumerate(TEXTS)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "a.toml"
    source = '[[source]]\nkind = "jsonl"\npaths = ["a.jsonl"]'
    path.write_text(f'name = "a"\nlimit = {{ memory = "{memory}" }}\n{source}\n{rest}\n')
    return path


@pytest.mark.parametrize(
    ("step", "rest", "memory", "says"),
    [
        ("ingest", "", "999 B", "1 files of sources take about 1.0 kB"),
        ("scan", "", "1 kB", "lines of the manifest"),
        ("dedup", "[dedup]", "20 kB", "one task would hold about"),
        ("passages", PASSAGES, "20 kB", "one task would hold about"),
        ("near", NEAR, "20 kB", "one task would hold about"),
        ("publish", '[publish]\nshard = "100 B"', "40 kB", "references between stages take"),
        ("publish", '[publish]\nshard = "50 MB"', "30 MB", "bytes of a slice"),
    ],
)
def test_a_run_beyond_a_limit_is_one_line(
    step: str, rest: str, memory: str, says: str, tmp_path: Path
) -> None:
    line = refused("run", write(tmp_path, rest, memory), cwd=tmp_path, code=1)
    assert line.startswith(f"karez: {step}: ") and says in line
    assert "[limit] memory is " in line and "raise" in line
    well("run", write(tmp_path, rest, "1 GB"), cwd=tmp_path)


def test_the_plan_tells_what_is_held(tmp_path: Path) -> None:
    chosen = '[[select]]\nstrategy = "random"\n' * MOST + '[curriculum]\nby = "tokens"'
    path = write(
        tmp_path,
        f"{PASSAGES}\n[dedup]\n[cap]\ndocuments = 9\n{chosen}\n{NEAR}\n[measure]\nngrams = {{}}",
        "2 GB",
    )
    for _ in "before", "after":
        held = json.loads(well("plan", path, "--json", cwd=tmp_path))["holds"]
        assert {each["step"] for each in held} == {s.name for s in order.STEPS} - {"pairs"}
        lines = next(each for each in held if each["what"] == "lines of the manifest")
        assert (lines["count"], lines["most"]) == (lines["count"], 2 * 10**9 // limits.LINE)
        said = " ".join(well("plan", path, cwd=tmp_path).split())
        assert "a process holds at most 2.0 GB of each: [limit] memory" in said
        assert f"dedup: rows that resemble others: up to {2 * 10**9 // clusters.NODE:,}" in said
        well("run", path, cwd=tmp_path)
    tables = json.loads((tmp_path / "runs/a/manifest.json").read_text())["tables"]
    written = {name for name, table in tables.items() if table["parts"]}
    assert lines["count"] == len({t for t in written if not t.startswith(ONCE)})


def test_what_comes_into_one_place_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probes and their pairs are the same, however few rows are held at a time."""
    path = write(tmp_path, "[dedup]\nprobes = 20", "1 GB")
    monkeypatch.setattr(parts, "PART_ROWS", 9)
    well("run", path, "--run", "whole", cwd=tmp_path)
    kept: list[int] = []
    for name in ("_drawn_first", "_narrowed"):
        keep = getattr(check, name)
        monkeypatch.setattr(check, name, watched(keep, kept))
    monkeypatch.setattr(check, "FOLD", 5)
    well("run", path, "--run", "folded", cwd=tmp_path)
    assert files(tmp_path / "folded/check") == files(tmp_path / "whole/check")
    assert len(kept) > 10


def watched(keep: Any, rows: list[int]) -> Any:
    def kept(table: pa.Table, *more: int) -> pa.Table:
        rows.append(table.num_rows)
        return keep(table, *more)

    return kept
