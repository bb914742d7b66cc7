"""fastText's answers from a kernel over UTF-8 bytes: no Python strings, all texts in one call.

What a word adds, the sum of its vector and those of its n-grams, is remembered for the words seen
last, which in real text are most of those that come.  So an answer can differ from fastText's own
in its last digits, never by what came before it.

Sources: A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of Tricks for Efficient Text
Classification", 2017; fastText 0.9, for what it counts as a word and how it searches its tree.
"""

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Bytes, Offsets, Positions
from filters.fastfile import SOFTMAX, TREE, File, Floats, Numbers, read
from filters.kernels import (
    F32_TABLE,
    I32,
    I64,
    INT,
    NOTHING,
    OUT_F32,
    OUT_F32_TABLE,
    OUT_I32,
    OUT_U64,
    U8,
    helper,
    kernel,
    signed,
)
from filters.shingles import HALF, Hashes, word_hash

MEMORY = 1 << 23  # bytes of sums that are remembered, of words
LABEL = b"__label__"  # begins a word that is none
END_BYTES, LABEL_BYTES = tuple(b"</s>"), tuple(LABEL)  # the first: what a line's end counts as
SMALL = 1e-5  # added to a probability before fastText takes its logarithm
FLAT, STEPS = 8.0, 512  # fastText's sigmoid is a table of so many steps from -8 to 8
NUMBER, PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a

LOSS, BUCKETS, LEAST, MOST, RUN = range(5)


