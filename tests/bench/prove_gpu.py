"""The trainer on a GPU: how fast, how much memory, and whether prose teaches prose there too.

    PYTHONPATH=. python tests/bench/prove_gpu.py [SIZE [TOKENS]]

Torch, numpy and pyarrow are all it needs; where `tokenizers` is missing, tokens are bytes.  It
trains on the text of this repository, on the same words in any order, and measures on files that it
held out.  ``tiny 40000`` tries it on a CPU.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from pipelines.trainer import tokens
from pipelines.trainer.sizes import SIZES, Size
from pipelines.trainer.stream import Stream
from pipelines.trainer.train import Held, Training, Way, train

ROOT = Path(__file__).parents[2]


def texts() -> list[str]:
    """The files of this repository that people wrote, in an order that is drawn."""
    files = [f for kind in ("*.py", "*.md", "*.txt", "*.html") for f in sorted(ROOT.rglob(kind))]
    ours = [f for f in files if not {".venv", "build", ".git"} & set(f.relative_to(ROOT).parts)]
    found = [f.read_text(errors="replace") for f in ours]
    random.Random(0).shuffle(found)
    return [text for text in found if len(text) > 500]


def learned(size: Size, count: int, place: Path) -> list[float]:
    """Bits per byte at the end of prose, and of its words in any order; prints what it cost."""
    every = texts()
    many = int(np.searchsorted(np.cumsum([len(t) for t in every]), size.held_out)) + 1
    held, prose = every[:many], every[many:]
    draw = random.Random(1)
    mixed = [" ".join(draw.sample(text.split(), len(text.split()))) for text in prose]
    tokenizer = tokens.made(tokens.learned(prose, size.vocabulary))
    made = tokens.write([pa.array(held)], tokenizer, place / "held")
    sets = {"held": Held(made, sum(len(text.encode()) for text in held))}
    bits = []
    for name, arm in (("prose", prose), ("shuffled", mixed)):
        stream = Stream(tokens.write([pa.array(arm)], tokenizer, place / name), size.length, 0)
        way = Way(count // (size.batch * size.length), 1)
        training = Training(size, tokenizer.vocabulary, stream, way, 0)
        began = time.perf_counter()
        bits.append(train(training, sets)[-1].bits["held"])
        speed = count / (time.perf_counter() - began)
        weights = sum(each.numel() for each in training.model.parameters())
        weights -= training.model.embed.weight.numel()
        weights -= training.model.embed.weight.numel()
        print(
            f"{name}: {bits[-1]:.4f} bits a byte, {speed:,.0f} tokens a second, {weights:,} weights"
        )
    return bits


def cut(size: Size, place: Path) -> float:
    """How far apart two ways end, one of which was cut off half way and gone on with."""
    numbers = np.random.default_rng(1).integers(1, 250, 400_000).astype(np.uint16)
    corpus = tokens.Corpus(numbers, np.array([len(numbers)]))
    sets = {"a": Held(tokens.Corpus(numbers[:20_000], np.array([20_000])), 20_000)}

    def begun() -> Training:
        return Training(size, 257, Stream(corpus, size.length, 3), Way(20, 2), 5)

    whole, half = train(begun(), sets), begun()
    while half.step < 10:
        half.advance()
    half.measure(sets)
    torch.save(half.state_dict(), place / "a.state")
    again = train(begun(), sets, place / "a.state")
    return abs(again[-1].bits["a"] - whole[-1].bits["a"])


def main(name: str = "gpu", count: str = "12_000_000") -> None:
    """Measure, and print."""
    size = SIZES[name]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        print(f"cut and gone on with, bits apart: {cut(size, Path(folder)):.2g}")
        prose, shuffled = learned(size, int(count), Path(folder))
    if size.device == "cuda":
        most = torch.cuda.max_memory_allocated() / 1e6
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, peak {most:,.0f} MB")
    if prose >= shuffled:
        raise SystemExit("prose did not teach prose better than its words in any order")


if __name__ == "__main__":
    main(*sys.argv[1:])
