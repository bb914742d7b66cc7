"""Parquet and Arrow: every type of text, rows of any shape, whole, cut or damaged."""

import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers import Dead, Document, Documents, batches, packed, parquet
from tests.helpers.reading import Items, Source, damaged, dead, documents, is_in_order, read, texts

Write = Callable[[pa.Table], bytes]


def as_parquet(table: pa.Table, rows: int = 100, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=rows, **options)
    return out.getvalue()


def as_stream(table: pa.Table, rows: int = 100) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return out.getvalue()


def as_file(table: pa.Table, rows: int = 100) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return out.getvalue()


WRITERS = [as_parquet, as_stream, as_file]
every_format = pytest.mark.parametrize("write", WRITERS, ids=lambda w: w.__name__)


def numbered(count: int) -> pa.Table:
    return pa.table({"id": range(count), "text": [f"row {i} ü" for i in range(count)]})


def read_table(write: Write, table: pa.Table, **fields: str) -> Items:
    return read("parquet", write(table), **fields)


@every_format
def test_a_row_becomes_a_document_with_all_its_fields(write: Write) -> None:
    table = pa.table(
        {
            "text": ["one", "zwei ü"],
            "id": [1, 2],
            "url": ["http://a.org/", None],
            "score": [0.5, None],
            "tags": [["a"], []],
        }
    )
    assert read_table(write, table) == [
        Document("one", 0, 3, "1", "http://a.org/", metadata='{"score":0.5,"tags":["a"]}'),
        Document("zwei ü", 1, 7, "2", metadata='{"url":null,"score":null,"tags":[]}'),
    ]


STRINGS = [
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view()),
    *(pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.large_string())),
]


@every_format
@pytest.mark.parametrize("kind", STRINGS, ids=str)
def test_every_type_of_string_is_text(kind: pa.DataType, write: Write) -> None:
    plain = ["a", None, "ü" * 50, "", "a", "NUL \0"]
    values = pa.array(plain)
    if kind in STRINGS[3:6]:
        values = values.cast(pa.binary())
    items = read_table(write, pa.table({"text": values.cast(kind)}))
    assert texts(items) == [t for t in plain if t is not None]
    assert dead(items) == [Dead(1, "no text", "field text")]


@every_format
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1, 2], "text is a number"),
        ([1.5, 2], "text is a number"),
        ([Decimal("1.5")], "text is a number"),
        ([True], "text is a boolean"),
        ([["x"]], "text is a list"),
        ([{"x": 1}], "text is an object"),
        ([datetime(2024, 1, 1, tzinfo=UTC)], "text is a time"),
    ],
)
def test_text_of_another_type_is_one_dead_letter(
    values: list[object], reason: str, write: Write
) -> None:
    body = write(pa.table({"text": values}))
    (letter,) = dead(read("parquet", body))
    assert (letter.offset, letter.reason) == (0, reason)
    assert 0 < letter.unread <= len(body)


@every_format
def test_a_missing_column_is_one_dead_letter_that_names_the_others(write: Write) -> None:
    body = write(pa.table({"content": ["x"], "url": ["u"]}))
    assert [(d.reason, d.detail) for d in dead(read("parquet", body))] == [
        ("no column", "text; there are content, url")
    ]
    assert texts(read("parquet", body, text="content")) == ["x"]
    many = write(pa.table({f"f{i}": ["x"] for i in range(14)}))
    assert dead(read("parquet", many))[0].detail.endswith("f10, f11 and 2 more")
    assert len(dead(read("parquet", body, text="content.inner"))) == 1


@every_format
def test_a_column_of_nulls_has_no_text(write: Write) -> None:
    items = read_table(write, pa.table({"text": pa.nulls(3)}))
    assert [(d.offset, d.reason) for d in dead(items)] == [(i, "no text") for i in range(3)]


