"""What stays when a run has forgotten: the user's files, models, documents that resemble it."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.urls import host_and_path
from pipelines.errors import RecipeError
from pipelines.forget.emptied import Rows
from pipelines.recipe import Recipe, given
from pipelines.runs import Run, parts
from pipelines.runs.refusals import BELOW, HOST, KEY, URL, Refusals, Target
from pipelines.runs.tables import WARC
from pipelines.steps import fit, sources
from pipelines.steps.dedup import clusters

LOOKED = 20_000  # names among which the nearest is looked for, at most


def places(run: Run, recipe: Recipe, counts: Mapping[str, int]) -> dict[str, int]:
    """Where files stand that are known by their names, but the run's own, and how many of each."""
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


def by_path(recipe: Recipe, names: Iterable[str]) -> Iterator[tuple[str, Target]]:
    """Names that are paths of files of the sources, with their source keys that no other has."""
    roots = (recipe.base, Path.cwd())
    meant = {os.path.normpath(Path(at, n)): n for n in names if "/" in n for at in roots}
    files = list(_places(recipe)) if meant else []
    keys = Counter(key for key, _ in files)
    for key, path in files:
        name = meant.get(os.path.normpath(path))
        if name is not None and keys[key] == 1:
            yield name, Target(KEY, key)


def models(run: Run, recipe: Recipe, found: Mapping[int, Rows]) -> list[str]:
    """The measures that learned from one of these texts, word for word."""
    learners = fit.learners(recipe)
    if not learners or not found:
        return []
    texts = set[bytes]()
    for index, rows in found.items():
        for _, batch in parts.picked(run, "documents", index, ["text"], rows):
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


def similar(run: Run, found: Mapping[int, Rows], ids: pa.Array) -> list[str]:
    """URLs, or ids, of the documents in one cluster with these that are not among them."""
    if clusters.TABLE not in run.manifest.tables or not found:
        return []
    names = set[str]()
    for index, rows in found.items():
        of = run.columns(index, {clusters.TABLE: ["cluster"]}).take(pa.array(rows))
        names.update(of["cluster"].drop_null().to_pylist())
    wanted, others = pa.array(sorted(names), pa.string()), list[str]()
    reads = {clusters.TABLE: ["cluster"], "documents": ["id", "url", "source_key", "source"]}
    for index in range(run.parts):
        part = run.columns(index, reads)
        there = pc.and_(pc.is_in(part["cluster"], wanted), pc.not_equal(part["source"], ""))
        there = pc.and_(there, pc.invert(pc.is_in(part["id"], ids)))
        for row in part.filter(pc.fill_null(there, False)).to_pylist():
            others.append(row["url"] or row["source_key"] or row["id"])
    return others


def nearest(run: Run, target: Target) -> str:
    """What to say of a name of which nothing is here: the nearest one that is, or how keys look."""
    if "documents" not in run.manifest.tables:
        return ""
    known = dict.fromkeys(islice(_names(run, target), LOOKED))
    near = get_close_matches(target.name.removeprefix("."), known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    key = next(filter(None, known), None) if target.kind == KEY else None
    return f"; a source key of this run is such as {key}" if key else ""


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
