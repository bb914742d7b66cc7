"""Sums over the elements of a page, and the parts of it that they point to.

Source: Arc90's Readability, for the element whose children are most like paragraphs.
"""

from typing import Any

import numpy as np

from filters.buffers import Positions
from filters.html.blocks import CHARS, COMMAS, HASH, LINKED, OWNER, STOPS, WIDE, WORDS
from filters.html.markup import IMAGES, PARENT, SIGN, TAG, Numbers
from filters.html.tags import ARTICLE_TAG, BIT, Hashes
from filters.kernels import helper, part
from filters.kernels import signed as number

(E_CHARS, E_LINKED, E_WORDS, E_STOPS, E_BLOCKS, E_GOOD, E_P, E_TAGS, E_IMAGES, E_LAST) = range(10)
(E_SCORE, E_ALIKE, E_CHILDREN) = range(10, 13)
SUMS = 13
"""Of an element and all in it: characters, those in links, words, ends of sentences, blocks,
characters of good blocks, of paragraphs, elements, images; the number of the last element in it;
how much its children are paragraphs; siblings of the same sign; children."""

GOOD_WORDS, GOOD_LINKED = 8, 0.4
_ONE = np.uint64(1)
_COMMENT, _P = BIT["w_comment"], BIT["p"]


@helper
def per(part: float | np.number[Any], whole: float | np.number[Any]) -> np.float32:
    """A ratio; 0 where the whole is 0."""
    return np.float32(part / whole) if whole > 0 else np.float32(0)


@helper
def words_of(block: Positions) -> int:
    """Words of a block; two characters of a script without spaces count as one."""
    return number(block[WORDS]) - number(block[WIDE]) // 2


@helper
def is_good(block: Positions, flags: np.uint64) -> bool:
    """Whether a block reads like a paragraph, and not like a comment."""
    most = GOOD_LINKED * block[CHARS]
    return words_of(block) >= GOOD_WORDS and block[LINKED] <= most and not flags & _COMMENT


@helper
def _add(
    elements: Positions, flags: np.uint64, block: Positions, owner: int, sums: Positions
) -> None:
    """What a block adds to its owner."""
    sums[owner, E_CHARS] += block[CHARS]
    sums[owner, E_LINKED] += block[LINKED]
    sums[owner, E_WORDS] += words_of(block)
    sums[owner, E_STOPS] += block[STOPS]
    sums[owner, E_BLOCKS] += 1
    if flags & _P:
        sums[owner, E_P] += block[CHARS]
    if is_good(block, flags):
        sums[owner, E_GOOD] += block[CHARS]
        parent = max(number(elements[owner, PARENT]), 0)
        worth = 2 + 2 * number(block[COMMAS]) + 2 * min(words_of(block) // 20, 3)
        sums[parent, E_SCORE] += worth
        sums[max(elements[parent, PARENT], 0), E_SCORE] += worth // 2


@helper
def add_up(
    elements: Positions, flags: Hashes, blocks: Positions, count: int, sums: Positions
) -> None:
    """Sums of all elements, from blocks to their owners and from there outwards."""
    for element in range(len(sums)):
        sums[element, :] = 0
        sums[element, E_TAGS], sums[element, E_LAST] = 1, element
        sums[element, E_IMAGES] = elements[element, IMAGES]
    for i in range(count):
        owner = number(blocks[i, OWNER])
        _add(elements, flags[owner], blocks[i], owner, sums)
    for element in range(len(sums) - 1, 0, -1):
        parent = elements[element, PARENT]
        for i in range(E_LAST):
            sums[parent, i] += sums[element, i]
        sums[parent, E_LAST] = max(sums[parent, E_LAST], sums[element, E_LAST])
        sums[parent, E_CHILDREN] += 1


@helper
def _slot(key: np.uint64, keys: Hashes) -> int:
    """The place of a key in a table that has room; it is put there if it is not yet."""
    mask = np.uint64(len(keys) - 1)
    at = (key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20) & mask
    while keys[at] and keys[at] != key:
        at = (at + _ONE) & mask
    keys[at] = key
    return number(at)


@part
def alike(elements: Positions, sums: Positions, keys: Hashes, counts: Numbers) -> None:
    """How many siblings of the same tag and classes each element has, itself counted."""
    keys[:], counts[:] = np.uint64(0), 0
    for again in range(2):
        for i in range(1, len(sums)):
            key = np.uint64(elements[i, PARENT]) << np.uint64(32) | np.uint64(elements[i, SIGN])
            slot = _slot(key | _ONE << np.uint64(63), keys)
            counts[slot] += 1 - again
            sums[i, E_ALIKE] = counts[slot]


@part
def same(blocks: Positions, count: int, same: Numbers, keys: Hashes, counts: Numbers) -> None:
    """How many blocks have the words of each."""
    keys[:], counts[:] = np.uint64(0), 0
    for again in range(2):
        for i in range(count):
            slot = _slot(np.uint64(number(blocks[i, HASH])) | _ONE << np.uint64(63), keys)
            counts[slot] += 1 - again
            same[i] = counts[slot]


@part
def within(sums: Positions, share: float) -> int:
    """The innermost element that holds so much of the good text; 0 where there is none."""
    total = sums[0, E_GOOD]
    element = len(sums) - 1
    while element > 0 and not (sums[element, E_GOOD] >= share * total and total > 0):
        element -= 1
    return element


@helper
def best(sums: Positions) -> int:
    """The element whose children are most like paragraphs."""
    best, most = 0, np.float32(0)
    for element in range(len(sums)):
        score = sums[element, E_SCORE]
        worth = score * (1 - per(sums[element, E_LINKED], sums[element, E_CHARS]))
        if worth > most:
            best, most = element, worth
    return best


@helper
def articles(elements: Positions, sums: Positions, in_article: Numbers) -> tuple[int, int]:
    """Of each element the number of the article it is in, from 1; how many there are; the best."""
    count, best, most = 0, 0, -1
    in_article[0] = 0
    for element in range(1, len(sums)):
        in_article[element] = in_article[elements[element, PARENT]]
        if elements[element, TAG] == ARTICLE_TAG:
            count += 1
            in_article[element] = count
            if sums[element, E_GOOD] > most:
                best, most = count, number(sums[element, E_GOOD])
    return count, best
