"""Noise: how much of each kind a score finds, at which loss of good text.

python tests/bench/selection_noise.py

Noise of known kinds, at most 400 documents of each, is put among good documents of the pool,
which nobody has looked through: what is bad among them counts as loss.  A score drops what lies
outside a band, so that the share of good documents lost below the band equals that lost above it.
What is found is the share of the documents of a kind.
"""

import base64
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from resiliparse.extract.html2text import extract_plain_text

from tests.bench import pool
from tests.bench import pool_sources as sources
from tests.bench.common import karez, keep, machine, place
from tests.bench.pool_files import unpacked
from tests.bench.pool_sources import Document, draw, sized
from tests.bench.selection import published

GOOD, EACH = 4000, 400  # documents of the pool, and of each kind of noise
LOSSES = (0.01, 0.02, 0.05, 0.1)
SCORES = (
    "ngram_entropy",
    "entropy",
    "compression_ratio",
    "mtld",
    "perplexity",
    "entropy_difference",
)
RECIPE = """name = "noise"
[[source]]
kind = "parquet"
paths = ["noisy/*.parquet"]
[measure]
ngrams = {{ sample = ["target-sample/*.parquet"] }}
perplexity = {{ sample = ["target-sample/*.parquet"] }}
[publish]
splits = {{ train = 1.0 }}
columns = [{columns}]
"""

Floats = NDArray[np.float64]


def shuffled(folder: Path) -> Iterator[Document]:
    """Of the general held-out set and the target's, words in another order."""
    for name in ("general-heldout", "target-heldout"):
        for row in pq.read_table(folder / name).to_pylist():
            words = row["text"].split()
            random.Random(row["id"]).shuffle(words)
            lines = (" ".join(some) for some in sources.batched(words, 12))
            yield Document("shuffled", f"{row['url']}#shuffled", "\n".join(lines))


def boilerplate() -> Iterator[Document]:
    """What of a page of LibreOffice's help is not its main text, some pages together."""
    pages = sources.paths("libreoffice-help-en-us", "**/text/**/*.html")
    for number, some in enumerate(sources.batched(pages, 5)):
        lines: list[str] = []
        for path in some:
            html = path.read_text(errors="replace")
            main = {line.strip() for line in sources.extracted(html).splitlines()}
            every = (line.strip() for line in extract_plain_text(html).splitlines())
            lines += [line for line in every if line and line not in main][:40]
        url = f"https://help.example/navigation/{number}"
        yield Document("boilerplate", url, "\n".join(lines))


def bytes_as_text() -> Iterator[Document]:
    """Bytes as text, and lines of a log."""
    paths = [p for p in sources.paths("python3.11-doc", "**/*") if p.stat().st_size > 4_000]
    for number, path in enumerate(sorted(paths, key=lambda p: draw(p.name))[:EACH]):
        data = path.read_bytes()[:3_000]
        kind = ("base64", "hex", "log")[number % 3]
        if kind == "base64":
            text = base64.encodebytes(data).decode()
        elif kind == "hex":
            rows = (data[at : at + 16].hex(" ") for at in range(0, 2000, 16))
            text = "\n".join(f"{16 * row:08x}  {each}" for row, each in enumerate(rows))
        else:
            text = "\n".join(_log(random.Random(f"{path.name} {line}")) for line in range(40))
        yield Document("machine", f"https://noise.example/{kind}/{number}", text)


def _log(draw: random.Random) -> str:
    """A line of a server's log."""
    host = ".".join(str(draw.randrange(256)) for _ in range(4))
    code, size = draw.choice((200, 200, 304, 404)), draw.randrange(60_000)
    time = f"{draw.randrange(1, 29):02d}/Nov/2022:{draw.randrange(24):02d}:{draw.randrange(60):02d}"
    return f'{host} - - [{time}] "GET /{draw.getrandbits(64):x} HTTP/1.1" {code} {size}'


