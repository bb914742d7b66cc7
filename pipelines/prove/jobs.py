"""The trainings of a proof: tokens of its arms, how many steps, and what is known already."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pipelines.errors import RecipeError
from pipelines.prove import PLACE, trainings
from pipelines.prove.arms import Arm, Sample, digest, sample
from pipelines.prove.figures import RANDOM
from pipelines.prove.sets import Set
from pipelines.runs import Run
from pipelines.trainer import job, tokens
from pipelines.trainer.job import Job
from pipelines.trainer.sizes import Size

POINTS = 12  # measured along the way
ROUNDS = 4  # that models go through the deduplicated corpus, unless told how many tokens
MOST = 100  # rounds that an arm is gone through at all
BYTES = 15  # of text drawn for a token: three times what it holds, so that seeds see others
LEARNED = 5_000_000  # bytes of `random` that byte pairs are learned from
DRAW = 0  # seed of what is drawn of an arm: more models do not change it
BATCH = 1000  # texts turned into tokens together


@dataclass(frozen=True)
class Ready:
    """An arm as it is trained on.

    Attributes:
        sample: of it.
        corpus: stem of the files of its tokens.
        tokens: in these.
    """

    arm: Arm
    sample: Sample
    corpus: str
    tokens: int

    def about(self, count: int) -> dict[str, float]:
        """What the table says of it, where models learn from so many tokens."""
        drawn = pc.sum(pc.binary_length(self.sample.texts)).as_py()
        return {
            "documents": self.sample.documents,
            "shared": self.sample.shared,
            "bytes": self.sample.size,
            "rounds": count / (self.tokens * self.sample.size / drawn),
        }


@dataclass(frozen=True)
class Prepared:
    """All that is trained on.

    Attributes:
        sets: of each held-out set the stem of its files, and its bytes.
        steps: that every model is trained for.
    """

    arms: list[Ready]
    sets: dict[str, tuple[str, int]]
    tokenizer: tokens.Tokenizer
    steps: int


def prepared(
    run: Run, arms: Sequence[Arm], sets: Sequence[Set], size: Size, wanted: int | None, place: Path
) -> Prepared:
    """Samples of the arms, without what is held out, as tokens of one tokenizer.

    Args:
        run: that keeps the tokenizer.
        arms: `random` is among them.
        sets: to measure on.
        size: of the models.
        wanted: tokens that each learns from; None: as many as suit.
        place: for tokens, while they are needed.

    Raises:
        RecipeError: if an arm has too little for it.
    """
    held = [text for each in sets for text in each.texts]
    much = (wanted or size.tokens) * BYTES
    samples = [sample(arm, held, much, DRAW) for arm in arms]
    random = next(s for arm, s in zip(arms, samples, strict=True) if arm.name == RANDOM)
    tokenizer = tokens.made(pairs(run, random, size))
    ready = []
    for number, (arm, drawn) in enumerate(zip(arms, samples, strict=True)):
        stem = str(place / f"arm-{number}")
        batches = (drawn.texts[i : i + BATCH] for i in range(0, len(drawn.texts), BATCH))
        count = len(tokens.write(batches, tokenizer, stem).tokens)
        ready.append(Ready(arm, drawn, stem, count))
    stems = {each.name: (str(place / f"set-{each.name}"), each.size) for each in sets}
    for each in sets:
        tokens.write([pa.array(each.texts)], tokenizer, stems[each.name][0])
    return Prepared(ready, stems, tokenizer, steps_of(ready, size, wanted))


def pairs(run: Run, drawn: Sample, size: Size) -> str:
    """The tokenizer of all arms, learned once from `random` and kept."""
    sizes = pc.cumulative_sum(pc.binary_length(drawn.texts).cast(pa.int64()))
    texts = drawn.texts[: 1 + (pc.sum(pc.less(sizes, LEARNED)).as_py() or 0)]
    name = f"{PLACE}/tokenizer-{digest(texts)}-{size.vocabulary}.json"
    if not run.folder.exists(name):
        run.folder.write(name, tokens.learned(texts.to_pylist(), size.vocabulary).encode())
    return run.folder.read(name).decode()


def steps_of(every: Sequence[Ready], size: Size, wanted: int | None) -> int:
    """Steps that every arm is trained for.

    Raises:
        RecipeError: if an arm does not fill a step, or would be gone through too often.
    """
    step = size.batch * size.length
    least = min(every, key=lambda one: one.tokens)
    if least.tokens <= step:
        raise RecipeError(
            f"{least.arm.name}: holds {least.tokens:,} tokens, and a step alone takes {step:,}"
        )
    random = next(one for one in every if one.arm.name == RANDOM)
    count = wanted or max(POINTS * step, min(size.tokens, ROUNDS * random.tokens))
    if count < POINTS * step:
        raise RecipeError(f"--tokens {count:,}: want {POINTS * step:,} at least, {POINTS} steps")
    if count > MOST * least.tokens:
        raise RecipeError(
            f"--tokens {count:,}: {least.arm.name} holds {least.tokens:,}, and would be gone "
            f"through more than {MOST} times; ask for {MOST * least.tokens:,} or fewer"
        )
    return count // step


def name_of(arm: str, seed: int) -> str:
    """A job's name."""
    return f"{arm} {seed}"


def jobs(run: Run, every: Prepared, sets: Sequence[Set], size: Size, seeds: int) -> dict[str, Job]:
    """A training an arm and seed, in the order they are begun: of one seed all arms."""
    contents = {each.name: digest(pa.array(each.texts)) for each in sets}
    contents["tokenizer"] = every.tokenizer.digest
    place = Path(run.folder.at(f"{PLACE}/models"))
    place.mkdir(parents=True, exist_ok=True)
    made = {}
    for seed in range(seeds):
        for one in every.arms:
            about = Job(
                asdict(size),
                every.tokenizer.vocabulary,
                one.corpus,
                every.sets,
                every.steps,
                POINTS,
                seed,
                one.arm.ordered,
                "",
            )
            mark = job.mark(about, {**contents, "corpus": one.sample.digest})
            made[name_of(one.arm.name, seed)] = replace(about, out=str(place / f"{mark}.json"))
    return made


def watched(jobs: Mapping[str, Job], size: Size, console: Console) -> dict[str, Any]:
    """Train what is not trained yet, and say how far it is.

    Returns:
        what came of each job.
    """
    done = {name for name, each in jobs.items() if Path(each.out).exists()}
    left = len({each.out for name, each in jobs.items() if name not in done})
    count = min(trainings.workers(size.device), max(1, left))
    each = next(iter(jobs.values())).steps * size.batch * size.length
    minutes = each * left / size.pace / count / 60
    console.print(
        f"{len(jobs)} models of {each:,} tokens, {len(done)} trained before; the others take about "
        f"{minutes:,.0f} min, {count} at a time",
        highlight=False,
    )
    columns = (BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    shown = TextColumn("{task.description}")
    with Progress(shown, *columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("prove    tokens to models", total=each * left)
        seen: dict[str, int] = {}

        def told(name: str, tokens: int) -> None:
            bars.advance(bar, tokens - seen.get(name, 0))
            seen[name] = tokens

        def ended(name: str) -> None:
            told(name, each)
            if not console.is_terminal:
                console.print(f"prove    {len(seen)} of {left} models done", highlight=False)

        return trainings.trained(jobs, count, told, ended)
