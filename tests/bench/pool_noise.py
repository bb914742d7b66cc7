"""Noise of known kinds, to be found among good text: separate from the pool, each row labelled.

Writes ``FOLDER/noise`` (Parquet: id, url, text, kind), at most 400 documents of each kind:

==================  ================================================================================
shuffled            the words of a document of a good kind, in a drawn order
boilerplate         navigation and headers of LibreOffice's help pages, without their main text
spam                e-mail that nobody wanted (SpamAssassin's corpus)
machine             base64, hexadecimal dumps and logs made of files of the packages
random              random characters and random words (text_compression of OpenAI's evals)
==================  ================================================================================
"""

import base64
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from resiliparse.extract.html2text import extract_plain_text

from tests.bench import pool
from tests.bench import pool_sources as sources
from tests.bench.pool_files import unpacked
from tests.bench.pool_sources import Document, draw, sized

EACH = 400  # documents of each kind


def shuffled(folder: Path) -> Iterator[Document]:
    """Of the general held-out set and the target's, words in another order."""
    for name in ("general-heldout", "target-heldout"):
        for row in pq.read_table(folder / name).to_pylist():
            words = row["text"].split()
            random.Random(row["id"]).shuffle(words)
            lines = (" ".join(some) for some in sources.batched(words, 12))
            yield Document("shuffled", f"{row['url']}#shuffled", "\n".join(lines))


def boilerplate() -> Iterator[Document]:
    """What of a page is not its main text, some pages together."""
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


def machine() -> Iterator[Document]:
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
    """Random characters and words, as the samples have them."""
    name = "evals/registry/data/text_compression/samples.jsonl"
    for number, line in enumerate((unpacked("evals") / name).read_text().splitlines()):
        row = json.loads(line)
        if row["type"].startswith("Random"):
            yield Document("random", f"https://noise.example/{row['type']}/{number}", row["text"])


KINDS: dict[str, Callable[[], sources.Documents]] = {
    "boilerplate": boilerplate,
    "spam": partial(sources.mail, "spam*"),
    "machine": machine,
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
