"""The exchange: by files and by shuffle the same bytes, and nothing that travels is large."""

import errno
import json
import pickle
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.beam import coders
from pipelines.engine import exchange, segments, tasks
from pipelines.engine.exchange import Piece, chosen, gather, pieces, size_of
from pipelines.engine.step import Job, Plan
from pipelines.recipe import EXCHANGES, FILES, SHUFFLE, Recipe, Source
from pipelines.runs import Run, parts
from pipelines.steps import publish
from pipelines.steps.dedup import step as dedup
from tests.helpers.begun import said
from tests.helpers.command import counts, files, here, leftovers, refused, well

pytestmark = pytest.mark.slow


RECIPE = """\
name = "met"
[[source]]
kind = "jsonl"
paths = ["a.jsonl"]
[edits]
repeated_passages = { words = 9 }
repeated_paragraphs = {}
[dedup]
link = "leader"
[publish]
splits = { train = 0.6, test = 0.4 }
shard = "4 kB"
"""
SIZES = (0, 20, 500, 1000)  # the last one is alone in its piece, and that in its cell
WORDS = ["water", "hills", "tunnel", "people", "Stollen", "коридор", "طويل", "🚀", "e\u0301", "dug"]

TEXT = st.text(max_size=30) | st.sampled_from(["🚀" * 40, "שלום\r\n", "e\u0301", ""])
ROWS = st.lists(st.tuples(st.integers(0, 9), st.none() | TEXT), min_size=1, max_size=12)


def batch(rows: Sequence[tuple[int, str | None]]) -> pa.RecordBatch:
    """Rows of several types, some in lists, some by a dictionary."""
    numbers, texts = zip(*rows, strict=True)
    columns = {
        "number": pa.array(numbers, pa.uint64()),
        "text": pa.array(texts, pa.string()),
        "all": pa.array([[text, None] for text in texts], pa.list_(pa.string())),
        "coded": pa.array(texts, pa.string()).dictionary_encode(),
    }
    return pa.record_batch(columns)


@given(ROWS, st.integers(0, 11), st.tuples(*[st.integers(0, 2**40)] * 3))
def test_a_piece_travels_as_arrow(
    rows: list[tuple[int, str | None]], start: int, place: tuple[int, int, int]
) -> None:
    some = batch(rows).slice(min(start, len(rows)))
    piece, coder = Piece(*place, some), coders.PieceCoder()
    sent = coder.encode(piece)
    assert coder.decode(sent) == piece
    assert len(sent) + 10 <= size_of(some) == coder.estimate_size(piece) < len(sent) + 100
    assert sent.endswith(b"\xff\xff\xff\xff\0\0\0\0")  # an Arrow stream's end
    assert pa.ipc.open_stream(sent[24:]).schema == some.schema


def test_a_slice_travels_without_what_it_was_cut_from() -> None:
    whole = pa.record_batch({"text": ["a long text " * 100] * 1000})
    sent = coders.PieceCoder().encode(Piece(0, 0, 0, whole.slice(500, 1)))
    assert len(sent) < 3_000 < len(pickle.dumps(whole.slice(500, 1)))


