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


def host_and_path(url: str) -> tuple[str, str] | None:
    """Host, in lower case and punycode, and what follows it; None for no URL of the web.

    >>> host_and_path("https://WWW.example.org:8080/a/b?c")
    ('www.example.org', '/a/b?c')
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return None
    host = parts.hostname if is_address(parts.hostname) else _name(parts.hostname)
    if host is None:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return host, parts.path + query


def is_address(host: str) -> bool:
    """Whether a host is an IP address, without brackets."""
    return ":" in host or _IPV4.fullmatch(host) is not None


@lru_cache(maxsize=65_536)
def registered(host: str) -> str | None:
    """Registered domain of a host's name; None if it cannot be one.

    Args:
        host: without port; brackets of an IPv6 address removed.
    """
    if is_address(host):
        return host.lower()
    name = _name(host)
    if name is None:
        return None
    domain: str | None = _suffixes().privatesuffix(name)
    return domain or name


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        return parts if parts.scheme in ("http", "https", "ftp") and parts.hostname else None
    except ValueError:
        return None


@lru_cache(maxsize=65_536)
def _name(host: str) -> str | None:
    """Lower case and punycode (IDNA 2003, as Python has it); None where there is no such form."""
    host = host.translate(_DOTS).lower().removesuffix(".")
    if not host or len(host) > HOST:
        return None
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    fits = len(name) <= HOST and all(map(_LABEL.fullmatch, name.split(".")))
    return name if fits else None


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
