"""The trainer on a GPU: how fast, how much memory, and whether prose teaches prose there too.

    PYTHONPATH=. python tests/bench/prove_gpu.py

Torch, numpy and pyarrow are all it needs; where `tokenizers` is missing, tokens are bytes.  It
trains on the text of this repository, on the same words in any order, and measures on files that it
held out.  `--size tiny --tokens 40000` tries it on a CPU.  Figures go to the terminal as JSON.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from pipelines.trainer import tokens
from pipelines.trainer.model import parameters
from pipelines.trainer.sizes import SIZES, Size
from pipelines.trainer.stream import Stream
from pipelines.trainer.train import Held, Training, Way, train

ROOT = Path(__file__).parents[2]
POINTS = 10


def texts() -> list[str]:
    """The files of this repository that people wrote, in an order that is drawn."""
    files = [f for kind in ("*.py", "*.md", "*.txt", "*.html") for f in sorted(ROOT.rglob(kind))]
    ours = [f for f in files if not {".venv", "build", ".git"} & set(f.relative_to(ROOT).parts)]
    found = [f.read_text(errors="replace") for f in ours]
    random.Random(0).shuffle(found)
    return [text for text in found if len(text) > 500]


def ways(size: Size, count: int, place: Path) -> dict[str, Any]:
    """Bits per byte along the way for both arms and two seeds, and what it cost."""
    every = texts()
    many = int(np.searchsorted(np.cumsum([len(t) for t in every]), size.held_out)) + 1
    held, prose = every[:many], every[many:]
    draw = random.Random(1)
    mixed = [" ".join(draw.sample(text.split(), len(text.split()))) for text in prose]
    tokenizer = tokens.made(tokens.learned(prose, size.vocabulary))
    made = tokens.write([pa.array(held)], tokenizer, place / "held")
    sets = {"held": Held(made, sum(len(text.encode()) for text in held))}
    found: dict[str, Any] = {"vocabulary": tokenizer.vocabulary, "tokens": count}
    for name, arm in (("prose", prose), ("shuffled", mixed)):
        corpus = tokens.write([pa.array(arm)], tokenizer, place / name)
        for seed in (0, 1):
            stream = Stream(corpus, size.length, seed)
            way = Way(count // (size.batch * size.length), POINTS)
            training = Training(size, tokenizer.vocabulary, stream, way, seed)
            started = time.perf_counter()
            points = train(training, sets)
            seconds = time.perf_counter() - started
            found[f"{name} {seed}"] = {
                "bits": [round(point.bits["held"], 4) for point in points],
                "seconds": round(seconds, 1),
                "rounds": round(count / len(corpus.tokens), 2),
            }
    return found


def pace(size: Size, steps: int) -> dict[str, float]:
    """Tokens a second of training alone, on random tokens, and the most memory it took."""
    numbers = np.random.default_rng(0).integers(1, size.vocabulary, 2_000_000).astype(np.uint16)
    corpus = tokens.Corpus(numbers, np.array([len(numbers)]))
    training = Training(size, size.vocabulary, Stream(corpus, size.length, 0), Way(4 * steps), 0)
    for _ in range(steps):
        training.advance()
    wait(size)
    started = time.perf_counter()
    for _ in range(steps):
        training.advance()
    wait(size)
    took = time.perf_counter() - started
    most = torch.cuda.max_memory_allocated() if size.device == "cuda" else 0
    return {
        "parameters": parameters(training.model),
        "tokens_a_second": round(steps * size.batch * size.length / took),
        "memory": most,
    }


def wait(size: Size) -> None:
    """Until the device did all it was given."""
    if size.device == "cuda":
        torch.cuda.synchronize()


def cut(size: Size, place: Path) -> float:
    """How far apart two ways end, one of which was cut off half way and gone on with."""
    numbers = np.random.default_rng(1).integers(1, 250, 400_000).astype(np.uint16)
    corpus = tokens.Corpus(numbers, np.array([len(numbers)]))
    sets = {"a": Held(tokens.Corpus(numbers[:20_000], np.array([20_000])), 20_000)}

    def begun() -> Training:
        return Training(size, 257, Stream(corpus, size.length, 3), Way(20, 2), 5)

    whole = train(begun(), sets)
    state = place / "a.state"
    half = begun()
    while half.step < 10:
        half.advance()
    half.measure(sets)
    torch.save(half.state_dict(), state)
    again = train(begun(), sets, state)
    return abs(again[-1].bits["a"] - whole[-1].bits["a"])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=sorted(SIZES), default="gpu")
    parser.add_argument("--tokens", type=int, default=12_000_000)
    asked = parser.parse_args()
    size = SIZES[asked.size]
    if size.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU is here; try --size tiny --tokens 40000")
    name = torch.cuda.get_device_name() if size.device == "cuda" else "CPU"
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        found = {
            "device": name,
            "torch": torch.__version__,
            **pace(size, 30),
            "cut_and_gone_on_with": cut(size, Path(place)),
            **ways(size, asked.tokens, Path(place)),
        }
    print(json.dumps(found, indent=1))
    worse = min(found["shuffled 0"]["bits"][-1], found["shuffled 1"]["bits"][-1])
    better = max(found["prose 0"]["bits"][-1], found["prose 1"]["bits"][-1])
    print(f"prose {better:.3f} bits a byte at worst, shuffled words {worse:.3f} at best")
    if not better < worse:
        raise SystemExit("prose did not teach prose better than its words in any order")


if __name__ == "__main__":
    main()
