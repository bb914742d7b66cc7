"""Training: rows of tokens in, a model and its held-out bits per byte on the way out.

After warm-up the rate stays as it is, and what is measured is the mean of the weights over the last
part of the way, whose width grows with the way.  Nothing in it knows how long the way will be, so
what is measured at n tokens is what a training of n tokens would have ended with, and points of one
curve can be compared with the ends of others, as those of a falling rate could not.

Sources: Loshchilov and Hutter 2019 (AdamW); Hägele et al. 2024 (a constant rate with averaged
weights follows the best cosine); Karras et al. 2024 (means with a power function).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipelines.trainer.model import Decoder
from pipelines.trainer.sizes import Size
from pipelines.trainer.stream import Stream
from pipelines.trainer.tokens import BEGIN, Corpus

POWER = 9.0  # of the mean of weights: the last tenth of the way counts most
BETAS, CLIP, WEIGHT_DECAY = (0.9, 0.95), 1.0, 0.1
IGNORED = -100  # a target that counts for nothing

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out texts: their tokens, and how many bytes they are."""

    corpus: Corpus
    size: int


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured on the way: bits per byte of each held-out set."""

    tokens: int
    bits: dict[str, float]


@dataclass(frozen=True, slots=True)
class Way:
    """How long, and how.

    Attributes:
        steps: of training.
        points: at which held-out sets are measured, evenly along the way; the last is its end.
    """

    steps: int
    points: int = 20

    def __post_init__(self) -> None:
        if self.steps < 1 or self.points < 1:
            raise ValueError(f"want a step and a point at least, got {self}")

    @property
    def marks(self) -> set[int]:
        """After how many steps is measured."""
        return {math.ceil(self.steps * k / self.points) for k in range(1, self.points + 1)}


class Training:
    """A model on its way; `state_dict` holds all that it takes to go on exactly."""

    def __init__(self, size: Size, vocabulary: int, stream: Stream, way: Way, seed: int) -> None:
        torch.manual_seed(seed)
        self.size, self.stream, self.way = size, stream, way
        self.model = Decoder(size, vocabulary).to(size.device)
        self.mean = Decoder(size, vocabulary).to(size.device).requires_grad_(False)
        self.mean.load_state_dict(self.model.state_dict())
        self.optimizer = optimizer(self.model, size)
        self.step = 0
        self.points: list[Point] = []

    def advance(self) -> None:
        """One step."""
        tokens = torch.from_numpy(self.stream.next(self.size.batch)).to(self.size.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.size.rate * min(1.0, (self.step + 1) / self.size.warmup)
        nats = loss(self.model, tokens[:, :-1], tokens[:, 1:]) / tokens[:, 1:].numel()
        nats.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        share = (POWER + 1) / (self.step + POWER)
        torch._foreach_lerp_(list(self.mean.parameters()), list(self.model.parameters()), share)

    @property
    def tokens(self) -> int:
        """That it learned from so far."""
        return self.step * self.size.batch * self.size.length

    def measure(self, sets: Mapping[str, Held]) -> None:
        """Add a point."""
        found = {name: bits_per_byte(self.mean, held, self.size) for name, held in sets.items()}
        self.points.append(Point(self.tokens, found))

    def state_dict(self) -> dict[str, Any]:
        """All that it takes to go on exactly."""
        return {
            "step": self.step,
            "points": [(point.tokens, point.bits) for point in self.points],
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stream": self.stream.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            ValueError: if it stood in another stream.
        """
        self.stream.load_state_dict(state["stream"])
        self.step = state["step"]
        self.points = [Point(*point) for point in state["points"]]
        self.model.load_state_dict(state["model"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])


def optimizer(model: Decoder, size: Size) -> torch.optim.AdamW:
    """AdamW; matrices decay, the scales of norms do not."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    scales = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": WEIGHT_DECAY},
        {"params": scales, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=size.rate, betas=BETAS, fused=True)


def loss(model: Decoder, tokens: Tensor, targets: Tensor) -> Tensor:
    """Nats of all targets together; on a GPU the model works in 16 bits."""
    with torch.autocast(tokens.device.type, torch.bfloat16, enabled=tokens.is_cuda):
        scores = model(tokens)
    flat = scores.float().view(-1, scores.shape[-1])
    return functional.cross_entropy(
        flat, targets.reshape(-1), ignore_index=IGNORED, reduction="sum"
    )


@torch.inference_mode()
def bits_per_byte(model: Decoder, held: Held, size: Size) -> float:
    """Bits that a model needs for a byte of held-out texts, in rows; beginnings are not counted."""
    stream = Stream(held.corpus, size.length, None)
    rows = -(-len(held.corpus.tokens) // size.length)
    nats = 0.0
    for first in range(0, rows, 4 * size.batch):
        some = stream.next(min(4 * size.batch, rows - first))
        targets = some[:, 1:].copy()
        place = first * size.length + np.arange(targets.size).reshape(targets.shape)
        targets[(targets == BEGIN) | (place + 1 >= len(held.corpus.tokens))] = IGNORED
        given = torch.from_numpy(some[:, :-1]).to(size.device)
        nats += float(loss(model, given, torch.from_numpy(targets).to(size.device)))
    return nats / math.log(2) / held.size


def train(
    training: Training,
    sets: Mapping[str, Held],
    state: Path | None = None,
    told: Progress | None = None,
) -> list[Point]:
    """Train to the end of the way.

    Args:
        training: at its beginning, or further on.
        sets: held-out texts by name.
        state: a file from which it goes on, if it is there, and which is kept at every point.
        told: is called with the tokens after every few steps.

    Returns:
        the points.
    """
    if state is not None and state.exists():
        training.load_state_dict(torch.load(state, training.size.device, weights_only=True))
    while training.step < training.way.steps:
        training.advance()
        if told is not None and training.step % 10 == 0:
            told(training.tokens)
        if training.step in training.way.marks:
            training.measure(sets)
            if state is not None:
                part = state.with_suffix(".part")
                torch.save(training.state_dict(), part)
                part.replace(state)
    return training.points
