import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.pictures import Picture, look

SITE = Path(__file__).parent / "data" / "site"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * min(height, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, frame: int = 0xC0) -> bytes:
    """With a thumbnail inside, whose size must not count."""
    inner = b"\xff\xd8\xff\xc0" + struct.pack(">HBHH", 11, 8, 1, 1)
    exif = b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner
    tables = b"\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
    start = bytes([0xFF, frame]) + struct.pack(">HBHH", 11, 8, height, width) + b"\x01\x01\x11\0"
    return b"\xff\xd8" + exif + tables + b"\xff" + start + b"\xff\xda"


def webp(kind: bytes, body: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


FORMATS = {
    "png": (png(640, 480), Picture("png", 640, 480)),
    "jpeg": (jpeg(640, 480), Picture("jpeg", 640, 480)),
    "progressive": (jpeg(640, 480, 0xC2), Picture("jpeg", 640, 480)),
    "gif": (b"GIF89a" + struct.pack("<HH", 640, 480), Picture("gif", 640, 480)),
    "lossy": (
        webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 480)),
        Picture("webp", 640, 480),
    ),
    "lossless": (
        webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14)),
        Picture("webp", 640, 480),
    ),
    "extended": (
        webp(b"VP8X", b"\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")),
        Picture("webp", 640, 480),
    ),
    "avif": (
        b"\0\0\0\x18ftypavif"
        + b"\0" * 12
        + b"\0\0\0\x14ispe\0\0\0\0"
        + struct.pack(">II", 640, 480),
        Picture("avif", 640, 480),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_size_and_format_stand_in_the_head(name: str) -> None:
    body, picture = FORMATS[name]
    assert look(body) == picture


@pytest.mark.parametrize("name", FORMATS)
def test_a_head_cut_off_anywhere_is_no_image(name: str) -> None:
    body, picture = FORMATS[name]
    for end in range(len(body)):
        assert look(body[:end]) in (None, picture)
    assert look(body[:9]) is None


@given(st.sampled_from([f[0][:12] for f in FORMATS.values()]), st.binary(max_size=99))
def test_any_bytes_will_do(begin: bytes, rest: bytes) -> None:
    found = look(begin + rest)
    assert found is None or min(found.width, found.height) >= 0


def test_what_a_page_calls_an_image_need_not_be_one() -> None:
    assert look(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
    assert look(b"<html>not found</html>") is None


def test_real_files() -> None:
    sizes = {p.name: look(p.read_bytes()) for p in SITE.glob("_*/*.png")}
    assert sizes["flaskr_login.png"] == Picture("png", 400, 338)
    assert all(each is not None and each.format == "png" for each in sizes.values())
    assert len(sizes) == 5