class Classifier:
    """A fastText classifier, ready to be asked.

    Attributes:
        labels: in the order of their numbers, without what marks them in the file.
    """

    def __init__(self, file: File) -> None:
        self._file = file
        self.labels = [
            label.removeprefix(LABEL).decode("utf-8", "replace") for label in file.labels
        ]
        self._own = threading.local()

    @classmethod
    def of(cls, path: Path) -> "Classifier":
        """The classifier in a file; see `filters.fastfile.read`."""
        return cls(read(path))

    def answers(
        self, data: Bytes, starts: Offsets, ends: Offsets
    ) -> tuple[NDArray[np.int32], Floats]:
        """The likeliest label of each text, and its probability.

        Args:
            data: bytes of all texts.
            starts: shape (n,), where each begins.
            ends: shape (n,), where it ends; a line feed in it counts as a space.

        Returns:
            shape (n,) each; -1 and 0 where the model knows nothing of a text.
        """
        labels, scores = np.empty(len(starts), np.int32), np.empty(len(starts), np.float32)
        most = int((ends - starts).max(initial=0))
        memory = self._memory()
        given: tuple[Any, ...] = (data, starts, ends, most, *self._known, *memory, labels, scores)
        _answers(*given)
        return labels, scores

    @cached_property
    def _known(self) -> tuple[Any, ...]:
        file = self._file
        body = np.frombuffer(b"".join(file.words) or b"\0", np.uint8)
        at = np.cumsum([0, *map(len, file.words)])
        slots = np.full(_room(len(file.words)), -1, np.int32)
        _index(body, at, slots)
        kept = file.kept if file.kept is not None else np.empty(0, np.int32)
        rows = np.full(_room(len(kept)) if file.kept is not None else 0, -1, np.int32)
        for number, bucket in enumerate(kept.tolist()):
            slot = bucket & (len(rows) - 1)
            while rows[slot] >= 0:
                slot = (slot + 1) & (len(rows) - 1)
            rows[slot] = number
        shape = np.array([file.loss, file.buckets, file.least, file.most, file.run], np.int64)
        children = _tree(file.counts) if file.loss == TREE else np.empty((0, 2), np.int32)
        return body, at, slots, kept, rows, file.vectors, file.outputs, children.ravel(), shape

    def _memory(self) -> tuple[Hashes, Floats, Positions, Positions]:
        """Of this thread: keys of words, and of each its sum, how many that adds up, its hash."""
        if not hasattr(self._own, "memory"):
            dimensions = self._file.vectors.shape[1]
            most = 1 << (MEMORY // (4 * dimensions)).bit_length() - 1
            sums = np.empty((most, dimensions), np.float32)
            counts, hashes = np.empty((2, most), np.int32)
            self._own.memory = np.zeros(most, np.uint64), sums, counts, hashes
        memory: tuple[Hashes, Floats, Positions, Positions] = self._own.memory
        return memory


def _room(count: int) -> int:
    """Slots for so many: a power of two, at least half of them empty."""
    return 1 << (2 * count).bit_length()


def _tree(counts: Numbers) -> NDArray[np.int32]:
    """Huffman's tree over the labels, built as fastText does.

    Returns:
        shape (labels - 1, 2): both children of each inner node; the first is number `labels`.
    """
    size = len(counts)
    weight = [*counts.tolist(), *[10**15] * (size - 1)]
    children = np.empty((max(size - 1, 0), 2), np.int32)
    leaf, node = size - 1, size
    for inner in range(size - 1):
        for side in range(2):
            if leaf >= 0 and weight[leaf] < weight[node]:
                children[inner, side], leaf = leaf, leaf - 1
            else:
                children[inner, side], node = node, node + 1
        weight[size + inner] = sum(weight[child] for child in children[inner])
    return children


@helper
def _more(hash_: np.uint32, byte: int) -> np.uint32:
    """The hash with one byte more, which fastText takes as a signed one."""
    wide = np.uint32(byte | 0xFFFFFF00 if byte & 0x80 else byte)
    return np.uint32(np.uint32(hash_ ^ wide) * PRIME)


@helper
def _number(data: Bytes, at: int, end: int) -> np.uint32:
    value = NUMBER
    for i in range(at, end):
        value = _more(value, signed(data[i]))
    return value


@helper
def _find(
    data: Bytes,
    at: int,
    end: int,
    hash_: np.uint32,
    words: Bytes,
    begins: Offsets,
    slots: Positions,
) -> int:
    """The number of a known word; -1 of another."""
    slot = signed(hash_) & (len(slots) - 1)
    while slots[slot] >= 0:
        word = slots[slot]
        begin = begins[word]
        if begins[word + 1] - begin == end - at:
            same = 0
            while same < end - at and words[begin + same] == data[at + same]:
                same += 1
            if same == end - at:
                return signed(word)
        slot = (slot + 1) & (len(slots) - 1)
    return -1


@helper
def _row(bucket: int, kept: Positions, rows: Positions, before: int) -> int:
    """The row of a bucket's vector; -1 where it has none."""
    if len(rows) == 0:
        return before + bucket
    slot = bucket & (len(rows) - 1)
    while rows[slot] >= 0:
        if kept[rows[slot]] == bucket:
            return before + signed(rows[slot])
        slot = (slot + 1) & (len(rows) - 1)
    return -1


@helper
def _add(vectors: Floats, row: int, sums: Floats) -> int:
    """Add a vector, if there is that row: how many were added."""
    if row < 0:
        return 0
    for i in range(len(sums)):
        sums[i] += vectors[row, i]
    return 1


@helper
def _grams(
    word: Bytes,
    size: int,
    kept: Positions,
    rows: Positions,
    before: int,
    vectors: Floats,
    shape: Numbers,
    sums: Floats,
) -> int:
    """Add the vectors of the n-grams of characters of a word in brackets: how many there are."""
    count, buckets = 0, np.uint64(shape[BUCKETS])
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
                bucket = signed(np.uint64(value) % buckets)
                count += _add(vectors, _row(bucket, kept, rows, before), sums)
            n += 1
    return count


@helper
def _is(data: Bytes, at: int, end: int, what: tuple[int, ...]) -> bool:
    """Whether the bytes from there on begin with these."""
    same = 0
    while same < min(len(what), end - at) and data[at + same] == what[same]:
        same += 1
    return same == len(what)


@helper
def _word(
    data: Bytes,
    at: int,
    end: int,
    hash_: np.uint32,
    words: Bytes,
    begins: Offsets,
    slots: Positions,
    kept: Positions,
    rows: Positions,
    vectors: Floats,
    shape: Numbers,
    bracketed: Bytes,
    sums: Floats,
) -> int:
    """The sum of the vectors of a word: how many they are; -1 of a label, which counts nowhere."""
    sums[:] = 0
    known = _find(data, at, end, hash_, words, begins, slots)
    if known < 0 and _is(data, at, end, LABEL_BYTES):
        return -1
    count = _add(vectors, known, sums)
    if shape[MOST] > 0:
        size = end - at + 2
        bracketed[0], bracketed[size - 1] = 60, 62
        for i in range(end - at):
            bracketed[i + 1] = data[at + i]
        before = len(begins) - 1
        count += _grams(bracketed, size, kept, rows, before, vectors, shape, sums)
    return count


@helper
def _sigmoid(value: np.float32) -> float:
    if abs(value) > FLAT:
        return 1.0 if value > 0 else 0.0
    step = int((value + FLAT) * STEPS / (2 * FLAT))
    return 1 / (1 + np.exp(FLAT - step * 2 * FLAT / STEPS))


@helper
def _dot(outputs: Floats, row: int, hidden: Floats) -> np.float32:
    """Four sums, so that none waits for the one before."""
    one = two = three = four = np.float32(0)
    i = 0
    while i + 4 <= len(hidden):
        one += outputs[row, i] * hidden[i]
        two += outputs[row, i + 1] * hidden[i + 1]
        three += outputs[row, i + 2] * hidden[i + 2]
        four += outputs[row, i + 3] * hidden[i + 3]
        i += 4
    while i < len(hidden):
        one += outputs[row, i] * hidden[i]
        i += 1
    return (one + two) + (three + four)


@helper
def _in_tree(
    outputs: Floats,
    children: Positions,
    hidden: Floats,
    nodes: Positions,
    chances: NDArray[np.float64],
) -> tuple[int, float]:
    """The likeliest leaf, and its probability; branches that are less likely are not walked."""
    leaves = len(children) // 2 + 1
    best, found = SMALL, -1
    nodes[0], chances[0] = 2 * leaves - 2, 1
    count = 1
    while count:
        count -= 1
        node, chance = signed(nodes[count]), chances[count]
        if chance <= best:
            continue
        if node < leaves:
            best, found = chance, node
            continue
        inner = node - leaves
        right = 1 / (1 + np.exp(-_dot(outputs, inner, hidden)))
        for side in range(2) if right > 0.5 else range(1, -1, -1):  # the likelier last: it is next
            nodes[count] = children[2 * inner + side]
            chances[count] = chance * ((right if side else 1 - right) + SMALL)
            count += 1
    return found, best


@helper
def _in_list(outputs: Floats, hidden: Floats, loss: int) -> tuple[int, float]:
    """The likeliest label, and its probability."""
    best, found = _dot(outputs, 0, hidden), 0
    for label in range(1, len(outputs)):
        value = _dot(outputs, label, hidden)
        if value > best:
            best, found = value, label
    if loss != SOFTMAX:
        return found, _sigmoid(best) + SMALL
    total = 0.0
    for label in range(len(outputs)):
        total += np.exp(_dot(outputs, label, hidden) - best)
    return found, 1 / total + SMALL


@kernel(
    NOTHING(
        *(U8, I64, I64, INT, U8, I64, I32, I32, I32, F32_TABLE, F32_TABLE, I32, I64),
        *(OUT_U64, OUT_F32_TABLE, OUT_I32, OUT_I32, OUT_I32, OUT_F32),
    )
)
def _answers(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    longest: int,
    words: Bytes,
    begins: Offsets,
    slots: Positions,
    kept: Positions,
    rows: Positions,
    vectors: Floats,
    outputs: Floats,
    children: Positions,
    shape: Numbers,
    keys: Hashes,
    sums: Floats,
    counts: Positions,
    hashes: Positions,
    labels: Positions,
    scores: Floats,
) -> None:
    hidden = np.empty(vectors.shape[1], np.float32)
    of_words, bracketed = np.empty(longest // 2 + 2, np.int32), np.empty(longest + 2, np.uint8)
    nodes, chances = np.empty(len(children) + 2, np.int32), np.empty(len(children) + 2)
    line_end = np.array(END_BYTES, np.uint8)
    end_hash = _number(line_end, 0, len(line_end))
    end_row = _find(line_end, 0, len(line_end), end_hash, words, begins, slots)
    before = len(begins) - 1
    for text in range(len(starts)):
        hidden[:] = 0
        at, end, count, total = starts[text], ends[text], 0, 0
        while True:
            first, at = _token(data, at, end)
            if first == at or (at - first == len(END_BYTES) and _is(data, first, at, END_BYTES)):
                break
            key = word_hash(data, first, at) | np.uint64(1)
            slot = signed(key >> HALF) & (len(keys) - 1)
            if keys[slot] != key:
                value = _number(data, first, at)
                keys[slot], hashes[slot] = key, np.int32(value)
                counts[slot] = _word(
                    *(data, first, at, value, words, begins, slots, kept, rows),
                    *(vectors, shape, bracketed, sums[slot]),
                )
            if counts[slot] >= 0:
                total += counts[slot]
                _add(sums, slot, hidden)
                of_words[count] = hashes[slot]
                count += 1
        of_words[count] = np.int32(end_hash)
        total += _add(vectors, end_row, hidden)
        mine = of_words[: count + 1]
        total += _runs(mine, kept, rows, before, vectors, shape, hidden)
        labels[text], scores[text] = -1, 0
        if total > 0:
            hidden *= np.float32(1 / total)
            if shape[LOSS] == TREE:
                found, best = _in_tree(outputs, children, hidden, nodes, chances)
            else:
                found, best = _in_list(outputs, hidden, shape[LOSS])
            labels[text], scores[text] = found, min(best, 1)


@helper
def _token(data: Bytes, at: int, end: int) -> tuple[int, int]:
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
def _runs(
    hashes: Positions,
    kept: Positions,
    rows: Positions,
    before: int,
    vectors: Floats,
    shape: Numbers,
    sums: Floats,
) -> int:
    """Add the vectors of a text's n-grams of words: how many there are."""
    count = 0
    for i in range(len(hashes)):
        value = np.uint64(np.int64(hashes[i]))
        for j in range(i + 1, min(len(hashes), i + shape[RUN])):
            value = value * np.uint64(116049371) + np.uint64(np.int64(hashes[j]))
            bucket = signed(value % np.uint64(shape[BUCKETS]))
            count += _add(vectors, _row(bucket, kept, rows, before), sums)
    return count


@kernel(NOTHING(U8, I64, OUT_I32))
def _index(words: Bytes, begins: Offsets, slots: Positions) -> None:
    """Put each word into the table that `_find` looks in."""
    for word in range(len(begins) - 1):
        slot = signed(_number(words, begins[word], begins[word + 1])) & (len(slots) - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = word
