"""The columns of a run's tables, spelled once."""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string(), False),  # 32 hex: hash of source key and text as ingested
        pa.field("source_key", pa.string()),  # the URL or the user's own id
        pa.field("url", pa.string()),
        pa.field("date", pa.timestamp("s", "UTC")),  # when it was fetched
        pa.field("media_type", pa.string()),  # as declared
        pa.field("text", pa.string(), False),  # raw: edits stand beside it
        pa.field("source", pa.string(), False),  # path of the file, relative to its source's root
        pa.field("offset", pa.int64(), False),  # bytes into the file (unpacked, for JSON lines)
        pa.field("length", pa.int64(), False),  # bytes of the record there
        pa.field("metadata", pa.string()),  # JSON: the other fields of the user's row
        pa.field("title", pa.string()),  # from here on: what a page says of itself
        pa.field("author", pa.string()),  # names, joined by "; "
        pa.field("published", pa.string()),  # a date of ISO 8601
        pa.field("declared_language", pa.string()),  # a tag of RFC 5646
        pa.field("licence", pa.string()),  # a URL, or what is written instead
        pa.field("canonical", pa.string()),  # a URL
        pa.field("robots", pa.string()),  # from here on: consent, see `pipelines.readers.consents`
        pa.field("agents_refused", pa.list_(pa.string())),  # agents for AI
        pa.field("noindex", pa.bool_()),
        pa.field("noai", pa.bool_()),
        pa.field("noimageai", pa.bool_()),
        pa.field("tdm_reserved", pa.bool_()),
        pa.field("tdm_policy", pa.string()),  # a URL
        pa.field("ai_txt", pa.string()),
    ]
)

FORGOTTEN = "forgotten"  # the reason of a document that was asked to be; its `source` is ""

RULES = pa.schema([pa.field("reason", pa.string())])  # null: passed

DUPLICATES = pa.schema(
    [
        pa.field("duplicate", pa.bool_()),  # true: another is kept in its place; null: is alone
        pa.field("cluster", pa.string()),  # id of the one that is kept
        pa.field("cluster_size", pa.int64()),
        pa.field("similarity", pa.float32()),  # estimated Jaccard similarity to the one kept
        pa.field("equal", pa.bool_()),  # true: has the text of the one kept, white space aside
        pa.field("cluster_diameter", pa.float32()),  # 1 - the least similarity found in the cluster
    ]
)

SPLIT = pa.schema([pa.field("split", pa.string(), False)])

CAPPED = pa.schema([pa.field("over_cap", pa.bool_(), False)])

NEAR = pa.schema(
    [
        pa.field("near_train", pa.float32()),  # estimated Jaccard similarity to it, if held out
        pa.field("near_id", pa.string()),  # of the nearest document of train
    ]
)

DECISIONS = pa.schema(
    [
        pa.field("id", pa.string(), False),
        pa.field("kept", pa.bool_(), False),
        pa.field("reason", pa.string()),  # null: kept
        pa.field("cluster", pa.string()),  # id of the document kept in its place
        pa.field("split", pa.string()),  # null: not kept
        pa.field("order", pa.uint64()),  # place in the published order, null: not kept
    ]
)

CHECK = pa.schema(  # pairs of documents, of which the first was drawn
    [
        pa.field("probe", pa.string(), False),
        pa.field("other", pa.string(), False),
        pa.field("jaccard", pa.float64(), False),  # of their shingles
        pa.field("estimate", pa.float32(), False),  # of their signatures
        pa.field("equal", pa.bool_(), False),  # of one text, white space aside
        pa.field("together", pa.bool_(), False),  # in one cluster
        pa.field("probe_removed", pa.bool_(), False),
        pa.field("other_removed", pa.bool_(), False),
        pa.field("again", pa.bool_(), False),  # the other was drawn too and names this pair first
    ]
)

TEXT = pa.struct([(name, pa.string()) for name in ("kind", "text", "lang")])
"""A text of a pair: alt, title, caption, before, after or page_title."""

PAIRS = pa.schema(
    [
        pa.field("id", pa.string(), False),  # 32 hex: hash of document, image and its address
        pa.field("image", pa.string(), False),  # sha256 of the file, in images/<2 hex>/
        pa.field("document", pa.string(), False),  # id
        pa.field("url", pa.string()),  # of the document
        pa.field("image_url", pa.string(), False),
        pa.field("texts", pa.list_(TEXT)),
        pa.field("media_type", pa.string(), False),  # as its head shows
        pa.field("width", pa.int32(), False),  # pixels
        pa.field("height", pa.int32(), False),
        pa.field("size", pa.int64(), False),  # bytes
        pa.field("noai", pa.bool_(), False),  # its header asks not to be used so
        pa.field("noimageai", pa.bool_(), False),
        pa.field("source", pa.string(), False),  # WARC file that holds the image
        pa.field("offset", pa.int64(), False),
        pa.field("length", pa.int64(), False),
    ]
)

DEAD = pa.schema(
    [
        pa.field("source", pa.string(), False),
        pa.field("offset", pa.int64(), False),
        pa.field("reason", pa.string(), False),
        pa.field("detail", pa.string(), False),
        pa.field("id", pa.string()),  # of the document, where there is one
    ]
)


def id_bytes(ids: pa.Array) -> NDArray[np.uint8]:
    """Ids as 16 bytes each.

    Args:
        ids: 32 hex characters each, no nulls.

    Returns:
        shape (n, 16).
    """
    hexes = ids.cast(pa.binary()).cast(pa.binary(32))
    raw = np.frombuffer(hexes.buffers()[1], np.uint8)[hexes.offset * 32 :][: len(ids) * 32]
    digits = (raw & np.uint8(15)) + np.uint8(9) * (raw >> np.uint8(6))  # 6: set in letters alone
    pairs = digits.reshape(-1, 16, 2)
    return (pairs[:, :, 0] << np.uint8(4)) | pairs[:, :, 1]


def id_heads(ids: pa.Array) -> NDArray[np.uint64]:
    """The first 8 bytes of each id as a number; it orders them as the ids do.

    Returns:
        shape (n,).
    """
    return id_bytes(ids)[:, :8].copy().view(">u8").ravel().astype(np.uint64)


def hashed(names: pa.Array) -> NDArray[np.uint64]:
    """A hash of each name, the same on every machine.

    Args:
        names: strings, no nulls; few, as there is no kernel for it.
    """
    digests = (blake2b(name.encode(), digest_size=8).digest() for name in names.to_pylist())
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def drawn(ids: pa.Array, seed: int) -> NDArray[np.uint64]:
    """A random number for each id, the same on every machine.

    Source: finaliser of SplitMix64, G. Steele et al., "Fast splittable pseudorandom number
    generators", 2014.

    Returns:
        shape (n,), uniform over 64 bits.
    """
    return mixed(id_heads(ids) ^ mixed(np.array([seed % 2**64], np.uint64)))


def mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's step on every number; wraps modulo 2**64."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
