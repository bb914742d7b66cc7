"""One training as a process of its own: ``python -m pipelines.trainer.job FILE``.

FILE is a `Job` as JSON.  A line of JSON goes out after every few steps, ``{"tokens": …}``; what
came of it is written at the end, whole or not at all.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.trainer.sizes import Size

VERSION = 1
"""Raised when the same job may come to another end."""

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
"""Of the process of a job."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained on what.

    Attributes:
        size: of the model.
        vocabulary: of the tokenizer.
        corpus: stem of the files of its tokens, see `tokens.Corpus`.
        sets: of each held-out set the stem of its files, and its bytes.
        steps: of training.
        points: that are measured.
        seed: draws the weights, and the order of the documents.
        ordered: whether the documents are taken in the order given instead.
        out: the file that what came of it is written to; beside it stands what it goes on from.
    """

    size: dict[str, Any]
    vocabulary: int
    corpus: str
    sets: Mapping[str, tuple[str, int]]
    steps: int
    points: int
    seed: int
    ordered: bool
    out: str


def run(job: Job) -> None:
    """Train, and write what came of it."""
    import torch

    from pipelines.trainer.stream import Stream
    from pipelines.trainer.tokens import Corpus
    from pipelines.trainer.train import Held, Training, Way, train

    torch.set_num_threads(1)
    size = Size(**job.size)
    sets = {name: Held(Corpus.open(stem), bytes_) for name, (stem, bytes_) in job.sets.items()}
    corpus = Corpus.open(job.corpus)
    stream = Stream(corpus, size.length, None if job.ordered else job.seed)
    training = Training(size, job.vocabulary, stream, Way(job.steps, job.points), job.seed)
    out = Path(job.out)
    started = time.perf_counter()
    points = train(training, sets, out.with_suffix(".state"), progress)
    made = {
        "points": [asdict(point) for point in points],
        "rounds": job.steps * size.batch * size.length / len(corpus.tokens),
        "seconds": round(time.perf_counter() - started, 1),
        "torch": torch.__version__,
    }
    part = out.with_suffix(".part")
    part.write_text(json.dumps(made, indent=1))
    part.replace(out)
    out.with_suffix(".state").unlink(missing_ok=True)


def progress(tokens: int) -> None:
    """Say how far it came, and give back memory: what large arrays leave behind falls to crumbs."""
    with contextlib.suppress(AttributeError, OSError):  # glibc's alone; else 1.4 GB become 3.5
        ctypes.CDLL(None).malloc_trim(0)
    print(json.dumps({"tokens": tokens}), flush=True)


def mark(job: Job, contents: Mapping[str, str]) -> str:
    """What decides what comes of a job: twelve hex digits.

    Args:
        job: whose places do not count.
        contents: digests of what lies there: of the corpus, the sets and the tokenizer.
    """
    what = {k: v for k, v in asdict(job).items() if k not in ("corpus", "sets", "out")}
    text = json.dumps([VERSION, what, dict(contents)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def environment() -> dict[str, str]:
    """Of a job's process: ours, with what it finds `pipelines` by."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path}


if __name__ == "__main__":
    run(Job(**json.loads(Path(sys.argv[1]).read_text())))
