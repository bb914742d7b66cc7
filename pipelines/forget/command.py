"""Forget: what a site or a person asks to have removed goes out of a run, and does not come back.

All is looked through first.  Then the refusal is written, so that nothing of it is read in or
fetched from then on; records are blanked, rows emptied, shards rewritten; the manifest is written
last, and what it no longer names is deleted.  All of it goes by the refusals that the folder holds,
so who is cut off at any moment does the same again, and it is finished.
"""

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipelines.errors import RecipeError, RunError
from pipelines.forget import blank, emptied, leftover, mentions, unpublish
from pipelines.forget.emptied import Emptied
from pipelines.plain import plain
from pipelines.prove import PLACE, PROOF
from pipelines.recipe.text import of_run
from pipelines.runs import Run, links, refusals
from pipelines.runs.refusals import Refusals, Target
from pipelines.runs.tables import DATASET, DECISIONS_TABLE, LETTERS, PAIRS_TABLE, WARC
from pipelines.schema import DOCUMENTS, FORGOTTEN

KNOWN = (
    *("documents", "columns/documents/", DECISIONS_TABLE, "again/", LETTERS, "check/"),
    *("models/", DATASET, WARC, PAIRS_TABLE, *mentions.FRONTIER),
)
"""How the names of tables begin that are looked at."""

TELLS = {
    "records": "WARC records, blanked",
    "documents": "documents, emptied",
    "columns": "rows of columns, now null",
    "again": "rows that were measured once more",
    "decisions": "decisions, now forgotten",
    "published": "published rows",
    "shards": "shards, rewritten",
    "dead": "dead letters, emptied",
    "check": "pairs that dedup was checked by",
    "pairs": "pairs of image and text, emptied",
    "frontier": "rows of what the crawl knows",
    "proof": "files that a proof kept",
}


@dataclass(frozen=True)
class Asked:
    """What was said on the command line of `forget`."""

    folder: str
    names: Sequence[str]
    file: Path | None = None
    reason: str | None = None
    dry_run: bool = False
    as_json: bool = False


@dataclass
class Outcome:
    """What was done, and what is left for others to do.

    Attributes:
        removed: rows, records and shards, by what they are.
        matched: the refusals that took something out.
        sources: files of the user's that still hold it, with how many documents.
        models: that learned from a text that is forgotten.
        similar: URLs of documents that resemble one of those, and stay.
        unknown: tables that nobody looked at.
        recipe: whether it names what is refused.
    """

    removed: Counter[str] = field(default_factory=Counter)
    matched: set[Target] = field(default_factory=set)
    sources: dict[str, int] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    recipe: bool = False


def command(asked: Asked) -> None:
    """Forget what was named in a run folder, and print what was removed.

    Raises:
        RecipeError: if nothing is named, or the folder is no run.
        RunError: if nothing of it is there, or the documents are another run's.
    """
    wanted = _wanted(asked)
    run = Run.opened(asked.folder)
    before = refusals.read(run.folder)
    if not wanted and not before.known:
        raise RecipeError("name what is to be forgotten: URLs, hosts or source keys")
    _refuse_unready(run, asked, before)
    for name, key in leftover.by_path(of_run(run.folder), wanted):
        wanted[name].append(key)
    every = [target for targets in wanted.values() for target in targets]
    with nullcontext(run) if asked.dry_run else run.lock() as held:
        before = refusals.read(held.folder)
        refuse = partial(refusals.add, held.folder, before, every, asked.reason)
        told = _forgotten(held, before.with_(every), None if asked.dry_run else refuse)
    missing = {
        name: leftover.nearest(Run(run.folder.path), targets[0])
        for name, targets in wanted.items()
        if not told.matched.intersection(targets) and not any(map(before.holds, targets))
    }
    _say(asked, told, missing)
    if wanted and len(missing) == len(wanted):
        raise RunError("nothing was found of what is to be forgotten")


