"""Documents whose languages are known: pages of LibreOffice's help, which is translated.

Of each page the lines of 80 bytes and more are taken that do not stand in the English help as well,
since what nobody has translated yet is English everywhere.  Writes ``gold.parquet`` (text, and a
list of its languages): whole pages, and mixed documents of two or three languages, each with two to
five lines.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from resiliparse.extract.html2text import extract_plain_text

from tests.bench.neardup_corpus import unpacked

LANGUAGES = (
    "ca cs da de el en-us es et eu fi fr gl hu id it ja ko nl pl pt pt-br ru sl sv tr vi zh-cn"
)
PACKAGES = [f"libreoffice-help-{language}" for language in LANGUAGES.split()]
LINE, TEXT = 80, 400  # bytes of a line, and of a document, at least
PAGES, MIXED = 160, 1500  # documents of each language, and of several
SCHEMA = pa.schema([("text", pa.string()), ("languages", pa.list_(pa.string()))])


def lines(path: Path) -> list[str]:
    """The longer lines of a page's main text."""
    text: str = extract_plain_text(path.read_text(), main_content=True)
    return [line.strip() for line in text.splitlines() if len(line.strip().encode()) >= LINE]


def pages(folder: Path, language: str) -> Iterator[list[str]]:
    """The pages of one language, in a drawn order."""
    paths = sorted((folder / "help/usr/share/libreoffice/help" / language).rglob("*.html"))
    random.Random(language).shuffle(paths)
    return map(lines, paths)


def known(folder: Path) -> dict[str, list[list[str]]]:
    """By language, the lines of its documents."""
    english = {line for page in pages(folder, "en-US") for line in page}
    found: dict[str, list[list[str]]] = {}
    for name in sorted(p.name for p in (folder / "help/usr/share/libreoffice/help").iterdir()):
        mine = found.setdefault(name.partition("-")[0], [])
        most = len(mine) + PAGES
        for page in pages(folder, name) if name != "media" else ():
            own = page if name == "en-US" else [line for line in page if line not in english]
            if len("\n".join(own).encode()) >= TEXT:
                mine.append(own)
            if len(mine) == most:
                break
    return {language: documents for language, documents in found.items() if documents}


def mixed(documents: dict[str, list[list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """Documents of several languages."""
    draw = random.Random(11)
    for _ in range(MIXED):
        some = draw.sample(sorted(documents), draw.choice((2, 3)))
        parts = [draw.choice(documents[language])[: draw.randint(2, 5)] for language in some]
        yield "\n".join(line for part in parts for line in part), some


def write(folder: Path) -> Path:
    """Make the documents, once."""
    path = folder / "gold.parquet"
    if not path.exists():
        unpacked(folder / "help", PACKAGES)
        documents = known(folder)
        whole = [("\n".join(d), [name]) for name, every in documents.items() for d in every]
        texts, languages = zip(*whole, *mixed(documents), strict=True)
        pq.write_table(pa.table([list(texts), list(languages)], schema=SCHEMA), path)
    return path
