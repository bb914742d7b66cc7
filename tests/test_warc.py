"""WARC files: what becomes a document, and how little a fault costs."""

import gzip
import time
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import extract
from pipelines.readers import Dead, Document, Skipped, frames, packed
from pipelines.readers.consents import Consents
from pipelines.readers.pages import REST
from tests.helpers import reading
from tests.helpers.archives import WORDS, http, page, record, url
from tests.helpers.command import SAMPLE
from tests.helpers.reading import Items, damaged, dead, documents, peak

RECORDS = [record(url(i), http(page(i))) for i in range(4)]
MEMBERS = [gzip.compress(r, mtime=0) for r in RECORDS]


def read(body: bytes, extract: str = "resiliparse") -> Items:
    return reading.read("warc", body, "x.warc.gz", extract=extract)


def urls(items: Items) -> list[str | None]:
    return [item.url for item in documents(items)]


def one(block: bytes) -> Document | Dead | Skipped:
    (item,) = read(record(url(0), block))
    return item


def test_a_page_becomes_a_document_with_its_provenance() -> None:
    _, second, *_ = read(b"".join(MEMBERS))
    assert isinstance(second, Document)
    assert second.text.startswith("Page 1. A page of the manual")
    assert second == Document(
        text=second.text,
        offset=len(MEMBERS[0]),
        length=len(MEMBERS[1]),
        source_key=url(1),
        url=url(1),
        date=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        media_type="text/html",
        consents=Consents(noindex=False, noai=False, noimageai=False, tdm_reserved=False),
    )


@pytest.mark.parametrize("pack", [bytes, lambda b: gzip.compress(b)], ids=["plain", "one member"])
def test_records_are_at_their_offsets_in_what_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    body = b"".join(RECORDS)
    for i, item in enumerate(read(pack(body))):
        assert isinstance(item, Document)
        assert body[item.offset : item.offset + item.length] == RECORDS[i]


def test_other_records_are_skipped_by_their_kind() -> None:
    ok = http(page(0))
    kinds = [
        record(url(0), b"", "warcinfo", "application/warc-fields"),
        record(url(0), b"GET / HTTP/1.1\r\n\r\n", "request", "application/http; msgtype=request"),
        record(url(0), ok, "revisit"),
        record(url(0), b"x: y", "metadata", "application/warc-fields"),
        record(url(0), ok, "invented"),
        record(url(0), ok.replace(b"200 OK", b"404 Not Found")),
        record(url(0), ok.replace(b"200 OK", b"301 Moved")),
        record(url(0), http(b"\x89PNG", "image/png")),
        record(url(0), http(b"{}", "Application/JSON; charset=utf-8")),
        record(url(0), b"10.0.0.1", "response", "text/dns"),
        record(url(0), b"this is no HTTP"),
        record(url(0), b"HTTP/1.1 200 OK\r\n\r\nx"),
        record(url(0), b"<p>" + WORDS, "conversion", "text/html"),
    ]
    assert [item.kind for item in read(b"".join(kinds)) if isinstance(item, Skipped)] == [
        *("warcinfo", "request", "revisit", "metadata", "unknown", "status 404", "status 301"),
        *("image/png", "application/json", "text/dns", "no status", "no media type", "text/html"),
    ]


def test_resources_conversions_and_plain_texts_become_documents() -> None:
    body = "Grüße. ".encode() + WORDS
    records = [
        record(url(0), page(0), "resource", "text/html"),
        record(url(1), body, "conversion", "text/plain"),
        record(url(2), http(body, "text/plain; charset=utf-8")),
        record(url(3), http(page(3), "application/xhtml+xml")),
    ]
    items = read(b"".join(map(gzip.compress, records)))
    assert urls(items) == [url(i) for i in range(4)]
    assert isinstance(items[1], Document) and items[1].text == body.decode()
    assert items[2][0] == body.decode()


def test_the_charset_of_the_header_is_used() -> None:
    body = "<p>Привет, мир".encode("koi8-r")
    item = one(http(body, 'text/html; charset="KOI8-R"'))
    assert isinstance(item, Document) and item.text == "Привет, мир"


def test_a_page_without_text_is_an_empty_document() -> None:
    for body in (b"", b"<html><body></body></html>"):
        item = one(http(body))
        assert isinstance(item, Document) and item.text == ""


def brotli(body: bytes) -> bytes:
    return bytes(pa.compress(body, "brotli", asbytes=True))


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def chunked(body: bytes) -> bytes:
    half = len(body) // 2
    chunks = [b"%x\r\n%b\r\n" % (len(c), c) for c in (body[:half], body[half:])]
    return b"".join(chunks).replace(b"\r\n", b";a=b\r\n", 1) + b"0\r\nX-Trailer: y\r\n\r\n"


