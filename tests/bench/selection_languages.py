"""Selection of a third of 25 languages: what is left of each, by one budget and by one for each.

python tests/bench/selection_languages.py

The corpus is that of pool_languages.py.  Both runs choose by one score, the n-gram entropy, the
lowest first; one fills its budget from all languages together, the other a budget for each.  The
shares are of the bytes, by the labels of the corpus and not by the languages that Karez told.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from tests.bench import pool_languages
from tests.bench.common import karez, keep, machine, place, verdict
from tests.bench.selection import published

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
    pool_languages.write(folder)
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
