"""Telephone numbers: which groups of digits are one.

=================  =================================================================================
international      a plus, a country's code, 8 to 15 digits in all, a (0) aside (1: 11); or 00, and
                   the same, 9 digits or more, in two groups or more
North America      3, 3 and 4 digits, the first two groups from 2 on, before them perhaps a 1; the
                   first in parentheses, or one separator for all, no slash
with a trunk 0     0 and 8 to 11 digits in 2 to 6 groups of two digits or more, the first of at most
                   five; or 0 and 9 or 10 digits in one
area code          2 to 5 digits in parentheses, no year, then one or two groups of three digits or
                   more, 9 to 12 digits in all
Russia             8, 3 digits from 3, 4, 8 or 9 on, then 3-2-2, 3-4 or 7
China              3, 4 and 4 digits, from 13 to 19 on
after a word       7 to 15 digits in at most six groups: "Tel.", "phone:", "Fax", ...
=================  =================================================================================

Where there is no plus and no such word, at most half of the digits are 0, and they are not 0 and 1
alone or 0123456789.  Full stops separate all groups or none, but for one before nine digits or more
(+1.2125550123).  No number without a plus begins with a date, or stands behind a word that says it
is something else (ISBN, order, part, ...).
An extension (x123, ext. 123) belongs to the number.

Sources: ITU-T E.123 and E.164; the national numbering plans.
"""

import numpy as np

from filters.buffers import Bytes, Offsets
from filters.kernels import helper, signed
from filters.personal.addresses import byte, in_word, is_digit
from filters.personal.numbers import (
    COUNT,
    DASH,
    GAP,
    POINT,
    SLASH,
    SPACE,
    STOP,
    Groups,
    Words,
    is_one_of,
    stands_alone,
    word_before,
)
from filters.punctuation import stands

CALLS = (
    "tel phone telephone telefon telefone telefono teléfono téléphone fon ph fax telefax mobile "
    "mobil móvil cell cellular handy call whatsapp sms hotline тел телефон факс 電話 电话 전화"
)
"""What a telephone number follows."""

ELSE = (
    "isbn issn ean upc gtin sku serial part order invoice id doi pmid oclc lccn orcid case ref art "
    "article model item lot patent ticket tracking account konto vat iban bic card"
)
"""What another number follows."""

BETWEEN = "number no nr num nummer numéro número code is was us me at or and und on the"
"""Words that stand between such a word and the number."""

COUNTRIES = (
    "1 7 20 27 30-34 36 39-41 43-49 51-58 60-66 81 82 84 86 90-95 98 211-213 216 218 220-258 "
    "260-269 290 291 297-299 350-359 370-378 380-383 385-387 389 420 421 423 500-509 590-599 670 "
    "672-683 685-692 800 808 850 852 853 855 856 870 878 880-883 886 888 960-968 970-977 979 "
    "992-996 998"
)
"""Codes that are assigned."""

SHORT, LONG = 7, 15  # digits of a number
EXT = tuple(b"ext")
AMERICAN = 11  # digits of a number whose country's code is 1


def countries() -> Offsets:
    """1 for every three digits that begin with a country's code, shape (1000,)."""
    table = np.zeros(1000, np.int64)
    for each in COUNTRIES.split():
        low, _, high = each.partition("-")
        size = 10 ** (3 - len(low))
        table[int(low) * size : (int(high or low) + 1) * size] = 1
    return table


@helper
def said(
    text: Bytes, first: int, classes: Bytes, calls: Words, other: Words, between: Words
) -> int:
    """What the words before a number say: 1: a telephone number, -1: something else, 0: nothing."""
    word, at = np.uint64(0), signed(first)
    for _ in range(3):
        word, at = word_before(text, at, classes)
        if not is_one_of(word, between):
            break
    return int(is_one_of(word, calls)) - int(is_one_of(word, other))


@helper
def phone(
    text: Bytes, first: int, plus: int, enclosed: int, count: int, groups: Groups, digits: Bytes,
    codes: Offsets, says: int,
) -> int:  # fmt: skip
    """Where the telephone number ends that some groups of digits begin with; 0: with none.

    All that is known of the groups is as of `filters.personal.numbers.parse`, the codes are as of
    `countries`, and what the words before say is as of `said`.
    """
    for k in range(count, 0, -1):
        uses = size = signed(0)
        for i in range(k):
            uses |= groups[GAP, i]
            size += groups[COUNT, i]
        if size < SHORT or size > SHORT + LONG or (plus == 0 and _is_date(k, groups, digits)):
            continue
        if plus or (digits[0] == 0 and digits[1] == 0 and says <= 0):
            good = _is_international(plus, enclosed, k, uses, size, groups, digits, codes)
        elif says > 0:
            good = size <= LONG and k <= 6
        else:
            good = _is_national(enclosed, k, uses, size, groups, digits)
        if not good or (says < 0 and not plus):
            continue
        end = groups[STOP, k - 1]
        longer = _extension(text, end)
        if stands_alone(text, first, longer, uses * (longer == end)):
            return longer
    return 0


@helper
def _dotted(k: int, uses: int, groups: Groups) -> bool:
    """Whether full stops, if there are any, stand where a telephone number has them."""
    return not uses & POINT or (uses == POINT and (k > 2 or groups[COUNT, k - 1] > 8))


