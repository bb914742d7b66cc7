"""How pieces travel between workers: as bytes of Arrow, whatever the runner; nothing is pickled."""

import struct

import apache_beam as beam
import pyarrow as pa

from pipelines.engine.exchange import Piece, size_of

PLACE = struct.Struct("<QQQ")  # task, number, place


class PieceCoder(beam.coders.Coder):
    """Three numbers, and an Arrow IPC stream of one batch with its schema.

    Pickle, which Beam would fall back on, writes the whole batch for a slice of it.
    """

    def encode(self, value: Piece) -> bytes:
        """A piece as bytes."""
        buffer = pa.allocate_buffer(size_of(value.batch))
        sink = pa.FixedSizeBufferWriter(buffer)
        sink.write(PLACE.pack(value.task, value.number, value.place))
        with pa.ipc.new_stream(sink, value.batch.schema) as writer:
            writer.write_batch(value.batch)
        return memoryview(buffer)[: sink.tell()].tobytes()

    def decode(self, encoded: bytes) -> Piece:
        """The piece back; its batch shares the memory of the bytes."""
        stream = pa.py_buffer(encoded).slice(PLACE.size)
        with pa.ipc.open_stream(stream) as reader:
            task, number, place = PLACE.unpack_from(encoded)
            return Piece(task, number, place, reader.read_next_batch())

    def is_deterministic(self) -> bool:
        """No: equal batches may have different buffers, so they are no keys."""
        return False

    def estimate_size(self, value: Piece) -> int:
        """Bytes; to encode it for that would double the work."""
        return size_of(value.batch)

    def to_type_hint(self) -> type[Piece]:
        """What it is for."""
        return Piece


def register() -> None:
    """Make it the coder of every collection of pieces."""
    beam.coders.registry.register_coder(Piece, PieceCoder)
