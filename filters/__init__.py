"""Filters: measures and edits, pure functions of record batches.  No Beam, no file, no clock.

A **measure** turns a batch of documents into columns, row for row.  An **edit** turns it into spans
of the raw text to cut or replace.  Both are frozen values: they compare, print and pickle, and hold
their options and nothing else.  Models are loaded on first use, once a process.  A `Learner`
learns before, and is fitted with what it learned, a file of the run; a `Counting` counts the whole
corpus before, and is fitted with the sums.

What the batch holds is what `needs` asks for:

==============  ====================================================================================
``text``        string; for an edit the raw text, for a measure the edited text
``words``       ``SPANS``: the words of the edited text, from `filters.words`
``paragraphs``  ``PARAGRAPHS``: the paragraphs of the raw text with their languages
``edits``       ``EDITS``: all edits of the raw text, merged
any column      of the documents table (``id``, ``url``, ``source_key``, …); for a `Counting`
                also of other measures, such as ``language``
==============  ====================================================================================
"""

import re
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SPAN = pa.struct([pa.field("start", pa.int32(), False), pa.field("end", pa.int32(), False)])
SPANS = pa.list_(pa.field("item", SPAN, False))
"""Byte ranges ``[start, end)`` of a UTF-8 text, sorted and disjoint."""

PARAGRAPHS = pa.list_(
    pa.struct([*SPAN, pa.field("language", pa.string()), pa.field("score", pa.float32())])
)
"""Byte ranges that cover the text, with language (ISO 639, null: unknown) and probability."""

EDITS = pa.list_(
    pa.struct([*SPAN, *(pa.field(n, pa.string(), False) for n in ("replacement", "reason"))])
)
"""Byte ranges of the raw text to replace (by "": to cut), sorted and disjoint."""


class Measure(Protocol):
    """Columns about documents.

    Attributes:
        version: raised when the same text may give other values.
        needs: columns that the batch must hold.
        columns: what `measure` returns.  A value that does not exist is null, never NaN.
    """

    version: ClassVar[int]
    needs: ClassVar[tuple[str, ...]]

    @property
    def columns(self) -> pa.Schema:
        """Names and types of the columns."""

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, as many rows as the batch; no row sees its neighbours."""


class Learned(NamedTuple):
    """What a measure learned.

    Attributes:
        model: bytes of a file, from which the measure can be made anywhere.
        told: how many held-out samples of one label (first) were given another, or the same.
    """

    model: bytes
    told: Mapping[tuple[str, str], int]


@runtime_checkable
class Learner(Protocol):
    """What learns, from what its options name, before it can measure."""

    def fit(self, seed: int) -> Learned:
        """Learn; the same options and seed give the same model.

        Raises:
            ValueError: if nothing can be learned from what it is given.
        """

    def fitted(self, model: bytes) -> Measure:
        """The measure that goes by what was learned.

        Raises:
            ValueError: if the model is not one of its own.
        """


@runtime_checkable
class Counting(Protocol):
    """What goes by counts over the whole corpus: whole numbers that add up.

    Attributes:
        needs: columns that a batch must hold, to be counted and to be measured.
    """

    needs: ClassVar[tuple[str, ...]]

    def count(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """The counts of a batch.

        Returns:
            shape (n,), where n follows from the options alone.
        """

    def given(self) -> NDArray[np.int64] | None:
        """The counts of what the options name, added once; None: they name nothing.

        Raises:
            ValueError: if nothing can be said by what they name.
        """

    def fitted(self, counts: NDArray[np.int64]) -> Measure:
        """The measure that goes by the sums.

        Raises:
            ValueError: if nothing can be said by them.
        """


class Edit(Protocol):
    """Spans of the raw text to cut or to replace.

    Attributes:
        version: raised when the same text may give other spans.
        needs: columns that the batch must hold.
    """

    version: ClassVar[int]
    needs: ClassVar[tuple[str, ...]]

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS`, as many rows as the batch; a cut line owns its newline."""


def check_name(name: str) -> None:
    """Refuse what is no name for the columns of a measure that the recipe names.

    Raises:
        ValueError: if it is none.
    """
    if not re.fullmatch(r"[a-z_]\w*", name):
        raise ValueError(f"{name!r} is no name for a column; want letters, digits and _")


def check_whole(option: str, value: object, least: int = 1, most: int = 2**31 - 1) -> None:
    """Refuse what is no whole number, or too small or too large.

    Raises:
        ValueError: if it is not.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{option} wants a whole number of {least:,} to {most:,}, got {value!r}")
