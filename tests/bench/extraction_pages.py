"""Pages whose main text is known: one schema, and what tells pages apart.

A page has its gold text, or snippets that must and must not be in it, or both.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from filters.urls import site

SCHEMA = pa.schema(
    {
        "id": pa.string(),  # hash of URL and bytes
        "url": pa.string(),
        "domain": pa.string(),  # registered; the fold of a page where it has no other
        "family": pa.string(),  # pages of one template
        "type": pa.string(),
        "html": pa.binary(),  # as served
        "gold": pa.string(),  # or null
        "with": pa.list_(pa.string()),
        "without": pa.list_(pa.string()),
        "origin": pa.string(),
    }
)
SHORT = 1_000  # characters of gold; a page with fewer is short
CJK = 0.3  # of the letters of a page's gold, or of its snippets
GRAM, SHARED = 8, 0.1  # words; share of a page's 8-grams that makes it another's copy

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"\w+")


class Page(NamedTuple):
    """One labelled page."""

    url: str
    html: bytes
    type: str
    origin: str
    gold: str | None = None
    snippets: tuple[list[str], list[str]] = ([], [])  # with, without
    family: str = ""  # the domain where it is empty

    def row(self) -> dict[str, object]:
        """As in `SCHEMA`."""
        domain = site(self.url)[1] or urlsplit(self.url).netloc or self.origin
        key = blake2b(self.url.encode() + b"\0" + self.html, digest_size=16).hexdigest()
        wanted, unwanted = self.snippets
        own = {"id": key, "url": self.url, "domain": domain, "family": self.family or domain}
        return {**self._asdict(), **own, "with": wanted, "without": unwanted}


def write(path: Path, pages: Iterable[Page]) -> int:
    """The pages as Parquet, sorted by URL, each of them once; how many there are."""
    rows = {row["id"]: row for row in (page.row() for page in pages)}
    table = pa.Table.from_pylist(
        sorted(rows.values(), key=lambda row: (str(row["url"]), str(row["id"]))), SCHEMA
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", row_group_size=256)
    return len(table)


def kinds(row: dict[str, object]) -> list[str]:
    """The types that a page counts for: its own, and ``short`` and ``cjk`` where it is."""
    gold = row["gold"]
    text = gold if isinstance(gold, str) else " ".join(row["with"])  # type: ignore[arg-type]
    found = [str(row["type"])]
    if isinstance(gold, str) and len(gold) < SHORT:
        found.append("short")
    if len(_CJK.findall(text)) > CJK * max(1, len(_LETTER.findall(text))):
        found.append("cjk")
    return found


def grams(text: str) -> set[int]:
    """Hashes of its 8-grams of words; of a text without spaces, of 8-grams of characters."""
    words = _WORD.findall(text.lower())
    if len(words) < len(text) / 15:  # no spaces between words
        words = re.findall(r"\w", text)
    return {hash(tuple(words[i : i + GRAM])) for i in range(len(words) - GRAM + 1)}


def address(url: str) -> str:
    """A URL without what two copies of a page may differ in: scheme, www, query, fragment."""
    parts = urlsplit(url.strip().lower())
    return parts.netloc.removeprefix("www.") + parts.path.rstrip("/")


def apart(pages: Iterable[Page], from_: Iterable[Page]) -> Iterator[Page]:
    """The pages that are not among the others: by address, and by a tenth of their 8-grams."""
    others = list(from_)
    known = {address(page.url) for page in others}
    told = set[int]().union(*(grams(page.gold or "") for page in others))
    for page in pages:
        mine = grams(page.gold or " ".join(page.snippets[0]))
        if address(page.url) in known and urlsplit(page.url).path.strip("/"):
            continue
        if len(mine & told) <= SHARED * len(mine):
            yield page
