"""Text to token numbers: byte pairs learned from a sample, or bytes as they are.

Number 0 begins every document.  Source of byte pairs: Sennrich et al. 2016, on bytes as in Radford
et al. 2019; the library is `tokenizers`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BEGIN = 0
Numbers = NDArray[np.uint16]


class Bytes:
    """A token a byte.

    Attributes:
        vocabulary: how many tokens there are.
        digest: the same for two tokenizers that say the same.
    """

    vocabulary = 257
    digest = "bytes"

    def encode(self, texts: pa.StringArray) -> list[Numbers]:
        """The tokens of each text, `BEGIN` first; a null counts as empty."""
        bodies = [(text or "").encode() for text in texts.to_pylist()]
        return [_begun(np.frombuffer(body, np.uint8) + np.uint16(1)) for body in bodies]


class Pairs:
    """Byte pairs, as a file says that the library `tokenizers` wrote."""

    def __init__(self, model: str) -> None:
        from tokenizers import Tokenizer as Library

        self._library: Any = Library.from_str(model)
        self._library.encode_special_tokens = True  # a text that holds "<begin>" begins nothing
        self.vocabulary = int(self._library.get_vocab_size())
        self.digest = hashlib.sha256(model.encode()).hexdigest()[:16]

    def encode(self, texts: pa.StringArray) -> list[Numbers]:
        """See `Bytes`."""
        whole = [text or "" for text in texts.to_pylist()]
        found = self._library.encode_batch_fast(whole)
        return [_begun(np.array(one.ids, np.uint16)) for one in found]


Tokenizer = Bytes | Pairs


def _begun(row: Numbers) -> Numbers:
    return np.concatenate([np.array([BEGIN], np.uint16), row])


def learned(texts: Iterable[str], vocabulary: int) -> str:
    """Byte pairs learned from a sample, as `Pairs` takes them; "" where `tokenizers` is missing.

    Args:
        texts: the sample; the same one gives the same pairs.
        vocabulary: tokens, at most; 65,536 or fewer.
    """
    if find_spec("tokenizers") is None:
        return ""
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<begin>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    library.train_from_iterator(texts, trainer)
    return str(library.to_str())


def made(model: str) -> Tokenizer:
    """The tokenizer that `learned` gave; bytes for ""."""
    return Pairs(model) if model else Bytes()


class Corpus:
    """Documents as token numbers, one after the other.

    Attributes:
        tokens: shape (tokens,).
        ends: shape (documents,); where in them each ends.
    """

    def __init__(self, tokens: Numbers, ends: NDArray[np.int64]) -> None:
        self.tokens, self.ends = tokens, ends

    @classmethod
    def of(cls, documents: Sequence[Numbers]) -> "Corpus":
        """From documents in memory."""
        sizes = np.array([len(document) for document in documents], np.int64)
        return cls(np.concatenate([np.empty(0, np.uint16), *documents]), np.cumsum(sizes))

    @classmethod
    def open(cls, stem: str | Path) -> "Corpus":
        """From the files that `write` made, memory-mapped."""
        tokens = pa.memory_map(f"{stem}.tokens").read_buffer()
        return cls(np.frombuffer(tokens, np.uint16), np.load(f"{stem}.ends.npy"))


def write(texts: Iterable[pa.StringArray], tokenizer: Tokenizer, stem: str | Path) -> Corpus:
    """Tokens of all texts, as two files of that stem; no text is held longer than its batch."""
    sizes = list[int]()
    with Path(f"{stem}.tokens").open("wb") as out:
        for batch in texts:
            for row in tokenizer.encode(batch):
                sizes.append(len(row))
                out.write(row.tobytes())
    np.save(f"{stem}.ends.npy", np.cumsum(sizes, dtype=np.int64))
    return Corpus.open(stem)
