"""A small decoder as most are built today: a plain stack that a reader takes in at a sitting.

Sources: Vaswani et al. 2017; Su et al. 2021 (rotary positions); Zhang and Sennrich 2019 (RMSNorm);
Shazeer 2020 (SwiGLU); Press and Wolf 2017 (tied embeddings).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipelines.trainer.sizes import Size

BASE = 10_000.0  # of rotary positions


class Decoder(nn.Module):
    """Tokens in, a score for each next token out."""

    def __init__(self, size: Size, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, size.width)
        self.layers = nn.ModuleList(Layer(size.width, size.heads) for _ in range(size.layers))
        self.norm = nn.RMSNorm(size.width)
        nn.init.normal_(self.embed.weight, std=size.width**-0.5)
        for name, weight in self.layers.named_parameters():
            if weight.ndim == 2:
                added = name.endswith(("out.weight", "down.weight"))  # to the stream
                share = (2 * size.layers) ** -0.5 if added else 1.0
                nn.init.normal_(weight, std=share * weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores.

        Args:
            tokens: shape (batch, length).

        Returns:
            shape (batch, length, vocabulary).
        """
        x = self.embed(tokens) * self.embed.embedding_dim**0.5  # (batch, length, width), about 1
        turn = turns(tokens.shape[1], self.layers[0].heads, x)
        for layer in self.layers:
            x = layer(x, turn)
        return functional.linear(self.norm(x), self.embed.weight)


class Layer(nn.Module):
    """Attention, then two thirds of a wide gate, each added to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        hidden = 8 * round(width / 3)
        self.before = nn.RMSNorm(width)
        self.mix = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.between = nn.RMSNorm(width)
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """The stream after this layer; shape as before."""
        x = x + self.attend(self.before(x), turn)
        gate, up = self.up(self.between(x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)

    def attend(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """What each token takes from those before it."""
        batch, length, width = x.shape
        split = self.mix(x).view(batch, length, 3, self.heads, -1).transpose(1, 3)
        q, k, v = split.unbind(2)  # (batch, heads, length, width / heads) each
        q, k = turned(q, turn), turned(k, turn)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


def turns(length: int, heads: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of each position's angles, shape (length, width / heads / 2) each."""
    half = x.shape[-1] // heads // 2
    speed = BASE ** (-torch.arange(half, device=x.device) / half)
    angle = torch.arange(length, device=x.device)[:, None] * speed
    return angle.cos(), angle.sin()


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Pairs of a vector's numbers, turned by the angles of its position."""
    cosine, sine = turn
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1).type_as(x)
