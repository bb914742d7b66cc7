"""Tokens of documents in an order, packed into rows of one length; goes on from any position.

Round after round the documents stand one after the other, each round in an order drawn anew from
the seed, or always in the order given.  Row r of the stream holds its tokens from r * length on, so
that a position is one number, and to go on from it takes no reading.  Every rank takes its rows
from the same position: it holds for any number of ranks.
"""

import numpy as np
from numpy.typing import NDArray

from pipelines.trainer.tokens import Corpus

State = dict[str, int]


class Stream:
    """Rows of a corpus, as many as are asked for.

    Attributes:
        position: rows that were taken, by all ranks together.
    """

    def __init__(
        self,
        corpus: Corpus,
        length: int,
        seed: int | None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """A stream at its beginning.

        Args:
            corpus: the documents.
            length: tokens of a row.
            seed: draws the order of each round; None: the order given.
            rank: whose rows these are, of `world`.
            world: how many share the stream.

        Raises:
            ValueError: if the corpus holds no token.
        """
        if not len(corpus.tokens):
            raise ValueError("no token to read")
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} of {world}")
        self.corpus, self.length, self.seed = corpus, length, seed
        self.rank, self.world, self.position = rank, world, 0
        self._round = -1
        self._order = self._ends = np.empty(0, np.int64)

    def next(self, rows: int) -> NDArray[np.int64]:
        """The next rows of this rank; position moves on by those of all.

        Returns:
            shape (rows, length + 1): the last token of a row is the first of the next one.
        """
        first = self.position + self.rank * rows
        self.position += self.world * rows
        flat = self.tokens(first * self.length, rows * self.length + 1)
        starts = np.arange(rows)[:, None] * self.length + np.arange(self.length + 1)
        return flat[starts].astype(np.int64)

    def tokens(self, start: int, count: int) -> NDArray[np.uint16]:
        """Tokens of the stream from a place on."""
        out = np.empty(count, np.uint16)
        done = 0
        while done < count:
            number, at = divmod(start + done, len(self.corpus.tokens))
            self._turn(number)
            place = int(np.searchsorted(self._ends, at, side="right"))
            while done < count and place < len(self._order):
                document = int(self._order[place])
                end = int(self.corpus.ends[document])
                left = int(self._ends[place]) - at
                piece = self.corpus.tokens[end - left : end][: count - done]
                out[done : done + len(piece)] = piece
                done, at, place = done + len(piece), at + len(piece), place + 1
        return out

    def _turn(self, number: int) -> None:
        """Draw the order of a round."""
        if number == self._round:
            return
        sizes = np.diff(self.corpus.ends, prepend=0)
        self._order = np.arange(len(sizes))
        if self.seed is not None:
            self._order = np.random.default_rng([self.seed, number]).permutation(len(sizes))
        self._ends = np.cumsum(sizes[self._order])
        self._round = number

    def state_dict(self) -> State:
        """Where it stands, and of what stream; the number of ranks may be another one later."""
        what = {"tokens": len(self.corpus.tokens), "documents": len(self.corpus.ends)}
        seed = -1 if self.seed is None else self.seed
        return {"position": self.position, "length": self.length, "seed": seed, **what}

    def load_state_dict(self, state: State) -> None:
        """Go on from where another one stood.

        Raises:
            ValueError: if that was a stream of another corpus, order or length.
        """
        own = self.state_dict()
        wrong = [name for name in own if name != "position" and own[name] != state.get(name)]
        if wrong:
            raise ValueError(f"the state is of another stream: {', '.join(wrong)} differ")
        self.position = state["position"]
