"""What an answer holds: whether it is a page, and where its links lead."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import urljoin

from filters import charset, consent, urls
from filters.links import links, sitemap
from filters.pictures import look
from pipelines.crawl.client import Answer
from pipelines.crawl.outcome import DROPPED, IMAGE, PAGE, SITEMAP, Outcome, Row
from pipelines.crawl.scope import Scope
from pipelines.readers import http
from pipelines.readers.packed import GZIP
from pipelines.readers.pages import HTML
from pipelines.readers.warc import PLAIN

TEXTS = (*HTML, PLAIN)
LISTS = 50_000_000  # bytes of a sitemap, unpacked
SIDE = 32  # pixels of an image's shorter side, at least
PIXELS = 100_000_000  # of an image, at most: decoded, it would take four bytes each
RESOLVED = 200_000  # links whose URL is remembered

_ROBOTS = re.compile(rb"""<meta\s[^>]{0,400}?name\s*=\s*["']?robots""", re.IGNORECASE)

_BELOW = re.compile(r"(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*+/)*+[A-Za-z0-9_~-][A-Za-z0-9._~-]*+")
"""Addresses that only want their folder put before them."""

New = tuple[str, str, int]
"""A URL that was found: canonical, its kind, and links from a start URL."""


def wanted(kind: str) -> Callable[[str], bool]:
    """Which media types are taken for a URL of a kind."""
    if kind == PAGE:
        return lambda media_type: media_type in TEXTS or not media_type
    if kind == IMAGE:
        return lambda media_type: media_type.startswith("image/") or not media_type
    return lambda media_type: True


def body_of(answer: Answer, size: int) -> bytes | Outcome:
    """The body with its codings undone, or why there is none."""
    try:
        body = http.decode(answer.body, "", answer.header("Content-Encoding"), size)
    except http.CodingError as error:
        return Outcome(DROPPED, str(error))
    return body or Outcome(DROPPED, "empty")


def fault_of(image: bytes) -> Outcome | None:
    """Why an image is not kept; its head alone is read, nothing is decoded."""
    found = look(image)
    if found is None:
        return Outcome(DROPPED, "no image")
    if min(found.width, found.height) < SIDE:
        return Outcome(DROPPED, "image too small")
    if found.width * found.height > PIXELS:
        return Outcome(DROPPED, "image too large")
    return None


def _is_closed(answer: Answer, page: bytes) -> bool:
    """Whether a page asks that none of its links be followed."""
    tag = answer.header("X-Robots-Tag")
    if not tag and not _ROBOTS.search(page):
        return False
    return consent.of_page([("X-Robots-Tag", tag)] if tag else [], page).nofollow


class Follower:
    """Finds what is to be followed.

    Args:
        scope: which URLs are.
        images: whether images are.
    """

    def __init__(self, scope: Scope, images: bool) -> None:
        self._scope, self._images = scope, images
        self._resolve = lru_cache(RESOLVED)(self._resolved)

    def page(self, row: Row, answer: Answer, body: bytes) -> Iterator[New]:
        """The links of a page, in scope, and its images."""
        if answer.media_type not in HTML:
            return
        if not body.isascii():
            body = charset.utf8(body, http.content_type(answer.header("Content-Type"))[1])
        if not _is_closed(answer, body):
            yield from self._links(row, body)
        if self._images:
            yield from self._pictures(row, body)

    def _links(self, row: Row, body: bytes) -> Iterator[New]:
        found = links(body, row.url)
        folder = found.base.partition("?")[0].rpartition("/")[0] + "/"
        for href in dict.fromkeys(
            h.partition("#")[0] for h, nofollow in found.links if not nofollow
        ):
            base = found.base if href.startswith("?") else folder
            if url := self._resolve(base, href):
                yield url, PAGE, row.depth + 1

    def _pictures(self, row: Row, body: bytes) -> Iterator[New]:
        """The images in the main text, from any host."""
        from filters.html.mainimages import images_of  # its kernels are compiled where it is wanted

        for image in images_of(body, row.url):
            url = urls.canonical(image.url)
            if url and not self._scope.excludes(url):
                yield url, IMAGE, row.depth

    def sitemap(self, row: Row, body: bytes) -> Iterator[New]:
        """What a sitemap lists, in scope; other sitemaps stand one link deeper."""
        if body.startswith(GZIP):
            try:
                body = http.decode(body, "", "gzip", LISTS)
            except http.CodingError:
                return
        is_index, found = sitemap(body)
        for written in found:
            if url := self._resolve(row.url, written):
                yield url, SITEMAP if is_index else PAGE, row.depth + 1

    def _resolved(self, base: str, href: str) -> str | None:
        if "\\" in href:  # browsers take it for a slash
            path, sign, query = href.partition("?")
            href = path.replace("\\", "/") + sign + query
        try:
            is_below = _BELOW.fullmatch(href) and base.endswith("/") and "/." not in base
            url = urls.canonical(base + href if is_below else urljoin(base, href))
        except ValueError:
            return None
        return url if url and self._scope.holds(url) else None
