"""Documents of a published dataset, read where they lie: Arrow streams, memory-mapped."""

import pyarrow as pa

from pipelines.errors import RunError
from pipelines.runs import Part, Run
from pipelines.runs.tables import DATASET, SHARDS, split_of


def shards(run: Run) -> list[Part]:
    """The shards that a run published; none if it published nothing."""
    sealed = run.manifest.tables.get(DATASET)
    return [part for part in sealed.parts if part.name.startswith(SHARDS)] if sealed else []


def splits(run: Run) -> list[str]:
    """The splits in which a run published something."""
    return sorted({split_of(part.name) for part in shards(run)})


def published(run: Run, split: str) -> pa.Table:
    """The documents that a run published in a split; nothing is copied until it is looked at.

    Raises:
        RunError: if it published none, or a file is not as it was.
    """
    place = run.folder.path
    names = sorted(part.name for part in shards(run) if split_of(part.name) == split)
    if not names:
        raise RunError(f"{place}: published nothing in split {split}; run its recipe to the end")
    if not run.is_whole(DATASET):
        raise RunError(f"{place}: files of its dataset are missing; run its recipe again")
    home = run.home(DATASET)
    return pa.concat_tables(_mapped(home.at(f"{DATASET}/{name}")) for name in names)


def _mapped(file: str) -> pa.Table:
    try:
        return pa.ipc.open_stream(pa.memory_map(file)).read_all()
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{file}: is no Arrow stream that can be read: {error}") from error