@helper
def _is_international(
    plus: int, enclosed: int, k: int, uses: int, size: int, groups: Groups, digits: Bytes,
    codes: Offsets,
) -> bool:  # fmt: skip
    """Whether digits after a plus, or with 00 before them, are a country's code and a number."""
    counts = groups[COUNT]
    at = 0 if plus else 2
    if not _dotted(k, uses, groups) or (plus == 0 and (k == 1 or counts[0] == 1)):
        return False
    code = 100 * signed(digits[at]) + 10 * signed(digits[at + 1]) + signed(digits[at + 2])
    trunk = enclosed == 1 and counts[1] == 1 and digits[counts[0]] == 0
    rest = size - at - trunk
    if digits[at] == 1 and rest != AMERICAN:
        return False
    fits = 9 - plus <= rest <= LONG and codes[code] > 0
    return fits and (plus > 0 or _is_varied(size, digits))


@helper
def _is_varied(size: int, digits: Bytes) -> bool:
    """Whether digits are not mostly zeros, not 0 and 1 alone, not counted up."""
    zeros, most, counted = 0, 0, 0
    for i in range(size):
        zeros += digits[i] == 0
        most = max(most, signed(digits[i]))
        counted += digits[i] == i
    return 2 * zeros <= size and most > 1 and counted < size


@helper
def _is_national(
    enclosed: int, k: int, uses: int, size: int, groups: Groups, digits: Bytes
) -> bool:
    counts = groups[COUNT]
    if not _is_varied(size, digits):
        return False
    if digits[0] == 0:
        return _dotted(k, uses, groups) and _has_trunk(enclosed, k, uses, size, groups)
    if enclosed == 0 and counts[0] > 1 and _dotted(k, uses, groups):
        year = counts[0] == 4 and (digits[0] == 2 or (digits[0] == 1 and digits[1] == 9))
        parts = (k == 2 and counts[1] > 2) or (k == 3 and counts[1] > 2 and counts[2] > 2)
        if parts and 9 <= size <= 12 and not year:
            return True
    return _is_american(enclosed, k, groups, digits) or _is_grouped(k, uses, groups, digits)


@helper
def _is_date(k: int, groups: Groups, digits: Bytes) -> bool:
    """Whether the first three groups are one: 01.02.2003 or 2003-02-01."""
    one, two, three = groups[COUNT, 0], groups[COUNT, 1], groups[COUNT, 2]
    if k < 3 or two != 2:
        return False
    at = 4 if one == 2 and three == 4 else 0
    if at == 0 and not (one == 4 and three == 2):
        return False
    century = 10 * signed(digits[at]) + signed(digits[at + 1])
    return century == 19 or century == 20


@helper
def _has_trunk(enclosed: int, k: int, uses: int, size: int, groups: Groups) -> bool:
    """Whether digits that begin with one 0 are grouped as a national number is."""
    if k == 1:
        return enclosed < 0 and 10 <= size <= 11
    counts = groups[COUNT]
    for i in range(1, k):
        if counts[i] < 2:
            return False
    zip_code = k == 2 and uses == DASH and counts[0] == 5 and counts[1] == 4
    insurance = k == 3 and counts[0] == 3 and counts[1] == 2 and counts[2] == 4
    address = k == 4 and uses == POINT
    fits = 2 <= counts[0] <= 5 and 9 <= size <= 12 and k <= 6
    return fits and not zip_code and not insurance and not address


@helper
def _is_american(enclosed: int, k: int, groups: Groups, digits: Bytes) -> bool:
    """Whether digits are an area code, an exchange and a line, perhaps after a 1."""
    counts, gaps = groups[COUNT], groups[GAP]
    at = 1 if k == 4 and counts[0] == 1 and digits[0] == 1 else 0
    if k - at != 3 or counts[at] != 3 or counts[at + 1] != 3 or counts[at + 2] != 4:
        return False
    if digits[at] < 2 or digits[at + 3] < 2 or gaps[at + 2] == 0 or gaps[at + 2] == SLASH:
        return False
    return enclosed == at or (enclosed < 0 and gaps[at + 1] == gaps[at + 2])


@helper
def _is_grouped(k: int, uses: int, groups: Groups, digits: Bytes) -> bool:
    """Whether digits are grouped as in Russia, after an 8, or as mobile numbers in China."""
    counts = groups[COUNT]
    if digits[0] == 8 and k > 2 and counts[0] == 1 and counts[1] == 3:
        area = digits[1] == 3 or digits[1] == 4 or digits[1] == 8 or digits[1] == 9
        seven = k == 3 and counts[2] == 7
        four = k == 4 and counts[2] == 3 and counts[3] == 4
        two = k == 5 and counts[2] == 3 and counts[3] == 2 and counts[4] == 2
        return area and (seven or four or two) and not uses & POINT
    mobile = k == 3 and counts[0] == 3 and counts[1] == 4 and counts[2] == 4
    return mobile and digits[0] == 1 and digits[1] > 2 and uses in (SPACE, DASH)


@helper
def _extension(text: Bytes, at: int) -> int:
    """Where the extension ends that begins there (x123, ext. 123); where there is none, there."""
    i = at + (byte(text, at) == 32)
    if stands(text, i, len(text), EXT):
        i += len(EXT)
        i += byte(text, i) == 46
    elif byte(text, i) | 32 == 120:
        i += 1
    else:
        return at
    i += byte(text, i) == 32
    start = i
    while is_digit(byte(text, i)) and i - start < 7:
        i += 1
    return i if 0 < i - start < 7 and not in_word(byte(text, i)) else at
