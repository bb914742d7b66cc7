"""Documents of a published dataset, read where they lie: Arrow streams, memory-mapped."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.errors import RunError
from pipelines.runs import Run
from pipelines.runs.tables import DATASET, SHARDS, split_of


class Shards:
    """The documents of some shards, in their order; nothing is copied until it is looked at.

    Attributes:
        table: their columns.
    """

    def __init__(self, files: Sequence[str | Path]) -> None:
        """Open shards.

        Raises:
            RunError: if one cannot be opened.
        """
        self.table = pa.concat_tables(map(_mapped, files))
        rows = [chunk.num_rows for chunk in self.table.to_batches()]
        self._starts = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def texts(self) -> Iterator[pa.StringArray]:
        """All texts, a record batch at a time."""
        yield from self.table["text"].chunks

    def __getitem__(self, number: int) -> str:
        """The text of one document.

        Raises:
            IndexError: if there are fewer.
        """
        if not 0 <= number < len(self):
            raise IndexError(number)
        chunk = int(np.searchsorted(self._starts, number, side="right")) - 1
        return str(self.table["text"].chunk(chunk)[number - int(self._starts[chunk])])


def _mapped(file: str | Path) -> pa.Table:
    try:
        return pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{file}: is no Arrow stream that can be read: {error}") from error


def splits(run: Run) -> list[str]:
    """The splits in which a run published something."""
    sealed = run.manifest.tables.get(DATASET)
    names = [p.name for p in sealed.parts if p.name.startswith(SHARDS)] if sealed else []
    return sorted(set(map(split_of, names)))


def published(run: Run, split: str) -> Shards:
    """The documents that a run published in a split.

    Raises:
        RunError: if it published none, or a file is not as it was.
    """
    place = run.folder.path
    sealed = run.manifest.tables.get(DATASET)
    names = (
        [p.name for p in sealed.parts if p.name.startswith(f"{SHARDS}{split}-")] if sealed else []
    )
    if sealed is None or not names:
        raise RunError(f"{place}: published nothing in split {split}; run its recipe to the end")
    if not run.is_whole(DATASET):
        raise RunError(f"{place}: files of its dataset are missing; run its recipe again")
    return Shards([run.home(DATASET).at(f"{DATASET}/{name}") for name in sorted(names)])