@pytest.mark.parametrize(
    ("header", "pack"),
    [
        ("Content-Encoding: gzip", gzip.compress),
        ("Content-Encoding: x-gzip", gzip.compress),
        ("content-encoding: DEFLATE", zlib.compress),
        ("Content-Encoding: deflate", raw_deflate),
        ("Content-Encoding: br", brotli),
        ("Content-Encoding: zstd", zstandard.compress),
        ("Content-Encoding: gzip, br", lambda body: brotli(gzip.compress(body))),
        ("Transfer-Encoding: chunked", chunked),
        (
            "Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
            lambda b: chunked(gzip.compress(b)),
        ),
        ("Content-Encoding: identity", bytes),
        ("Content-Encoding: gzip", bytes),
        ("Transfer-Encoding: chunked", bytes),
    ],
)
def test_codings_are_undone_and_lies_about_them_forgiven(
    header: str, pack: Callable[[bytes], bytes]
) -> None:
    item = one(http(pack(page(7)), "text/html", header))
    assert isinstance(item, Document) and item.text.startswith("Page 7. A page")


@pytest.mark.parametrize(
    ("header", "body", "reason"),
    [
        ("Transfer-Encoding: chunked", chunked(page(0))[:-40], "broken chunks"),
        ("Transfer-Encoding: chunked", b"5\r\nhello world\r\nzz\r\n", "broken chunks"),
        ("Transfer-Encoding: chunked", b"ffffffffff\r\nhello", "broken chunks"),
        ("Content-Encoding: gzip", gzip.compress(page(0))[:-9], "broken encoding"),
        ("Content-Encoding: br", page(0), "broken encoding"),
        ("Content-Encoding: zstd", zstandard.compress(page(0))[:-3], "broken encoding"),
        ("Content-Encoding: deflate", page(0), "broken encoding"),
        ("Content-Encoding: rot13", page(0), "unknown encoding"),
        ("Content-Encoding: gzip,gzip,gzip,gzip,gzip", page(0), "unknown encoding"),
        ("X: y", b"<div>" * 50_000, "too deep"),
        ("X: y", b"<p>" + b"word " * 4_000_000, "too large"),
        ("X: y", b"<meta charset=utf-8><p>" + "ü".encode() * 8_000_001, "too large"),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_with_its_url(
    header: str, body: bytes, reason: str
) -> None:
    items = read(
        MEMBERS[1] + gzip.compress(record(url(0), http(body, "text/html", header))) + MEMBERS[2]
    )
    assert urls(items) == [url(1), url(2)]
    (letter,) = dead(items)
    assert (letter.offset, letter.reason, letter.unread) == (len(MEMBERS[1]), reason, 0)
    assert letter.detail.startswith(url(0)) and len(letter.detail) <= 200


def failing(html: str) -> str:
    raise RuntimeError("no\nway " * 100)


def test_an_extractor_that_raises_costs_its_page_only() -> None:
    (letter,) = dead(read(RECORDS[0], f"{__name__}:failing"))
    assert letter.reason == "not extracted"
    assert "RuntimeError: no\ufffdway" in letter.detail
    with pytest.raises(ValueError, match="no extractor 'nobody'"):
        read(RECORDS[0], "nobody")


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z", ""])
def test_a_date_that_is_none_is_missing(date: str) -> None:
    (document,) = read(RECORDS[0].replace(b"2024-01-02T03:04:05Z", date.encode()))
    assert isinstance(document, Document) and document.date is None


@pytest.mark.parametrize("parts", [RECORDS, MEMBERS], ids=["plain", "gzip"])
def test_a_cut_costs_the_record_it_hits(parts: list[bytes]) -> None:
    body = b"".join(parts)
    ends = [sum(map(len, parts[: i + 1])) for i in range(len(parts))]
    for cut in [
        *range(1, len(body), 7),
        *(e + d for e in ends for d in (-5, -4, -1, 1, 2) if e + d < len(body)),
    ]:
        items = read(body[:cut])
        newlines = 4 if parts is RECORDS else 0  # a record is whole without its last newlines
        whole = [url(i) for i, end in enumerate(ends) if end - newlines <= cut]
        assert urls(items) == whole
        begun = max([end for end in ends if end - newlines <= cut], default=0)
        lost = [(begun, cut - begun)] if cut > begun else []
        assert [(letter.offset, letter.unread) for letter in dead(items)] == lost
        assert {letter.reason for letter in dead(items)} <= {"cut off"} or cut == 1


def test_a_flipped_bit_costs_its_member() -> None:
    body = b"".join(MEMBERS)
    start = len(MEMBERS[0])
    for at in range(start, start + len(MEMBERS[1])):
        for bit in (0, 3, 7):
            flipped = bytearray(body)
            flipped[at] ^= 1 << bit
            items = read(bytes(flipped))
            if 4 <= at - start < 10 or len(urls(items)) == 4:  # time, system: they mean nothing
                assert items == read(body)
                continue
            assert urls(items) == [url(0), url(2), url(3)]
            (letter,) = dead(items)
            assert (letter.offset, letter.unread) == (start, len(MEMBERS[1]))
            assert letter.reason in ("damaged", "cut off")


@pytest.mark.parametrize("length", ["400", "1800", "10000000000000", "-5", "", "9" * 40, "abc"])
@pytest.mark.parametrize("packing", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_wrong_length_costs_its_record(length: str, packing: Callable[[bytes], bytes]) -> None:
    wrong = RECORDS[1].replace(
        f"Content-Length: {len(http(page(1)))}".encode(), f"Content-Length: {length}".encode()
    )
    assert wrong != RECORDS[1]
    parts = [packing(part) for part in (RECORDS[0], wrong, RECORDS[2], RECORDS[3])]
    items = read(b"".join(parts))
    assert urls(items) == [url(0), url(2), url(3)]
    (letter,) = dead(items)
    assert (letter.offset, letter.reason, letter.unread) == (
        len(parts[0]),
        "wrong length",
        len(parts[1]),
    )


@pytest.mark.parametrize("parts", [RECORDS, MEMBERS], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "garbage", [b"garbage\n" * 99, b"\0" * 512, b"\x1f\x8b\x08" * 200 + b"\n", b"WARC/1.0\r\n"]
)
def test_garbage_between_records_is_one_dead_letter(parts: list[bytes], garbage: bytes) -> None:
    tail = b"\n" if parts is RECORDS else b""
    items = read(parts[0] + garbage + tail + parts[1])
    assert urls(items) == [url(0), url(1)]
    (letter,) = dead(items)
    assert (letter.offset, letter.unread) == (len(parts[0]), len(garbage + tail))


def test_a_file_that_is_no_warc_is_one_dead_letter() -> None:
    for body in (
        b"hello\n" * 30_000,
        gzip.compress(b"hello") * 9,
        b"\x89PNG\r\n\x1a\n" + bytes(99),
    ):
        assert read(body) == [Dead(0, "not WARC", f"{len(body):,} bytes", len(body))]
    assert read(b"") == read(b"\r\n") == []


def test_a_large_record_is_skipped_by_its_kind_or_dead_and_the_next_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "RECORD", 100_000)
    large = b"x" * 200_000
    film, text = record(url(8), http(large, "video/mp4")), record(url(9), http(large, "text/plain"))
    for pack in (bytes, gzip.compress):
        parts = [pack(part) for part in (RECORDS[0], film, text, RECORDS[1])]
        first, second, third, fourth = read(b"".join(parts))
        assert second == Skipped("video/mp4")
        assert third == Dead(sum(map(len, parts[:2])), "too large", url(9))
        assert isinstance(first, Document) and isinstance(fourth, Document)
        assert (fourth.url, fourth.offset) == (url(1), sum(map(len, parts[:3])))


def test_a_member_is_found_wherever_the_search_for_it_is_split() -> None:
    for size in range(packed.PIECE - 3, packed.PIECE + 4):
        items = read(MEMBERS[0] + b"?" * size + MEMBERS[1])
        assert urls(items) == [url(0), url(1)]
        assert [letter.unread for letter in dead(items)] == [size]


def test_a_url_in_angle_brackets_is_the_url() -> None:
    """As WARC 1.0 wrote its grammar, and some tools still do."""
    assert urls(read(record(f"<{url(5)}>", http(page(5))))) == [url(5)]


def test_a_bomb_is_bounded_in_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "STRAY", 50_000_000)
    zeros = bytes(100_000_000)
    bombs = [
        gzip.compress(zeros),
        gzip.compress(b"WARC/1.0\r\nX: " + zeros),
        gzip.compress(record(url(9), http(zeros))),
        gzip.compress(
            record(url(9), http(gzip.compress(zeros), "text/html", "Content-Encoding: gzip"))
        ),
    ]
    del zeros
    start = time.process_time()
    items, most = peak(lambda: read(MEMBERS[0] + b"".join(bomb + MEMBERS[1] for bomb in bombs)))
    assert urls(items) == [url(0), *[url(1)] * 4]
    assert {d.reason for d in dead(items)} == {"too large"}
    assert most < 200_000_000
    assert time.process_time() - start < 20


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([*MEMBERS, *RECORDS]) | st.binary(max_size=40), max_size=5), st.data()
)
def test_no_bytes_raise_and_no_record_comes_twice(parts: list[bytes], data: st.DataObject) -> None:
    body = damaged(b"".join(parts), data)
    items = read(body)
    offsets = [i.offset for i in items if not isinstance(i, Skipped)]
    assert offsets == sorted(set(offsets))
    assert sum(d.unread for d in dead(items)) <= len(body)


def test_the_sample_reads_as_planted() -> None:
    counts = Counter[str]()
    for path in sorted(SAMPLE.glob("*.warc.gz")):
        counts.update(f"{path.name}: {letter.reason}" for letter in dead(read(path.read_bytes())))
    assert counts == {
        "cut.warc.gz: cut off": 1,
        "damaged.warc.gz: damaged": 2,
        "damaged.warc.gz: wrong length": 2,
        "faults.warc.gz: broken chunks": 1,
        "faults.warc.gz: too deep": 1,
        "faults.warc.gz: too large": 1,
    }


def test_the_rest_of_a_page_that_is_too_long_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "found", lambda *_: extract.Found("x", cut=True))
    document, rest = read(record(url(0), http(b"<p>x")))
    assert isinstance(document, Document) and document.text == "x" and rest == REST
