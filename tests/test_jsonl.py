"""JSON lines: rows of any shape, packed or not, whole or damaged."""

import gzip
import io
import json
import time
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers import Dead, Document, jsonl, kind_of, packed
from tests.helpers import reading
from tests.helpers.reading import Items, damaged, dead, is_in_order, peak, texts


def read(body: bytes, name: str = "x.jsonl", **fields: str) -> Items:
    return reading.read("jsonl", body, name, **fields)


def rows(count: int) -> bytes:
    """Rows that do not pack well, so that a fault can be put between them."""
    noise = [format(zlib.crc32(b"%d" % i), "x") * 3 for i in range(count)]
    return b"".join(
        json.dumps({"text": f"row {i} {x}"}).encode() + b"\n" for i, x in enumerate(noise)
    )


def test_a_row_becomes_a_document_with_all_its_fields() -> None:
    first = b'{"text": "one"}\n'
    row = '{"id": 7, "url": "http://a.org/", "text": "zwei \\u00fc", "score": 0.5, "tags": ["a"]}\n'
    assert read(first + row.encode()) == [
        Document("one", 0, len(first)),
        Document(
            text="zwei ü",
            offset=len(first),
            length=len(row),
            source_key="7",
            url="http://a.org/",
            metadata='{"score":0.5,"tags":["a"]}',
        ),
    ]


def test_fields_are_those_that_the_source_names() -> None:
    (item,) = read(
        b'{"text": 1, "content": "x", "key": "k", "at": "u"}', text="content", id="key", url="at"
    )
    assert item == Document("x", 0, 50, "k", "u", metadata='{"text":1}')


def test_an_id_or_url_of_another_type_is_metadata() -> None:
    (item,) = read(b'{"text": "x", "id": true, "url": 5}')
    assert item == Document("x", 0, 35, metadata='{"id":true,"url":5}')


def test_a_url_stands_in_for_a_missing_id() -> None:
    (item,) = read(b'{"text": "x", "url": "u"}')
    assert item == Document("x", 0, 25, "u", "u")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"body": "x", "meta": {"text": "y"}}', "; there are body, meta"),
        (json.dumps({f"f{i}": i for i in range(14)}).encode(), ", f10, f11 and 2 more"),
        (b"{}", "; there are none"),
        (b'{"text": null, "body": "x"}', "field text"),
    ],
)
def test_of_a_row_without_the_field_it_is_told_which_there_are(line: bytes, told: str) -> None:
    (item,) = read(line)
    assert isinstance(item, Dead) and item.reason == "no text" and item.detail.endswith(told)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"other": "x"}', "no text"),
        (b'{"text": null}', "no text"),
        (b'{"text": 5}', "text is a number"),
        (b'{"text": 5.5}', "text is a number"),
        (b'{"text": true}', "text is a boolean"),
        (b'{"text": ["x"]}', "text is a list"),
        (b'{"text": {"x": 1}}', "text is an object"),
        (b'["text"]', "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b'{"text": "x"', "not JSON"),
        (b'{"text": "x"} {"text": "y"}', "not JSON"),
        (b'{"text": NaN}', "not JSON"),
        (b'{"text": "x", "score": NaN}', "not JSON"),
        (b'{"text": "\\ud800"}', "not JSON"),
        (b'{"text": "\xff"}', "not JSON"),
        (b'{"text": "\xed\xa0\x80"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"text": "x", "tree": ' + b"[" * 500 + b"]" * 500 + b"}", "too deep"),
        (b'{"text": "' + b"x" * 16_000_001 + b'"}', "too large"),
        (b'{"text": "' + "ü".encode() * 8_000_001 + b'"}', "too large"),
    ],
)
def test_a_bad_row_is_a_dead_letter_and_its_neighbours_live(line: bytes, reason: str) -> None:
    items = read(b'{"text": "before"}\n' + line + b'\n{"text": "after"}\n')
    assert texts(items) == ["before", "after"]
    (letter,) = dead(items)
    assert (letter.offset, letter.reason, letter.unread) == (19, reason, 0)
    assert len(letter.detail) <= 200 and letter.detail.isprintable()


@pytest.mark.parametrize("name", ["x.json", "x.json.gz", "X.JSON"])
@pytest.mark.parametrize(
    "body", [b' [{"text": "a"}]', b'\n[\n {"text": "a"},\n {"text": "b"}\n]\n']
)
def test_a_file_that_holds_one_array_is_told_as_such_once(name: str, body: bytes) -> None:
    (letter,) = read(body, name)
    assert isinstance(letter, Dead)
    assert (letter.reason, letter.unread) == ("one JSON array", len(body))
    assert "jq" in letter.detail


def test_rows_of_a_json_file_that_begins_with_one_are_read() -> None:
    assert texts(read(b'{"text": "a"}\n["b"]\n{"text": "c"}', "x.json")) == ["a", "c"]


