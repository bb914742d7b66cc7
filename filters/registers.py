"""Eight bytes in one register: to read and write them, and to ask all eight at once.

The first byte is the lowest.  An answer about a byte is a bit in it.

Sources: Mycroft 1987 (zero bytes); Warren, Hacker's Delight, 2012.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from filters.buffers import Bytes
from filters.kernels import helper

EACH, HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
LOW = np.uint64(0x7F7F7F7F7F7F7F7F)
"""Of each byte: the lowest bit, the highest, all but the highest."""

FROM_A, BEYOND_Z = EACH * np.uint64(0x80 - ord("a")), EACH * np.uint64(0x80 - ord("z") - 1)
"""What sets the high bit of an ASCII byte from "a" on, and of one beyond "z"."""

GATHER, TOP = np.uint64(0x0102040810204080), np.uint64(56)


@helper
def eight(data: Bytes, at: int) -> np.uint64:
    """Eight bytes as a number, the first one lowest; it compiles to one load.

    The index is unsigned because Numba lets a signed one count from the end, and asks which it is.
    """
    byte = np.uint64(at)
    value = np.uint64(data[byte])
    for i in range(1, 8):
        value |= np.uint64(data[byte + np.uint64(i)]) << np.uint64(8 * i)
    return value


@helper
def put_eight(value: np.uint64, out: Bytes, to: int) -> None:
    """Write eight bytes, the lowest first; it compiles to one store."""
    for i in range(8):
        out[np.uint64(to + i)] = np.uint8(value >> np.uint64(8 * i) & np.uint64(255))


@helper
def equal(some: np.uint64, byte: np.uint64) -> np.uint64:
    """The highest bit of each byte that is this one, which is given eight times."""
    other = some ^ byte
    return ~(((other & LOW) + LOW) | other) & HIGH


@helper
def gathered(some: np.uint64) -> np.uint64:
    """The lowest bits of the bytes, which hold nothing else, side by side."""
    return some * GATHER >> TOP


@intrinsic
def lowest_bit(typing: Any, bits: Any) -> Any:
    """How many zeros stand below the lowest bit that is set; 64 if none is.  One instruction."""

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.int64(types.uint64), made


@helper
def lower_case(data: Bytes, at: int, end: int) -> int:
    """Where the run of a to z ends that begins at a byte."""
    while at < end and at + 8 <= len(data):
        some = eight(data, at)
        low = some & LOW
        other = ~((low + FROM_A) & ~(low + BEYOND_Z) & ~some) & HIGH
        if other:
            return min(at + (lowest_bit(other) >> 3), end)
        at += 8
    at = min(at, end)
    while at < end and 97 <= data[at] <= 122:
        at += 1
    return at


@helper
def alike(data: Bytes, one: int, more: Bytes, other: int, size: int) -> bool:
    """Whether so many bytes are the same from two places on."""
    at, safe = 0, min(len(data) - one, len(more) - other)
    while at < size and at + 8 <= safe:
        unlike = eight(data, one + at) ^ eight(more, other + at)
        if size - at < 8:
            return not unlike << np.uint64(8 * (at + 8 - size))
        if unlike:
            return False
        at += 8
    while at < size and data[one + at] == more[other + at]:
        at += 1
    return at == size
