"""Words and texts as hashes, by which the measures that count over a corpus know them.

Words are those of `filters.words`, without case, as `filters.folding` has it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from filters import EDITS
from filters.buffers import Bytes, Offsets, Out, spans, utf8
from filters.folding import folds
from filters.kernels import kernel
from filters.language import Language, paragraphs
from filters.overlap import batches, run_hashes
from filters.shingles import Hashes, word_hash
from filters.words import words


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
    body, offsets = utf8(texts)
    rows, starts, ends = spans(some)
    out = np.empty(int(rows[-1] - rows[0]), np.uint64)
    run_hashes(body, offsets, rows, starts, ends, 1, folds(), out)
    return Words(np.maximum(out, np.uint64(1)), rows - rows[0])


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
    """
    for texts in batches(sample):
        yield of_words(texts, words(texts)), of_texts(_languages(texts, language))


def _languages(texts: pa.StringArray, language: str) -> pa.StringArray:
    if language:
        return pa.array([language]).take(pa.array(np.zeros(len(texts), np.int32)))
    none = pa.array([[]] * len(texts), EDITS)
    batch = {"text": texts, "paragraphs": paragraphs(texts), "edits": none}
    return Language().measure(pa.record_batch(batch))["language"]


@kernel
def _hashed(data: Bytes, offsets: Offsets, out: Out[Hashes]) -> None:
    for row in range(len(out)):
        out[row] = word_hash(data, offsets[row], offsets[row + 1])
