"""A corpus with known near-duplicates: real pages, and copies edited by known amounts.

python tests/bench/neardup_corpus.py FOLDER [PAGES]

Pages are the HTML and manual pages of Debian's documentation packages (their licences are theirs;
nothing of them is kept in this project).  Natural near-copies are taken out first, so that whatever
a tool removes and was not copied here is an error.  Writes ``corpus.parquet`` (id, text),
``quarter.parquet`` and ``part.parquet`` (every fourth and sixteenth group of it),
``fourfold.parquet`` (the corpus, and three times in other letters, for what it costs) and
``truth.parquet`` (pairs and their true Jaccard similarity over 5-word shingles, words being what
white space separates).
"""

import gzip
import random
import re
import string
import sys
from collections.abc import Iterator
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str

from filters.minhash import MinHash, keys
from filters.words import words
from tests.helpers.needs import unpacked

HELP = "ca cs da de el en-us es et eu fi fr gl hu id it ko nl pl pt pt-br ru sl sv tr vi"
MANUALS = "cs da de el es fi fr hu it mk nb nl pl pt-br ro ru sr sv uk"
DEVELOPERS = "de es fr it nl pl pt-br ru uk"
GIMP = "de en es fr it nl pt-br ru sv"
REFERENCE = "de en es fr id it pt pt-br"
OTHERS = """manpages manpages-dev debian-handbook apache2-doc erlang-doc racket-doc rust-doc
    python3-doc python-django-doc python-scipy-doc python-pandas-doc python-sympy-doc
    python-sqlalchemy-doc python-astropy-doc python-sklearn-doc python-statsmodels-doc
    postgresql-doc-15 sqlite3-doc perl-doc ruby3.1-doc nodejs-doc openjdk-17-doc linux-doc-6.1
    cppreference-doc-en-html libboost1.81-doc libstdc++-12-doc libgtkmm-3.0-doc libgtk-3-doc
    qtbase5-doc-html qtdeclarative5-doc-html lilypond-doc-html sagemath-doc libghc-gi-gtk-doc
    libghc-agda-doc gnome-user-docs octave-doc maxima-doc installation-guide-amd64
    python-dask-doc python-skimage-doc python-ase-doc python-pymatgen-doc python-qutip-doc
    python-sfepy-doc python-biopython-doc python-silx-doc python-celery-doc"""
PACKAGES = (
    *(f"libreoffice-help-{language}" for language in HELP.split()),
    *(f"manpages-{language}" for language in MANUALS.split()),
    *(f"manpages-{language}-dev" for language in DEVELOPERS.split()),
    *(f"gimp-help-{language}" for language in GIMP.split()),
    *(f"debian-reference-{language}" for language in REFERENCE.split()),
    *OTHERS.split(),
)
LEAST, MOST = 1_500, 8_000  # bytes of text in a page
SHINGLE = 5
KINDS = {  # share of the documents that are such copies; of its words, how many are replaced
    "exact": (0.055, 0.0),
    "boilerplate": (0.03, 0.0),
    "0.5 %": (0.01, 0.005),
    "1 %": (0.02, 0.01),
    "2 %": (0.03, 0.02),
    "3 %": (0.02, 0.03),
    "5 %": (0.025, 0.05),
    "10 %": (0.015, 0.1),
    "20 %": (0.0075, 0.2),
    "30 %": (0.0075, 0.3),
    "2 %, boilerplate": (0.01, 0.02),
}
AGAIN = 0.15  # of the copies have the source of the one before


def pages() -> Iterator[str]:
    """The texts of all packages, in a drawn order."""
    roots = [unpacked(package) for package in PACKAGES]
    files = [(path.relative_to(root), path) for root in roots for path in root.rglob("*")]
    paths = [path for _, path in sorted(files) if path.is_file() and not path.is_symlink()]
    random.Random(3).shuffle(paths)
    with Pool() as pool:
        for text in pool.imap(page, paths, 64):
            if LEAST <= len(text.encode()) <= MOST:
                yield text