def drawn() -> Iterator[Document]:
    """Random characters and words, of text_compression of OpenAI's evals."""
    name = "evals/registry/data/text_compression/samples.jsonl"
    for number, line in enumerate((unpacked("evals") / name).read_text().splitlines()):
        row = json.loads(line)
        if row["type"].startswith("Random"):
            yield Document("random", f"https://noise.example/{row['type']}/{number}", row["text"])


KINDS: dict[str, Callable[[], sources.Documents]] = {
    "boilerplate": boilerplate,
    "spam": partial(sources.mail, "spam*"),
    "machine": bytes_as_text,
    "random": drawn,
}


def write(folder: Path) -> None:
    """Make the noise, once; the pool must be there."""
    if (folder / "noise").exists():
        return
    rows = []
    for kind in ("shuffled", *KINDS):
        reader = KINDS.get(kind) or partial(shuffled, folder)
        some = sorted(sized(reader()), key=lambda one: draw(one.url))[:EACH]
        rows += [(kind, one) for one in some]
    pool.written(folder / "noise", pool.table(rows))


def measured(folder: Path) -> tuple[dict[str, Floats], NDArray[np.str_]]:
    """Each score of good and bad documents, and their kinds; "" for a good one."""
    every = pq.read_table(folder / "pool")
    good = every.filter(pc.is_in(every["kind"], pa.array([*pool.TARGET, *pool.GOOD])))[:GOOD]
    bad = pq.read_table(folder / "noise")
    kinds = dict.fromkeys(good["url"].to_pylist(), "")
    kinds |= dict(zip(bad["url"].to_pylist(), bad["kind"].to_pylist(), strict=True))
    (folder / "noisy").mkdir(exist_ok=True)
    rows = pa.concat_tables([good, bad])
    pq.write_table(rows.select(["id", "url", "text"]), folder / "noisy/part-00000.parquet")
    recipe, run = folder / "noise.toml", folder / "noise run"
    recipe.write_text(RECIPE.format(columns=", ".join(f'"{name}"' for name in SCORES)))
    shutil.rmtree(run, ignore_errors=True)
    karez("run", recipe, "--run", run)
    table = published(run)
    scores = {name: table[name].to_numpy().astype(np.float64) for name in SCORES}
    return scores, np.array([kinds[url] for url in table["url"].to_pylist()])


def outness(values: Floats, good: NDArray[np.bool_]) -> Floats:
    """How far out each value lies: the share of good ones that lie farther out, less is farther.

    Twice the share of good values on the side of it where there are fewer, at most 1; where there
    is no value, 0.
    """
    known = np.sort(values[good & ~np.isnan(values)])
    below = np.searchsorted(known, values, side="right") / max(1, len(known))
    above = 1 - np.searchsorted(known, values, side="left") / max(1, len(known))
    return np.where(np.isnan(values), 0.0, np.minimum(1.0, 2 * np.minimum(below, above)))


def found(out: Floats, kinds: NDArray[np.str_], losses: Sequence[float]) -> dict[str, list[float]]:
    """Of each kind the share that is dropped, where at most so much of the good is."""
    good = np.sort(out[kinds == ""])
    told: dict[str, list[float]] = {}
    for kind in sorted(set(kinds) - {""}):
        mine = out[kinds == kind]
        told[kind] = [float((mine < good[int(loss * len(good))]).mean()) for loss in losses]
    return told


def main() -> None:
    """Measure, print, keep."""
    folder = place("selection")
    pool.write(folder)
    write(folder)
    scores, kinds = measured(folder)
    outs = {name: outness(values, kinds == "") for name, values in scores.items()}
    table = {name: found(out, kinds, LOSSES) for name, out in outs.items()}
    print(machine())
    print(f"{'found at a loss of':<36}" + "".join(f"{loss:>8.0%}" for loss in LOSSES))
    for name, by in table.items():
        for kind, shares in by.items():
            told = "".join(f"{share:>8.1%}" for share in shares)
            print(f"{name:<20}{kind:<16}{told}")
    keep("selection-noise", losses=LOSSES, found=table)


if __name__ == "__main__":
    main()
