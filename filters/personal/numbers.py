"""Numbers as people write them: groups of digits with separators, and the words before them.

A separator is a space, a hyphen, a full stop, a slash, or a slash between spaces; no-break spaces
and dashes count as spaces and hyphens.  One of the first two groups may stand in parentheses, and a
plus before the first.

International bank account numbers (IBAN) have the length of their country and pass modulo 97; they
are written in capitals, with or without single separators.  Payment cards have an issuer's prefix
and length and pass Luhn's check; they are written without separators, or in groups of which the
first has four digits, with spaces or hyphens alone.

Sources: ISO 13616 and the SWIFT registry of IBANs (2024); ISO/IEC 7812.
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets
from filters.kernels import helper, signed
from filters.personal.addresses import byte, in_word, is_digit
from filters.unicode import IDEOGRAPH, LETTER, MARK, OTHER, read

SPACE, DASH, POINT, SLASH = 1, 2, 4, 8
MOST, LONGEST = 8, 20  # groups of a number, digits of a group
FIRST, COUNT, GAP, STOP = range(4)  # rows of the groups: first byte, digits, separator, end
BEFORE = tuple(map(ord, "+-/#$%&=\\~^*"))  # what no number follows

Groups = NDArray[np.int64]
"""Shape (4, MOST)."""
Words = NDArray[np.uint64]
"""The last eight bytes of words in lower case, the last one lowest."""

IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 "
    "IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 "
    "MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 "
    "SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
CARDS = (  # first four digits from and to, lengths
    *((4000, 4999, (13, 16, 19)), (5100, 5599, (16,)), (2221, 2720, (16,)), (2200, 2204, (16,))),
    *((3400, 3499, (15,)), (3700, 3799, (15,)), (6011, 6011, (16, 17, 18, 19))),
    *((6440, 6599, (16, 17, 18, 19)), (6200, 6299, (16, 17, 18, 19)), (3000, 3059, (14, 16))),
    *((3095, 3095, (14, 16)), (3600, 3699, (14, 16)), (3800, 3999, (14, 16))),
    *((3500, 3599, (16,)), (2131, 2131, (15,)), (1800, 1800, (15,)), (604, 604, (12,))),
    *((5018, 5018, (12, 13, 16)), (5020, 5020, (12, 13, 16)), (5038, 5038, (12, 13, 16))),
    *((5600, 5899, (12, 13, 16)), (6304, 6304, (12, 13, 16)), (6390, 6390, (12, 13, 16))),
    *((6759, 6759, (12, 13, 16)), (6761, 6763, (12, 13, 16))),
)
"""Visa, Mastercard, Mir, American Express, Discover, UnionPay, Diners, JCB, Maestro."""


def ibans() -> Offsets:
    """Characters of an IBAN, by 26 times the number of its first letter and that of its second."""
    table = np.zeros(26 * 26, np.int64)
    for each in IBANS.split():
        table[(ord(each[0]) - 65) * 26 + ord(each[1]) - 65] = int(each[2:])
    return table


def cards() -> Offsets:
    """`CARDS`, three numbers each; the lengths are bits."""
    rows = [(low, high, sum(1 << size for size in sizes)) for low, high, sizes in CARDS]
    return np.array(rows, np.int64).ravel()


def packed(words: str) -> Words:
    """Words as `word_before` gives them."""
    tails = (word.encode().lower()[-8:] for word in words.split())
    return np.array([int.from_bytes(tail, "big") for tail in tails], np.uint64)


@helper
def separator(text: Bytes, at: int) -> tuple[int, int]:
    """The separator that begins there, and its bytes; none: 0, 0."""
    c, after = byte(text, at), byte(text, at + 1)
    if c == 32 or c == 45:
        return SPACE if c == 32 else DASH, 1
    if c == 46 or c == 47:
        return POINT if c == 46 else SLASH, 1
    if c == 0xC2 and after == 0xA0:
        return SPACE, 2
    last = byte(text, at + 2)
    if c == 0xE2 and after == 0x80 and (last == 0xAF or 0x90 <= last <= 0x93):
        return SPACE if last == 0xAF else DASH, 3
    return 0, 0


@helper
def separator_before(text: Bytes, at: int) -> tuple[int, int]:
    """The separator that ends there, and its bytes; none: 0, 0."""
    for size in range(1, 4):
        kind, length = separator(text, at - size)
        if kind and length == size:
            return kind, length
    return 0, 0


@helper
def parse(
    text: Bytes, done: int, at: int, groups: Groups, digits: Bytes
) -> tuple[int, int, int, int]:
    """The number whose first digit is there.

    Args:
        text: of one document.
        done: the number begins there or later.
        at: a digit after none.
        groups: where its groups are written.
        digits: and their digits, of 0 to 9; room for MOST * LONGEST.

    Returns:
        how many groups (0: one is too long), its first byte, 1 if it has a plus, which group is
        in parentheses (-1: none).
    """
    end = _run(text, at, groups, digits, signed(0), signed(0))
    first, plus, enclosed = _lead(text, done, at, end)
    if groups[COUNT, 0] > LONGEST:
        return 0, first, plus, enclosed
    groups[GAP, 0] = 0
    groups[STOP, 0] = end + (enclosed == 0)
    total, count = groups[COUNT, 0], signed(1)
    while count < MOST:
        i = groups[STOP, count - 1]
        kind, length = separator(text, i)
        if kind == SPACE and length == 1 and byte(text, i + 1) == 47 and byte(text, i + 2) == 32:
            kind, length = SLASH, 3
        opens = byte(text, i + length) == 40
        i += length + opens
        if not is_digit(byte(text, i)) or (opens and (enclosed >= 0 or count > 1)):
            break
        end = _run(text, i, groups, digits, count, total)
        if opens:
            if byte(text, end) != 41 or end - i > 5:
                break
            enclosed = count
        groups[GAP, count] = kind
        groups[STOP, count] = end + opens
        total += groups[COUNT, count]
        count += 1
        if groups[COUNT, count - 1] > LONGEST:
            return 0, first, plus, enclosed
    return count, first, plus, enclosed


@helper
def _run(text: Bytes, at: int, groups: Groups, digits: Bytes, group: int, total: int) -> int:
    """Write one group of digits, at most `LONGEST` of them; where it ends."""
    i = at
    while is_digit(byte(text, i)):
        if i - at < LONGEST:
            digits[total + i - at] = byte(text, i) - 48
        i += 1
    groups[FIRST, group], groups[COUNT, group] = at, i - at
    return i


@helper
def _lead(text: Bytes, done: int, at: int, end: int) -> tuple[int, int, int]:
    """The first byte of a number with its plus and parenthesis, 1 if there is a plus, 0 or -1."""
    closes = byte(text, end) == 41 and end - at <= 5
    one = byte(text, at - 1) if at > done else 10
    two = byte(text, at - 2) if at - 1 > done else 10
    if one == 43:
        return (at - 2, 1, 0) if closes and two == 40 else (at - 1, 1, -1)
    if one == 40 and closes:
        return (at - 2, 1, 0) if two == 43 else (at - 1, 0, 0)
    return at, 0, -1


@helper
def stands_alone(text: Bytes, first: int, end: int, uses: int) -> bool:
    """Whether a number does not go on before or behind it, with separators that it has itself."""
    c = byte(text, first - 1)
    after = byte(text, end)
    if in_word(c) or c in BEFORE or in_word(after) or after == 64:
        return False
    if (c == 46 or c == 44 or c == 58) and is_digit(byte(text, first - 2)):
        return False
    kind, length = separator_before(text, first)
    if kind == DASH or (kind & uses and is_digit(byte(text, first - length - 1))):
        return False
    kind, length = separator(text, end)
    if (kind != SPACE or uses & SPACE) and kind and is_digit(byte(text, end + length)):
        return False
    return not ((after == 44 or after == 58) and is_digit(byte(text, end + 1)))


@helper
def _last(text: Bytes, end: int, classes: Bytes) -> tuple[int, int]:
    """The character that ends there: class, and length in bytes."""
    last = end - 1
    while last > 0 and last > end - 4 and text[last] & 0xC0 == 0x80:
        last -= 1
    kind, length = read(text, last, end, classes)
    return (kind, length) if last + length == end else (OTHER, 1)


@helper
def word_before(text: Bytes, at: int, classes: Bytes) -> tuple[np.uint64, int]:
    """The word before a byte, on its line and at most six characters away, and where it begins.

    It is made of letters and marks; where no space parts words, of the last two.  At most nine of
    its bytes, or a few more, are looked at, and the last eight are given.
    """
    i, between, end, last, word = at, 0, -1, OTHER, np.uint64(0)
    while i > 0:
        kind, length = _last(text, i, classes)
        spells = kind == MARK or kind >= LETTER
        if spells and end < 0:
            end, last = i, kind
        if end < 0 and between < 6 and text[i - 1] != 10:
            between += 1
        elif not spells or end - i >= 9 or (last == IDEOGRAPH and end - i >= 6):
            break
        i -= length
    end = max(end, i)
    for byte_ in range(max(i, end - 8), end):
        c = signed(text[byte_])
        c += 32 * (65 <= c <= 90)
        word = word << np.uint64(8) | np.uint64(c)
    return word, i


@helper
def is_one_of(word: np.uint64, words: Words) -> bool:
    """Whether a word is among some."""
    found = False
    for each in words:
        found = found or word == each
    return found


@helper
def account(text: Bytes, done: int, at: int, lengths: Offsets) -> tuple[int, int]:
    """Where the IBAN begins and ends whose check digits are there; nothing: both 0."""
    first = at - 2
    if first < done or in_word(byte(text, first - 1)) or not is_digit(byte(text, at + 1)):
        return 0, 0
    one, two = byte(text, first) - 65, byte(text, first + 1) - 65
    if not (0 <= one < 26 and 0 <= two < 26) or lengths[26 * one + two] == 0:
        return 0, 0
    rest, i = 0, at + 2
    for _ in range(4, lengths[26 * one + two]):
        kind, length = separator(text, i)
        i += length if kind in (SPACE, DASH) else 0
        c = byte(text, i)
        if is_digit(c):
            rest = (10 * rest + c - 48) % 97
        elif 65 <= c <= 90:
            rest = (100 * rest + c - 55) % 97
        else:
            return 0, 0
        i += 1
    rest = (rest * 10000 + (one + 10) * 100 + two + 10) % 97
    rest = (rest * 100 + 10 * (byte(text, at) - 48) + byte(text, at + 1) - 48) % 97
    return (first, i) if rest == 1 and not in_word(byte(text, i)) else (0, 0)


@helper
def card(text: Bytes, first: int, count: int, groups: Groups, digits: Bytes, table: Offsets) -> int:
    """Where the payment card ends that some groups of digits begin with; 0: with none."""
    for k in range(count, 0, -1):
        uses = size = signed(0)
        by_four = k == 1 or groups[COUNT, k - 1] <= 4
        by_six = k == 3 and groups[COUNT, 1] == 6 and 4 <= groups[COUNT, 2] <= 5
        good = k == 1 or groups[COUNT, 0] == 4
        for i in range(k):
            uses |= groups[GAP, i]
            size += groups[COUNT, i]
            by_four = by_four and (i == k - 1 or groups[COUNT, i] == 4)
            good = good and (i == 0 or groups[GAP, i] > 0)
        good = good and (by_four or by_six) and uses <= DASH
        if not good or not _is_issued(digits, size, table) or not _luhn(digits, size):
            continue
        end = groups[STOP, k - 1]
        # a month and a year may follow, but no further group of four
        follows = k < count and groups[GAP, k] == SPACE and groups[COUNT, k] != 4
        if stands_alone(text, first, end, uses * (not follows)):
            return end
    return 0


@helper
def _is_issued(digits: Bytes, size: int, table: Offsets) -> bool:
    """Whether an issuer has cards of these first four digits and of this length."""
    if not 12 <= size <= 19:
        return False
    head = 0
    for i in range(4):
        head = 10 * head + signed(digits[i])
    for i in range(0, len(table), 3):
        if table[i] <= head <= table[i + 1] and table[i + 2] >> size & 1:
            return True
    return False


@helper
def _luhn(digits: Bytes, size: int) -> bool:
    """Whether the digits pass Luhn's check."""
    total = 0
    for i in range(size):
        twice = signed(digits[size - 1 - i]) * (1 + (i & 1))
        total += twice - 9 * (twice > 9)
    return total % 10 == 0
