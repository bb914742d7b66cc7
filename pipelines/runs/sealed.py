"""Parquet files of a run, read: what was damaged since it was sealed is said in one line.

Every page has a checksum, which is looked at, so that a bit that was flipped is not published.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import DamagedError, is_told

LARGEST = 4 << 30  # bytes; no file of ours asks for so much at once, a damaged one may


class Sealed(pq.ParquetFile):
    """A file that raises `DamagedError` where it cannot be read."""

    def __init__(self, file: pa.NativeFile, where: str, pre_buffer: bool) -> None:
        self._where = where
        with _explained(where):
            super().__init__(file, pre_buffer=pre_buffer, page_checksum_verification=True)

    def read(self, *asked: Any, **how: Any) -> pa.Table:
        """See `pyarrow.parquet.ParquetFile.read`."""
        with _explained(self._where):
            return super().read(*asked, **how)

    def read_row_group(self, *asked: Any, **how: Any) -> pa.Table:
        """See `pyarrow.parquet.ParquetFile.read_row_group`."""
        with _explained(self._where):
            return super().read_row_group(*asked, **how)

    def iter_batches(self, *asked: Any, **how: Any) -> Iterator[pa.RecordBatch]:
        """See `pyarrow.parquet.ParquetFile.iter_batches`."""
        with _explained(self._where):
            yield from super().iter_batches(*asked, **how)


def _asked(error: MemoryError) -> int:
    """Bytes that were asked for at once, as Arrow says; else 0."""
    said = re.search(r"of size (\d+)", str(error))
    return int(said[1]) if said else 0


@contextlib.contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, MemoryError) as error:
        if isinstance(error, MemoryError) and _asked(error) < LARGEST:
            raise
        if isinstance(error, OSError) and is_told(error):  # the system, or a store, says why
            raise
        why = " ".join(str(error).split())
        todo = "restore it, or delete it and run the recipe again"
        raise DamagedError(f"{where}: is damaged ({why}); {todo}") from error
