"""Addresses in a text: of mail, and of the Internet Protocol, versions 4 and 6.

A mail address has a local part of letters, digits and ``._%+'-`` that begins with a letter, a digit
or ``_``, has no two full stops in a row and at most 64 bytes; then ``@``; then labels of letters,
digits and hyphens, of which the last has letters only.  Letters of two bytes (é, я) count; those of
scripts beyond are text that stands beside the address.

Four numbers are an address unless all are below 64, or a word before says that they are a version
or a section, or they go on as a version does.

Sources: RFC 5321 and 6531 (mail), RFC 4291 (IPv6), IANA's registries of special-purpose addresses.
"""

from ipaddress import IPv4Network, ip_network

import numpy as np

from filters.buffers import Bytes, Offsets
from filters.kernels import helper, signed
from filters.unicode import DIGIT, LOWER, MARK, decode, kind_of

LOCAL, LABEL = 64, 63  # bytes at most
SMALL = 64  # four numbers below are those of a version or a section
COLON, DOT, HYPHEN, LOW_LINE = map(ord, ":.-_")
OTHERS = tuple(map(ord, "%+'-"))  # in a local part, beside letters, digits, "_" and "."

PRIVATE = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    *("::/3", "2001::/23", "2001:db8::/32", "3fff::/20", "4000::/2", "8000::/1"),
)
"""Private, loopback, documentation, multicast: addresses of nobody in particular."""


def private() -> Offsets:
    """The first 32 bits of `PRIVATE`: first and last of each, those of version 6 plus 2 ** 32."""
    bounds = []
    for network in map(ip_network, PRIVATE):
        shift, base = (0, 0) if isinstance(network, IPv4Network) else (96, 1 << 32)
        ends = (network.network_address, network.broadcast_address)
        bounds += [base + (int(end) >> shift) for end in ends]
    return np.array(bounds, np.int64)


@helper
def is_private(value: int, table: Offsets) -> bool:
    """Whether an address lies in `private`."""
    found = False
    for i in range(0, len(table), 2):
        found = found or table[i] <= value <= table[i + 1]
    return found


@helper
def byte(text: Bytes, at: int) -> int:
    """The byte there; outside of the text a line feed, which is a part of nothing."""
    return signed(text[at]) if 0 <= at < len(text) else 10


@helper
def is_digit(c: int) -> bool:
    """Whether a byte is an ASCII digit."""
    return 48 <= c <= 57


@helper
def is_letter(c: int) -> bool:
    """Whether a byte is an ASCII letter."""
    return 97 <= (c | 32) <= 122 and c < 128


@helper
def in_word(c: int) -> bool:
    """Whether a byte is an ASCII letter, a digit or a low line."""
    return is_letter(c) or is_digit(c) or c == LOW_LINE


@helper
def wide_letter(text: Bytes, at: int, classes: Bytes) -> bool:
    """Whether a letter, a mark or a digit of two bytes begins there."""
    if not 0 <= at < len(text) - 1 or text[at] < 0xC2 or text[at] > 0xDF:
        return False
    point, length = decode(text, at, len(text))
    kind = kind_of(point, classes)
    return length == 2 and (kind == MARK or DIGIT <= kind <= LOWER)


@helper
def mail(text: Bytes, done: int, at: int, classes: Bytes) -> tuple[int, int]:
    """Where the mail address around an "@" begins and ends; nothing: both 0."""
    first = _local(text, done, at, classes)
    image = is_digit(byte(text, at + 1)) and byte(text, at + 2) == 120  # icon@2x.png
    if first == at or at - first > LOCAL or (image and byte(text, at + 3) == DOT):
        return 0, 0
    end = _domain(text, at + 1, classes)
    return (first, end) if end else (0, 0)


@helper
def _local(text: Bytes, done: int, at: int, classes: Bytes) -> int:
    """Where the local part begins that ends at a byte."""
    first = i = at
    while i > done:
        c = signed(text[i - 1])
        if in_word(c):
            i -= 1
            first = i
        elif i - 1 > done and wide_letter(text, i - 2, classes):
            i -= 2
            first = i
        elif c in OTHERS or (c == DOT and i < at and text[i] != DOT):
            i -= 1
        else:
            break
    return first


