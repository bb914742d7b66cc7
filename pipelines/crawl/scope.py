"""Which URLs a crawl asks for at all: those in its scope that are no trap."""

import re
from collections import Counter
from functools import lru_cache
from urllib.parse import urlsplit

from filters import urls
from pipelines.recipe.crawl import Crawl

LENGTH = 2_000  # characters of a URL
SEGMENTS = 30  # of its path
AGAIN = 4  # times that one segment stands in it: /a/b/a/b/a/b/a
FIELDS = 12  # of its query

_DIGITS = re.compile(r"[0-9a-f]{16,}|[0-9]+", re.IGNORECASE)


class Scope:
    """Which links are followed.

    Args:
        crawl: as asked for.
    """

    def __init__(self, crawl: Crawl) -> None:
        self._scope = crawl.scope
        start = [made for url in crawl.start if (made := urls.canonical(url))]
        self._hosts = {host_of(url) for url in start}
        self._domains = {urls.site(url)[1] for url in start}
        self._folders = tuple(url.partition("?")[0].rpartition("/")[0] + "/" for url in start)
        patterns = (re.escape(each).replace(r"\*", ".*") for each in crawl.exclude)
        self._exclude = re.compile("|".join(patterns)) if crawl.exclude else None

    def holds(self, url: str) -> bool:
        """Whether a canonical URL is in scope."""
        if self.excludes(url):
            return False
        if self._scope == "folder":
            return url.startswith(self._folders)
        if self._scope == "host":
            return host_of(url) in self._hosts
        return self._scope == "web" or urls.site(url)[1] in self._domains

    def excludes(self, url: str) -> bool:
        """Whether a URL is to be left alone."""
        return self._exclude is not None and bool(self._exclude.fullmatch(url))


def trap(url: str) -> str | None:
    """Why a URL is one that sites make without end; None: it is not.

    Source: the rules that Heritrix has for them: long, deep, repeating itself.
    """
    if len(url) > LENGTH:
        return "trap: long"
    path, _, query = url.partition("?")
    segments = [each for each in path.split("/")[3:] if each]
    if len(segments) > SEGMENTS:
        return "trap: deep"
    if len(segments) >= AGAIN and max(Counter(segments).values()) >= AGAIN:
        return "trap: repeats itself"
    return "trap: many fields" if query.count("&") >= FIELDS else None


def shape(url: str) -> str:
    """A URL with its numbers and long hexadecimal names taken for one and the same.

    >>> shape("https://example.org/2026/11/26?page=3")
    'https://example.org/0/0/0?page=0'
    """
    origin = host_of(url)
    return origin + _DIGITS.sub("0", url[len(origin) :])


@lru_cache(maxsize=65_536)
def _origin(begins: str) -> str:
    parts = urlsplit(begins)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """Scheme, host and port of a canonical URL: what manners are kept for.

    >>> host_of("https://example.org:8080/a/b")
    'https://example.org:8080'
    """
    at = url.find("/", url.find("//") + 2)
    return _origin(url if at < 0 else url[:at])
