"""What stays when a run has forgotten: the user's files, models, documents that resemble it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.urls import host_and_path
from pipelines.errors import RecipeError
from pipelines.forget.emptied import Found
from pipelines.recipe import Recipe, given
from pipelines.runs import Run, parts
from pipelines.runs.refusals import BELOW, HOST, URL, Refusals, Target
from pipelines.runs.tables import WARC
from pipelines.steps import fit, sources
from pipelines.steps.dedup import clusters

LOOKED = 20_000  # names among which the nearest is looked for, at most


def read_from(run: Run, recipe: Recipe, found: Mapping[int, Found]) -> dict[str, int]:
    """The files that these documents were read from, but the run's own, and how many of each."""
    names = (name for each in found.values() for name in each.about["source"].to_pylist())
    return places(run, recipe, Counter(names))


def places(run: Run, recipe: Recipe, counts: Mapping[str, int]) -> dict[str, int]:
    """Where files stand that are known by their names, but the run's own."""
    known = dict(_places(recipe)) if counts else {}
    own = run.manifest.tables.get(WARC)
    ours = {part.name for part in own.parts} - known.keys() if own else set()
    return {known.get(n, n): count for n, count in sorted(counts.items()) if n not in ours}


def named(run: Run, known: Refusals) -> set[Target]:
    """What of it the recipe names: where a crawl starts, or what a rule asks for."""
    text = run.folder.read("recipe.toml").decode("utf-8", "replace")
    return known.among(*re.findall(r"""["']([^"'\n]+)["']""", text))


def _places(recipe: Recipe) -> Iterator[tuple[str, str]]:
    for source in recipe.source:
        try:
            yield from ((file.name, file.path) for file in sources.files(source, recipe.base))
        except RecipeError:  # it is no longer there
            continue


def models(run: Run, recipe: Recipe, found: Mapping[int, Found]) -> list[str]:
    """The measures that learned from one of these texts, word for word."""
    learners = fit.learners(recipe)
    if not learners or not found:
        return []
    texts = set[bytes]()
    for index, each in found.items():
        for _, batch in parts.picked(run, "documents", index, ["text"], each.rows):
            texts.update(map(_digest, batch["text"].to_pylist()))
    return [name for name, measure in learners.items() if _learned(measure, texts)]


def _learned(measure: Any, texts: set[bytes]) -> bool:
    kinds = given.asked(type(measure))
    held = [getattr(measure, name) for name, kind in kinds.items() if kind in SAMPLES]
    each = [of for one in held for of in (one.values() if isinstance(one, Mapping) else [one])]
    try:
        return any(_digest(text) in texts for of in each for text in of)
    except RecipeError:  # a file is gone: nobody can tell
        return True


SAMPLES = ("sample", "samples")  # what measures learn from, see `pipelines.recipe.given`


def _digest(text: str) -> bytes:
    return blake2b(text.strip().encode(), digest_size=16).digest()


def similar(run: Run, found: Mapping[int, Found]) -> list[str]:
    """URLs, or ids, of the documents in one cluster with these that are not among them."""
    if clusters.TABLE not in run.manifest.tables or not found:
        return []
    names = set[str]()
    for index, each in found.items():
        of = run.columns(index, {clusters.TABLE: ["cluster"]}).take(pa.array(each.rows))
        names.update(of["cluster"].drop_null().to_pylist())
    wanted, others = pa.array(sorted(names), pa.string()), list[str]()
    reads = {clusters.TABLE: ["cluster"], "documents": ["id", "url", "source_key", "source"]}
    gone = {id_ for each in found.values() for id_ in each.about["id"].to_pylist()}
    for index in range(run.parts):
        rows = run.columns(index, reads)
        there = pc.and_(pc.is_in(rows["cluster"], wanted), pc.not_equal(rows["source"], ""))
        for row in rows.filter(pc.fill_null(there, False)).to_pylist():
            if row["id"] not in gone:
                others.append(row["url"] or row["source_key"] or row["id"])
    return others


def nearest(run: Run, target: Target) -> str:
    """What to say of a name of which nothing is here: the nearest one that is, if there is one."""
    if "documents" not in run.manifest.tables:
        return ""
    known = dict.fromkeys(islice(_names(run, target), LOOKED))
    near = get_close_matches(target.name.removeprefix("."), known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _names(run: Run, target: Target) -> Iterator[str]:
    """Hosts, or URLs of the same host if there are any, or source keys."""
    host = host_and_path(target.name) if target.kind == URL else None
    for index in range(run.parts):
        rows = run.columns(index, {"documents": ["url", "source_key"]})
        for url, key in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found = host_and_path(url or "")
            if target.kind in (HOST, BELOW):
                yield from found[:1] if found else ()
            elif host is None or (found and found[0] == host[0]):
                yield url or key or ""
