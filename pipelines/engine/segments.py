"""What a stage puts out for the next: files of segments, and how they are read.  No Beam."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import pyarrow as pa

from pipelines.runs import Run

SPILL = 32_000_000  # bytes of batches that a task holds before it writes them

Key = int | tuple[int, int]
"""A key of the next stage; or that, and the place of a batch among those for it."""

Held = dict[tuple[int, int, tuple[str, ...]], list[pa.RecordBatch]]
"""Batches by key, place, and the names of their columns."""


class Segment(NamedTuple):
    """Where the batches of one task for one key and place lie."""

    place: int
    file: str
    start: int
    length: int


class Batches:
    """The batches for one key, in order, as often as one asks for them.

    Each segment is mapped, or fetched, when its turn comes and let go with its last batch, so what
    was used up does not stay in memory.
    """

    def __init__(self, run: Run, segments: Sequence[Segment]) -> None:
        self._run, self._segments = run, sorted(segments)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._segments)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """They, by the place and the file of their segments."""
        for _, file, start, length in self._segments:
            yield from pa.ipc.open_stream(self._run.folder.segment(file, start, length))


def gathered(
    out: Iterable[tuple[Key, pa.RecordBatch]],
) -> Iterator[tuple[int, int, list[pa.RecordBatch]]]:
    """What a stage puts out, in the order of keys and places within each `SPILL` bytes.

    Batches of one key may have different columns; those with the same stay in their order.

    Returns:
        key, place, and batches with the same columns.
    """
    held: Held = {}
    size = 0
    for key, batch in out:
        to = key if isinstance(key, tuple) else (key, 0)
        held.setdefault((*to, tuple(batch.schema.names)), []).append(batch)
        size += batch.nbytes
        if size > SPILL:
            yield from _sorted(held)
            held, size = {}, 0
    yield from _sorted(held)


def _sorted(held: Held) -> Iterator[tuple[int, int, list[pa.RecordBatch]]]:
    for key, place, names in sorted(held):
        yield key, place, held[key, place, names]


def write(
    run: Run, name: str, out: Iterable[tuple[Key, pa.RecordBatch]]
) -> list[tuple[int, Segment]]:
    """One file of segments; none for nothing."""
    found = gathered(out)
    first = next(found, None)
    if first is None:
        return []
    segments: list[tuple[int, Segment]] = []
    with run.folder.create(name, hashed=False) as sink:  # it does not outlive the step
        for key, place, batches in chain([first], found):
            start = sink.size
            with pa.ipc.new_stream(sink, batches[0].schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            segments.append((key, Segment(place, name, start, sink.size - start)))
    return segments