@helper
def _domain(text: Bytes, at: int, classes: Bytes) -> int:
    """Where the domain ends that begins at a byte; 0: there is none."""
    found = labels = 0
    i = at
    while True:
        start = stop = i
        size = 0
        plain = True
        while True:
            c = byte(text, i)
            wide = wide_letter(text, i, classes)
            if c == HYPHEN and i > start:
                i += 1
                continue
            if not (is_letter(c) or is_digit(c) or wide):
                break
            plain = plain and i == stop and not is_digit(c)
            i += 2 if wide else 1
            size, stop = size + 1, i
        if size == 0 or stop - start > LABEL:
            return found
        labels += 1
        puny = byte(text, start) | 32 == 120 and byte(text, start + 1) | 32 == 110
        puny = puny and byte(text, start + 2) == HYPHEN and byte(text, start + 3) == HYPHEN
        if labels > 1 and size > 1 and (plain or puny):
            found = stop
        if stop < i or byte(text, i) != DOT:
            return found
        i += 1


@helper
def four_numbers(text: Bytes, at: int) -> tuple[int, int]:
    """The address of version 4 that begins at a byte: where it ends, and its value; nothing: 0, 0.

    Whether it is a version is for the words before to say.
    """
    before = byte(text, at - 1)
    if in_word(before) or before == DOT:
        return 0, 0
    if (before == HYPHEN or before == 47) and is_letter(byte(text, at - 2)):  # name/1.2.3.4
        return 0, 0
    i, value, most = at, 0, 0
    for number in range(4):
        start, one = i, 0
        while is_digit(byte(text, i)) and i - start < 4:
            one = 10 * one + byte(text, i) - 48
            i += 1
        if i == start or one > 255 or (text[start] == 48 and i - start > 1):
            return 0, 0
        value, most = value << 8 | one, max(most, one)
        if number < 3:
            if byte(text, i) != DOT:
                return 0, 0
            i += 1
    return (i, value) if most >= SMALL and not _goes_on(text, i) else (0, 0)


@helper
def _goes_on(text: Bytes, end: int) -> bool:
    """Whether what stands behind four numbers makes them something else: 1.2.3.4-5, 1.2.3.4.5."""
    c, after = byte(text, end), byte(text, end + 1)
    if in_word(c):
        return True
    if not is_letter(after) and not is_digit(after):
        return False
    if c == HYPHEN and is_digit(after):  # a range of addresses goes on with a full stop
        i = end + 1
        while is_digit(byte(text, i)) and i < end + 5:
            i += 1
        return byte(text, i) != DOT
    return c == DOT or c == HYPHEN or c == 43 or c == 126  # + ~


@helper
def groups(text: Bytes, done: int, at: int) -> tuple[int, int, int]:
    """The address of version 6 whose first colon this is: begin, end, first 32 bits; or zeros."""
    first = at
    while first > done and at - first < 5 and _hex(byte(text, first - 1)) >= 0:
        first -= 1
    before = byte(text, first - 1)
    if in_word(before) or before in (COLON, DOT):
        return 0, 0, 0
    end, digits = first, 0
    while end - first < 42 and (_hex(byte(text, end)) >= 0 or byte(text, end) == COLON):
        digits += is_digit(byte(text, end))
        end += 1
    if byte(text, end - 1) == COLON and byte(text, end - 2) != COLON:
        end -= 1  # what follows the address, no part of it
    after = byte(text, end)
    if in_word(after) or (after == DOT and is_digit(byte(text, end + 1))) or digits == 0:
        return 0, 0, 0
    head = _head(text, first, end)
    return (first, end, head) if head >= 0 else (0, 0, 0)


@helper
def _head(text: Bytes, first: int, end: int) -> int:
    """The first 32 bits of an address of version 6; -1: it is none."""
    count = gaps = width = value = head = 0
    if text[first] == COLON and byte(text, first + 1) != COLON:
        return -1
    for i in range(first, end + 1):
        digit = _hex(byte(text, i)) if i < end else -1
        if digit >= 0:
            width, value = width + 1, value << 4 | digit
            if width > 4:
                return -1
            continue
        if width:
            if gaps == 0 and count < 2:
                head |= value << (16 - 16 * count)
            count += 1
        elif first < i < end:
            gaps += 1  # the second colon of two
        width = value = 0
    good = count == 8 if gaps == 0 else gaps == 1 and count < 8
    return head if good else -1


@helper
def _hex(c: int) -> int:
    """The value of a hexadecimal digit; -1: it is none."""
    if is_digit(c):
        return c - 48
    return (c | 32) - 87 if 97 <= (c | 32) <= 102 and c < 128 else -1
