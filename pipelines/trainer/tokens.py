"""Text to token numbers: byte pairs learned from a sample, or bytes as they are.

Number 0 begins every document.  Source of byte pairs: Sennrich et al. 2016, on bytes as in Radford
et al. 2019; the library is `tokenizers`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BEGIN = 0
Numbers = NDArray[np.uint16]


class Tokenizer(Protocol):
    """Text to token numbers.

    Attributes:
        vocabulary: how many there are.
        digest: the same for two that say the same.
    """

    vocabulary: int
    digest: str

    def encode(self, texts: pa.StringArray) -> list[Numbers]:
        """The tokens of each text, `BEGIN` first; a null counts as empty."""


class Bytes:
    """A token a byte."""

    vocabulary = 257
    digest = "bytes"

    def encode(self, texts: pa.StringArray) -> list[Numbers]:
        """See `Tokenizer`."""
        raw = pc.fill_null(texts, "").cast(pa.binary())
        _, ends, body = raw.buffers()
        at = (
            np.frombuffer(ends, np.int32)[raw.offset :][: len(raw) + 1].tolist() if len(raw) else []
        )
        numbers = np.frombuffer(body or b"", np.uint8)
        return [
            _begun(numbers[start:end].astype(np.uint16) + np.uint16(1))
            for start, end in pairwise(at)
        ]


class Pairs:
    """Byte pairs, as a file says that the library `tokenizers` wrote."""

    def __init__(self, model: str) -> None:
        from tokenizers import Tokenizer as Library

        self._library: Any = Library.from_str(model)
        self._library.encode_special_tokens = True  # a text that holds "<begin>" begins nothing
        self.vocabulary = int(self._library.get_vocab_size())
        self.digest = hashlib.sha256(model.encode()).hexdigest()[:16]

    def encode(self, texts: pa.StringArray) -> list[Numbers]:
        """See `Tokenizer`."""
        whole = [text or "" for text in texts.to_pylist()]
        found = self._library.encode_batch_fast(whole)
        return [_begun(np.array(one.ids, np.uint16)) for one in found]


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
        return cls(np.load(f"{stem}.tokens.npy", "r"), np.load(f"{stem}.ends.npy"))


def write(texts: Iterable[pa.StringArray], tokenizer: Tokenizer, stem: str | Path) -> Corpus:
    """Tokens of all texts, as two files; none of the text is held longer than its batch.

    Args:
        texts: in batches.
        tokenizer: that says the tokens.
        stem: of the files' names.
    """
    sizes = [np.empty(0, np.int64)]
    raw = Path(f"{stem}.raw")
    with raw.open("wb") as out:
        for batch in texts:
            rows = tokenizer.encode(batch)
            sizes.append(np.array([len(row) for row in rows], np.int64))
            out.write(np.concatenate([np.empty(0, np.uint16), *rows]).tobytes())
    ends = np.cumsum(np.concatenate(sizes))
    np.save(f"{stem}.ends.npy", ends)
    shape = (int(ends[-1]) if len(ends) else 0,)
    with Path(f"{stem}.tokens.npy").open("wb") as out:
        head = {"descr": "<u2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(out, head)
        with raw.open("rb") as read:
            while piece := read.read(8 << 20):
                out.write(piece)
    raw.unlink()
    return Corpus.open(stem)
