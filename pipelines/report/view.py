"""View: a run gathered into what its report shows.

Columns are read part by part, and of the texts only those that are shown.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.crawl import told
from pipelines.prove import PROOF
from pipelines.recipe import Recipe
from pipelines.recipe.measures import PLAIN, selected, table_of
from pipelines.recipe.text import of_run
from pipelines.report import duplicates, samples
from pipelines.report.spread import Numbers, spread
from pipelines.report.tally import Values
from pipelines.runs import Run
from pipelines.runs.tables import LETTERS, marked
from pipelines.steps import decide, edited, order, rules
from pipelines.steps.languages import Language, Loss, listed, losses


@dataclass(frozen=True)
class Reason:
    """Why documents were dropped.

    Attributes:
        rule: its SQL, if it is a rule.
        samples: a few of them; of those kept, where the name is "kept".
    """

    name: str
    rule: str | None
    documents: int
    samples: tuple[samples.Sample, ...]


@dataclass(frozen=True)
class Letters:
    """Dead letters of one reason, with where the first of them stands."""

    step: str
    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class Group:
    """The columns of a measure."""

    name: str
    columns: tuple[Numbers | Values, ...]


@dataclass(frozen=True)
class Worked:
    """What a step did; rows: None where they are not known."""

    name: str
    tells: str
    seconds: float
    cpu: float
    rows: int | None


@dataclass(frozen=True)
class View:
    """All that the report shows.

    Attributes:
        recipe: its text, as it was run.
        stale: whether recipe or measures have changed since the decisions were taken.
        version: of karez, that published; None: nothing is published.
        origin: the run whose documents these are, if another's.
        reasons: the rules in written order, then the rest.
        splits: name, documents, bytes of text.
        languages: the most frequent first.
        losses: what takes much more of one language than of the others.
        edits: by reason, the most frequent first.
        skipped: records that are no documents, by kind.
        fetched: URLs of the crawl, by what became of them; empty without one.
        proof: what `karez prove` found, if it was asked.
    """

    name: str
    place: str
    recipe: str
    stale: bool
    version: str | None
    origin: str | None
    documents: int
    tokens: int
    reasons: tuple[Reason, ...]
    kept: Reason
    splits: tuple[tuple[str, int, int], ...]
    languages: tuple[Language, ...]
    losses: tuple[Loss, ...]
    edits: tuple[edited.Edited, ...]
    dead: tuple[Letters, ...]
    skipped: tuple[tuple[str, int], ...]
    fetched: tuple[tuple[str, int], ...]
    groups: tuple[Group, ...]
    steps: tuple[Worked, ...]
    twins: duplicates.Twins | None
    proof: dict[str, Any] | None


def gather(run: Run) -> View:
    """What there is to show of a run.

    Raises:
        RunError: if the run has not come as far as decisions, or is damaged.
    """
    recipe = of_run(run.folder)
    manifest = run.manifest
    decided = samples.decided(run, recipe.seed)

    def reason(name: str | None, rule: str | None) -> Reason:
        chosen = [samples.sample(run, recipe, name, a) for a in decided.drawn.get(name, [])]
        return Reason(name or "kept", rule, decided.reasons[name], tuple(chosen))

    counts = {name: step["counts"] for name, step in manifest.steps.items()}
    sizes = counts.get("decide", {})
    spoken = listed(sizes)
    published = "dataset/manifest.json"
    shipped = run.folder.read_json(published) if run.folder.exists(published) else {}
    return View(
        name=recipe.name,
        place=run.folder.path,
        recipe=run.folder.read("recipe.toml").decode(),
        stale=bool(run.stale({**rules.tables(run, recipe), **decide.tables(run, recipe)})),
        version=shipped.get("karez"),
        origin=manifest.facts.get("from"),
        documents=run.table("documents").rows,
        tokens=sizes.get("tokens", 0),
        reasons=tuple(reason(*pair) for pair in ordered(recipe, decided.reasons)),
        kept=reason(None, None),
        splits=tuple(
            (split, decided.splits[split], sizes.get(f"bytes: {split}", 0))
            for split in recipe.publish.splits
        ),
        languages=tuple(spoken),
        losses=tuple(losses(spoken, recipe)),
        edits=tuple(edited.listed(manifest.steps)),
        dead=_dead(run),
        skipped=_skipped(counts.get("ingest", {})),
        fetched=tuple(told.reasons(manifest.steps).most_common()),
        groups=_groups(run, recipe),
        steps=_steps(run),
        twins=duplicates.gather(run, recipe),
        proof=run.folder.read_json(PROOF) if run.folder.exists(PROOF) else None,
    )


def ordered(recipe: Recipe, counts: Mapping[str | None, int]) -> list[tuple[str, str | None]]:
    """(Reason, its rule): the rules in written order, duplicates, then the rest by count."""
    found: dict[str, str | None] = {}
    for name, rule in recipe.rules.items():
        found[name] = rule
        if name + samples.NO_VALUE in counts:
            found[name + samples.NO_VALUE] = None
    if recipe.dedup is not None:
        found["duplicate"] = None
    rest = sorted((-n, name) for name, n in counts.items() if name is not None)
    return list((found | {name: found.get(name) for _, name in rest}).items())


def _dead(run: Run) -> tuple[Letters, ...]:
    found: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for name, letters in run.dead().items():
        for index in range(len(letters.parts)):
            for batch in run.open_part(LETTERS + name, index).iter_batches():
                for row in batch.to_pylist():
                    key = (name, row["reason"])
                    found[key] += 1
                    where = f"{row['source']} at {row['offset']:,}"
                    first.setdefault(key, f"{where}: {row['detail']}" if row["detail"] else where)
    kinds = sorted(found, key=lambda key: (-found[key], key))
    return tuple(Letters(*key, found[key], first[key]) for key in kinds)


def _skipped(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    kinds = marked(counts, "skipped: ").items()
    return tuple(sorted(kinds, key=lambda pair: (-pair[1], pair[0])))


def _groups(run: Run, recipe: Recipe) -> tuple[Group, ...]:
    """The columns of each measure; of the documents' own the media type and what rules name."""
    tables = {
        name: (table_of(name), measure.columns.names)
        for name, measure in selected(recipe).measures.items()
        if table_of(name) in run.manifest.tables
    }
    named = {"media_type", *rules.named(recipe)}
    tables["documents"] = ("documents", [name for name in PLAIN if name in named])
    groups = [
        Group(name, tuple(spread(run, table, columns, recipe.rules)))
        for name, (table, columns) in tables.items()
    ]
    return tuple(group for group in groups if group.columns)


def _steps(run: Run) -> tuple[Worked, ...]:
    documents = run.table("documents").rows
    return tuple(
        Worked(
            step.name,
            step.tells,
            took["seconds"],
            took["cpu_seconds"],
            took["counts"].get("documents", documents if step.every else None),
        )
        for step in order.STEPS
        if (took := run.manifest.steps.get(step.name))
    )
