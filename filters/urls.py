"""Where a page comes from: its registered domain, and the part of the site it belongs to.

The registered domain is one label more than the public suffix, private suffixes included: the pages
of ``alice.github.io`` and ``bob.github.io`` have different authors, so they count as two domains.

Source: Mozilla Foundation, Public Suffix List, as the package publicsuffixlist ships it.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import pyarrow as pa

HOST = 253  # the most characters that a host's name may have

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_IPV4 = re.compile(r"[0-9]+(\.[0-9]+){3}")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")


@dataclass(frozen=True, slots=True)
class Site:
    """Domain and group of a document's URL; both null where there is no URL of the web.

    ``domain``: the registered domain, in lower case and punycode; an IP address, a single name and
    a public suffix stand for themselves.  ``group``: domain and first folder of the path, so
    ``example.org/docs`` for ``https://www.example.org/docs/intro.html``; a file at the root has no
    folder, so its group is the domain.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("url",)

    @property
    def columns(self) -> pa.Schema:
        """``domain`` and ``group``."""
        return pa.schema([("domain", pa.string()), ("group", pa.string())])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, row for row."""
        sites = [site(url) if url else (None, None) for url in batch["url"].to_pylist()]
        arrays = [pa.array([pair[i] for pair in sites], pa.string()) for i in (0, 1)]
        return pa.record_batch(arrays, schema=self.columns)


def site(url: str) -> tuple[str | None, str | None]:
    """Domain and group of one URL; nulls if it is none with a host.

    >>> site("https://docs.example.co.uk/a/b.html")
    ('example.co.uk', 'example.co.uk/a')
    """
    parts = _split(url)
    name = parts.hostname if parts else None
    domain = registered(name) if name else None
    if parts is None or domain is None:
        return None, None
    folder, slash, _ = parts.path.lstrip("/").partition("/")
    return domain, f"{domain}/{folder}" if slash else domain


@lru_cache(maxsize=65_536)
def registered(host: str) -> str | None:
    """Registered domain of a host's name; None if it cannot be one.

    Args:
        host: without port; brackets of an IPv6 address removed.
    """
    if ":" in host or _IPV4.fullmatch(host):
        return host.lower()
    name = _ascii(host)
    if name is None or not all(map(_LABEL.fullmatch, name.split("."))):
        return None
    domain: str | None = _suffixes().privatesuffix(name)
    return domain or name


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        return parts if parts.scheme in ("http", "https", "ftp") and parts.hostname else None
    except ValueError:
        return None


def _ascii(host: str) -> str | None:
    """Lower case and punycode (IDNA 2003, as Python has it); None where there is no such form."""
    host = host.translate(_DOTS).lower().removesuffix(".")
    if not host or len(host) > HOST:
        return None
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return name if len(name) <= HOST else None


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
