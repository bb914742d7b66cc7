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
    """Host, domain and group of a document's URL; null where there is no URL of the web.

    ``host``: in lower case and punycode, without port.  ``domain``: the registered domain of it; an
    IP address, a single name and a public suffix stand for themselves.  ``group``: domain and first
    folder of the path, so ``example.org/docs`` for ``https://www.example.org/docs/intro.html``; a
    file at the root has no folder, so its group is the domain.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("url",)

    @property
    def columns(self) -> pa.Schema:
        """``host``, ``domain`` and ``group``."""
        return pa.schema([(name, pa.string()) for name in ("host", "domain", "group")])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns, row for row."""
        sites = [site(url) if url else NOWHERE for url in batch["url"].to_pylist()]
        arrays = [pa.array([each[i] for each in sites], pa.string()) for i in range(3)]
        return pa.record_batch(arrays, schema=self.columns)


NOWHERE = (None, None, None)


def site(url: str) -> tuple[str | None, str | None, str | None]:
    """Host, domain and group of one URL; nulls if it is none with a host.

    >>> site("https://docs.example.co.uk/a/b.html")
    ('docs.example.co.uk', 'example.co.uk', 'example.co.uk/a')
    """
    found = host_and_path(url)
    if found is None:
        return NOWHERE
    host, path = found
    domain = registered(host)
    folder, slash, _ = path.lstrip("/").partition("/")
    return host, domain, f"{domain}/{folder}" if slash else domain


def host_and_path(url: str) -> tuple[str, str] | None:
    """Host, in lower case and punycode, and path; None for no URL of the web.

    >>> host_and_path("https://WWW.example.org:8080/a/b?c")
    ('www.example.org', '/a/b')
    """
    parts = _split(url)
    name = parts.hostname if parts else None
    host = name if not name or is_address(name) else _name(name)
    return (host, parts.path) if parts and host else None


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
