"""Edits of lines: cutting those that a text repeats."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from filters import check_whole
from filters.repeats import repeated


@dataclass(frozen=True, slots=True)
class RepeatedLines:
    """Cut a line that the text already had, white space around it aside.

    A cut line goes with its line feed, those that end the text without one with that before them.

    Attributes:
        words: a line with fewer words stays (a rule, a bracket, "Read more").
    """

    words: int = 3

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        check_whole("words", self.words)

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reason "repeated_lines"."""
        return repeated(batch["text"], self.words, False, "repeated_lines")
