"""The evaluation sets of extraction, read from checkouts of the projects that publish them.

python tests/bench/extraction_sets.py OUT NAME=FOLDER…

Names are those of `SETS`, folders are checkouts.  Writes OUT/NAME.parquet, columns as in
`extraction_pages.SCHEMA`.  The pages belong to those who wrote them: nothing of them is committed.
"""

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from tests.bench.extraction_docs import docs
from tests.bench.extraction_more import more
from tests.bench.extraction_pages import Page, apart, write

WCXB = {"documentation": "docs", "collection": "listing", "category": "listing"}


def trafilatura(folder: Path) -> Iterator[Page]:
    """Adbar/trafilatura, tests/evaldata.json: 2 to 12 snippets a page; types are not known."""
    tests = folder / "tests"
    for url, mine in json.loads((tests / "evaldata.json").read_text()).items():
        path = next(p for p in (tests / "cache" / mine["file"], tests / "eval" / mine["file"])
                    if p.is_file())  # fmt: skip
        snippets = (mine["with"], mine["without"])
        yield Page(url, path.read_bytes(), "other", "trafilatura", snippets=snippets)


def aeb(folder: Path) -> Iterator[Page]:
    """Scrapinghub/article-extraction-benchmark: 181 articles.  To measure, never to train."""
    for name, mine in json.loads((folder / "ground-truth.json").read_text()).items():
        html = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        yield Page(mine["url"], html, "news", "aeb", mine["articleBody"])


def wcxb(folder: Path) -> Iterator[Page]:
    """WCXB (Foley 2026, CC-BY-4.0): gold drafted by a language model, reviewed by people.

    The origin tells its two parts, ``wcxb/dev`` and ``wcxb/test``.
    """
    for path in sorted(folder.glob("*/ground-truth/*.json")):
        part, data = path.parents[1], json.loads(path.read_text())
        gold, kind = data["ground_truth"], data["_internal"]["page_type"]["primary"]
        if not (data.get("url") and gold.get("main_content")):
            continue
        html = gzip.decompress((part / "html" / f"{path.stem}.html.gz").read_bytes())
        snippets = (gold.get("with") or [], gold.get("without") or [])
        origin, kind = f"wcxb/{part.name}", WCXB.get(kind, kind)
        yield Page(data["url"], html, kind, origin, gold["main_content"], snippets)


SETS: dict[str, Callable[[Path], Iterator[Page]]] = {
    "trafilatura": trafilatura,
    "aeb": aeb,
    "wcxb": wcxb,
    "docs": docs,
    "more": more,
}


def measured_only(out: Path) -> list[Page]:
    """The pages of the article benchmark, which no other set may hold."""
    path = out / "aeb.parquet"
    if not path.exists():
        raise SystemExit(f"{path}: make the set aeb first, so that its pages can be left out")
    rows = pq.read_table(path, columns=["url", "gold"]).to_pylist()
    return [Page(row["url"], b"", "news", "aeb", row["gold"]) for row in rows]


def main() -> None:
    """Write what is asked for."""
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    out = Path(sys.argv[1])
    for word in sys.argv[2:]:
        name, _, folder = word.partition("=")
        if name not in SETS or not Path(folder).is_dir():
            raise SystemExit(f"{word}: names are {', '.join(SETS)}, each with an existing folder")
        pages = SETS[name](Path(folder))
        if name not in ("aeb", "docs"):
            pages = apart(pages, measured_only(out))
        print(f"{name}: {write(out / f'{name}.parquet', pages):,} pages")


if __name__ == "__main__":
    main()
