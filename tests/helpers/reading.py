"""What tests of readers share: reading bytes as a kind of file, and what came of it."""

import io
import itertools
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hypothesis import strategies as st

from pipelines.readers import Dead, Document, Documents, Item, Skipped, by_kind

Items = list[Document | Dead | Skipped]


@dataclass(frozen=True)
class Source:
    text: str = "text"
    id: str = "id"
    url: str = "url"
    extract: str = "resiliparse"


def read(kind: str, body: bytes, name: str = "x", **fields: str) -> Items:
    return each(by_kind(kind)(io.BytesIO(body), name, Source(**fields)))


def each(items: Iterable[Item]) -> Items:
    """Row by row what comes in columns."""
    apart = (item.each() if isinstance(item, Documents) else [item] for item in items)
    return [item for some in apart for item in some]


def documents(items: Items) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def texts(items: Items) -> list[str]:
    return [item.text for item in documents(items)]


def dead(items: Items) -> list[Dead]:
    return [item for item in items if isinstance(item, Dead)]


def is_in_order(items: Items) -> bool:
    offsets = [item.offset for item in items if not isinstance(item, Skipped)]
    return all(a <= b for a, b in itertools.pairwise(offsets))


def peak(work: Callable[[], Items]) -> tuple[Items, int]:
    """What was read, and the most bytes that Python held meanwhile."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def damaged(body: bytes, data: st.DataObject) -> bytes:
    """Bytes of which a few are others, and the last may be missing."""
    made = bytearray(body)
    for _ in range(data.draw(st.integers(0, 4)) if body else 0):
        made[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    return bytes(made[: data.draw(st.just(len(body)) | st.integers(0, len(body)))])
