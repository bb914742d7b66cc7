"""Plain text: one file is one document, in any encoding, packed or not."""

import gzip
import io
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers import Dead, Document, text
from tests.helpers.reading import Source, read, texts

GREEK = "Το νερό κατεβαίνει από τα βουνά. " * 20


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a/b.txt", "text/plain"),
        ("B.TXT.gz", "text/plain"),
        ("read.me.MD", "text/markdown"),
        ("x.md.zst", "text/markdown"),
        ("x.rst", "text/x-rst"),
    ],
)
def test_a_file_becomes_a_document_under_its_name(name: str, media: str) -> None:
    whole = Document("one\n\ntwo\n", 0, 9, source_key=name, media_type=media)
    assert read("text", b"one\n\ntwo\n", name) == [whole]


@pytest.mark.parametrize(
    "body",
    [
        GREEK.encode(),
        b"\xef\xbb\xbf" + GREEK.encode(),
        GREEK.encode("utf-16"),
        GREEK.encode("cp1253"),
        gzip.compress(GREEK.encode()),
        zstandard.compress(GREEK.encode()),
    ],
    ids=["utf-8", "marked utf-8", "utf-16", "cp1253", "gzip", "zstd"],
)
def test_encodings_and_packings_are_seen_from_the_bytes(body: bytes) -> None:
    assert texts(read("text", body)) == [GREEK]


def test_a_few_signs_among_ascii_are_utf8() -> None:
    """Detection alone takes this for cp1252."""
    prose = "plain words " * 200 + "“quoted”"
    assert texts(read("text", prose.encode())) == [prose]


def test_a_charset_that_a_text_speaks_of_is_not_its_own() -> None:
    prose = 'Write <meta charset="iso-8859-2"> into the page: ü.'
    assert texts(read("text", prose.encode())) == [prose]


def test_an_empty_file_is_an_empty_document() -> None:
    assert texts(read("text", b"")) == texts(read("text", gzip.compress(b""))) == [""]


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (b"x" * 16_000_000, True),
        (b"x" * 16_000_001, False),
        (("é" * 8_000_001).encode("utf-16"), False),
        (("x" * 16_000_000).encode("utf-16"), True),
    ],
    ids=["at the limit", "over it", "over it in utf-8", "utf-16"],
)
def test_the_limit_is_of_utf8(body: bytes, fits: bool) -> None:
    (item,) = read("text", body)
    assert isinstance(item, Document) == fits
    assert fits or (isinstance(item, Dead) and item.reason == "too large")


class Watched(io.BytesIO):
    """Counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        body = super().read(size)
        self.taken += len(body)
        return body


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_no_more_is_read_than_the_limit(pack: Callable[[bytes], bytes]) -> None:
    file = Watched(pack(bytes(300_000_000)))
    tracemalloc.start()
    items = list(text.read(file, "x.txt", Source()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert items == [Dead(0, "too large", "more than 32,000,003 bytes")]
    assert file.taken < 40_000_000
    assert peak < 120_000_000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_that_is_cut_off_is_dead(pack: Callable[[bytes], bytes]) -> None:
    whole = pack(GREEK.encode())
    for cut in range(5, len(whole)):
        (item,) = read("text", whole[:cut])
        assert isinstance(item, Dead)
        assert (item.offset, item.reason, item.unread) == (0, "cut off", cut)


@given(st.binary(max_size=200), st.sampled_from([bytes, gzip.compress, zstandard.compress]))
def test_any_bytes_are_one_record(body: bytes, pack: Callable[[bytes], bytes]) -> None:
    (item,) = read("text", pack(body))
    if isinstance(item, Document):
        item.text.encode()  # raises for a surrogate
    else:
        assert isinstance(item, Dead)