def test_blank_lines_marks_and_missing_newlines_are_no_faults() -> None:
    body = b'\xef\xbb\xbf{"text": "a"}\r\n\n  \t\n{"text": ""}\n\n{"text": "NUL \\u0000"}'
    items = read(body)
    assert texts(items) == ["a", "", "NUL \0"]
    assert [body[i.offset : i.offset + i.length] for i in items if isinstance(i, Document)] == [
        b'\xef\xbb\xbf{"text": "a"}\r\n',
        b'{"text": ""}\n',
        b'{"text": "NUL \\u0000"}',
    ]
    assert read(b"") == read(b"\n\n") == read(gzip.compress(b"")) == []


def test_a_line_over_the_limit_is_skipped_to_its_newline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINE", 100_000)
    long = b'{"text": "' + b"x" * 300_000 + b'"}\n'
    for tail, found in ((b'{"text": "b"}\n', ["a", "b"]), (b"", ["a"])):
        items = read(b'{"text": "a"}\n' + long + tail)
        assert texts(items) == found
        assert dead(items) == [Dead(14, "too large", f"a line of {len(long):,} bytes")]


def test_members_and_frames_are_read_on_and_on() -> None:
    a, b = b'{"text": "a"}\n{"te', b'xt": "b"}\n'
    skippable = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"any"
    plain = read(a + b)
    assert texts(plain) == ["a", "b"]
    assert read(gzip.compress(a) + gzip.compress(b"") + gzip.compress(b)) == plain
    assert read(gzip.compress(a + b) + bytes(1000)) == plain
    assert read(zstandard.compress(a) + skippable + zstandard.compress(b)) == plain


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_cut_loses_what_followed_it_and_nothing_before(pack: Callable[[bytes], bytes]) -> None:
    body = rows(2_000)
    whole = pack(body)
    good = texts(read(body))
    for cut in range(5, len(whole), len(whole) // 60):
        items = read(whole[:cut])
        found = texts(items)
        assert found == good[: len(found)]
        assert [d.reason for d in dead(items)] == ["cut off"]
        if pack is gzip.compress:  # zstd holds back a block, at most 128 kB
            unpacked = zlib.decompressobj(wbits=31).decompress(whole[:cut])
            assert len(found) == unpacked.count(b"\n")


def test_a_flipped_bit_is_one_dead_letter_for_the_rest() -> None:
    parts = [rows(300), rows(301), rows(302)]
    members = [gzip.compress(part, mtime=0) for part in parts]
    body = b"".join(members)
    for at in range(len(members[0]) + 10, len(members[0]) + len(members[1]), 97):
        flipped = bytearray(body)
        flipped[at] ^= 16
        items = read(bytes(flipped))
        if items == read(body):  # a copy of the same bytes from another distance: no fault
            continue
        assert texts(items)[:300] == texts(read(parts[0]))
        assert len(texts(items)) == 300
        letter = dead(items)[-1]
        assert letter.reason == "damaged"
        assert letter.unread == len(body) - len(members[0])


def test_garbage_behind_a_packed_file_is_said() -> None:
    for pack in (gzip.compress, zstandard.compress):
        items = read(pack(b'{"text": "a"}\n') + b"garbage")
        assert texts(items) == ["a"]
        assert [(d.reason, d.unread) for d in dead(items)] == [("damaged", 7)]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_does_not_fill_the_memory(pack: Callable[[bytes], bytes]) -> None:
    zeros = bytes(200_000_000)
    bomb = pack(b'{"text": "a"}\n' + zeros)
    del zeros
    start = time.process_time()
    items, most = peak(lambda: read(bomb))
    assert texts(items) == ["a"]
    assert [d.reason for d in dead(items)] == ["too large"]
    assert most < 200_000_000
    assert time.process_time() - start < 10


def test_how_it_is_packed_is_seen_from_the_bytes_and_its_kind_from_the_name() -> None:
    assert isinstance(packed.unpacker(packed.File(io.BytesIO(gzip.compress(b"x")))), packed.Gzip)
    assert [kind_of(n) for n in ("A.JSONL", "b.jsonl.gz", "c.ndjson.zst")] == ["jsonl"] * 3
    assert [kind_of(n) for n in ("d.warc.wet.gz", "e.WARC", "f.htm")] == ["warc", "warc", "html"]
    assert kind_of("g.csv") is kind_of("jsonl") is None


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([b'{"text": "x"}\n', b"{", b"\n", b'"', b"\xff", b"\0"])
        | st.binary(max_size=20)
    ),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
    st.data(),
)
def test_no_bytes_raise(
    parts: list[bytes], pack: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    assert is_in_order(read(damaged(pack(b"".join(parts)), data)))
