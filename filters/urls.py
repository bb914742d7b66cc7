"""Where a page comes from: its registered domain, and the part of the site it belongs to.

The registered domain is one label more than the public suffix, private suffixes included: the pages
of ``alice.github.io`` and ``bob.github.io`` have different authors, so they count as two domains.

Source: Mozilla Foundation, Public Suffix List, as the package publicsuffixlist ships it.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar
from urllib.parse import SplitResult, urljoin, urlsplit

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
    columns: ClassVar[pa.Schema] = pa.schema(
        dict.fromkeys(("host", "domain", "group"), pa.string())
    )

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


_SIMPLE = re.compile(
    r"https?://([a-z0-9.-]+)(?::(?!80/|443/)(?:[1-9][0-9]{1,3}|[1-5][0-9]{4})(?=/))?"
    r"((?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/?"
)
"""URLs that are canonical already, if their host is."""

_NOISE = re.compile(
    r"(?<=[?&;])(?:jsessionid|phpsessid|aspsessionid\w*|cfid|cftoken|sessionid|session_id|sid"
    r"|utm_\w+|gclid|fbclid|mc_cid|mc_eid)=[^&;?#]*&?",
    re.IGNORECASE,
)
"""Parts of queries that tell visitors apart, not pages."""


@lru_cache(maxsize=65_536)
def canonical(url: str) -> str | None:
    """The one form of a URL of the web, without its fragment; None if it is none.

    Queries are sorted and rid of sessions and campaigns, escapes spelled one way, hosts in lower
    case and punycode, default ports and passwords left out, dots in paths resolved:
    `w3lib.url.canonicalize_url` does the half of it.

    >>> canonical("HTTP://Example.org:80/a/../b?y=2&x=1&sid=3#top")
    'http://example.org/b?x=1&y=2'
    """
    simple = _SIMPLE.fullmatch(url)
    if simple and _name(simple[1]) == simple[1]:
        return url if simple[2] or url.endswith("/") else f"{url}/"
    parts = _split(url)
    if parts is None or parts.scheme == "ftp" or not parts.hostname:
        return None
    host = parts.hostname if is_address(parts.hostname) else _name(parts.hostname)
    return _canonical(parts, host) if host else None


def led_to(url: str, to: str) -> str | None:
    """Where a page says that something is, in its one form; None if it is no URL of the web.

    >>> led_to("http://example.org/a/b", "../c")
    'http://example.org/c'
    """
    try:
        return canonical(urljoin(url, to.strip()))
    except ValueError:
        return None


def _canonical(parts: SplitResult, host: str) -> str | None:
    from w3lib.url import canonicalize_url

    try:
        name = f"[{host}]" if ":" in host else host
        usual = parts.port in (None, 80 if parts.scheme == "http" else 443)
        at = name if usual else f"{name}:{parts.port}"
        made = parts._replace(netloc=at, path=_resolved(parts.path), fragment="").geturl()
        if _NOISE.search(made):
            made = _NOISE.sub("", made).rstrip("?&;")
        return str(canonicalize_url(made))
    except ValueError:
        return None


def _resolved(path: str) -> str:
    """A path without dots, by RFC 3986, section 5.2.4."""
    if "/." not in path:
        return path or "/"
    out: list[str] = []
    each = path.split("/")[1:]
    for segment in each:
        if segment == "..":
            del out[-1:]
        elif segment != ".":
            out.append(segment)
    ends = "/" if each[-1] in (".", "..") and out else ""
    return "/" + "/".join(out) + ends


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
