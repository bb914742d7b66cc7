"""Scan: text in, columns out.  Paragraphs, then edits, then every other measure on the edited text.

One task is one part of the documents.  Only what is stale is measured, so a changed option costs
its own measure alone.  The one tokenisation is made here and handed to all.  A batch that fails is
halved until the row is found; that row keeps its place, has null columns, and is a dead letter.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import EDITS, Counting, Edit, Measure
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.errors import KarezError
from pipelines.recipe import Recipe, given
from pipelines.recipe.measures import mark, selected, table_of
from pipelines.runs import Run, parts
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import EDITS_TABLE, LETTERS
from pipelines.schema import DOCUMENTS
from pipelines.steps import edited, fit

EDITS_SCHEMA = pa.schema([("edits", EDITS)])
ROW = ("id", "source", "offset", "text")
MADE = ("text", "words", "paragraphs", "edits")  # what a batch holds beside columns

Letters = list[tuple[object, ...]]


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """Columns and dead letters of each measure, and of the edits, by what each looks at."""
    scan = selected(recipe)
    documents = run.table("documents").fingerprint
    paragraphs = scan.measures.get("paragraphs")
    before = fingerprint(documents, mark(paragraphs) if paragraphs else None)
    edits = fingerprint(before, [[name, mark(edit)] for name, edit in scan.edits.items()])
    made = {EDITS_TABLE: edits}
    models = fit.tables(run, recipe)
    for name, measure in scan.measures.items():
        if isinstance(measure, Counting):  # `pipelines.steps.score` measures these
            continue
        over = edits if is_edited(name, measure) else before
        learned = models.get(fit.table_of(name))
        made[table_of(name)] = fingerprint(over, mark(measure), *filter(None, [learned]))
    return made | {dead_of(table): mark for table, mark in made.items()}


def is_edited(name: str, measure: Measure) -> bool:
    """Whether a measure looks at what edits change."""
    return name != "paragraphs" and bool({"text", "words", "edits"} & set(measure.needs))


def dead_of(table: str) -> str:
    """The table of dead letters beside a table of columns."""
    return f"{LETTERS}{table.rpartition('/')[2]}"


def reads_files(recipe: Recipe) -> bool:
    """Whether a measure reads files that the recipe names; one that is learned has its model."""
    learned = fit.learners(recipe)
    measures = selected(recipe).measures.items()
    return any(given.names_any(measure) for name, measure in measures if name not in learned)


def measure(job: Job, key: int, _: Batches) -> Done:
    """Measure one part."""
    work = Work(job.run, job.recipe, job.stale)
    for batch in parts.batches(job.run, "documents", key, work.reads):
        work.take(batch)
    return work.done(key)


class Work:
    """What one task measures, and what came out so far.

    Attributes:
        reads: the columns of the documents that it needs.
        made: the columns that came out, by their tables.
        dead: the dead letters.
    """

    def __init__(self, run: Run, recipe: Recipe, tables: Collection[str]) -> None:
        """Measure what belongs into these tables, by the models of the run."""
        self.run, self.scan = run, selected(recipe)
        mine = {n: m for n, m in self.scan.measures.items() if table_of(n) in tables}
        self.wanted = {name: fit.ready(run, name, measure) for name, measure in mine.items()}
        self.schemas = {table_of(n): m.columns for n, m in self.wanted.items()}
        if EDITS_TABLE in tables:
            self.schemas[EDITS_TABLE] = EDITS_SCHEMA
        self.made: dict[str, list[pa.RecordBatch]] = {table: [] for table in self.schemas}
        self.dead: dict[str, list[tuple[object, ...]]] = {table: [] for table in self.schemas}
        self.needs = {c for m in self.wanted.values() for c in m.needs}
        own = self.needs & set(DOCUMENTS.names) - set(ROW)
        self.reads = [*ROW, *sorted(own)]
        self.counts: Counter[str] = Counter()

    def done(self, key: int) -> Done:
        """All of it, written as part `key`."""
        done = Done(counts=self.counts)
        for table, batches in self.made.items():
            columns = pa.Table.from_batches(batches, self.schemas[table])
            done.parts[table] = [parts.write_columns(self.run, table, key, columns)]
            done.parts[dead_of(table)] = parts.write_dead(
                self.run, dead_of(table), key, self.dead[table]
            )
        return done

    def take(self, batch: pa.RecordBatch) -> None:
        """Edit a batch and measure it."""
        self.counts.update({"documents": batch.num_rows, "bytes": batch["text"].nbytes})
        self.measure(self._raw(batch))

    def measure(self, raw: pa.RecordBatch) -> pa.RecordBatch:
        """Measure a batch that has its paragraphs and edits; the same with its texts edited."""
        ready = tokenised(self._edited(raw), self.needs)
        for name, each in self.wanted.items():
            if name != "paragraphs":
                found = self._guarded(ready, each.measure, each.columns)
                self._keep(table_of(name), found)
                for column in self.needs.intersection(each.columns.names).difference(MADE):
                    ready = ready.append_column(column, found[0][column])  # for those after it
        return ready

    def _raw(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its paragraphs and edits."""
        first = self.scan.measures.get("paragraphs")
        if first is not None:
            found = self._guarded(batch, first.measure, first.columns)
            batch = batch.append_column("paragraphs", found[0]["paragraphs"])
            self._keep(table_of("paragraphs"), found)
        edits = self.scan.edits
        found = self._guarded(batch, lambda b: all_edits(b, edits), EDITS_SCHEMA)
        self._keep(EDITS_TABLE, found)
        self.counts += edited.counted(found[0]["edits"])
        return batch.append_column("edits", found[0]["edits"])

    def _edited(self, raw: pa.RecordBatch) -> pa.RecordBatch:
        text, letters = self._guarded(raw, edited_text, pa.schema([("text", pa.string())]))
        self._keep(EDITS_TABLE, (None, letters))
        return raw.set_column(raw.schema.get_field_index("text"), "text", text["text"])

    def _keep(self, table: str, found: tuple[pa.RecordBatch | None, Letters]) -> None:
        """Put columns and dead letters where they belong, if the table is being made."""
        if table in self.made:
            if found[0] is not None:
                self.made[table].append(found[0])
            self.dead[table] += found[1]
            self.counts["dead"] += len(found[1])

    def _guarded(
        self,
        batch: pa.RecordBatch,
        do: Callable[[pa.RecordBatch], pa.RecordBatch],
        schema: pa.Schema,
    ) -> tuple[pa.RecordBatch, Letters]:
        """The columns of a batch, nulls in the rows that fail, and a letter for each of these."""
        try:
            return do(batch).cast(schema), []
        except KarezError:  # a file that it is given; this is not about a row
            raise
        except Exception as error:  # a measure may be anybody's: whatever it raises is about a row
            if isinstance(error, MemoryError) and batch.num_rows == 1:  # nor is this
                raise
            if batch.num_rows != 1:
                middle = batch.num_rows // 2
                halves = [self._guarded(b, do, schema) for b in (batch[:middle], batch[middle:])]
                whole = pa.Table.from_batches([h[0] for h in halves], schema).combine_chunks()
                return whole.to_batches()[0], halves[0][1] + halves[1][1]
            source, offset, id_ = (batch[name][0].as_py() for name in ("source", "offset", "id"))
            what = f"{type(error).__name__}: {error}"[:200]
            nulls = [pa.nulls(1, f.type) for f in schema]
            return pa.record_batch(nulls, schema=schema), [
                (source, offset, "not measured", what, id_)
            ]


