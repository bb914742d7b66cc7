"""What the tables of a run are called, and the files of its dataset.  No Beam."""

from collections.abc import Mapping

DECISIONS_TABLE = "decisions/documents"
EDITS_TABLE = "columns/documents/edits"
PAIRS_TABLE = "pairs"
WARC = "warc"
DATASET = "dataset"
SHARDS = "data/documents/"
"""Folder of the shards in the dataset."""
LETTERS = "dead/"
"""How tables of dead letters begin; what follows is the step or the measure."""


def shard_file(split: str, index: int, count: int) -> str:
    """The file of a shard in the dataset: number `index` of `count` of a split."""
    return f"{SHARDS}{split}-{index:05d}-of-{count:05d}.arrow"


def split_of(file: str) -> str:
    """The split of such a file."""
    return file.removeprefix(SHARDS).rpartition("-of-")[0].rpartition("-")[0]


def marked(counts: Mapping[str, int], mark: str) -> dict[str, int]:
    """Those of the counts whose name begins so, by what follows."""
    return {k.removeprefix(mark): n for k, n in counts.items() if k.startswith(mark)}
