"""The frontier: every URL that is known, with what is known of it; which are due, what is new.

It is a table of `PARTS` parts, each sorted by the hash of the URL.  A URL's part goes by its
`shape`, so URLs that differ in their digits alone stand together, and more than some are seen to be
a trap.  The parts are read one at a time, so memory does not grow with the frontier.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters import urls
from filters.buffers import begins, within
from pipelines.crawl import scope
from pipelines.crawl.outcome import DONE, DROPPED, IMAGE, PAGE, SITEMAP, WAITING, Row
from pipelines.recipe.crawl import Crawl
from pipelines.schema import hashed

PARTS = 32
CHUNK = 65_536  # URLs that are looked at together
KINDS = (SITEMAP, PAGE, IMAGE)  # the first first

FRONTIER = pa.schema(
    [
        pa.field("key", pa.uint64(), False),  # `hashed` URL
        pa.field("shape", pa.uint64(), False),  # `hashed` URL without its numbers
        pa.field("url", pa.string(), False),  # canonical
        pa.field("host", pa.string(), False),  # scheme, host and port
        pa.field("kind", pa.string(), False),  # page, image or sitemap
        pa.field("depth", pa.int16(), False),  # links from a start URL
        pa.field("hops", pa.int8(), False),  # redirects that led to it, in a row
        pa.field("state", pa.string(), False),  # waiting, done or dropped
        pa.field("reason", pa.string()),  # what became of it last; null: not asked for yet
        pa.field("tries", pa.int8(), False),  # that failed, in a row
        pa.field("next_fetch", pa.timestamp("s", "UTC")),  # null: now if it waits, else never
        pa.field("fetched", pa.timestamp("s", "UTC")),  # when that record was written
        pa.field("etag", pa.string()),  # and modified: what the last answer said of its version
        pa.field("modified", pa.string()),
        pa.field("digest", pa.string()),  # sha1 of the last body, in base 32
        pa.field("record", pa.string()),  # id of the WARC record that holds it
    ]
)

LINKS = pa.schema(
    [FRONTIER.field(n) for n in ("key", "shape", "url", "host", "kind", "depth", "hops")]
)
"""URLs that were found."""

OUTCOMES = pa.schema([FRONTIER.field("key"), *list(FRONTIER)[7:]])
"""What became of URLs that were due."""

DUE = pa.schema([f for f in FRONTIER if f.name not in ("state", "reason", "shape", "next_fetch")])
"""What whoever fetches must know of a URL."""


class Now(NamedTuple):
    """What it is the time for."""

    time: int  # seconds since 1970
    began: int  # when the command began; what it fetched itself is not due again
    new: bool = True  # whether pages may be fetched that were not before


TIMED = ("state", "next_fetch", "kind")
"""Columns that say when a URL is due."""

CHOSEN = tuple(dict.fromkeys([*DUE.names, *TIMED]))
"""Columns from which those that are due are taken."""


def found(found_: Mapping[str, tuple[str, int, int]]) -> pa.Table:
    """New URLs as `LINKS`.

    Args:
        found_: canonical URLs, each with its kind, depth and hops.
    """
    each = iter(found_.items())
    batches = []
    while some := list(islice(each, CHUNK)):
        urls_ = [url for url, _ in some]
        shapes = pa.array(map(scope.shape, urls_), pa.string()).dictionary_encode()
        shape = hashed(shapes.dictionary)[shapes.indices.to_numpy()]
        kinds, depths, hops = zip(*(about for _, about in some), strict=True)
        hosts = list(map(scope.host_of, urls_))
        columns = (hashed(pa.array(urls_)), shape, urls_, hosts, kinds, depths, hops)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, LINKS, strict=True)]
        batches.append(pa.record_batch(arrays, LINKS))
    return pa.Table.from_batches(batches, LINKS)


def part_of(links: pa.Table) -> NDArray[np.int64]:
    """The part that each URL belongs to."""
    return (links["shape"].to_numpy() % np.uint64(PARTS)).astype(np.int64)


def due(part: pa.Table, now: Now, most: int) -> pa.Table:
    """The URLs of a part that are to be fetched now, in turn of one host after the other.

    Args:
        part: of the frontier.
        now: what it is the time for.
        most: how many are given, at most.

    Returns:
        `DUE`: of each host its first, then of each its second; of a host the least depth first.
    """
    is_due = _is_again(part, now)
    if now.new:
        is_due = pc.or_(is_due, _is_due(part, now))
    rows = part.filter(is_due).select(DUE.names)
    hosts = rows["host"].combine_chunks().dictionary_encode().indices.to_numpy()
    kind = pc.index_in(rows["kind"], pa.array(KINDS)).to_numpy()
    depth, key = rows["depth"].to_numpy(), rows["key"].to_numpy()
    order = np.lexsort((key, (hosts.astype(np.int64) << 18) + (kind << 16) + depth))
    turn = np.lexsort((key[order], within(hosts[order])))
    return rows.take(pa.array(order[turn[:most]])).combine_chunks()


def _is_due(part: pa.Table, now: Now) -> pa.ChunkedArray:
    """What waits and may be asked for."""
    come = pc.less_equal(part["next_fetch"], pa.scalar(now.time, pa.timestamp("s", "UTC")))
    return pc.and_(pc.equal(part["state"], WAITING), pc.fill_null(come, True))


def _is_again(part: pa.Table, now: Now) -> pa.ChunkedArray:
    """What was fetched and is to be asked for anew, and images: no page more than there are."""
    come = pc.less(part["next_fetch"], pa.scalar(now.began, pa.timestamp("s", "UTC")))
    anew = pc.and_(pc.equal(part["state"], DONE), pc.fill_null(come, False))
    return pc.or_(anew, pc.and_(pc.equal(part["kind"], IMAGE), _is_due(part, now)))


def rows(batches: Iterable[pa.RecordBatch]) -> list[Row]:
    """`DUE` as values."""
    seconds = DUE.set(DUE.names.index("fetched"), pa.field("fetched", pa.int64()))
    return [Row(**row) for batch in batches for row in batch.cast(seconds).to_pylist()]


def merge(part: pa.Table, outcomes: pa.Table, links: pa.Table, crawl: Crawl) -> pa.Table:
    """A part with what became of its URLs, and those that are new.

    Args:
        part: sorted by key.
        outcomes: `OUTCOMES`, each key once.
        links: `LINKS`, perhaps many times the same: the least depth counts.
        crawl: says when URLs of one shape are a trap.

    Returns:
        sorted by key.
    """
    known = part["key"].to_numpy()
    part = _updated(part, known, outcomes)
    links = links.sort_by([(name, "ascending") for name in ("key", "depth", "hops")])
    keys = links["key"].to_numpy()
    at = np.searchsorted(known, keys)
    is_new = begins(keys) & (at == np.searchsorted(known, keys, "right"))
    new = links.filter(pa.array(is_new))
    if not new.num_rows:
        return part
    merged = pa.concat_tables([part, _rows_of(new, part, crawl)])
    both = np.concatenate([known, new["key"].to_numpy()])  # each is in order
    return merged.take(pa.array(np.argsort(both, kind="stable"))).combine_chunks()


def _updated(part: pa.Table, known: NDArray[np.uint64], outcomes: pa.Table) -> pa.Table:
    outcomes = outcomes.sort_by("key")
    mask = np.zeros(len(known), bool)
    mask[np.searchsorted(known, outcomes["key"].to_numpy())] = True
    columns = {name: part[name].combine_chunks() for name in FRONTIER.names}
    for name in OUTCOMES.names[1:]:
        values = outcomes[name].combine_chunks()
        columns[name] = pc.replace_with_mask(columns[name], mask, values)
    return pa.table(columns, FRONTIER)


def _rows_of(new: pa.Table, part: pa.Table, crawl: Crawl) -> pa.Table:
    """Rows for URLs that are new; those that are a trap are dropped at once."""
    count = new.num_rows
    why = [scope.trap(url) for url in new["url"].to_pylist()]
    deep = new["depth"].to_numpy() > crawl.depth
    alike = _alike(new["shape"].to_numpy(), part["shape"].to_numpy()) >= crawl.alike
    reasons = [
        each or ("too deep" if d else "trap: alike" if a else None)
        for each, d, a in zip(why, deep, alike, strict=True)
    ]
    states = [WAITING if reason is None else DROPPED for reason in reasons]
    own = {"state": states, "reason": reasons, "tries": np.zeros(count, np.int8)}
    own |= {name: new[name] for name in LINKS.names}
    return pa.table(
        [own[f.name] if f.name in own else pa.nulls(count, f.type) for f in FRONTIER], FRONTIER
    )


def _alike(shapes: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many URLs of its shape come before each new one, those that are known first."""
    order = np.argsort(shapes, kind="stable")
    ordered = shapes[order]
    begins = np.searchsorted(ordered, ordered)
    there = np.sort(known)
    before = np.searchsorted(there, ordered, "right") - np.searchsorted(there, ordered)
    out = np.empty(len(shapes), np.int64)
    out[order] = np.arange(len(shapes)) - begins + before
    return out


def start(crawl: Crawl) -> pa.Table:
    """The start URLs, as `LINKS`."""
    return found({url: (PAGE, 0, 0) for each in crawl.start if (url := urls.canonical(each))})


def state(part: pa.Table, now: Now) -> dict[str, Any]:
    """What a part holds: URLs by state, how many are due, and when the next one that waits is.

    Those that bring no page more count as "again" too.
    """
    counts = {each["values"]: each["counts"] for each in pc.value_counts(part["state"]).to_pylist()}
    time = pa.scalar(now.time, pa.timestamp("s", "UTC"))
    is_later = pc.and_(pc.equal(part["state"], WAITING), pc.greater(part["next_fetch"], time))
    later = part["next_fetch"].filter(is_later)
    due, again = (pc.sum(each(part, now)).as_py() or 0 for each in (_is_due, _is_again))
    first = pc.min(later.cast(pa.int64())).as_py()
    return {**counts, "due": due, "again": again, "first": first}
