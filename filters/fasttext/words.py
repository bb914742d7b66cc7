"""What fastText makes of a text: words by their bytes, the vectors of each and of its n-grams.

Source: fastText 0.9, for what it counts as a word, and how it numbers words and n-grams.
"""

import numpy as np

from filters.buffers import Bytes, Offsets, Out, Positions
from filters.fasttext.file import Floats, Numbers
from filters.kernels import helper, kernel, signed
from filters.registers import alike

LABEL = b"__label__"  # begins a word that is none
END_BYTES, LABEL_BYTES = tuple(b"</s>"), tuple(LABEL)  # the first: what a line's end counts as
NUMBER, PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a

BUCKETS, LEAST, MOST, RUN = range(4)
"""Places in the shape of a model, see `filters.fasttext.file.File`."""

Known = tuple[Bytes, Offsets, Positions]
"""Words one after another, where each begins and the last ends, and their table."""

Vectors = tuple[Floats, int, Positions, Positions]
"""Vectors, how many of them are of words, the buckets that have one, and their table."""


@helper
def _more(hash_: np.uint32, byte: int) -> np.uint32:
    """The hash with one byte more, which fastText takes as a signed one."""
    wide = np.uint32(byte | 0xFFFFFF00 if byte & 0x80 else byte)
    return np.uint32(np.uint32(hash_ ^ wide) * PRIME)


@helper
def number_of(data: Bytes, at: int, end: int) -> np.uint32:
    """The hash by which fastText knows a word."""
    value = NUMBER
    for i in range(at, end):
        value = _more(value, signed(data[i]))
    return value


@helper
def find(data: Bytes, at: int, end: int, hash_: np.uint32, known: Known) -> int:
    """The number of a known word; -1 of another."""
    words, begins, slots = known
    slot, size = signed(hash_) & (len(slots) - 1), end - at
    while slots[slot] >= 0:
        word = slots[slot]
        begin = begins[word]
        if begins[word + 1] - begin == size and alike(words, begin, data, at, size):
            return signed(word)
        slot = (slot + 1) & (len(slots) - 1)
    return -1


@helper
def add(vectors: Floats, row: int, sums: Floats) -> int:
    """Add a vector, if there is that row: how many were added."""
    if row < 0:
        return 0
    for i in range(len(sums)):
        sums[i] += vectors[row, i]
    return 1


@helper
def _add_bucket(value: np.uint64, of: Vectors, shape: Numbers, sums: Floats) -> int:
    """Add the vector of an n-gram's bucket, if it has one: how many were added."""
    vectors, before, kept, rows = of
    bucket = signed(value % np.uint64(shape[BUCKETS]))
    if len(rows) == 0:
        return add(vectors, before + bucket, sums)
    slot = bucket & (len(rows) - 1)
    while rows[slot] >= 0:
        if kept[rows[slot]] == bucket:
            return add(vectors, before + signed(rows[slot]), sums)
        slot = (slot + 1) & (len(rows) - 1)
    return 0


@helper
def _grams(word: Bytes, size: int, of: Vectors, shape: Numbers, sums: Floats) -> int:
    """Add the vectors of the n-grams of characters of a word in brackets: how many there are."""
    count = 0
    for i in range(size):
        if word[i] & 0xC0 == 0x80:
            continue
        value, at, n = NUMBER, i, 1
        while at < size and n <= shape[MOST]:
            value = _more(value, signed(word[at]))
            at += 1
            while at < size and word[at] & 0xC0 == 0x80:
                value = _more(value, signed(word[at]))
                at += 1
            if n >= shape[LEAST] and not (n == 1 and (i == 0 or at == size)):
                count += _add_bucket(np.uint64(value), of, shape, sums)
            n += 1
    return count


@helper
def begins_with(data: Bytes, at: int, end: int, what: tuple[int, ...]) -> bool:
    """Whether the bytes from there on begin with these."""
    same = 0
    while same < min(len(what), end - at) and data[at + same] == what[same]:
        same += 1
    return same == len(what)


@helper
def begins_as_end(data: Bytes, at: int, end: int) -> bool:
    """Whether a word is what a line's end counts as, which ends a text for fastText."""
    return end - at == len(END_BYTES) and begins_with(data, at, end, END_BYTES)


@helper
def word_sum(
    data: Bytes,
    at: int,
    end: int,
    hash_: np.uint32,
    known: Known,
    of: Vectors,
    shape: Numbers,
    bracketed: Bytes,
    sums: Floats,
) -> int:
    """The sum of the vectors of a word: how many they are; -1 of a label, which counts nowhere."""
    sums[:] = 0
    number = find(data, at, end, hash_, known)
    if number < 0 and begins_with(data, at, end, LABEL_BYTES):
        return -1
    count = add(of[0], number, sums)
    if shape[MOST] > 0:
        size = end - at + 2
        bracketed[0], bracketed[size - 1] = 60, 62
        for i in range(end - at):
            bracketed[i + 1] = data[at + i]
        count += _grams(bracketed, size, of, shape, sums)
    return count


@helper
def token(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The next word, as fastText has it: what stands between white space of ASCII, and zeros."""
    while at < end and _parts(data[at]):
        at += 1
    first = at
    while at < end and not _parts(data[at]):
        at += 1
    return first, at


@helper
def _parts(byte: int) -> bool:
    return byte == 32 or byte == 0 or 9 <= byte <= 13


@helper
def joined_to(value: np.uint64, hash_: np.int32) -> np.uint64:
    """The number of a run of words with one word more."""
    return np.uint64(value * np.uint64(116049371) + np.uint64(np.int64(hash_)))


@helper
def runs(hashes: Positions, of: Vectors, shape: Numbers, sums: Floats) -> int:
    """Add the vectors of a text's n-grams of words: how many there are."""
    count = 0
    for i in range(len(hashes)):
        value = np.uint64(np.int64(hashes[i]))
        for j in range(i + 1, min(len(hashes), i + shape[RUN])):
            value = joined_to(value, hashes[j])
            count += _add_bucket(value, of, shape, sums)
    return count


@helper
def _put(slots: Positions, hash_: int, value: int) -> None:
    """Put a number into the first free slot from that of its hash on."""
    slot = hash_ & (len(slots) - 1)
    while slots[slot] >= 0:
        slot = (slot + 1) & (len(slots) - 1)
    slots[slot] = value


def index(words: list[bytes]) -> Known:
    """What `find` looks in."""
    body = np.frombuffer(b"".join(words) or b"\0", np.uint8)
    begins, slots = np.cumsum([0, *map(len, words)]), free(len(words))
    _index(body, begins, slots)
    return body, begins, slots


def free(count: int) -> Positions:
    """An empty table of numbers: a power of two, at least half of it to stay empty."""
    return np.full(1 << (2 * count).bit_length(), -1, np.int32)


@kernel
def _index(words: Bytes, begins: Offsets, slots: Out[Positions]) -> None:
    """Put each word into the table that `find` looks in."""
    for word in range(len(begins) - 1):
        _put(slots, signed(number_of(words, begins[word], begins[word + 1])), word)


@kernel
def index_buckets(kept: Positions, rows: Out[Positions]) -> None:
    """Put each bucket that has a row into the table that `_add_bucket` looks in."""
    for number in range(len(kept)):
        _put(rows, signed(kept[number]), number)
