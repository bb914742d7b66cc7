"""What edits took from the texts, counted by reason: by the steps, and told after the run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.runs.tables import marked

MADE = "edits: "
TAKEN = "bytes taken: "
STEPS = ("scan", "passages")  # that make edits


@dataclass(frozen=True)
class Edited:
    """The edits of one reason.

    Attributes:
        times: how many were made.
        size: bytes of the raw texts that they cut or replaced.
    """

    reason: str
    times: int
    size: int


def counted(edits: pa.ListArray) -> Counter[str]:
    """How many edits of each reason there are, and the bytes that they take, as a step counts.

    Args:
        edits: `EDITS`.
    """
    each = edits.flatten()
    size = pc.subtract(each.field("end"), each.field("start"))
    table = pa.table({"reason": each.field("reason"), "size": size})
    found = Counter[str]()
    for row in table.group_by("reason").aggregate([("size", "count"), ("size", "sum")]).to_pylist():
        found[f"{MADE}{row['reason']}"] = row["size_count"]
        found[f"{TAKEN}{row['reason']}"] = row["size_sum"]
    return found


def listed(steps: Mapping[str, Any]) -> list[Edited]:
    """The edits of a run, by its steps in the manifest; the most frequent first."""
    counts = Counter[str]()
    for step in STEPS:
        counts.update(steps.get(step, {}).get("counts", {}))
    found = [
        Edited(reason, times, counts[TAKEN + reason])
        for reason, times in marked(counts, MADE).items()
    ]
    return sorted(found, key=lambda each: (-each.times, each.reason))
