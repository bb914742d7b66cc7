"""URLs of given lists: hosts and parts of sites, and words that stand in a URL.

A host stands for all hosts below it, and ``example.org/forum`` for all that is below that path.
Words of a URL are what is between its signs: percent escapes are undone, a query counts.  They are
compared as `filters.listed` has it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from filters import check_name
from filters.listed import Listed
from filters.urls import host_and_path, is_address
from filters.words import words as words_of


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Whether a document's URL is on a list.

    Columns, of one that is called ``blocklist``:
        blocklist_host: whether its host, or the part of the site, is on the list of hosts.
        blocklist_words: entries of the list of words in it.

    A document without a URL of the web is on no list.

    Attributes:
        name: the measure's name in the recipe.
        hosts: hosts, or hosts with a path.
        words: one word or several in a row.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("url",)

    name: str = field(default="blocklist", metadata={"named": True})
    hosts: Iterable[str] = field(default=(), metadata={"files": "hosts"})
    words: Iterable[str] = field(default=(), metadata={"files": "list"})

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def columns(self) -> pa.Schema:
        """A truth value and a count."""
        return pa.schema([(f"{self.name}_host", pa.bool_()), (f"{self.name}_words", pa.int32())])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, row for row."""
        sites, urls = _sites(self), batch["url"].to_pylist()
        blocked = pa.array([url is not None and sites.hold(url) for url in urls], pa.bool_())
        texts = pa.array([unquote(url) if url else "" for url in urls], pa.string())
        texts = pc.replace_substring_regex(texts, r"[^\p{L}\p{M}\p{N}]+", " ")
        rows = pa.record_batch({"text": texts, "words": words_of(texts)})
        count = Listed(files=self.words).measure(rows)["listed"]
        return pa.record_batch([blocked, count], schema=self.columns)


class Sites(NamedTuple):
    """Hosts that are blocked whole, and paths that are by host, each as it compares."""

    whole: frozenset[str]
    parts: dict[str, frozenset[str]]

    def hold(self, url: str) -> bool:
        """Whether a URL is of one of them."""
        host, path = host_and_path(url) or ("", "")
        return any(
            above in self.whole
            or (above in self.parts and any(p in self.parts[above] for p in _above(path)))
            for above in _hosts(host)
        )


def _hosts(host: str) -> Iterator[str]:
    """A host, and all above it; an address stands alone."""
    yield host
    while "." in host and not is_address(host):
        host = host.partition(".")[2]
        yield host


def _above(path: str) -> Iterator[str]:
    """A path, and all above it but the root, without slashes at their ends."""
    path = path.strip("/")
    while path:
        yield path
        path = path.rpartition("/")[0]


def site(entry: str) -> str:
    """An entry of a list of hosts as it compares: a host, or a host, a slash and a path.

    It may be a URL, begin with ``*.`` or ``.``, be a line of a file of hosts (``0.0.0.0`` before
    it) or a filter of an ad blocker's (``||example.org^``).

    Raises:
        ValueError: if it is none.
    """
    name = re.sub(r"^(0\.0\.0\.0|127\.0\.0\.1|::1?)\s+|^\|\||\^$", "", entry)
    name = re.sub(r"^(\w+://)?(\*?\.)?", "", name)
    found = host_and_path(f"http://{name}") if not re.search(r"\s", name) else None
    if found is None:
        raise ValueError(f"{entry!r} is no host and no URL")
    host, path = found
    return "/".join([host, next(_above(path), "")]).rstrip("/")


@lru_cache(maxsize=16)
def _sites(of: Blocklist) -> Sites:
    """The entries, found once a process."""
    whole, parts = set[str](), dict[str, set[str]]()
    for entry in of.hosts:
        host, slash, path = site(entry).partition("/")
        if slash:
            parts.setdefault(host, set()).add(path)
        else:
            whole.add(host)
    return Sites(frozenset(whole), {host: frozenset(paths) for host, paths in parts.items()})
