"""Measures and edits by name: those that ship, and a user's own as ``package.module:thing``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import pyarrow as pa

from filters import Edit, Measure
from pipelines import sql
from pipelines.errors import RecipeError, nearest
from pipelines.recipe import Recipe, given
from pipelines.recipe.named import code_of, thing
from pipelines.recipe.strategies import strategy
from pipelines.schema import DOCUMENTS

MEASURES = {
    "paragraphs": "filters.language:Paragraphs",
    "language": "filters.language:Language",
    "quality": "filters.quality:Quality",
    "repetition": "filters.repetition:Repetition",
    "c4": "filters.c4:C4",
    "entropy": "filters.entropy:Entropy",
    "tokens": "filters.tokens:Tokens",
    "site": "filters.urls:Site",
    "exact": "filters.exact:Exact",
    "minhash": "filters.minhash:MinHash",
    "overlap": "filters.overlap:Overlap",
    "listed": "filters.listed:Listed",
    "blocklist": "filters.blocklist:Blocklist",
    "classifier": "filters.classify:Classify",
    "perplexity": "filters.perplexity:Perplexity",
    "causal": "filters.causal:Causal",
    "ngrams": "filters.hashed:Ngram",
    "importance": "filters.importance:Importance",
    "diversity": "filters.diversity:Diversity",
    "features": "filters.features:Features",
}
EDITS = {
    "repeated_lines": "filters.lines:RepeatedLines",
    "repeated_blocks": "filters.blocks:RepeatedBlocks",
    "c4_lines": "filters.c4_lines:C4Lines",
    "personal_data": "filters.personal:PersonalData",
    "foreign": "filters.foreign:Foreign",
}
ACROSS = {
    "boilerplate": "filters.boilerplate:Boilerplate",
    "repeated_paragraphs": "filters.passages:RepeatedParagraphs",
    "repeated_passages": "filters.passages:RepeatedPassages",
}
"""Edits that look across documents: a step of their own makes them."""

ALWAYS = ("language", "tokens")  # what every published row says
PLAIN = [f.name for f in DOCUMENTS if f.name != "text"]  # what rules may name


def made(name: str, options: Any, known: Mapping[str, str], where: str, base: str = ".") -> Any:
    """The value that a name and its options stand for; files in these are relative to `base`."""
    if not isinstance(options, Mapping):
        raise RecipeError(f"{where}: {name}: want a table of options such as {{}}, got {options!r}")
    options = dict(options)
    kind = thing(_kind(name, options, known, where), known, where)
    try:
        value = kind(**_named_so(name, kind), **given.opened(kind, options, base))
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {name}: {error}") from error
    own = "fitted" if hasattr(value, "fitted") else "measure"  # what is fitted measures
    asked = ("needs", "columns", own) if known is MEASURES else ("needs", "edit")
    missing = name not in ACROSS and [
        attribute for attribute in asked if not hasattr(value, attribute)
    ]
    if missing:
        raise RecipeError(f"{where}: {name} lacks {' and '.join(missing)}; see docs/recipe.md")
    return value


def _kind(name: str, options: dict[str, Any], known: Mapping[str, str], where: str) -> str:
    """What a name stands for: itself, or what its option `is` says, which is taken out.

    Raises:
        RecipeError: if it would stand for another than the one of that name.
    """
    if "is" not in options:
        return name
    kind = options.pop("is")
    if not isinstance(kind, str):
        raise RecipeError(f"{where}: {name}: is: want the name of a measure, got {kind!r}")
    if name in known and kind != name:
        raise RecipeError(f"{where}: {name} is a name of ours; call yours another")
    return kind


def _named_so(name: str, kind: Any) -> dict[str, str]:
    """The option by which a measure knows its name, if it has one: its columns are called so."""
    options = fields(kind) if is_dataclass(kind) else ()
    return {f.name: name for f in options if f.metadata.get("named")}


def mark(thing: Measure | Edit) -> list[object]:
    """What decides the values of a measure or an edit: its code and options."""
    plain = type(thing).__repr__ is object.__repr__  # it would hold an address in memory
    options = repr(sorted(vars(thing).items())) if plain else repr(thing)
    return [*code_of(type(thing), getattr(thing, "version", None)), options]


@dataclass(frozen=True)
class Scan:
    """What a recipe measures.

    Attributes:
        measures: by name; paragraphs, if wanted, are measured first and on the raw text.
        edits: by name, in written order.
        across: options of the edits that look across documents, by name.
    """

    measures: Mapping[str, Measure]
    edits: Mapping[str, Edit]
    across: Mapping[str, Any] = field(default_factory=dict)

    def home(self, column: str) -> str | None:
        """The table that holds a column; None if no measure makes it."""
        if column in PLAIN:
            return "documents"
        for name, measure in self.measures.items():
            if column in measure.columns.names:
                return table_of(name)
        return None

    def schema(self, columns: Iterable[str]) -> pa.Schema:
        """The fields of some columns, of a measure's or of the documents."""
        made = {f.name: f for measure in self.measures.values() for f in measure.columns}
        return pa.schema([made.get(c) or DOCUMENTS.field(c) for c in columns])

    def homes(
        self, columns: Iterable[str], first: Mapping[str, Sequence[str]] = {}
    ) -> dict[str, list[str]]:
        """Columns by their tables, each once, behind those that come first."""
        found = {table: list(names) for table, names in first.items()}
        for column in columns:
            table = self.home(column)
            assert table is not None, column  # noqa: S101 (checked with the recipe)
            if column not in found.setdefault(table, []):
                found[table].append(column)
        return found


