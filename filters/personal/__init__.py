"""Personal data: mail and network addresses, telephone numbers, accounts and cards are marked.

Found is what is written in a fixed form: `addresses` says which of mail ("email") and of the
Internet Protocol ("ip") count, `phones` which telephone numbers ("phone"), `numbers` which IBANs
("iban") and payment cards ("card").  Names, postal addresses, dates of birth, and what is written
to hide (name at example dot org) are not looked for.

A text is read eight bytes at a time until a digit, a colon or an "@" stands among them; then it is
looked at from there, from left to right, and what was found is not looked at again.  At one place a
network address comes before an account, that before a card, that before a telephone number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pyarrow as pa

from filters.buffers import Bytes, Offsets, Out, utf8
from filters.edits import Spans, listed_edits
from filters.kernels import helper, kernel, signed
from filters.personal.addresses import (
    byte,
    four_numbers,
    groups,
    is_digit,
    is_private,
    mail,
    private,
)
from filters.personal.numbers import (
    LONGEST,
    MOST,
    Groups,
    Words,
    account,
    card,
    cards,
    ibans,
    is_one_of,
    packed,
    parse,
    word_before,
)
from filters.personal.phones import BETWEEN, CALLS, ELSE, SHORT, countries, phone, said
from filters.registers import EACH, HIGH, LOW, eight, lowest_bit
from filters.unicode import table

KINDS = ("email", "ip", "phone", "iban", "card")
EMAIL, IP, PHONE, IBAN, CARD = range(5)
VERSIONS = "v version ver release rev revision build firmware section sec chapter clause table"
"""Words before four numbers that are no address."""
APART = 5  # bytes between two groups of a number at most
SHORTEST = 6  # bytes of anything that is found

FROM_ZERO, BEYOND_AT = EACH * np.uint64(0x80 - ord("0")), EACH * np.uint64(0x80 - ord("@") - 1)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Replace personal data by a mark, or cut it.

    Attributes:
        replace: kinds, each replaced by its name in angle brackets (`<email>`); or a table of kinds
            and what stands in their place, "" to cut.
        private: whether network addresses of nobody in particular count as well: private, loopback,
            link-local, documentation, multicast.
    """

    replace: Sequence[str] | Mapping[str, str] | tuple[tuple[str, str], ...] = KINDS
    private: bool = False

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        if not isinstance(self.private, bool):
            raise ValueError(f"private wants true or false, got {self.private!r}")
        object.__setattr__(self, "replace", _pairs(self.replace))

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS`, each with its kind as the reason."""
        body, offsets = utf8(batch["text"])
        most = int(offsets[-1] - offsets[0]) // SHORTEST + 1
        starts, ends, kinds = np.empty((3, most), np.int64)
        counts = np.zeros(batch.num_rows, np.int64)
        wanted = dict(self.replace)  # type: ignore[arg-type]
        bits = sum(1 << KINDS.index(kind) for kind in wanted)
        out = (starts, ends, kinds, counts)
        tables = (*_numbers(), *_words())
        count = _personal(body, offsets, table(), bits, int(self.private), *tables, *out)
        found = pa.array(kinds[:count])
        marks = pa.array([wanted.get(kind, "") for kind in KINDS]).take(found)
        return listed_edits(
            counts, starts[:count], ends[:count], marks, pa.array(KINDS).take(found)
        )


def _pairs(replace: object) -> tuple[tuple[str, str], ...]:
    """Kinds with what replaces them.

    Raises:
        ValueError: if it is neither a list of kinds nor a table, or there is no such kind.
    """
    if isinstance(replace, Mapping):
        pairs = list(replace.items())
    elif isinstance(replace, list | tuple):
        pairs = [each if isinstance(each, tuple) else (each, f"<{each}>") for each in replace]
    else:
        raise ValueError(f'replace wants a list of kinds such as ["email"], got {replace!r}')
    for kind, mark in pairs:
        if kind not in KINDS:
            raise ValueError(f"replace: unknown kind {kind!r}; known: {', '.join(KINDS)}")
        if not isinstance(mark, str):
            raise ValueError(f"replace: {kind} wants a text to stand in its place, got {mark!r}")
    if not pairs:
        raise ValueError(f"replace names no kind; known: {', '.join(KINDS)}")
    return tuple(sorted(dict(pairs).items()))


@cache
def _numbers() -> tuple[Offsets, Offsets, Offsets, Offsets]:
    """What the kernel knows of networks, accounts, cards and countries."""
    return private(), ibans(), cards(), countries()


@cache
def _words() -> tuple[Words, Words, Words, Words]:
    """The words that it knows."""
    return packed(VERSIONS), packed(CALLS), packed(ELSE), packed(BETWEEN)


@helper
def _skip(text: Bytes, at: int) -> int:
    """The next byte, from one on, that is a digit, a colon, an "@" or one of ``;<=>?``."""
    while at + 8 <= len(text):
        some = eight(text, at)
        low = some & LOW
        hits = (low + FROM_ZERO) & ~(low + BEYOND_AT) & ~some & HIGH
        if hits:
            return at + (lowest_bit(hits) >> 3)
        at += 8
    while at < len(text) and not 48 <= text[at] <= 64:
        at += 1
    return at


@helper
def _is_long(text: Bytes, at: int) -> bool:
    """Whether digits that are close together, from one on, may be as many as a number has."""
    count = idle = 0
    while idle <= APART and count < SHORT:
        c = byte(text, at)
        if is_digit(c):
            count, idle = count + 1, 0
        elif c == 32 or 40 <= c <= 47 or c >= 0x80:
            idle += 1
        else:
            return False
        at += 1
    return count >= SHORT


@helper
def _address(
    text: Bytes, done: int, at: int, classes: Bytes, wanted: int, privately: int, networks: Offsets
) -> tuple[int, int, int]:
    """The address around an "@", or whose first colon is there: kind, begin, end; none: zeros."""
    if text[at] == 64 and wanted >> EMAIL & 1:
        first, end = mail(text, done, at, classes)
        return EMAIL, first, end
    if text[at] == 58 and wanted >> IP & 1:
        first, end, head = groups(text, done, at)
        if privately or not is_private(head + (1 << 32), networks):
            return IP, first, end
    return 0, 0, 0


@helper
def _number(
    text: Bytes, done: int, at: int, classes: Bytes, wanted: int, privately: int,
    networks: Offsets, lengths: Offsets, versions: Words,
) -> tuple[int, int, int]:  # fmt: skip
    """The address or account of digits from there: kind, begin, end; none: zeros.

    An end of -1: an address that stays as it is.
    """
    if wanted >> IP & 1:
        end, value = four_numbers(text, at)
        if end:
            counts = privately or not is_private(value, networks)
            version = is_one_of(word_before(text, at, classes)[0], versions)
            return (IP, at, end) if counts and not version else (0, 0, -1)
    if wanted >> IBAN & 1:
        first, end = account(text, done, at, lengths)
        return IBAN, first, end
    return 0, 0, 0


@helper
def _grouped(
    text: Bytes, done: int, at: int, classes: Bytes, wanted: int, issuers: Offsets,
    codes: Offsets, words: tuple[Words, Words, Words], held: Groups, digits: Bytes,
) -> tuple[int, int, int]:  # fmt: skip
    """The card or the telephone number whose first digit is there: kind, begin, end, or zeros."""
    if not wanted & (1 << PHONE | 1 << CARD) or not _is_long(text, at):
        return 0, 0, 0
    count, first, plus, enclosed = parse(text, done, at, held, digits)
    if wanted >> CARD & 1 and not plus and enclosed < 0:
        end = card(text, first, count, held, digits, issuers)
        if end:
            return CARD, first, end
    if not wanted >> PHONE & 1:
        return 0, 0, 0
    says = said(text, first, classes, words[0], words[1], words[2])
    end = phone(text, first, plus, enclosed, count, held, digits, codes, says)
    return PHONE, first, end


@kernel
def _personal(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    wanted: int,
    privately: int,
    networks: Offsets,
    lengths: Offsets,
    issuers: Offsets,
    codes: Offsets,
    versions: Words,
    calls: Words,
    other: Words,
    between: Words,
    starts: Out[Spans],
    ends: Out[Spans],
    kinds: Out[Spans],
    counts: Out[Offsets],
) -> int:
    """What is found: how many, the bytes of each in its text, its kind, how many in every text."""
    total = 0
    held, digits = np.empty((4, MOST), np.int64), np.empty(MOST * LONGEST, np.uint8)
    words = (calls, other, between)
    for row in range(len(offsets) - 1):
        text = data[offsets[row] : offsets[row + 1]]
        begin, done = total, signed(0)  # a plain 0 has helpers compiled for it, and again
        at = _skip(text, done)
        while at < len(text):
            kind, first, end = _address(text, done, at, classes, wanted, privately, networks)
            if is_digit(byte(text, at)) and not is_digit(byte(text, at - 1)):
                kind, first, end = _number(
                    text, done, at, classes, wanted, privately, networks, lengths, versions
                )
                if end == 0:
                    kind, first, end = _grouped(
                        text, done, at, classes, wanted, issuers, codes, words, held, digits
                    )
            if end > 0:
                starts[total], ends[total], kinds[total] = first, end, kind
                total += 1
                done = end
            at = _skip(text, max(at + 1, done))
        counts[row] = total - begin
    return total
