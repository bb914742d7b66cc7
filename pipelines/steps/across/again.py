"""Again: what the edits across documents changed, and nothing else, is measured and judged anew.

Measures that look at the edited text are made for the rows that changed, and the rules decide once
more.  What was measured first stays where it is; see `pipelines.runs.latest`.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import RULES
from pipelines.steps import rules
from pipelines.steps.across import boilerplate, passages
from pipelines.steps.scan import Work, is_edited, reads_files

DEAD = "dead/again"
NOTHING_LEFT = "nothing left"
"""The reason of a document all of whose text stands in documents before."""


def measured(recipe: Recipe) -> list[str]:
    """The tables of the measures that look at what edits change."""
    return [table_of(n) for n, m in selected(recipe).measures.items() if is_edited(n, m)]


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The rows that changed, of every measure and of the reasons, under one fingerprint."""
    again = [*measured(recipe), rules.TABLE]
    seen = run.marks((passages.TABLE, *again))
    return dict.fromkeys([*map(latest.again, again), DEAD], fingerprint(seen))


def mark(run: Run, recipe: Recipe) -> list[str]:
    """What stands for all that changed in the fingerprints of later steps."""
    return list(STEP.made(run, recipe).values())[:1]


def measure(job: Job, key: int, _: Batches) -> Done:
    """Measure and judge the rows of one part that changed."""
    work = Work(job.run, job.recipe, measured(job.recipe))
    edits = job.run.open_part(passages.TABLE, key).read()
    rows = edits["row"].to_numpy().astype(np.int64)
    beside = {"edits": edits["edits"].combine_chunks()}
    if "paragraphs" in work.scan.measures:
        table = job.run.open_part(table_of("paragraphs"), key).read(["paragraphs"])
        beside["paragraphs"] = table["paragraphs"].combine_chunks().take(pa.array(rows))
    empty = [np.empty(0, np.bool_)]
    for here, batch in parts.picked(job.run, "documents", key, work.reads, rows):
        within = slice(*np.searchsorted(rows, [here[0], here[-1] + 1]))
        for name, column in beside.items():
            batch = batch.append_column(name, column[within])
        text = work.measure(batch)["text"]
        bare = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(text)), 0)
        empty.append(pc.fill_null(bare, False).to_numpy(zero_copy_only=False))
    made = {t: pa.Table.from_batches(b, work.schemas[t]) for t, b in work.made.items()}
    made[rules.TABLE] = _judged(job, key, rows, made, pa.array(np.concatenate(empty)))
    done = Done(counts=work.counts)
    for reason in made[rules.TABLE]["reason"].drop_null().value_counts().to_pylist():
        done.counts[reason["values"]] += reason["counts"]
    for table, columns in made.items():
        done.parts |= latest.write(job.run, table, key, rows, columns)
    letters = [letter for each in work.dead.values() for letter in each]
    done.parts[DEAD] = parts.write_dead(job.run, DEAD, key, letters)
    done.counts["changed"] = len(rows)
    return done


def _judged(
    job: Job, key: int, rows: NDArray[np.int64], made: Mapping[str, pa.Table], empty: pa.Array
) -> pa.Table:
    """The reasons of some rows of a part, by what was measured again where it was."""
    columns: dict[str, pa.ChunkedArray] = {}
    for table, names in rules.homes(job.recipe).items():
        first = table not in made
        read = job.run.columns(key, {table: names}).take(pa.array(rows)) if first else made[table]
        columns.update({name: read[name] for name in names})
    reasons = rules.judged(pa.table(columns), len(rows), job.recipe)
    nothing = pc.and_(pc.is_null(reasons), empty)
    return pa.table([pc.if_else(nothing, NOTHING_LEFT, reasons)], schema=RULES)


def forget(run: Run, recipe: Recipe) -> None:
    """Unseal what was measured again for another recipe, so that it stands in nobody's place."""
    made = {step.name: step.made(run, recipe) for step in (boilerplate.STEP, passages.STEP, STEP)}
    known = set().union(*made.values())
    old = [t for t in run.manifest.tables if t.startswith("again/") or t == DEAD]
    gone = [t for t in old if t not in known]
    if gone:
        run.unseal(gone)
    for name, some in made.items():
        if not some:
            run.manifest.steps.pop(name, None)


STEP = Step(
    "again",
    "what they changed",
    tables,
    (measure,),
    wanted=lambda recipe: bool(selected(recipe).across),
    files=lambda recipe: 1 + len(measured(recipe)),
    reads=reads_files,
)
