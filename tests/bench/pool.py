"""A pool to select from, and the sets that say what selection was worth: real English text.

The mix was written down before anything was trained, in uneven domains as a crawl has them; the
target domain, prose about software for those who write it, is a sixth of the whole.

Held out by whole source (a chapter, an article, a speaker), in an order drawn by a hash, and never
in the pool: ``target-sample`` (what selection is given, 0.7 MB of docs); ``target-heldout`` (0.8 MB
of docs) and ``general-heldout`` (1 MB of docs to help, in the pool's proportions), on which recipes
were compared and one was chosen; ``target-test`` and ``general-test``, as much again, for the one
that was chosen.  Each is a folder of Parquet with id, url, text and kind, as ``pool`` is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench import pool_sources as sources
from tests.bench.pool_sources import Document, draw, sized

Kinds = dict[str, tuple[float, Callable[[], sources.Documents]]]
"""Megabytes of a kind in the pool, and what reads it."""

TARGET = {
    "docs, kernel": 5.0,
    "docs, python": 3.0,
    "docs, postgresql": 2.0,
    "docs, django": 1.2,
    "docs, sqlite": 1.2,
    "docs, git": 0.8,
    "docs, httpd": 0.8,
}
GOOD: Kinds = {
    "rfc": (12.0, sources.rfcs),
    "descriptions": (10.0, sources.descriptions),
    "licences": (8.0, sources.licences),
    "dictionary": (6.0, sources.dictionary),
    "speeches": (5.0, sources.speeches),
    "wikipedia": (4.5, sources.wikipedia),
    "man": (4.5, sources.man),
    "news": (3.5, sources.news),
    "help": (3.0, sources.help_pages),
}
REST: Kinds = {
    "mail": (5.0, partial(sources.mail, "*ham*")),
    "dialogue": (3.0, sources.dialogue),
    "spam": (4.0, partial(sources.mail, "spam*")),
    "lists": (4.5, sources.lists),
}
MIX = {**TARGET, **{kind: size for kind, (size, _) in {**GOOD, **REST}.items()}}
"""Megabytes of each kind in the pool."""
HELD = {"target-sample": 0.7, "target-heldout": 0.8, "general-heldout": 1.0}
TESTS = {"target-test": 0.8, "general-test": 1.0}
"""Megabytes of each set that is held out; tests are made of what is over."""
PART = 20_000_000  # bytes of text in a file

Rows = dict[str, list[tuple[str, Document]]]
"""Of the pool and each set that is held out: kind and document."""


def kinds() -> Iterator[tuple[str, list[Document]]]:
    """Each kind with its documents."""
    books: dict[str, list[Document]] = defaultdict(list)
    for one in sized(sources.docs()):
        host = one.url.split("/")[2].removeprefix("docs.").removesuffix(".example")
        books[f"docs, {host}"].append(one)
    for kind in TARGET:
        yield kind, books[kind]
    for kind, (_, reader) in {**GOOD, **REST}.items():
        yield kind, list(sized(reader()))


def wanted(kind: str) -> dict[str, float]:
    """Bytes of a kind in each set, what is held out first."""
    target = MIX[kind] / sum(TARGET.values()) if kind in TARGET else 0
    general = MIX[kind] / sum(MIX[good] for good in (*TARGET, *GOOD)) if kind not in REST else 0

    def bytes_of(sets: dict[str, float]) -> dict[str, float]:
        shares = {name: target if "target" in name else general for name in sets}
        return {name: 1e6 * size * shares[name] for name, size in sets.items()}

    return {**bytes_of(HELD), "pool": 1e6 * MIX[kind], **bytes_of(TESTS)}


def parted(kind: str, documents: Iterable[Document]) -> Rows:
    """The documents of a kind, source by source, each source in one set; what is over is left."""
    by_source: dict[str, list[Document]] = defaultdict(list)
    for one in documents:
        by_source[one.source].append(one)
    left = wanted(kind)
    made: Rows = {name: [] for name in left}
    for source in sorted(by_source, key=draw):
        some = sorted(by_source[source], key=lambda one: draw(one.url))
        size = sum(len(one.text.encode()) for one in some)
        for name in left:
            if left[name] > 0 and (name == "pool" or size <= 1.5 * left[name]):
                for one in some:
                    if left[name] > 0 or name != "pool":
                        made[name].append((kind, one))
                        left[name] -= len(one.text.encode())
                break
    return made


def table(rows: Iterable[tuple[str, Document]]) -> pa.Table:
    """Id, url, text and kind, in a drawn order."""
    ordered = sorted(rows, key=lambda row: draw(row[1].url))
    columns = {
        "id": [draw(one.url)[:32] for _, one in ordered],
        "url": [one.url for _, one in ordered],
        "text": [one.text for _, one in ordered],
        "kind": [kind for kind, _ in ordered],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def written(place: Path, made: pa.Table) -> None:
    """Write a folder of Parquet files, whole or not at all."""
    new = place.with_name(f"{place.name}.new")
    new.mkdir(parents=True, exist_ok=True)
    parts = -(-made["text"].nbytes // PART)
    each = -(-len(made) // parts)
    for part in range(parts):
        path = new / f"part-{part:05d}.parquet"
        pq.write_table(made[part * each : (part + 1) * each], path, compression="zstd")
    new.rename(place)
    print(f"{place.name}: {len(made):,} documents, {made['text'].nbytes / 1e6:.1f} MB")


def write(folder: Path) -> None:
    """Make the pool and what is held out, once."""
    if (folder / "pool").exists():
        return
    rows: Rows = defaultdict(list)
    for kind, documents in kinds():
        for name, some in parted(kind, documents).items():
            rows[name] += some
    for name in [*HELD, *TESTS, "pool"]:
        written(folder / name, table(rows[name]))
