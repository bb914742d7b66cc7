"""Words and texts as hashes, by which the measures that count over a corpus know them.

Words are those of `filters.words`, without case, as `filters.folding` has it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from filters import EDITS
from filters.buffers import Bytes, Offsets, Out, Positions, Texts, utf8, with_words
from filters.folding import fold, folds
from filters.kernels import kernel, longest
from filters.language import Language, paragraphs
from filters.overlap import batches
from filters.shingles import Hashes, mixed, word_hash
from filters.words import words

LEAST = 100  # words of a sample


class Words(NamedTuple):
    """The words of some texts.

    Attributes:
        hashes: of all words in order, none 0.
        rows: shape (n + 1,): the words of text i are ``hashes[rows[i]:rows[i + 1]]``.
    """

    hashes: Hashes
    rows: Offsets


def of_words(texts: pa.StringArray, some: pa.ListArray) -> Words:
    """The hash of every word; a null text has none.

    Args:
        texts: shape (n,).
        some: their words, `SPANS`.
    """
    given = with_words(texts, some)
    rows = given[2] - given[2][0]
    out = np.empty(rows[-1], np.uint64)
    _words(given, folds(), out)
    return Words(out, rows)


def of_texts(texts: pa.StringArray) -> Hashes:
    """The hash of each text as a whole, such as a name; that of a null is that of an empty one."""
    body, offsets = utf8(texts)
    out = np.empty(len(texts), np.uint64)
    _hashed(body, offsets, out)
    return out


def of_sample(sample: Iterable[str], language: str) -> Iterator[tuple[Words, Hashes]]:
    """The words of given texts and the hashes of their languages, some texts at a time.

    Args:
        sample: the texts.
        language: of all of them; "": each text's is told from it.

    Raises:
        ValueError: if they have too few words, at the end.
    """
    total = 0
    for texts in batches(sample):
        some = of_words(texts, words(texts))
        total += len(some.hashes)
        yield some, of_texts(_languages(texts, language))
    if total < LEAST:
        raise ValueError(f"sample has {total:,} words; want {LEAST:,} and more")


def _languages(texts: pa.StringArray, language: str) -> pa.StringArray:
    if language:
        return pa.array([language]).take(pa.array(np.zeros(len(texts), np.int32)))
    none = pa.array([[]] * len(texts), EDITS)
    batch = {"text": texts, "paragraphs": paragraphs(texts), "edits": none}
    return Language().measure(pa.record_batch(batch))["language"]


@kernel
def _words(
    texts: Texts,
    table: Positions,
    out: Out[Hashes],
) -> None:
    data, offsets, rows, starts, ends = texts
    room = np.empty(longest(offsets) + 8, np.uint8)
    for row in range(len(offsets) - 1):
        begin, limit = offsets[row], offsets[row + 1]
        for i in range(rows[row], rows[row + 1]):
            end = min(begin + ends[i], limit)  # spans of another text must not lead us out
            size = fold(data, min(begin + starts[i], end), end, table, room, 0)
            out[i - rows[0]] = max(mixed(word_hash(room, 0, size)), np.uint64(1))


@kernel
def _hashed(data: Bytes, offsets: Offsets, out: Out[Hashes]) -> None:
    for row in range(len(out)):
        out[row] = word_hash(data, offsets[row], offsets[row + 1])
