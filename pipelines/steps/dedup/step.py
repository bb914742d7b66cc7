"""Dedup: near-duplicates among the documents that passed the rules; one of each cluster is kept.

What is exchanged is narrow.  Band keys meet in buckets; rows that are alone there go no further.
For the others signatures are fetched, and each row is compared with the leaders of its bucket.
Confirmed pairs are joined into clusters in one place, which sees addresses alone; who of a cluster
stays is decided where its rows meet once more.  Equal texts share a bucket of their own and need no
signatures, so they are found whatever their length and however crowded their other buckets are.

Sources: A. Broder, "On the resemblance and containment of documents", 1997; P. Indyk and R.
Motwani, "Approximate nearest neighbors", 1998 (bands).
"""

from collections.abc import Iterator
from itertools import chain
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.buffers import begins
from filters.buffers import table as bytes_of
from filters.clusters import forest, leaders
from filters.lsh import needed
from filters.minhash import keys
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.recipe import Dedup, Recipe
from pipelines.recipe.measures import selected, table_of
from pipelines.runs import Run
from pipelines.runs.folders import fingerprint
from pipelines.runs.tables import DECISIONS_TABLE
from pipelines.schema import id_heads
from pipelines.steps import meeting, rules
from pipelines.steps.dedup import against, clusters
from pipelines.steps.dedup.clusters import TABLE
from pipelines.steps.meeting import KEYS, U64, part_of, those

VERSION = 3
TRAVELS = (700, 0)  # bytes a document, and a byte of text, that are exchanged, about
PAIR = pa.schema([("address", pa.uint64()), ("other", pa.uint64())])
LEADERS = 8  # of a bucket, that each of its rows is compared with


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The duplicates, by signatures, text hashes, who passed, and how pairs are confirmed."""
    dedup = cast(Dedup, recipe.dedup)
    keep = selected(recipe).homes(column for column, _ in dedup.order)
    seen = run.marks(dict.fromkeys([*map(table_of, ("minhash", "exact")), rules.TABLE, *keep]))
    how = [dedup.threshold, dedup.keep, dedup.link, [against.mark(r) for r in against.runs(recipe)]]
    return {TABLE: fingerprint("minhash", VERSION, how, seen)}


def sizes(recipe: Recipe, corpus: Corpus) -> list[int]:
    """Parts (and those of earlier runs), buckets, parts, buckets; one place, parts, clusters."""
    rows, every = corpus.every_document, corpus.every_part
    width = selected(recipe).measures["minhash"].columns.field("bands").type.byte_width
    met, apart = meeting.partitions(rows, width // 8 + 1), 1 + rows // clusters.PARTITION
    return [every, met, every, met, 1, every, apart, corpus.parts]


def band_keys(job: Job, key: int, _: Batches) -> Done:
    """The buckets of the rows of one part that have a say: one a band, one for the text."""
    run, part, earlier = against.place(job, key)
    reads = {
        table_of("minhash"): ["bands"],
        table_of("exact"): ["text_hash"],
        **({DECISIONS_TABLE: ["kept"]} if earlier else {rules.TABLE: ["reason"]}),
        "documents": ["id"],
    }
    return Done(out=_spread(run.columns(part, reads), key, job.plan.keys[0]))


def _spread(columns: pa.Table, key: int, count: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    for start in range(0, columns.num_rows, meeting.ROWS):
        some = columns.slice(start, meeting.ROWS)
        mine = some["kept"] if "kept" in some.column_names else pc.is_null(some["reason"])
        mine = pc.and_(mine, pc.is_valid(some["text_hash"]))
        words = pc.is_valid(some["bands"])  # a text without words has a bucket for its text alone
        for which, wordy in ((pc.and_(mine, words), True), (pc.and_not(mine, words), False)):
            rows = np.flatnonzero(which.to_numpy())
            kept = some.take(pa.array(rows))
            buckets = text = _numbers(kept["text_hash"])[:, :1]
            if wordy:
                bands = _numbers(kept["bands"])
                text = _together(text, bands)
                buckets = np.concatenate([bands, text], axis=1)
            said = {
                "id": id_heads(kept["id"].combine_chunks()),
                "address": meeting.address_of(key, rows + start),
                "text": text.ravel(),
            }
            yield from meeting.spread(buckets, pa.table(said), count)


def _together(text: U64, bands: U64) -> U64:
    """One key of hash and signature: equal texts have both, and two made to share a hash do not."""
    return keys(np.concatenate([text, bands], axis=1), 1 + bands.shape[1])


def _numbers(column: pa.ChunkedArray) -> U64:
    """Fixed-size bytes as rows of 64-bit numbers."""
    return cast(U64, np.ascontiguousarray(bytes_of(column.combine_chunks())).view("<u8"))


def buckets(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one partition that are not alone in their bucket, each to its part.

    Of equal texts the first one has a say in all buckets; the others are tied to it where they
    meet in the bucket of their text, so a million copies cost what a million keys cost.
    """
    table, own = pa.Table.from_batches(batches), job.run.parts
    rows = meeting.shared(table["bucket"].to_numpy())
    table = table.take(pa.array(rows)).combine_chunks()
    bucket, ids, address, text = (table[name].to_numpy() for name in table.column_names)
    order = np.lexsort((address, ids, part_of(address) < own, text, bucket))  # earlier runs first
    bucket, text = bucket[order], text[order]
    fresh = begins(bucket) | begins(text)
    first = order[fresh]
    twin = ~fresh & (bucket == text)
    lead = first[np.cumsum(fresh) - 1]
    left, right = address[order[twin]], address[lead[twin]]
    new = (part_of(left) < own) | (part_of(right) < own)  # earlier runs keep what they kept
    pairs = pa.table([left[new], right[new]], PAIR)
    others = first[meeting.shared(table["bucket"].to_numpy()[first])]
    asked = meeting.ask(key, table.select(KEYS.names).take(pa.array(others)))
    through = key % job.plan.keys[1]
    return Done(out=chain(((through, b) for b in pairs.to_batches()), asked))


