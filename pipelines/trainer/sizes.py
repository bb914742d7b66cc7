"""Sizes of models by name: all that decides what one learns from so many tokens, but for the seed.

"cpu" takes about 150 seconds of one core for its default tokens; "tiny" is for trials.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """A model, and how it is trained.

    Attributes:
        width: of a token's vector.
        layers, heads: how many.
        vocabulary: tokens that the tokenizer is given room for.
        length: tokens of a row.
        batch: rows of a step.
        rate: the learning rate after warm-up.
        warmup: steps in which it grows to that.
        tokens: to train on, unless told.
        pace: tokens a second, about, on one core or one GPU.
        held_out: bytes of each held-out set, at most.
        device: "cpu" or "cuda".
    """

    width: int
    layers: int
    heads: int
    vocabulary: int
    length: int
    batch: int
    rate: float
    warmup: int
    tokens: int
    pace: float
    held_out: int
    device: str


SIZES = {
    "cpu": Size(
        width=128,
        layers=3,
        heads=4,
        vocabulary=2048,
        length=256,
        batch=2,
        rate=2e-3,
        warmup=50,
        tokens=1_000_000,
        pace=6_000,
        held_out=120_000,
        device="cpu",
    ),
    "gpu": Size(
        width=384,
        layers=8,
        heads=6,
        vocabulary=16_384,
        length=512,
        batch=64,
        rate=1e-3,
        warmup=200,
        tokens=100_000_000,
        pace=700_000,
        held_out=1_000_000,
        device="cuda",
    ),
    "tiny": Size(
        width=64,
        layers=2,
        heads=2,
        vocabulary=512,
        length=64,
        batch=8,
        rate=4e-3,
        warmup=20,
        tokens=100_000,
        pace=40_000,
        held_out=20_000,
        device="cpu",
    ),
}
