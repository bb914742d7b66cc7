"""A run that measures nothing but sizes: what `karez run` costs before it does any work of its own.

python tests/bench/skeleton.py RECIPE FOLDER [STEP]

With a step's name, the run ends with it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from pipelines.commands import run as command
from pipelines.recipe import measures
from pipelines.steps import order


@dataclass(frozen=True)
class Unknown:
    """Languages, not looked for."""

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema(
        [("language", pa.string()), ("language_score", pa.float64())]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Nulls."""
        return pa.record_batch(
            [pa.nulls(batch.num_rows, f.type) for f in self.columns], self.columns
        )


if __name__ == "__main__":
    measures.MEASURES["language"] = "skeleton:Unknown"
    if sys.argv[3:]:
        names = [step.name for step in order.STEPS]
        order.STEPS = order.STEPS[: names.index(sys.argv[3]) + 1]
    command.run(command.Asked([Path(sys.argv[1])], folder=sys.argv[2], as_json=True))
