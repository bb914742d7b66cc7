"""The arms of a proof: what each would train on, as a random sample of it that is large enough.

random   the deduplicated corpus: documents of the train split that no rule and no step dropped but
         a selection; what selecting must beat
ocean    what no rule drops: conventional cleaning, and neither dedup nor selection
karez    what the run published to train on
others   another run's train split, or the texts of a folder

A document that shares a run of words with a held-out text is left out of every arm.  The others
are drawn in pieces: few long documents are no sample of many.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.overlap import Overlap
from filters.words import words
from pipelines.errors import RecipeError
from pipelines.prove.pieces import pieces
from pipelines.recipe import Recipe
from pipelines.recipe.text import of_run
from pipelines.recipe.texts import Texts
from pipelines.runs import Run, latest, parts
from pipelines.runs.tables import DECISIONS_TABLE
from pipelines.steps import decide, rules, scan, split
from pipelines.trainer.shards import published

RUN = 13  # words in a row that a document may not share with a held-out text
BATCH = 1000  # texts of a file together

Read = Callable[[], Iterator[pa.StringArray]]


@dataclass(frozen=True)
class Arm:
    """Texts by a name.

    Attributes:
        read: gives them, in batches.
        ordered: whether they are to be trained on in the order given.
    """

    name: str
    read: Read
    ordered: bool = False


@dataclass(frozen=True)
class Sample:
    """What is taken of an arm.

    Attributes:
        texts: pieces that were drawn, in a drawn order unless the arm's own is meant.
        documents: of the arm.
        shared: those of them that share a run of words with a held-out text, and were left out.
        size: bytes of the others.
        digest: of the texts.
    """

    texts: pa.StringArray
    documents: int
    shared: int
    size: int
    digest: str


def the_three(run: Run, recipe: Recipe) -> list[Arm]:
    """The three arms of a run."""
    trained = recipe.publish.train
    return [
        Arm("random", lambda: _documents(run, trained, _passed)),
        Arm("ocean", lambda: _documents(run, trained, _cleaned)),
        replace(of_published("karez", run), ordered=recipe.curriculum is not None),
    ]


def of_published(name: str, run: Run) -> Arm:
    """What a run published to train on, by a name.

    Raises:
        RunError: if it published nothing.
    """
    documents = published(run, of_run(run.folder).publish.train)
    return Arm(name, documents["text"].iterchunks)


def of_path(path: Path) -> Arm:
    """The arm that another run, or a folder of texts, stands for.

    Raises:
        RecipeError: if there is nothing to read.
    """
    if (path / "manifest.json").is_file():
        return of_published(str(path), Run(path))
    return Arm(str(path), lambda: _batched(given([path])))


def given(paths: Sequence[Path]) -> Iterator[str]:
    """The texts of files or folders: plain ones, or of rows the field "text".

    Raises:
        RecipeError: if a path names no file, or one cannot be read.
    """
    return iter(Texts(str(Path.cwd()), tuple(map(str, paths)), "text"))


def _batched(texts: Iterable[str]) -> Iterator[pa.StringArray]:
    left = iter(texts)
    while some := list(islice(left, BATCH)):
        yield pa.array(some, pa.string())


def _documents(
    run: Run, trained: str, chosen: Callable[[Run, int], pa.Array]
) -> Iterator[pa.StringArray]:
    """The edited texts of the chosen documents of a split."""
    for index in range(run.parts):
        inside = pc.equal(run.columns(index, {split.TABLE: ["split"]})["split"], trained)
        read = latest.columns if chosen is _passed else Run.columns
        mask = pc.and_(inside, chosen(run, index)).combine_chunks()
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        yield from (batch["text"] for _, batch in scan.texts(run, index, rows, read=read))


def _passed(run: Run, index: int) -> pa.Array:
    reason = run.columns(index, {DECISIONS_TABLE: ["reason"]})["reason"]
    return pc.or_(pc.is_null(reason), pc.fill_null(pc.equal(reason, decide.LEFT), False))


def _cleaned(run: Run, index: int) -> pa.Array:
    reason = run.columns(index, {rules.TABLE: ["reason"]})["reason"]
    return pc.is_null(reason)


def sample(arm: Arm, held: Sequence[str], size: int, seed: int) -> Sample:
    """About so many bytes of an arm, drawn at random of documents that share nothing with `held`.

    Raises:
        RecipeError: if nothing is left.
    """
    draw = np.random.default_rng(seed)
    drawn = pa.table([pa.array([], pa.float64()), pa.array([], pa.string())], ["draw", "text"])
    documents = shared = whole = 0
    for texts in _apart(arm.read()):
        clean = texts.filter(pc.invert(shares(texts, held)))
        documents, shared = documents + len(texts), shared + len(texts) - len(clean)
        whole += pc.sum(pc.binary_length(clean)).as_py() or 0
        some = pa.array(pieces(clean.to_pylist()), pa.string())
        more = pa.table([pa.array(draw.random(len(some))), some], ["draw", "text"])
        drawn = pa.concat_tables([drawn, more])
        if drawn["text"].nbytes > 2 * size + parts.BATCH:
            drawn = _least(drawn, size)
    if not whole:
        why = f"all {shared:,} documents share {RUN} words in a row with held-out texts"
        said = why if shared else "it holds no text"
        raise RecipeError(f"{arm.name}: nothing is left to train on: {said}")
    drawn = _least(drawn, size)
    if not arm.ordered:
        drawn = drawn.sort_by("draw")
    texts = drawn["text"].combine_chunks()
    return Sample(texts, documents, shared, whole, digest(texts))


def _apart(batches: Iterable[pa.StringArray]) -> Iterator[pa.StringArray]:
    """In smaller batches, without nulls and empty texts."""
    for texts in batches:
        full = texts.filter(pc.fill_null(pc.greater(pc.binary_length(texts), 0), False))
        for batch in parts.bounded(pa.record_batch({"text": full})):
            yield batch["text"]


def shares(texts: pa.StringArray, held: Sequence[str]) -> pa.BooleanArray:
    """Whether each text shares a run of words with a held-out one."""
    batch = pa.record_batch({"text": texts, "words": words(texts)})
    return pc.greater(Overlap(tuple(held), RUN).measure(batch)["overlap"], 0)


def _least(drawn: pa.Table, size: int) -> pa.Table:
    """The rows with the smallest draws that hold so many bytes, in the order they came."""
    order = np.argsort(drawn["draw"].to_numpy(), kind="stable")
    sizes = pc.binary_length(drawn["text"]).to_numpy()[order]
    enough = int(np.searchsorted(np.cumsum(sizes, dtype=np.int64), size)) + 1
    return drawn.take(pa.array(np.sort(order[:enough]))).combine_chunks()


def digest(texts: pa.StringArray) -> str:
    """Of texts and where each ends."""
    found = hashlib.sha256()
    for text in texts.to_pylist():
        body = text.encode()
        found.update(len(body).to_bytes(8, "little") + body)
    return found.hexdigest()[:16]