def fetch(job: Job, key: int, batches: Batches) -> Done:
    """The signatures of the rows of one part that were asked for; pairs go on as they are."""
    run, part, _ = against.place(job, key)
    pairs = those(batches, PAIR).to_batches()
    onward = ((key % job.plan.keys[2], batch) for batch in pairs)
    asked = [b for b in batches if "to" in b.schema.names]
    if not asked:
        return Done(out=onward)
    signatures = run.columns(part, {table_of("minhash"): ["minhash"]})
    return Done(out=chain(onward, meeting.answer(pa.Table.from_batches(asked), signatures)))


def confirm(job: Job, key: int, batches: Batches) -> Done:
    """The pairs of one partition whose signatures agree, no more than join their rows."""
    pairs, done = those(batches, PAIR), Done()
    if any(b.schema.names == KEYS.names for b in batches):
        near, done.counts["beyond the leaders"] = _near(job, *meeting.met(batches))
        pairs = pa.concat_tables([pairs, near])
    done.counts["pairs"] = pairs.num_rows
    done.out = meeting.to_all(pairs, 1)
    return done


def _near(job: Job, keys: pa.Table, known: pa.Table) -> tuple[pa.Table, int]:
    """Pairs of rows and leaders of their buckets; how many rows were compared with these alone."""
    dedup, own = cast(Dedup, job.recipe.dedup), job.run.parts
    nodes, signatures = known["address"].to_numpy(), bytes_of(known["minhash"].combine_chunks())
    bucket, ids, address = (keys[name].to_numpy() for name in KEYS.names)
    order = np.lexsort((address, ids, part_of(address) < own, bucket))  # earlier runs lead
    starts = np.flatnonzero(begins(bucket[order]))
    place = np.searchsorted(nodes, address[order])
    least = needed(dedup.threshold, signatures.shape[1])
    links = leaders(np.append(starts, len(order)), place, signatures, least, LEADERS)
    new = part_of(nodes) < own
    mine = new[links.rows] | new[links.leaders]  # earlier runs keep what they kept
    left, right = links.rows[mine], links.leaders[mine]
    if dedup.link == "component":  # no more than join the same rows
        root = forest(len(nodes), left, right)
        left = np.flatnonzero(root != np.arange(len(nodes)))
        right = root[left]
    return pa.table([nodes[left], nodes[right]], PAIR), links.unled


STEP = Step(
    "dedup",
    "near-duplicates",
    tables,
    (band_keys, buckets, fetch, confirm, *clusters.STAGES),
    wanted=lambda recipe: recipe.dedup is not None,
    sizes=sizes,
    plan=against.planned(sizes),
    exchanges=TRAVELS,
    held=((clusters.join, 0),),
    grows=clusters.grows,
    every=True,
)
