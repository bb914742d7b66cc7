"""Count: measures that go by the whole corpus have it counted, in whole numbers that add up.

A task counts some parts of the documents, as edited; what it found goes in slices to the keys that
add them up, one file a slice: ``models/<measure>.corpus/00.bin``.  How many tasks there are follows
from the corpus, so what travels does not grow with it.  What the recipe gives such a measure, a
sample of a target, was counted by `fit`.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import Counting, Measure
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Plan, Step
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.recipe.measures import Scan, mark, selected
from pipelines.runs import Part, Run, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE
from pipelines.schema import DOCUMENTS
from pipelines.steps import fit, scan

VERSION = 1
TASKS = 64  # that count, at most
SLICES = 16  # that counts are added in

Counts = NDArray[np.int64]


def counters(recipe: Recipe) -> dict[str, Counting]:
    """The measures of a recipe that count the corpus, by name."""
    return {n: m for n, m in selected(recipe).measures.items() if isinstance(m, Counting)}


def beside(chosen: Scan, measures: Mapping[str, Measure]) -> list[str]:
    """Columns of other measures that some measures look at."""
    needs = {c for each in measures.values() for c in each.needs}
    made = {c for each in chosen.measures.values() for c in each.columns.names}
    return sorted((needs & made) - {*scan.MADE, *DOCUMENTS.names})


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The counts of each measure, by what it looks at."""
    chosen, mine = selected(recipe), counters(recipe)
    return {
        fit.counted(name): fingerprint(
            VERSION,
            mark(chosen.measures[name]),
            *run.marks(seen(chosen, name)),
        )
        for name in mine
    }


def seen(chosen: Scan, name: str) -> list[str]:
    """The tables that decide what a counter sees."""
    columns = beside(chosen, {name: chosen.measures[name]})
    return ["documents", EDITS_TABLE, *chosen.homes(columns)]


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Tasks, and slices of the counts of each measure."""
    return [min(TASKS, corpus.parts), SLICES * len(counters(recipe))]


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task some parts."""
    count, *keys = sizes(recipe, Corpus.of(run))
    some = np.array_split(np.arange(run.parts), count)
    return Plan([part.tolist() for part in some], keys)


def tally(job: Job, key: int, _: Batches) -> Done:
    """What some parts hold, in slices."""
    mine = {n: m for n, m in counters(job.recipe).items() if fit.counted(n) in job.stale}
    total: dict[str, Counts] = {}
    done = Done()
    for part in job.plan.tasks[key]:
        for batch in ready(job.run, job.recipe, part, list(mine)):
            done.counts["documents"] += batch.num_rows
            for name, each in mine.items():
                found = _counted(name, each, batch)
                total[name] = total[name] + found if name in total else found
    done.out = _sliced(list(counters(job.recipe)), total)
    return done


def _counted(name: str, counter: Counting, batch: pa.RecordBatch) -> Counts:
    """The counts of a batch.

    Raises:
        RunError: if it fails on them.
    """
    try:
        return counter.count(batch)
    except Exception as error:  # it may be anybody's
        raise RunError(f"[measure] {name}: {type(error).__name__}: {error}") from error


def _sliced(names: list[str], total: Mapping[str, Counts]) -> Iterator[tuple[int, pa.RecordBatch]]:
    for name, counts in total.items():
        first = SLICES * names.index(name)
        for number, some in enumerate(np.array_split(counts, SLICES)):
            yield first + number, pa.record_batch({"count": some})


def ready(run: Run, recipe: Recipe, part: int, names: list[str]) -> Iterator[pa.RecordBatch]:
    """The documents of one part with what some counters look at."""
    chosen = selected(recipe)
    measures = {name: chosen.measures[name] for name in names}
    needs = {c for each in measures.values() for c in each.needs}
    own = [c for c in DOCUMENTS.names if c in needs and c not in scan.ROW]
    tables = {EDITS_TABLE: ["edits"], **chosen.homes(beside(chosen, measures))}
    for batch in parts.beside(run, part, [*scan.ROW, *own], run.columns(part, tables)):
        yield scan.tokenised(scan.with_edits(batch), needs)


def add(job: Job, key: int, batches: Batches) -> Done:
    """One slice of the counts of one measure."""
    name = list(counters(job.recipe))[key // SLICES]
    table, done = fit.counted(name), Done()
    if table not in job.stale:
        return done
    total = sum((b["count"].to_numpy() for b in batches), np.zeros(1, np.int64))
    with job.run.folder.create(f"{table}/{key % SLICES:02d}.bin") as sink:
        sink.write(fit.packed(total))
    done.parts[table] = [Part(f"{key % SLICES:02d}.bin", 0, sink.size, sink.sha256)]
    return done


STEP = Step(
    "count",
    "words of the corpus",
    tables,
    (tally, add),
    wanted=lambda recipe: bool(counters(recipe)),
    sizes=sizes,
    plan=plan,
    exchanges=(0, 0.1),
    held=((add, 2),),
    files=lambda recipe: 0,
)