def page(path: Path) -> str:
    """The text of a file; of one that is no page, none."""
    if path.suffix in (".html", ".htm"):
        found: str = extract_plain_text(bytes_to_str(path.read_bytes()), main_content=True)
        return found
    if re.search(r"\.\d\w*\.gz$", path.name):
        return _plain(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
    return ""


def _plain(roff: str) -> str:
    """A manual page without its commands."""
    lines = [
        re.sub(r"^\.\w+ ?", "", line)
        for line in roff.splitlines()
        if line[:2] not in ('."', '.\\"')
    ]
    return re.sub(r"\\f.|\\[&/,|^]|\\\(..|\\", "", "\n".join(lines))


def unlike(texts: list[str]) -> list[str]:
    """Those texts of which none before is at all alike: none shares one of 37 bands of 3 slots."""
    measure = MinHash(shingle=SHINGLE, bands=37, rows=3, seed=9)
    seen: set[int] = set()
    kept = []
    for start in range(0, len(texts), 2000):
        some = texts[start : start + 2000]
        column = pa.array(some, pa.string())
        batch = pa.record_batch({"text": column, "words": words(column)})
        for text, mine in zip(some, keys(measure.signatures(batch), 3).tolist(), strict=True):
            if seen.isdisjoint(mine):
                kept.append(text)
            seen.update(mine)
    return kept


def copied(text: str, share: float, frame: bool, vocabulary: list[str], draw: random.Random) -> str:
    """A copy with a share of its words replaced, and perhaps something before and after it."""
    parts = re.split(r"(\s+)", text)
    places = [at for at, part in enumerate(parts) if part.strip()]
    for at in draw.sample(places, round(share * len(places))):
        parts[at] = draw.choice(vocabulary)
    if frame:
        size = max(8, len(places) // 20)
        parts = [" ".join(draw.choices(vocabulary, k=size)), "\n", *parts, "\n"]
        parts.append(" ".join(draw.choices(vocabulary, k=size // 2)))
    return "".join(parts)


def shingles(text: str) -> set[tuple[str, ...]]:
    """Runs of five words; all of a shorter text is one."""
    split = text.split()
    return {tuple(split[at : at + SHINGLE]) for at in range(max(1, len(split) - SHINGLE + 1))}


def jaccard(one: str, other: str) -> float:
    """Of the shingles of both, the share that they have in common."""
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def injected(base: list[str], seed: int = 7) -> tuple[list[str], list[int]]:
    """The base and copies of it, in a drawn order, with the number of each one's group."""
    draw = random.Random(seed)
    vocabulary = [word for text in draw.sample(base, min(len(base), 500)) for word in text.split()]
    every = len(base) / (1 - sum(share for share, _ in KINDS.values()))
    rows = [(text, group) for group, text in enumerate(base)]
    source = 0
    for kind, (share, edit) in KINDS.items():
        for _ in range(round(share * every)):
            source = source if draw.random() < AGAIN else draw.randrange(len(base))
            copy = copied(base[source], edit, "boilerplate" in kind, vocabulary, draw)
            rows.append((copy, source))
    draw.shuffle(rows)
    return [text for text, _ in rows], [group for _, group in rows]


def disguised(table: pa.Table, turn: int) -> pa.Table:
    """The same texts in other letters, so that none is like the one it was: A is B, B is C, …"""
    letters = string.ascii_lowercase
    turned = letters[turn:] + letters[:turn]
    other = str.maketrans(letters + letters.upper(), turned + turned.upper())
    ids = [f"{name}{turn}" for name in table["id"].to_pylist()]
    texts = [text.translate(other) for text in table["text"].to_pylist()]
    return pa.table({"id": ids, "text": texts})


def truth(texts: list[str], groups: list[int]) -> pa.Table:
    """All pairs of all groups, with their true similarity."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    pairs = [
        (one, other, jaccard(texts[one], texts[other]))
        for rows in members.values()
        for at, one in enumerate(rows)
        for other in rows[at + 1 :]
    ]
    columns = zip(*pairs, strict=True)
    return pa.table(dict(zip(("one", "other", "jaccard"), map(list, columns), strict=True)))


def write(folder: Path, limit: int = 70_000) -> None:
    """Make the corpus, once."""
    if (folder / "truth.parquet").exists():
        return
    raw = list(dict.fromkeys(islice(pages(), 2 * limit)))
    base = unlike(raw)[: round(limit * (1 - sum(share for share, _ in KINDS.values())))]
    texts, groups = injected(base)
    table = pa.table({"id": [f"{row:06d}" for row in range(len(texts))], "text": texts})
    for name, every in (("corpus", 1), ("quarter", 4), ("part", 16)):
        some = table.filter(pa.array(np.array(groups) % every == 0))
        pq.write_table(some, folder / f"{name}.parquet", compression="zstd")
    with pq.ParquetWriter(folder / "fourfold.parquet", table.schema, compression="zstd") as out:
        for turn in range(4):
            out.write_table(disguised(table, turn))
    pq.write_table(truth(texts, groups), folder / "truth.parquet")
    size = sum(len(text.encode()) for text in texts)
    print(
        f"{len(raw):,} pages, {len(base):,} unlike, {len(texts):,} documents, {size / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
