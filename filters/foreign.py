"""An edit that cuts the paragraphs of a text that are in other languages than are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from filters.buffers import flat
from filters.edits import listed_edits
from filters.language import model


@dataclass(frozen=True, slots=True)
class Foreign:
    """Cut paragraphs whose language is known, certain enough, and none of those to keep.

    Attributes:
        keep: languages by their ISO 639 codes; none: that of most bytes of the text's paragraphs
            that are certain enough, of equals the first in the alphabet.
        score: the probability from which on a language is certain enough.
    """

    keep: Sequence[str] = ()
    score: float = 0.8

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("paragraphs",)

    def __post_init__(self) -> None:
        if type(self.score) not in (int, float) or not 0 < self.score <= 1:
            raise ValueError(f"score wants a probability in (0, 1], got {self.score!r}")
        if not isinstance(self.keep, list | tuple):
            raise ValueError(f'keep wants a list of languages such as ["en"], got {self.keep!r}')
        for each in self.keep:
            if each not in model().labels:
                raise ValueError(f'keep: unknown language {each!r}; want ISO 639, such as "en"')
        object.__setattr__(self, "keep", tuple(sorted(self.keep)))

    def edit(self, batch: pa.RecordBatch) -> pa.ListArray:
        """`EDITS` with the reason "foreign"; a paragraph goes with its line feeds."""
        lists = batch["paragraphs"]
        rows, starts, ends = flat(lists)
        values = lists.flatten()
        codes = values.field("language").dictionary_encode()
        names = codes.dictionary.to_pylist()
        language = codes.indices.fill_null(-1).to_numpy().astype(np.int64)
        certain = values.field("score").fill_null(0).to_numpy() >= np.float32(self.score)
        certain &= language >= 0
        if self.keep:
            wanted = np.array([name in self.keep for name in names] + [True])[language]
        else:
            wanted = _main(rows, ends - starts, language, names, certain)[rows] == language
        cut = certain & ~wanted
        counts = np.bincount(rows[cut], minlength=len(lists))
        text = [pa.repeat(value, int(cut.sum())) for value in ("", "foreign")]
        return listed_edits(counts, starts[cut], ends[cut], *text)


def _main(
    rows: NDArray[np.int64],
    sizes: NDArray[np.int64],
    language: NDArray[np.int64],
    names: list[str],
    certain: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The language of most bytes of each text, as a place in names; -1: none is certain."""
    count = int(rows[-1]) + 1 if len(rows) else 0
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    total = np.zeros((count, len(names) + 1), np.int64)  # the last one is never the most
    np.add.at(total, (rows[certain], np.argsort(order)[language[certain]]), sizes[certain])
    best = total.argmax(axis=1)  # of equals the first
    return np.where(total.max(axis=1) > 0, np.append(order, -1)[best], -1)
