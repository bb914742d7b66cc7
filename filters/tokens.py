"""Tokens of a text, estimated from its bytes.

Byte-level tokenizers of 32,000 to 128,000 entries make 3.5 to 4.5 bytes of English prose a token;
for another language or for code the rate differs, so every page that shows the figure says
"estimated".
"""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from filters import check_whole


@dataclass(frozen=True, slots=True)
class Tokens:
    """Bytes of UTF-8 and tokens, rounded up, of the edited text.

    Attributes:
        bytes_per_token: the rate of the estimate.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[pa.Schema] = pa.schema(dict.fromkeys(("bytes", "tokens"), pa.int32()))

    bytes_per_token: int = 4

    def __post_init__(self) -> None:
        check_whole("bytes_per_token", self.bytes_per_token)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One row a text."""
        size = pc.binary_length(batch["text"]).cast(pa.int32())
        rate = pa.scalar(self.bytes_per_token, pa.int32())
        tokens = pc.divide(pc.add(size, pa.scalar(self.bytes_per_token - 1, pa.int32())), rate)
        return pa.record_batch([size, tokens], schema=self.columns)