@given(st.randoms(use_true_random=False), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_what_meets_is_all_there_is_and_never_large(draw: random.Random, count: int) -> None:
    """Every row comes to its key and place once, and what meets in a cell is bounded."""
    put: dict[tuple[int, int, bool], list[Any]] = defaultdict(list)
    came: dict[tuple[int, int, bool], list[Any]] = defaultdict(list)
    met: dict[int, list[Piece]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "ELEMENT", 9_000)
        patch.setattr(exchange, "TOGETHER", 3)
        patch.setattr(segments, "SPILL", 3_000)
        for task in range(count):
            out = []
            for _ in range(draw.randint(1, 9)):
                key, place, narrow = draw.randint(0, 2), draw.randint(0, 1), draw.random() < 0.3
                rows = [(each, "ü" * draw.choice(SIZES)) for each in range(draw.randint(1, 9))]
                one = batch(rows).select(["number"]) if narrow else batch(rows)
                out.append(((key, place), one))
                put[key, place, narrow] += one.to_pylist()
            for cell, piece in pieces(out, task, count):
                met[cell].append(piece)
    lanes = -(-count // 3) + count
    for cell, found in met.items():
        assert sum(len(coders.PieceCoder().encode(piece)) for piece in found) <= 9_000
        for piece in found:
            key = cell // exchange.CELLS // lanes
            narrow = piece.batch.num_columns == 1
            came[key, piece.place, narrow] += piece.batch.to_pylist()
    assert {k: sorted(map(str, v)) for k, v in came.items()} == {
        k: sorted(map(str, v)) for k, v in put.items()
    }


def test_a_cell_is_filled_before_the_next_one() -> None:
    rows = pa.record_batch({"number": pa.array(range(1000), pa.uint64())})
    each = size_of(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "ELEMENT", 20 * each)
        patch.setattr(segments, "SPILL", 0)  # a batch is a piece
        cells = [cell for cell, _ in pieces(((0, rows) for _ in range(50)), 0, 4)]
    assert sorted(cells.count(cell) for cell in set(cells)) == [5] * 10


def test_two_attempts_to_gather_leave_the_same(tmp_path: Path) -> None:
    """A reference of one attempt may be read in the file of the other."""
    job = Job(Run(tmp_path), RECIPES["files"], dedup.STEP, [], Plan([0] * 9, [2] * 7), "mark")
    found = [piece for task in range(5) for _, piece in pieces(_put(task), task, 9)]
    cell = next(cell for cell, _ in pieces(_put(0), 0, 9))
    one = gather(job, 0, cell, found), files(tmp_path)
    assert one == (gather(job, 0, cell, iter(found[::-1])), files(tmp_path))
    (name,) = one[1]
    assert name.startswith("work/dedup/mark/band_keys-000001-000000-")
    order = pa.Table.from_batches(segments.Batches(job.run, [segment for _, segment in one[0]]))
    assert order == pa.Table.from_batches(batch for task in range(5) for _, batch in _put(task))


def _put(task: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    for number in range(2):
        yield 1, pa.record_batch({"number": [task, number]})


RECIPES = {how: Recipe("a", source=(Source("text", ("x",)),), exchange=how) for how in EXCHANGES}


@pytest.mark.parametrize(
    ("options", "said", "wanted"),
    [
        ([], None, FILES),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=2"], None, FILES),
        (["--runner=FnApiRunner"], None, FILES),
        (["--runner", "PrismRunner"], None, SHUFFLE),
        (["--parallelism=2", "--runner=PortableRunner"], None, SHUFFLE),
        (["--runner=PortableRunner"], FILES, FILES),
        ([], SHUFFLE, SHUFFLE),
    ],
)
def test_clusters_shuffle_unless_told(options: list[str], said: str | None, wanted: str) -> None:
    recipe = Recipe("a", source=(Source("text", ("x",)),), exchange=said)
    assert chosen(recipe, options) == wanted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe with every step, over texts with copies and common passages; run by files."""
    folder, draw = tmp_path_factory.mktemp("met"), random.Random(3)
    lines = []
    for number in range(90):
        text = " ".join(draw.choices(WORDS, k=draw.randint(20, 90)))
        row = {"text": text, "url": f"https://h{number % 11}.org/{number}"}
        lines += [row] if number % 5 else [row, {**row, "url": f"https://copies.org/{number}"}]
        lines[-1]["text"] += "\n" + " ".join(f"w{i}" for i in range(number % 7, 20))
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "a.toml").write_text(RECIPE)
    with small_parts():
        well("run", "a.toml", "--run", FILES, cwd=folder)
    return folder


@contextmanager
def small_parts() -> Iterator[None]:
    """Parts of a few rows, and shards of several slices: tasks and places enough to go wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_ROWS", 8)
        patch.setattr(publish, "SLICE", 1_000)
        yield


def is_same(folder: Path, name: str) -> bool:
    """Whether a run has the tables and counts of the one by files, and nothing else."""
    runs = [{k: v for k, v in files(folder / n).items() if "/" in k} for n in (FILES, name)]
    same = runs[0] == runs[1] and counts(folder / FILES) == counts(folder / name)
    return same and leftovers(folder / name) == set()


@pytest.mark.parametrize(("together", "element"), [(256, 64_000_000), (3, 40_000)])
def test_by_shuffle_the_same_bytes(
    together: int, element: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[int] = []

    def gathered(job: Any, stage: int, cell: int, pieces: Any) -> Any:
        found = list(pieces)
        met.append(sum(len(coders.PieceCoder().encode(piece)) for piece in found))
        return gather(job, stage, cell, found)

    monkeypatch.setattr("pipelines.beam.pipeline.gather", gathered)
    monkeypatch.setattr(exchange, "TOGETHER", together)
    monkeypatch.setattr(exchange, "ELEMENT", element)
    name = f"shuffle-{together}"
    with small_parts():
        well("run", "a.toml", "--run", name, "--exchange", SHUFFLE, cwd=folder)
    assert len(met) > 20 and max(met) <= element
    assert is_same(folder, name)
    for step, size in exchanged(folder / FILES).items():
        assert size <= exchanged(folder / name)[step] < 3 * size + 1


def exchanged(run: Path) -> dict[str, int]:
    """Bytes that went from stage to stage in each step."""
    steps = json.loads((run / "manifest.json").read_text())["steps"]
    return {name: step["exchanged"] for name, step in steps.items()}


@pytest.mark.slow
def test_the_order_in_which_segments_come_decides_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Turned(segments.Batches):
        """Of one place, those of the last task come first."""

        def __iter__(self) -> Iterator[pa.RecordBatch]:
            self._segments.reverse()
            self._segments.sort(key=lambda segment: segment.place)
            yield from super().__iter__()

    monkeypatch.setattr(tasks, "Batches", Turned)
    with small_parts():
        well("run", "a.toml", "--run", "turned", cwd=folder)
    assert is_same(folder, "turned")


@pytest.mark.slow
def test_a_step_that_was_cut_off_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    does, done = tasks.send, []

    def fails(*arguments: Any) -> Any:
        done.append(arguments)
        if len(done) == 30:
            raise OSError(errno.ENOSPC, "full", "disk")
        return (yield from does(*arguments))

    monkeypatch.setattr("pipelines.beam.pipeline.send", fails)
    command = ("run", "a.toml", "--run", "cut", "--exchange", SHUFFLE)
    with small_parts():
        refused(*command, cwd=folder, code=1)
        well(*command, cwd=folder)
    assert is_same(folder, "cut")


def test_a_full_disk_where_rows_meet_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "full", "disk")

    monkeypatch.setattr(exchange, "write", full)
    line = refused("run", "a.toml", "--run", "full", "--exchange", SHUFFLE, cwd=folder, code=1)
    assert line == "karez: dedup: disk: No space left on device; what is done stays done\n"


@pytest.mark.slow
def test_two_workers_shuffle(folder: Path) -> None:
    well("run", "a.toml", "--run", "one", cwd=folder)
    command = ("run", "a.toml", "--run", "two", "--workers", "2", "--exchange", SHUFFLE)
    well(*command, cwd=folder, by=said)
    assert files(folder / "two/dataset") == files(folder / "one/dataset")
    assert counts(folder / "two") == counts(folder / "one")


def test_what_one_process_would_hold_is_refused(folder: Path) -> None:
    text = RECIPE.replace("[[source]]", 'limit = { memory = "300 kB" }\n[[source]]', 1)
    (folder / "small.toml").write_text(text)
    command = ("run", "small.toml", "--run", "small", "--exchange", SHUFFLE)
    line = refused(*command, cwd=folder, code=1)
    assert "bytes between stages take about" in line and 'take exchange = "files"' in line
    done = here("run", "small.toml", "--run", "small", "--exchange", FILES, cwd=folder)
    assert "bytes between stages" not in done.stderr


def test_it_is_said_in_the_recipe_and_in_the_plan(folder: Path) -> None:
    (folder / "wrong.toml").write_text(f'exchange = "shufle"\n{RECIPE}')
    line = refused("plan", "wrong.toml", cwd=folder)
    assert line == "karez: wrong.toml: exchange is files or shuffle, not 'shufle'\n"
    (folder / "told.toml").write_text(f'exchange = "shuffle"\n{RECIPE}')
    for name, says in (("a", "by shuffle on a cluster"), ("told", "by shuffle, everywhere")):
        assert says in here("plan", f"{name}.toml", "--run", "none", cwd=folder).stdout
