"""Edits: merging and applying spans to cut or to replace."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from filters import EDITS
from filters.buffers import Bytes, Offsets, Out, flat, strings, utf8
from filters.kernels import kernel

Spans = NDArray[np.int64]


def merge(parts: Sequence[pa.ListArray]) -> pa.ListArray:
    """All edits of the same texts as one list a text.

    Spans that overlap, directly or through others, become one span that covers them all, so that
    nothing that one source wanted gone stays in part.  If one is a cut, all is cut, for the reason
    of the cut from the earliest part; else the replacement that begins first stands, of two that
    begin together the one from the earlier part.  Spans that merely touch stay apart.

    Args:
        parts: `EDITS` with equally many rows, at least one part.

    Returns:
        `EDITS`, sorted and disjoint.

    Raises:
        ValueError: a span is empty or begins before its text, or parts differ in their rows.
    """
    if len({len(part) for part in parts}) != 1:
        raise ValueError(f"parts edit different texts: they have {[*map(len, parts)]} rows")
    edited = [part for part in parts if len(part.flatten())]
    if not edited:
        return parts[0]
    rows, starts, ends = (np.concatenate(those) for those in zip(*map(flat, edited), strict=True))
    if (starts < 0).any() or (starts >= ends).any():
        raise ValueError("an edit spans at least one byte of its text: need 0 <= start < end")
    if len(edited) == 1 and ((starts[1:] >= ends[:-1]) | (rows[1:] > rows[:-1])).all():
        return edited[0]
    values = pa.concat_arrays([part.flatten() for part in edited])
    cuts = _is_empty(values.field("replacement"))
    order = np.lexsort((np.arange(len(rows)), starts, rows))  # later keys first
    out = np.empty((3, len(rows)), np.int64)
    count = _merge(rows, starts, ends, cuts.astype(np.int64), order, *out)
    return listed_edits(
        np.bincount(rows[out[0, :count]], minlength=len(parts[0])),
        *out[1:, :count],
        *(values.field(name).take(pa.array(out[0, :count])) for name in ("replacement", "reason")),
    )


def apply(texts: pa.StringArray, edits: pa.ListArray) -> pa.StringArray:
    """The edited texts.  Where no text has an edit, it is the same array.

    Args:
        texts: raw; a null stays null.
        edits: `EDITS`, sorted and disjoint, as `merge` makes them.

    Raises:
        ValueError: spans overlap, leave their text, or begin or end inside a character.
    """
    if len(edits) != len(texts):
        raise ValueError(f"edits for {len(edits)} texts, but there are {len(texts)}")
    rows, starts, ends = flat(edits)
    if not len(rows):
        return texts
    body, offsets = utf8(texts)
    starts, ends = starts + offsets[rows], ends + offsets[rows]
    inside = (starts <= ends).all() and (ends <= offsets[rows + 1]).all()
    if not inside or (starts < np.maximum(offsets[rows], np.append(0, ends[:-1]))).any():
        raise ValueError("edits must lie inside their text, sorted and disjoint")
    borders = np.concatenate([starts, ends])
    if (body[borders[borders < offsets[-1]]] & 0xC0 == 0x80).any():
        raise ValueError("an edit begins or ends inside a character")
    new, at = utf8(edits.flatten().field("replacement"))
    growth = np.bincount(rows, np.diff(at) - (ends - starts), len(texts)).astype(np.int64)
    moved = offsets - offsets[0] + np.append(0, np.cumsum(growth))
    out = np.empty(moved[-1], np.uint8)
    _apply(body, offsets, starts, ends, new, at, out)
    edited = strings(out, moved, texts.type)
    return pc.if_else(texts.is_valid(), edited, None) if texts.null_count else edited


def listed_edits(
    counts: Offsets, starts: Spans, ends: Spans, replacements: pa.Array, reasons: pa.Array
) -> pa.ListArray:
    """`EDITS` from its fields and the number of edits of each row."""
    columns = [pa.array(starts, pa.int32()), pa.array(ends, pa.int32()), replacements, reasons]
    values = pa.StructArray.from_arrays(columns, fields=list(EDITS.value_type))
    offsets = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, type=EDITS)


def _is_empty(strings: pa.StringArray) -> NDArray[np.bool_]:
    return pc.equal(pc.binary_length(strings), 0).to_numpy(zero_copy_only=False)


@kernel
def _merge(
    rows: Spans,
    starts: Spans,
    ends: Spans,
    cuts: Spans,
    order: Spans,
    chosen: Out[Spans],
    first: Out[Spans],
    last: Out[Spans],
) -> int:
    """Unite what overlaps, in the order given: number of spans, the edit that names each, bytes."""
    count = 0
    for i in order:
        at = count - 1
        if count == 0 or rows[i] != rows[chosen[at]] or starts[i] >= last[at]:
            chosen[count], first[count], last[count] = i, starts[i], ends[i]
            count += 1
            continue
        last[at] = max(last[at], ends[i])
        # edits are numbered part by part, so the smaller number is from the earlier part
        if cuts[i] and (not cuts[chosen[at]] or i < chosen[at]):
            chosen[at] = i
    return count


@kernel
def _apply(
    data: Bytes,
    offsets: Offsets,
    starts: Spans,
    ends: Spans,
    new: Bytes,
    at: Offsets,
    out: Out[Bytes],
) -> None:
    """Copy all texts, with new[at[i]:at[i + 1]] in place of [starts[i], ends[i])."""
    to = 0
    done = offsets[0]
    for i in range(len(starts)):
        for byte in range(done, starts[i]):
            out[to] = data[byte]
            to += 1
        for byte in range(at[i], at[i + 1]):
            out[to] = new[byte]
            to += 1
        done = ends[i]
    for byte in range(done, offsets[-1]):
        out[to] = data[byte]
        to += 1
