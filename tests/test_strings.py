import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from pipelines.readers import Dead, strings

ROWS = [
    {"q": "one", "choices": {"text": ["two", "three"], "label": [1, None]}, "n": 4, "ok": True},
    {"q": None, "choices": None, "n": 5, "ok": None},
    {"q": "é", "choices": {"text": [], "label": []}, "n": 6, "ok": False},
]
FOUND = [["one", "two", "three"], [], ["é"]]

Found = list[list[str] | Dead]


def of(body: bytes, name: str) -> Found:
    return list(strings.json(io.BytesIO(body), name))


LINES = b"\xef\xbb\xbf" + "\n".join(json.dumps(row) for row in ROWS).encode() + b"\n\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_every_string_of_a_line(pack: Callable[[bytes], bytes], name: str) -> None:
    assert of(pack(LINES), name) == FOUND


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_json_file_may_be_one_value(pack: Callable[[bytes], bytes]) -> None:
    body = json.dumps(ROWS, indent=1).encode()
    assert of(pack(body), "a.json") == FOUND
    whole = json.dumps({"version": "x", "data": ROWS}).encode()
    assert of(pack(whole), "a.json.gz") == [["x", "one", "two", "three", "é"]]


def test_any_json_value_is_a_row() -> None:
    assert of(b'"a"\n["b", ["c"]]\n3\n', "a.jsonl") == [["a"], ["b", "c"], []]


def test_strings_nested_deeper_than_python_calls() -> None:
    assert of(b"[" * 1000 + b'"deep"' + b"]" * 1000, "a.jsonl") == [["deep"]]


def test_what_is_no_json_is_said_with_its_place() -> None:
    _, letter = of(b'{"a": "b"}\n{"a": \n', "a.jsonl")
    assert isinstance(letter, Dead) and (letter.offset, letter.reason) == (11, "not JSON")
    (letter,) = of(b"{", "a.json")
    assert isinstance(letter, Dead) and letter.reason == "not JSON"


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.gz"])
def test_a_file_that_was_cut_is_not_half_a_file(name: str) -> None:
    body = gzip.compress("".join(json.dumps([str(i)]) + "\n" for i in range(9999)).encode())
    letter = of(body[:-9], name)[-1]
    assert isinstance(letter, Dead) and letter.reason == "cut off"


def table(**more: Any) -> pa.Table:
    whole = pa.Table.from_pylist(ROWS)
    for name, column in more.items():
        whole = whole.append_column(name, column)
    return whole


def arrow(rows: pa.Table, stream: bool) -> bytes:
    out = io.BytesIO()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(out, rows.schema) as writer:
        writer.write_table(rows)
    return out.getvalue()


def parquet(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()


def of_table(body: bytes) -> Found:
    return list(strings.table(io.BytesIO(body), "a.parquet"))


@pytest.mark.parametrize(
    "write", [parquet, lambda rows: arrow(rows, True), lambda rows: arrow(rows, False)]
)
def test_every_string_of_a_table(write: Callable[[pa.Table], bytes]) -> None:
    assert of_table(write(table())) == FOUND
    more = table(
        kind=pa.array(["x", "y", "x"]).dictionary_encode(),
        image=pa.array([b"\xff"] * 3),
        at=pa.array([1, 2, 3], pa.timestamp("ns", "UTC")),
        long=pa.array(["m", None, "n"], pa.large_string()),
    )
    assert of_table(write(more)) == [[*FOUND[0], "x", "m"], ["y"], ["é", "x", "n"]]


def test_a_table_without_strings_or_rows() -> None:
    assert of_table(parquet(pa.table({"a": [1, 2]}))) == [[], []]
    assert of_table(parquet(pa.table({"a": pa.array([], pa.string())}))) == []


@pytest.mark.parametrize("body", [b"", b"PAR1", b"nothing of the kind", parquet(table())[:-9]])
def test_what_is_no_table_is_said(body: bytes) -> None:
    (letter,) = of_table(body)
    assert isinstance(letter, Dead) and letter.reason == "damaged" and letter.detail
