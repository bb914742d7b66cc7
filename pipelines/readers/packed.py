"""Unpacking gzip and zstd piece by piece: memory stays flat, and damage is a value.

Every unpacker is iterated for pieces of what it unpacks to, and says afterwards whether and how it
was cut short.  Nothing here raises for what a file holds.  What was unpacked last before a damaged
byte is not given out: up to a piece of it cannot be trusted.

Sources: P. Deutsch, RFC 1952 (gzip), 1996; Y. Collet and M. Kucherawy, RFC 8878 (zstd), 2021.
"""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

PIECE = 65_536  # bytes unpacked at a time, and bytes of a file read at a time
FEED = 1_024  # bytes of zstd fed at a time: four bytes may ask for 128 kB, so these for 32 MB
WINDOW = 1 << 27  # bytes: the largest zstd window taken, 128 MB, as the zstd command does
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # magic numbers of zstd frames that carry no data

CUT = "cut off"
DAMAGED = "damaged"

MOST = 1 << 32  # bytes that nothing sound asks for at once
_ASKED = re.compile(r"of size (\d+)")


def tripped(error: Exception) -> str:
    """What a library tripped over in a damaged file, which makes it raise anything.

    Raises:
        MemoryError: if that is what it was, and memory is short: this is not about the file.
    """
    if isinstance(error, MemoryError):
        asked = _ASKED.search(str(error))  # as Arrow says it
        if asked is None or int(asked[1]) <= MOST:
            raise error
    return f"{type(error).__name__}: {error}"


class File:
    """A seekable file read at any offset, a block of `PIECE` bytes at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = file.seek(0, 2)
        self._file = file
        self._at = 0
        self._block = b""

    def read(self, at: int) -> bytes:
        """The bytes from `at` to the end of their block; none at the end of the file."""
        start = at - at % PIECE
        if start != self._at or not self._block:
            self._file.seek(start)
            self._at, self._block = start, self._file.read(PIECE)
        return self._block[at - start :]

    def exactly(self, at: int, size: int) -> bytes:
        """Up to `size` bytes from `at`, fewer at the end of the file."""
        out = self.read(at)[:size]
        while len(out) < size and (more := self.read(at + len(out))[: size - len(out)]):
            out += more
        return out


class Unpacker:
    """Pieces of unpacked bytes, in order, none empty.

    Attributes:
        at: offset in the file up to which bytes were used; after the last piece, where it ended.
        fault: None, or after the last piece why there were no more: `CUT` or `DAMAGED`.
    """

    def __init__(self, file: File, at: int = 0) -> None:
        self.at = at
        self.fault: str | None = None
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError


class Plain(Unpacker):
    """A file that is not packed."""

    def __iter__(self) -> Iterator[bytes]:
        """The file, a block at a time."""
        while piece := self._file.read(self.at):
            self.at += len(piece)
            yield piece


class Member(Unpacker):
    """One gzip member, its checksum verified."""

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of at most `PIECE` bytes, so that a bomb is unpacked a little at a time."""
        self.fault = CUT  # until its trailer was read
        inflate = zlib.decompressobj(wbits=31)
        while fed := self._file.read(self.at):
            self.at = end = self.at + len(fed)
            while fed or inflate.unconsumed_tail:
                try:
                    piece = inflate.decompress(fed or inflate.unconsumed_tail, PIECE)
                except zlib.error:
                    self.at = end - len(fed or inflate.unconsumed_tail)
                    self.fault = DAMAGED
                    return
                fed = b""
                self.at = end - len(inflate.unused_data if inflate.eof else inflate.unconsumed_tail)
                if inflate.eof:
                    self.fault = None
                if piece:
                    yield piece
                if inflate.eof:
                    return


class Gzip(Unpacker):
    """A gzip file of any number of members, one after the other."""

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of all members.  Zeros after the last are padding (as for gzip itself)."""
        while self.at < self._file.size:
            if self.at and _only_zeros(self._file, self.at):
                return
            member = Member(self._file, self.at)
            for piece in member:
                self.at = member.at
                yield piece
            self.at, self.fault = member.at, member.fault
            if self.fault:
                return


class Zstd(Unpacker):
    """A zstd file of any number of frames, one after the other."""

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of all frames."""
        while self.at < self._file.size and self.fault is None:
            head = self._file.exactly(self.at, 8)
            if int.from_bytes(head[:4], "little") in SKIPPABLE:
                self.at += 8 + int.from_bytes(head[4:], "little")
                self.fault = CUT if self.at > self._file.size else None
            else:
                yield from self._frame()

    def _frame(self) -> Iterator[bytes]:
        frame = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
        self.fault = CUT
        while fed := self._file.exactly(self.at, FEED):
            try:
                piece = frame.decompress(fed)
            except zstandard.ZstdError:
                self.fault = DAMAGED
                return
            self.at += len(fed) - len(frame.unused_data)
            if piece:
                yield piece
            if frame.eof:
                self.fault = None
                return


class Stream:
    """What an unpacker gives, read in order, with a window to look ahead in."""

    def __init__(self, pieces: Unpacker) -> None:
        self.pieces = pieces
        self.base = pieces.at
        self.passed = 0  # unpacked bytes dropped so far
        self.window = bytearray()
        self.ended = False
        self._next = iter(pieces)

    @property
    def used(self) -> int:
        """Offset in the file up to which it was used: exact if plain, else a piece ahead."""
        plain = isinstance(self.pieces, Plain)
        return self.pieces.at - (len(self.window) if plain else 0)

    @property
    def fault(self) -> str | None:
        """At the end, why there is no more."""
        return self.pieces.fault if self.ended else None

    def fill(self, size: int) -> bool:
        """See to it that `size` bytes are in the window; False if the stream ends before."""
        while len(self.window) < size and not self.ended:
            piece = next(self._next, b"")
            self.ended = not piece
            self.window += piece
        return len(self.window) >= size

    def drop(self, size: int) -> None:
        """Go on by `size` bytes, at most to the end of the window."""
        self.passed += min(size, len(self.window))
        del self.window[:size]

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        self.fill(size)
        taken = bytes(self.window[:size])
        self.drop(size)
        return taken

    def skip(self, size: int) -> int:
        """Pass over bytes; returns how many there were."""
        begin, left = self.passed, size
        while left and self.fill(1):
            self.drop(left)
            left = size - (self.passed - begin)
        return self.passed - begin

    def more(self) -> bool:
        """Drop newlines; False if nothing else is left."""
        while self.fill(1):
            ahead = len(self.window) - len(self.window.lstrip(b"\r\n"))
            if not ahead:
                return True
            self.drop(ahead)
        return False


def unpacker(file: File) -> Unpacker:
    """The unpacker that a file's first bytes ask for."""
    head = file.exactly(0, 4)
    if head.startswith(GZIP):
        return Gzip(file)
    return Zstd(file) if head == ZSTD else Plain(file)


def _only_zeros(file: File, at: int) -> bool:
    while piece := file.read(at):
        if piece.strip(b"\0"):
            return False
        at += len(piece)
    return True