@every_format
def test_fields_in_structs_are_named_by_dots(write: Write) -> None:
    rows = [
        {"doc": {"body": "x", "at": {"url": "u"}}, "meta": {"key": "k", "n": 1}},
        {"doc": None, "meta": None},
        {"doc": {"body": "y", "at": None}, "meta": {"key": None, "n": 2}},
    ]
    items = read_table(
        write, pa.Table.from_pylist(rows), text="doc.body", url="doc.at.url", id="meta.key"
    )
    assert [(i.text, i.source_key, i.url) for i in documents(items)] == [
        ("x", "k", "u"),
        ("y", None, None),
    ]
    assert json.loads(documents(items)[0].metadata or "") == {"doc": {"at": {}}, "meta": {"n": 1}}
    assert [(d.offset, d.reason) for d in dead(items)] == [(1, "no text")]


@every_format
def test_a_column_whose_name_has_a_dot_is_itself(write: Write) -> None:
    table = pa.table({"a.text": ["x"], "a.url": ["u"]})
    assert read_table(write, table, text="a.text", url="a.url") == [Document("x", 0, 1, "u", "u")]


@every_format
def test_metadata_is_the_same_everywhere_and_without_bytes(write: Write) -> None:
    when = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    table = pa.table(
        {
            "text": ["x"],
            "image": [b"\xff"],
            "images": pa.array([[b"\xff"]]),
            "file": [{"bytes": b"\xff", "path": "p"}],
            "files": [[{"bytes": b"\xff", "path": "p"}]],
            "zoned": pa.array([when], pa.timestamp("ns", "Asia/Tokyo")),
            "nested": pa.array([[when]], pa.list_(pa.timestamp("ns"))),
            "day": pa.array([when.date()]),
            "took": pa.array([timedelta(seconds=2)], pa.duration("ms")),
            "price": [Decimal("1.50")],
            "nan": [float("nan")],
            "kind": pa.array(["k"]).dictionary_encode(),
            "pairs": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        }
    )
    if write is as_parquet:
        table = table.drop(["took"])
    (item,) = documents(read_table(write, table))
    metadata = json.loads(item.metadata or "")
    assert metadata.pop("took", 2000) == 2000
    assert metadata == {
        "file": {"path": "p"},
        "files": [{"path": "p"}],
        "zoned": "2024-02-03 04:05:06.000000000",
        "nested": ["2024-02-03 04:05:06.000000000"],
        "day": "2024-02-03",
        "price": "1.50",
        "nan": None,
        "kind": "k",
        "pairs": [["a", 1]],
    }


@every_format
def test_bad_rows_are_dead_letters_and_their_neighbours_live(write: Write) -> None:
    values = [b"a", b"\xff", b"x" * 16_000_001, b"\xed\xa0\x80", b"b"]
    items = read_table(write, pa.table({"text": pa.array(values, pa.binary())}))
    assert texts(items) == ["a", "b"]
    assert [(d.offset, d.reason) for d in dead(items)] == [
        (1, "not UTF-8"),
        (2, "too large"),
        (3, "not UTF-8"),
    ]


@every_format
def test_an_empty_table_holds_nothing(write: Write) -> None:
    assert read_table(write, numbered(0)) == []


@pytest.mark.parametrize("body", [b"", b"PAR", b"PAR1", b"PAR1PAR1", b"text", b'{"text": "x"}'])
def test_what_is_neither_is_one_dead_letter(body: bytes) -> None:
    (letter,) = dead(read("parquet", body))
    assert letter.unread == len(body)


def test_a_cut_parquet_file_is_one_dead_letter() -> None:
    body = as_parquet(numbered(300))
    for cut in range(0, len(body), 7):
        (letter,) = read("parquet", body[:cut])
        assert isinstance(letter, Dead)
        assert letter.unread == cut


@pytest.mark.parametrize("write", [as_stream, as_file])
def test_a_cut_arrow_file_loses_what_followed_it_and_nothing_before(write: Write) -> None:
    body = write(numbered(300))
    good = texts(read("parquet", body))
    assert len(good) == 300
    seen = set()
    for cut in [*range(0, len(body), 13), len(body) - 1]:
        items = read("parquet", body[:cut])
        found = texts(items)
        assert found == good[: len(found)] and len(found) % 100 == 0
        assert len(dead(items)) == 1
        seen.add(len(found))
    assert seen == {0, 100, 200, 300}


def test_streams_one_after_the_other_are_read_on() -> None:
    items = read("parquet", as_stream(numbered(150)) + as_stream(numbered(3)))
    assert [i.offset for i in documents(items)] == list(range(153))
    assert dead(items) == []


