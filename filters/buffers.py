"""Arrow arrays as NumPy views, and back: what every kernel reads and writes."""

from typing import Annotated, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters import SPAN, SPANS

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
Positions = NDArray[np.int32]

Texts = tuple[Bytes, Offsets, Offsets, Positions, Positions]
"""The bytes of texts and where each begins; where the words of each do in the last two arrays."""

TWO, WRITTEN = "of two dimensions", "written"
Number = TypeVar("Number", bound=np.generic)
Value = TypeVar("Value")

Table = Annotated[NDArray[Number], TWO]
"""An array of two dimensions."""
Counts = Table[np.int64]
"""Of each thing that is counted a row, with a number for each text."""
Out = Annotated[Value, WRITTEN]
"""An array that a kernel writes; all others it only reads, as Arrow's buffers are."""


def utf8(texts: pa.StringArray | pa.LargeStringArray) -> tuple[Bytes, Offsets]:
    """The bytes of all texts and where each begins.  No copy of the bytes.

    Returns:
        bytes, and offsets of shape (n + 1,): text i is ``bytes[offsets[i]:offsets[i + 1]]``.
        A null is an empty text.
    """
    if len(texts) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, data = texts.buffers()
    kind = np.dtype(np.int64 if _is_wide(texts.type) else np.int32)
    at = np.frombuffer(offsets, kind, len(texts) + 1, texts.offset * kind.itemsize)
    at = at.astype(np.int64)
    body = np.frombuffer(data or b"", np.uint8)
    if texts.null_count:  # Arrow lets a null slot cover bytes: make it cover none
        return _without_nulls(texts, body, at)
    return body, at


def strings(body: Bytes, offsets: Offsets, kind: pa.DataType) -> pa.StringArray:
    """Texts from their bytes, without a copy: the inverse of `utf8`.

    Raises:
        OverflowError: the bytes are more than a string array can hold; a large one can.
    """
    width = np.int64 if _is_wide(kind) else np.int32
    if offsets[-1] > np.iinfo(width).max:
        raise OverflowError(f"{offsets[-1]:,} bytes in one {kind} array: use smaller batches")
    buffers = [None, pa.py_buffer(offsets.astype(width)), pa.py_buffer(body)]
    return pa.Array.from_buffers(kind, len(offsets) - 1, buffers)


def spans(lists: pa.ListArray) -> tuple[Offsets, Positions, Positions]:
    """A list of spans as three arrays.  Nothing is copied but the offsets.

    Returns:
        offsets of shape (n + 1,), starts and ends of shape (spans,): the spans of row i are
        ``starts[offsets[i]:offsets[i + 1]]``.  A null has none.
    """
    if lists.null_count:  # Arrow lets a null slot cover spans: make it cover none
        lists = pa.concat_arrays([lists[i : i + 1].fill_null([]) for i in range(len(lists))])
    values = lists.values
    starts, ends = (values.field(name).to_numpy() for name in ("start", "end"))
    return lists.offsets.to_numpy().astype(np.int64), starts, ends


def with_words(texts: pa.StringArray, words: pa.ListArray) -> Texts:
    """Texts with their words, `SPANS`, for a kernel; see `utf8` and `spans`."""
    return *utf8(texts), *spans(words)


def flat(lists: pa.ListArray) -> tuple[Offsets, Offsets, Offsets]:
    """Row, start and end of every span; a null has none."""
    lengths = lists.value_lengths().fill_null(0).to_numpy()
    values = lists.flatten()
    starts, ends = (values.field(name).to_numpy().astype(np.int64) for name in ("start", "end"))
    return np.repeat(np.arange(len(lists)), lengths), starts, ends


def listed(offsets: Offsets, starts: Positions, ends: Positions) -> pa.ListArray:
    """`SPANS` from three arrays; the inverse of `spans`."""
    values = pa.StructArray.from_arrays([pa.array(starts), pa.array(ends)], fields=list(SPAN))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values, type=SPANS)


def share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> pa.DoubleArray:
    """Part by whole, row by row; null where whole is 0."""
    none = whole == 0
    return pa.array(part / np.where(none, 1, whole), pa.float64(), mask=none)


def binary(table: NDArray[np.generic], some: NDArray[np.bool_]) -> pa.FixedSizeBinaryArray:
    """Each row of a table as one value of its bytes; null where there is not some.

    Args:
        table: shape (n, columns).
        some: shape (n,).
    """
    kind = pa.binary(table.shape[1] * table.itemsize)
    valid = pa.py_buffer(np.packbits(some, bitorder="little"))
    body = pa.py_buffer(np.ascontiguousarray(table))
    return pa.Array.from_buffers(kind, len(table), [valid, body])


def table(values: pa.FixedSizeBinaryArray) -> Bytes:
    """Values of one width as the rows of a table, without a copy: the inverse of `binary`.

    Returns:
        shape (n, width).  What a null holds is not said.
    """
    width = values.type.byte_width
    _, body = values.buffers()
    flat = np.frombuffer(body or b"", np.uint8, len(values) * width, values.offset * width)
    return flat.reshape(len(values), width)


def _is_wide(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))


def _without_nulls(texts: pa.Array, body: Bytes, at: Offsets) -> tuple[Bytes, Offsets]:
    lengths = np.where(texts.is_null().to_numpy(zero_copy_only=False), 0, np.diff(at))
    if (lengths == np.diff(at)).all():
        return body, at
    pieces = [body[a : a + n] for a, n in zip(at[:-1], lengths, strict=True)]
    return np.concatenate(pieces), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def begins(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which of some values, equal ones beside each other, differ from the one before."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def within(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """The place of each value among those beside it that are equal."""
    first = np.flatnonzero(begins(values))
    return np.arange(len(values)) - np.repeat(first, np.diff(np.append(first, len(values))))
