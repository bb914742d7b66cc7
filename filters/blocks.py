"""Edits of blocks, lines up to a blank one: cutting those that a text repeats."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from filters import check_whole
from filters.repeats import repeated


@dataclass(frozen=True, slots=True)
class RepeatedBlocks:
    """Cut a block that the text already had: lines up to a blank one, white space around it aside.

    A cut block goes with the blank lines after it, those that end a text without a line feed with
    the one before them.

    Attributes:
        words: a block with fewer words stays.
    """

    words: int = 8

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        check_whole("words", self.words)

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reason "repeated_blocks"."""
        return repeated(batch["text"], self.words, True, "repeated_blocks")