@pytest.mark.parametrize("ends", [1, 2, 3])
def test_an_end_may_be_written_more_than_once(ends: int) -> None:
    stream = as_stream(pa.table({"text": ["a", "b"]})) + parquet.END * (ends - 1)
    assert texts(read("parquet", stream * 2)) == ["a", "b"] * 2


def test_a_damaged_row_group_is_lost_alone() -> None:
    table = numbered(300)
    body = as_parquet(table, write_page_checksum=True, compression="none", use_dictionary=False)
    at = body.index(b"row 150 ")
    flipped = body[:at] + b"?" + body[at + 1 :]
    items = read("parquet", flipped)
    assert [i.offset for i in documents(items)] == [*range(100), *range(200, 300)]
    (letter,) = dead(items)
    assert (letter.offset, letter.reason) == (100, "damaged")
    assert len(body) / 4 < letter.unread < len(body) / 2


@pytest.mark.parametrize("offset", [-1, 2**31 - 1])
@pytest.mark.parametrize("column", ["text", "tags", "label"])
def test_offsets_that_lead_astray_are_not_followed(column: str, offset: int) -> None:
    table = pa.table(
        {
            "text": ["a" * 6] * 100,
            "tags": [["x"] * 7] * 100,
            "label": pa.array(["k", "l"] * 50).dictionary_encode(),
        }
    )
    body = as_stream(table)
    numbers = {"text": range(0, 601, 6), "tags": range(0, 701, 7), "label": [0, 1] * 50}[column]
    at = body.index(np.array(numbers, np.int32).tobytes()) + 200
    bad = offset.to_bytes(4, "little", signed=True)
    items = read("parquet", body[:at] + bad + body[at + 4 :])
    if column == "text":
        assert [d.offset for d in dead(items)] == [49, 50]
        assert len(texts(items)) == 98
    else:
        assert texts(items) == []
        (letter,) = dead(items)
        assert (letter.offset, letter.reason) == (0, "damaged")
        assert 0 < letter.unread < len(body)


def test_without_checksums_damage_to_the_text_is_found_where_it_is_no_utf8() -> None:
    body = as_parquet(numbered(300), compression="none", use_dictionary=False)
    at = body.index(b"row 150 ")
    items = read("parquet", body[:at] + b"\xff" + body[at + 1 :])
    assert [(d.offset, d.reason) for d in dead(items)] == [(150, "not UTF-8")]
    assert len(texts(items)) == 299


def test_rows_come_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH", 100_000)
    table = pa.table({"text": [f"{i} " * 20_000 for i in range(200)]})
    body = as_parquet(
        table, rows=200, use_dictionary=False, compression="none", write_batch_size=10
    )
    del table
    before, most = pa.total_allocated_bytes(), 0
    tracemalloc.start()
    for item in parquet.read(io.BytesIO(body), "x", Source()):
        assert isinstance(item, Documents)
        most = max(most, pa.total_allocated_bytes() - before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most + peak < len(body) / 2


@settings(max_examples=150)
@given(st.sampled_from(WRITERS), st.data())
def test_no_bytes_raise(write: Write, data: st.DataObject) -> None:
    table = numbered(40).append_column("tags", pa.array([["a", "b"]] * 40))
    items = read("parquet", damaged(write(table, 20), data))  # type: ignore[call-arg]
    assert is_in_order(items)
    assert all(letter.unread >= 0 for letter in dead(items))


@pytest.mark.parametrize("said", ["malloc of size 64000 failed", "out of memory"])
def test_where_memory_is_short_no_row_is_called_damaged(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise pa.lib.ArrowMemoryError(said)

    monkeypatch.setattr(batches, "_whole", lambda *_: None)
    for module, do in [(pq.ParquetFile, "iter_batches"), (batches, "_convert")]:
        with monkeypatch.context() as patch, pytest.raises(MemoryError, match=said):
            patch.setattr(module, do, lambda *_, **__: map(short, [None]))
            read("parquet", as_parquet(numbered(9)))


def test_a_file_that_asks_for_more_than_there_is_anywhere_is_damaged() -> None:
    error = pa.lib.ArrowMemoryError("malloc of size 9223372036854775 failed")
    assert "malloc" in packed.tripped(error)