def _wanted(asked: Asked) -> dict[str, list[Target]]:
    """What was named, as it compares.

    Raises:
        RecipeError: if the file cannot be read, or a name is none.
    """
    names = list(asked.names)
    try:
        if asked.file is not None:
            lines = asked.file.read_text(encoding="utf-8-sig").splitlines()
            names += [line for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{asked.file}: cannot be read: {error}") from error
    try:
        return {name: refusals.targets(name) for name in names}
    except ValueError as error:
        raise RecipeError(f"a URL, host or source key that {error}") from error


def _refuse_unready(run: Run, asked: Asked, before: Refusals) -> None:
    """See that all is here to be forgotten, before anything is refused.

    Documents that were taken by reference are forgotten where they are, a crawl when it ended.

    Raises:
        RunError: naming the command.
    """
    if "now" in run.manifest.facts.get("crawl", {}):
        raise RunError(
            f"{asked.folder}: a crawl was cut off; forget when it has ended: "
            f"karez run {asked.folder}/recipe.toml --run {asked.folder} --only crawl"
        )
    if "from" in run.manifest.facts:
        names = shlex.join(asked.names)
        named = f"{names} --file {asked.file}".strip() if asked.file else names
        where = run.manifest.facts["from"]
        raise RunError(
            f"{asked.folder}: its documents are those of {where}: karez forget {where} {named}; "
            f"then karez run {asked.folder}/recipe.toml --run {asked.folder} --from {where}"
        )
    begun = run.manifest.facts.get(FORGOTTEN, "") != before.mark  # and cut off, among the shards
    rows = [t for t in run.manifest.tables if t not in (WARC, DATASET * begun)]
    if broken := [table for table in rows if not run.is_whole(table)]:
        raise RunError(f"{asked.folder}: a file of {broken[0]} is missing or cut; run it again")
    tables = run.manifest.tables.items()
    held = (f"{table}/{part.name}" for table, sealed in tables for part in sealed.parts)
    for link in links.linked(run.folder, held):
        raise RunError(f"{link}: is a link, and what it leads to would stay; put the file there")
    documents = run.manifest.tables.get("documents")
    if documents and documents.parts:
        names = run.open_part("documents", 0).schema_arrow.names
        if not set(DOCUMENTS.names) <= set(names):
            raise RunError(f"{asked.folder}: of an earlier version; run its recipe again first")


def _forgotten(run: Run, known: Refusals, refuse: Callable[[], None] | None) -> Outcome:
    """Go through all that the run holds.

    Args:
        run: locked, if something is to be changed.
        known: what is refused, and what is to be.
        refuse: writes that down, before the first change; None: nothing is changed.
    """
    told, recipe, dry = Outcome(), of_run(run.folder), refuse is None
    told.unknown = sorted(t for t in run.manifest.tables if not t.startswith(KNOWN))
    of = Emptied(run, Run(run.folder.path), known.mark, dry)
    found, about = emptied.search(of.old, known)
    ids = about["id"].combine_chunks()
    pairs = zip(about["url"].to_pylist(), about["source_key"].to_pylist(), strict=True)
    told.matched = {target for pair in pairs for target in known.matching(*pair)}
    told.sources = leftover.places(of.old, recipe, Counter(about["source"].to_pylist()))
    told.recipe = bool(leftover.named(of.old, known))
    told.models = leftover.models(of.old, recipe, found)
    told.similar = leftover.similar(of.old, found, ids)
    archives = blank.search(of.old, known) if WARC in of.old.manifest.tables else {}
    if refuse is not None:  # all can be read that is to be looked through
        refuse()
    _warc(of, known, archives, told)
    for index, rows in found.items():
        emptied.empty(of, index, rows)
    mentions.checked(of, ids)
    told.matched |= mentions.letters(of, known, ids) | mentions.frontier(of, known)
    matched, images = mentions.pairs(of, known, ids)
    told.matched |= matched
    told.sources |= leftover.places(of.old, recipe, images)
    told.removed += of.counts
    if found:
        told.removed["proof"] = _proof(run, dry)
    published, shards = unpublish.take_out(of, recipe, ids)
    told.removed += Counter(published=published, shards=shards)
    if not dry:
        run.manifest.facts[FORGOTTEN] = known.mark  # by which it was gone through
        run.save()
        run.tidy()
    return told


def _proof(run: Run, dry: bool) -> int:
    """Take out what a proof kept beside its figures: runs without a rule, byte pairs, states."""
    kept = [name for name in run.folder.list(PLACE) if name != PROOF]
    if not dry:
        for name in sorted({"/".join(name.split("/")[:2]) for name in kept}):
            run.folder.delete(name)
    return len(kept)


def _warc(
    of: Emptied, known: Refusals, archives: Mapping[int, list[blank.Record]], told: Outcome
) -> None:
    """Blank the records that were found in the run's own WARC files."""
    for index, found in archives.items():
        for record in found:
            told.matched |= known.matching(record.get("warc-target-uri"), None)
        told.removed["records"] += len(found)
        if not of.dry:
            of.put(WARC, index, blank.rewritten(of.old, index, found))


def _say(asked: Asked, told: Outcome, missing: dict[str, str]) -> None:
    """Print it, for a person or for programs."""
    if asked.as_json:
        value: dict[str, Any] = {
            "run": asked.folder,
            "dry_run": asked.dry_run,
            "removed": {name: told.removed[name] for name in TELLS},
            "not_found": missing,
            "sources": told.sources,
            "models": told.models,
            "similar": told.similar,
            "unknown": told.unknown,
            "recipe": told.recipe,
        }
        click.echo(json.dumps(value, indent=1, ensure_ascii=False))
        return
    console = Console()
    would = "would be removed from" if asked.dry_run else "removed from"
    if told.removed.total():
        console.print(f"{would} {asked.folder}:", highlight=False, soft_wrap=True)
    lines = [*_counts(told), *_remains(told, asked), *_not_found(asked, missing)]
    for line in lines or [f"{asked.folder}: all of it was forgotten before, and stays refused"]:
        console.print(plain(line), highlight=False, markup=False, soft_wrap=True)


def _counts(told: Outcome) -> Iterator[str]:
    for name, what in TELLS.items():
        if told.removed[name]:
            yield f"{told.removed[name]:>9,}  {what}"


def _remains(told: Outcome, asked: Asked) -> Iterator[str]:
    """What is not ours to change."""
    for name, count in told.sources.items():
        yield f"{name}: yours, not changed; it still holds {count:,} of these"
    for name in told.models:
        yield (
            f"models/{name}: learned from it; take it out of the samples that the recipe names and "
            f"fit again with karez run {asked.folder}/recipe.toml --run {asked.folder}"
        )
    if told.similar:
        yield (
            f"{len(told.similar):,} documents resemble one of these and stay; name them, too, if "
            f"they are to go: {', '.join(told.similar[:5])}{', …' * (len(told.similar) > 5)}"
        )
    if told.recipe:
        yield f"{asked.folder}/recipe.toml: names it; yours to change"
    for name in told.unknown:
        yield f"{name}: not looked at; this version does not know it"


def _not_found(asked: Asked, missing: dict[str, str]) -> Iterator[str]:
    also = "" if asked.dry_run else "; refused from now on"
    for name, near in missing.items():
        yield f"{name}: nothing of it is here{near}{also}"
