"""Selection of a third of 25 languages: what is left of each, by one budget and by one for each.

python tests/bench/selection_languages.py

The corpus is GNOME's user documentation, whose pages are about the same things in every language.
Paragraphs that stand in the English pages as well are left out of the others: nobody has translated
them yet.  Languages differ in size as they do in a crawl: English has all its pages, the others
fewer and fewer.

Both runs choose by one score, the n-gram entropy, the lowest first; one fills its budget from all
languages together, the other a budget for each.  The shares are of the bytes, by the labels of the
corpus and not by the languages that Karez told.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench import pool_sources as sources
from tests.bench.common import karez, keep, machine, place, verdict
from tests.bench.pool import written
from tests.bench.pool_sources import draw
from tests.bench.selection import published

LANGUAGES = """C de fr es ru ja it pt_BR pl zh_CN nl cs uk sv ko hu fi da el gl id gu ca sl
    hr"""
CODES = {"C": "en", "pt_BR": "pt", "zh_CN": "zh"}
LEAST = 300  # bytes of a page
RAREST = 12  # pages of the last language; of the first all, in between ever fewer
RECIPE = """name = "languages"
[[source]]
kind = "parquet"
paths = ["languages25/*.parquet"]
[[select]]
strategy = "top"
by = "ngram_entropy asc"
budget = "33 %"
{per}
[publish]
splits = {{ train = 1.0 }}
"""
WAYS = {"all together": "", "per language": 'per = "language"'}


def paragraphs(path: Path) -> list[str]:
    """The titles, paragraphs and items of a page in Mallard."""
    found = re.findall(r"<(title|p|desc)\b[^>]*>(.*?)</\1>", path.read_text(), re.DOTALL)
    plain = (unescape(re.sub(r"<[^>]+>", "", text)) for _, text in found)
    return [" ".join(text.split()) for text in plain if text.strip()]


def pages(folder: str) -> Iterator[tuple[str, list[str]]]:
    """The name and the paragraphs of each page of a language, in a drawn order."""
    some = sources.paths("gnome-user-docs", f"usr/share/help/{folder}/*/*.page")
    for path in sorted(some, key=lambda p: draw(f"{folder} {p.name}")):
        yield f"{path.parent.name}/{path.name}", paragraphs(path)


def rows() -> Iterator[dict[str, str]]:
    """Id, url, text and language, in uneven numbers."""
    english = {text for _, some in pages("C") for text in some}
    for rank, folder in enumerate(LANGUAGES.split()):
        own = [(name, [t for t in some if folder == "C" or t not in english])
               for name, some in pages(folder)]  # fmt: skip
        whole = [(name, "\n".join(some)) for name, some in own]
        whole = [(name, text) for name, text in whole if len(text.encode()) >= LEAST]
        share = (RAREST / len(whole)) ** (rank / (len(LANGUAGES.split()) - 1)) if whole else 0
        language = CODES.get(folder, folder)
        for name, text in whole[: round(share * len(whole))]:
            url = f"https://{language}.help.example/{name}"
            yield {"id": draw(url)[:32], "url": url, "text": text, "language": language}


def write(folder: Path) -> None:
    """Make the corpus, once."""
    if not (folder / "languages25").exists():
        made = pa.Table.from_pylist(sorted(rows(), key=lambda row: row["id"]))
        written(folder / "languages25", made)


def chosen(folder: Path, name: str, per: str) -> set[str]:
    """Addresses of what a run keeps."""
    recipe, run = folder / f"{name}.toml", folder / f"{name} run"
    recipe.write_text(RECIPE.format(per=per))
    shutil.rmtree(run, ignore_errors=True)
    karez("run", recipe, "--run", run)
    return set(published(run)["url"].to_pylist())


def kept(sizes: Mapping[str, tuple[str, int]], urls: set[str]) -> dict[str, tuple[float, float]]:
    """Of each language, its share of the corpus, and of it the share that is kept.

    Args:
        sizes: by address the language and the bytes of a document.
        urls: of what was chosen.
    """
    every, mine = Counter[str](), Counter[str]()
    for url, (language, size) in sizes.items():
        every[language] += size
        mine[language] += size * (url in urls)
    total = sum(every.values())
    return {name: (size / total, mine[name] / size) for name, size in every.most_common()}


def main() -> None:
    """Select both ways, print, keep."""
    folder = place("selection")
    write(folder)
    rows = pq.read_table(folder / "languages25").to_pylist()
    sizes = {row["url"]: (row["language"], len(row["text"].encode())) for row in rows}
    found = {way: kept(sizes, chosen(folder, way, per)) for way, per in WAYS.items()}
    print(machine())
    print(f"{'':<10}{'of corpus':>12}" + "".join(f"{way:>16}" for way in found))
    for language, (share, _) in found["per language"].items():
        told = "".join(f"{mine[language][1]:>16.1%}" for mine in found.values())
        print(f"{language:<10}{share:>12.1%}{told}")
    for way, mine in found.items():
        lost = sum(part == 0 for _, part in mine.values())
        print(f"{way}: {min(p for _, p in mine.values()):.1%} of one is the least, {lost} lost")
    lost = sum(part == 0 for _, part in found["per language"].values())
    print(verdict(not lost, f"{lost} languages are lost"))
    keep("selection-languages", languages=found)


if __name__ == "__main__":
    main()
