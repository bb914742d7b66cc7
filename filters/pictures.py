"""What a file of an image is: its format and size, read from its head without decoding it.

Sources: W3C, PNG specification, 3rd edition; ITU-T T.81 (JPEG), B.2; CompuServe, GIF89a; Google,
WebP container specification; ISO/IEC 23008-12 (HEIF), 6.5.3, for AVIF.
"""

import struct
from typing import NamedTuple

HEAD = 1_000_000  # bytes in which the size is looked for


class Picture(NamedTuple):
    """An image, undecoded."""

    format: str  # "png", "jpeg", "gif", "webp" or "avif"
    width: int  # pixels
    height: int


def look(body: bytes) -> Picture | None:
    """What an image is; None if it is none of these, or its head is broken.

    Args:
        body: of the file; its media type is not believed.
    """
    try:
        return _look(body[:HEAD])
    except (struct.error, IndexError):
        return None


def _look(head: bytes) -> Picture | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return Picture("png", *struct.unpack_from(">II", head, 16))
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(head)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return Picture("gif", *struct.unpack_from("<HH", head, 6))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return _avif(head)
    return None


def _jpeg(head: bytes) -> Picture | None:
    """The first frame: segments are walked, so a picture within a picture is passed over."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if kind == 0xFF:  # fills
            at += 1
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Picture("jpeg", width, height)
        elif kind in (0xD9, 0xDA):
            return None
        else:
            at += 2 + max(2, struct.unpack_from(">H", head, at + 2)[0])
    return None


def _webp(head: bytes) -> Picture | None:
    kind = head[12:16]
    if kind == b"VP8X" and len(head) >= 30:
        width, height = (int.from_bytes(head[a : a + 3], "little") + 1 for a in (24, 27))
        return Picture("webp", width, height)
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = struct.unpack_from("<I", head, 21)[0]
        return Picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return Picture("webp", width & 0x3FFF, height & 0x3FFF)
    return None


def _avif(head: bytes) -> Picture | None:
    at = head.find(b"ispe")
    return Picture("avif", *struct.unpack_from(">II", head, at + 8)) if at > 0 else None