def selected(recipe: Recipe, anew: bool = False) -> Scan:
    """The measures and edits of a recipe; see `_selected`.

    They are found once a process, unless the files that they are given are to be seen `anew`.
    """
    key = repr(recipe)
    if anew or key not in _FOUND:
        _FOUND.clear()
        _FOUND[key] = _selected(recipe)
    return _FOUND[key]


_FOUND: dict[str, Scan] = {}


def _selected(recipe: Recipe) -> Scan:
    """The measures and edits that a recipe names or that its rules and steps bring along.

    Raises:
        RecipeError: if a rule or `[publish]` names an unknown column, a measure or edit is unknown
            or refuses its options, or two measures make one column.
    """
    known = {**MEASURES, **{name: name for name in recipe.measure}}
    every = {
        name: made(name, recipe.measure.get(name, {}), MEASURES, "[measure]", recipe.base)
        for name in known
    }
    makers: dict[str, list[str]] = {}
    for name, measure in every.items():
        for column in measure.columns.names:
            makers.setdefault(column, []).append(name)
    wanted = _brought(recipe, makers)
    editors = {
        name: made(name, options, EDITS | ACROSS, "[edits]")
        for name, options in recipe.edits.items()
    }
    across = {name: edit for name, edit in editors.items() if name in ACROSS}
    edits = {name: edit for name, edit in editors.items() if name not in ACROSS}
    if any("paragraphs" in each.needs for each in [*map(every.get, wanted), *edits.values()]):
        wanted.add("paragraphs")
    _refuse_twins(wanted, makers)
    return Scan({name: every[name] for name in every if name in wanted}, edits, across)


def _brought(recipe: Recipe, makers: Mapping[str, list[str]]) -> set[str]:
    """Names of the measures that are named, or brought by a step or by a column that is named."""
    wanted = {*recipe.measure, *ALWAYS}
    if recipe.dedup is not None:
        wanted |= {"exact", "minhash"}
    if len(recipe.publish.splits) > 1 or "boilerplate" in recipe.edits:
        wanted.add("site")
    if recipe.checks_held_out:
        wanted.add("minhash")
    for column, where in _named(recipe):
        if column not in PLAIN:
            if column not in makers:
                near = nearest(column, [*makers, *PLAIN])
                raise RecipeError(f"{where}: unknown column {column!r}; {near}")
            if not wanted & set(makers[column]):
                wanted.add(makers[column][0])
    return wanted


def _named(recipe: Recipe) -> list[tuple[str, str]]:
    """Each column that the recipe names, and where."""
    named = [
        (column, f"[rules] {rule}")
        for rule, text in recipe.rules.items()
        for column in sql.columns(text, f"[rules] {rule}")
    ]
    keep = recipe.dedup.order if recipe.dedup is not None else []
    named += [(column, "[dedup] keep") for column, _ in keep]
    if recipe.cap is not None:
        named.append((recipe.cap.per, "[cap] per"))
        named += [(column, "[cap] keep") for column, _ in recipe.cap.order]
    for number, select in enumerate(recipe.select, 1):
        asked = [*strategy(select, number).needs, *([select.per] if select.per else [])]
        named += [(column, f"[[select]] {number}") for column in asked if column != "text"]
    if recipe.curriculum is not None:
        named.append((recipe.curriculum.column, "[curriculum] by"))
    return [*named, *((column, "[publish] columns") for column in recipe.publish.columns)]


def _refuse_twins(wanted: Iterable[str], makers: Mapping[str, list[str]]) -> None:
    for column, names in makers.items():
        both = [name for name in names if name in wanted]
        if column in DOCUMENTS.names and both:
            raise RecipeError(
                f"[measure] {both[0]}: column {column!r} is one of the documents' own"
            )
        if len(both) > 1:
            raise RecipeError(f"[measure]: {' and '.join(both)} both make a column {column!r}")


def table_of(measure: str) -> str:
    """The table of a measure."""
    return f"columns/documents/{measure.replace(':', '.')}"
