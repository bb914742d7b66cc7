"""What a stage puts out for the next: files of segments, and how they are read.  No Beam."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import pyarrow as pa

from pipelines.folders import Sink
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


def write(
    run: Run, name: str, out: Iterable[tuple[Key, pa.RecordBatch]]
) -> list[tuple[int, Segment]]:
    """One file of segments, in the order of their keys within each `SPILL` bytes.

    Batches of one key may have different columns; those with the same stay in their order.
    """
    batches = iter(out)
    first = next(batches, None)
    if first is None:
        return []
    segments: list[tuple[int, Segment]] = []
    held: Held = {}
    size = 0
    with run.folder.create(name, hashed=False) as sink:  # it does not outlive the step
        for key, batch in chain([first], batches):
            to = key if isinstance(key, tuple) else (key, 0)
            held.setdefault((*to, tuple(batch.schema.names)), []).append(batch)
            size += batch.nbytes
            if size > SPILL:
                segments += _spilled(sink, name, held)
                held, size = {}, 0
        segments += _spilled(sink, name, held)
    return segments


def _spilled(sink: Sink, name: str, held: Held) -> Iterator[tuple[int, Segment]]:
    for key, place, names in sorted(held):
        start = sink.size
        batches = held[key, place, names]
        with pa.ipc.new_stream(sink, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        yield key, Segment(place, name, start, sink.size - start)