def tokenised(batch: pa.RecordBatch, needs: Collection[str]) -> pa.RecordBatch:
    """A batch of edited texts with their words, where these are needed."""
    if "words" not in needs:
        return batch
    from filters.words import words

    return batch.append_column("words", words(batch["text"]))


def all_edits(batch: pa.RecordBatch, edits: Mapping[str, Edit]) -> pa.RecordBatch:
    """One list of edits a text, those of all edits merged."""
    from filters.edits import merge

    if not edits:
        empty = pa.array([[]] * batch.num_rows, EDITS)
        return pa.record_batch([empty], names=["edits"])
    merged = merge([edit.edit(batch) for edit in edits.values()])
    return pa.record_batch([merged], names=["edits"])


def texts(
    run: Run,
    part: int,
    rows: NDArray[np.int64],
    columns: Sequence[str] = ("text",),
    read: Callable[..., pa.Table] = Run.columns,
) -> Iterator[tuple[NDArray[np.int64], pa.RecordBatch]]:
    """Some rows of one part with their texts edited, in batches, each with which rows it holds.

    Args:
        run: scanned.
        part: its number.
        rows: sorted, each once.
        columns: of the documents; beside these are the edits.
        read: reads the edits: those of the scan, or `pipelines.runs.latest.columns`.
    """
    edits = read(run, part, {EDITS_TABLE: ["edits"]})["edits"].combine_chunks()
    for here, batch in parts.picked(run, "documents", part, columns, rows):
        yield here, with_edits(batch.append_column("edits", edits.take(pa.array(here))))


def with_edits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows, the edits made in their texts."""
    at = batch.schema.get_field_index("text")
    return batch.set_column(at, "text", edited_text(batch)["text"])


def edited_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The texts with their edits made; a text without edits is not copied."""
    from filters.edits import apply

    return pa.record_batch([apply(batch["text"], batch["edits"])], names=["text"])


STEP = Step(
    "scan",
    "documents to columns",
    tables,
    (measure,),
    files=lambda recipe: 1 + len(selected(recipe).measures),
    reads=reads_files,
)
