from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import SPANS
from filters.buffers import binary, listed, share, spans, strings, table, utf8
from tests.helpers.measuring import structs

ROWS = st.lists(st.none() | st.text(), max_size=6)
KINDS = st.sampled_from([pa.string(), pa.large_string()])


def read(texts: pa.Array) -> list[str]:
    body, offsets = utf8(texts)
    return [bytes(body[a:b]).decode() for a, b in pairwise(offsets)]


@given(ROWS, ROWS, KINDS)
def test_texts_come_out_of_any_slice(before: list[str], rows: list[str], kind: pa.DataType) -> None:
    array = pa.array([*before, *rows, *before], kind).slice(len(before), len(rows))
    assert read(array) == [row or "" for row in rows]
    body, offsets = utf8(array)
    if not offsets[0]:
        assert strings(body, offsets, kind).equals(array.fill_null(""))


def test_nothing_is_copied() -> None:
    array = pa.array(["one", "two", "three"])
    body, _ = utf8(array[1:])
    assert body.ctypes.data == array.buffers()[2].address
    back = strings(body, np.array([0, 3, 6]), pa.string())
    assert back.buffers()[2].address == array.buffers()[2].address
    assert back.to_pylist() == ["one", "two"]


def test_a_null_that_covers_bytes_is_empty() -> None:
    _, offsets, body = pa.array(["aa", "hidden", "bb"]).buffers()
    texts = pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), offsets, body])
    assert texts.to_pylist() == ["aa", None, "bb"]
    assert read(texts) == ["aa", "", "bb"]
    assert read(texts[1:]) == ["", "bb"]


def test_no_rows() -> None:
    for array in (pa.array([], pa.string()), pa.array(["a"])[1:], pa.nulls(0, pa.string())):
        assert read(array) == []
    assert read(pa.nulls(2, pa.string())) == ["", ""]


def test_a_string_array_does_not_hold_three_gigabytes() -> None:
    with pytest.raises(OverflowError, match="smaller batches"):
        strings(np.empty(0, np.uint8), np.array([0, 3 << 30]), pa.string())


SPAN_ROWS = st.lists(
    st.none() | st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))), max_size=5
)


@given(SPAN_ROWS, SPAN_ROWS)
def test_spans_come_out_of_any_slice(
    before: list[list[tuple[int, int]]], rows: list[list[tuple[int, int]]]
) -> None:
    whole = structs(SPANS, [*before, *rows, *before])
    offsets, starts, ends = spans(whole[len(before) :][: len(rows)])
    found = list(zip(starts.tolist(), ends.tolist(), strict=True))
    twin = [row or [] for row in rows]
    assert [found[a:b] for a, b in pairwise(offsets)] == twin
    back = listed(offsets - offsets[0], starts[offsets[0] :], ends[offsets[0] :])
    assert back[:].equals(structs(SPANS, twin))


def test_a_share_of_nothing_is_null() -> None:
    assert share(np.array([1, 0]), np.array([2, 0])).to_pylist() == [0.5, None]
    assert share(np.array([], int), np.array([], int)).to_pylist() == []


def test_tables_of_bytes_come_back() -> None:
    rows = np.arange(30, dtype=np.uint8).reshape(10, 3)
    some = np.arange(10) % 4 > 0
    found = binary(rows, some)
    found.validate(full=True)
    expected = [bytes(row) if valid else None for row, valid in zip(rows, some, strict=True)]
    assert found.to_pylist() == expected
    assert (table(found[3:7]) == rows[3:7]).all()
    assert binary(rows[:, ::-1], some)[1].as_py() == bytes(rows[1, ::-1])
    assert binary(rows.astype("<u8"), some).type == pa.binary(24)
    assert table(binary(rows[:0], some[:0])).shape == (0, 3)
