"""Plain text: one file, one document; plain or packed as gzip or zstd."""

from collections.abc import Iterator
from typing import BinaryIO

from filters import charset
from pipelines.readers import LIMIT, Dead, Document, Skipped, Source, packed
from pipelines.readers.pages import brief

BYTES = 2 * LIMIT + 3  # of a file: UTF-16 takes at most twice the bytes of UTF-8, and a mark
MEDIA = {".md": "text/markdown", ".rst": "text/x-rst"}
PACKINGS = (".gz", ".zst")


def read(file: BinaryIO, name: str, source: Source) -> Iterator[Document | Dead | Skipped]:
    """The text that a file holds; at most `BYTES` of it are unpacked.

    Args:
        file: seekable; its first bytes tell how it is packed.
        name: becomes the source key, and its ending the media type.
        source: not used.
    """
    whole = packed.File(file)
    pieces = packed.unpacker(whole)
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > BYTES:
            yield Dead(0, "too large", f"more than {BYTES:,} bytes")
            return
    if pieces.fault:
        detail = brief(f"after {pieces.at:,} of {whole.size:,} bytes of {name}")
        yield Dead(0, pieces.fault, detail, whole.size)
    else:
        yield _document(bytes(body), name)


def _document(body: bytes, name: str) -> Document | Dead:
    text, _ = charset.decode(body, "utf-8")  # believed unless the bytes tell otherwise
    size = len(text) if text.isascii() else len(text.encode())
    if size > LIMIT:
        return Dead(0, "too large", f"{size:,} bytes of text")
    plain = name.lower()
    for packing in PACKINGS:
        plain = plain.removesuffix(packing)
    media = next((kind for suffix, kind in MEDIA.items() if plain.endswith(suffix)), "text/plain")
    return Document(text, 0, len(body), name, None, None, media)
