"""Documents to look at: a few for each reason, the same ones every time."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines import sql
from pipelines.recipe import Recipe
from pipelines.recipe.measures import selected
from pipelines.runs import Run, latest
from pipelines.runs.tables import DECISIONS_TABLE, EDITS_TABLE
from pipelines.schema import drawn

MANY = 5  # documents a reason
LENGTH = 600  # characters of text shown, about
NO_VALUE = ": no value"

Address = tuple[int, int, int]
"""The number drawn for a document, its part, its row."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text.

    Attributes:
        reason: why it is cut or replaced; None: it stays.
        replacement: what stands in its place.
    """

    text: str
    reason: str | None = None
    replacement: str = ""


@dataclass(frozen=True)
class Sample:
    """A document to look at.

    Attributes:
        key: its URL, else the user's own id, else its id.
        values: the columns that decided, by name.
        pieces: the beginning of its text.
        more: characters that are not shown.
    """

    id: str
    key: str
    source: str
    offset: int
    values: Mapping[str, Any]
    pieces: tuple[Piece, ...]
    more: int


@dataclass
class Decided:
    """What the decisions come to.

    Attributes:
        reasons: documents by reason; None: kept.
        splits: documents by split.
        drawn: which documents to look at, by reason.
    """

    reasons: Counter[str | None] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    drawn: dict[str | None, list[Address]] = field(default_factory=dict)


def decided(run: Run, seed: int) -> Decided:
    """Go through the decisions, part by part."""
    found = Decided()
    for part in range(run.parts):
        rows = run.columns(part, {DECISIONS_TABLE: ["id", "reason", "split"]})
        draws = drawn(rows["id"].combine_chunks(), seed)
        reasons = rows["reason"].combine_chunks().dictionary_encode(null_encoding="encode")
        codes = reasons.indices.to_numpy()
        for code, reason in enumerate(reasons.dictionary.to_pylist()):
            (here,) = np.nonzero(codes == code)
            found.reasons[reason] += len(here)
            first = here[np.argsort(draws[here], kind="stable")[:MANY]]
            fresh = [(int(draws[row]), part, int(row)) for row in first]
            merged = [*found.drawn.get(reason, []), *fresh]
            found.drawn[reason] = heapq.nsmallest(MANY, merged)
        for count in rows["split"].drop_null().value_counts().to_pylist():
            found.splits[count["values"]] += count["counts"]
    return found


def sample(run: Run, recipe: Recipe, reason: str | None, address: Address) -> Sample:
    """One document; nothing but its own row groups is read."""
    _, part, row = address
    wanted = ["id", "url", "source_key", "source", "offset", "text"]
    document = latest.row(run, "documents", part, row, wanted)
    edits = None
    if EDITS_TABLE in run.manifest.tables:
        edits = latest.row(run, EDITS_TABLE, part, row, ["edits"])["edits"]
    text = str(document["text"])
    pieces = shown(text, edits or [])
    return Sample(
        id=document["id"],
        key=document["url"] or document["source_key"] or document["id"],
        source=document["source"],
        offset=document["offset"],
        values=_values(run, recipe, reason, part, row),
        pieces=pieces,
        more=len(text) - sum(len(piece.text) for piece in pieces),
    )


def _values(run: Run, recipe: Recipe, reason: str | None, part: int, row: int) -> dict[str, Any]:
    """The columns that the deciding rule names; for a kept document, those that any rule names."""
    if reason is None:
        rules = list(recipe.rules.values())
    else:
        rule = recipe.rules.get(reason, recipe.rules.get(reason.removesuffix(NO_VALUE)))
        rules = [rule] if rule is not None else []
    named = dict.fromkeys(c for rule in rules for c in sql.columns(rule, "[rules]"))
    values: dict[str, Any] = {}
    for table, columns in selected(recipe).homes(named).items():
        values |= latest.row(run, table, part, row, columns)
    cluster = latest.row(run, DECISIONS_TABLE, part, row, ["cluster"])["cluster"]
    ordered = {name: values[name] for name in named}
    return ordered | ({"kept instead": cluster} if cluster is not None else {})


def shown(text: str, edits: Sequence[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """The first `LENGTH` characters of a raw text, in pieces that stay, go or are replaced.

    Args:
        text: raw.
        edits: of `filters.EDITS`: bytes of its UTF-8, sorted and disjoint.
    """
    body = text.encode()
    pieces, at, left = [], 0, LENGTH
    for edit in [*edits, {"start": len(body), "end": len(body), "reason": None}]:
        start, end = edit["start"], edit["end"]
        for first, last, reason in ((at, start, None), (start, end, edit["reason"])):
            stretch = body[first:last].decode(errors="replace")[:left]
            if stretch:
                gone = reason is not None
                replacement = str(edit.get("replacement") or "") if gone else ""
                pieces.append(Piece(stretch, str(reason) if gone else None, replacement))
            left -= len(stretch)
        at = end
        if left <= 0:
            break
    return tuple(pieces)
