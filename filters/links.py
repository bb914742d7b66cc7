"""Links of a page: where its anchors lead, found by their first bytes, without a tree.

What stands in a comment, a script or any other raw text is no link.

Source: WHATWG, HTML Standard, sections 4.6 (links), 4.2.3 (base) and 13.2.5 (tokenization).
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import urljoin

LINKS = 10_000  # of a page, at most; a page of more is a trap
LISTED = 50_000  # URLs of a sitemap, as its format says

_TAG = re.compile(
    rb"<(?:(!--)|(script|style|textarea|title|xmp|noembed|noframes|iframe)(?=[\s/>])"
    rb"|(a|area|base)(?=[\s/])((?:[^>\"']++|\"[^\"]{0,4000}+\"|'[^']{0,4000}+')*+)>)",
    re.IGNORECASE,
)
_HREF = re.compile(
    rb"""(?:^|[\s"'/])href\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_REL = re.compile(
    rb"""(?:^|[\s"'/])rel\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_LOC = re.compile(rb"<(?:\w+:)?loc>\s*(?:<!\[CDATA\[)?\s*([^<>\s\]]{1,4000})")
_BREAKS = re.compile(r"[\t\n\r]")


class Link(NamedTuple):
    """Where an anchor leads."""

    href: str  # as written, entities undone; relative to the page's base
    nofollow: bool  # the page does not vouch for it


class Found(NamedTuple):
    """The links of a page, in order, and what they are relative to."""

    base: str
    links: list[Link]


def links(page: bytes, url: str) -> Found:
    """The links of a page.

    Args:
        page: in any encoding that has ASCII in it; what is not UTF-8 in an address is U+FFFD.
        url: its own.
    """
    base: str | None = None
    found: list[Link] = []
    for name, attributes in _tags(page):
        href = _value(_HREF, attributes)
        if href is None:
            continue
        if name == b"base":
            base = href if base is None else base
        elif len(found) < LINKS and href and not href.startswith("#"):
            rel = _value(_REL, attributes) if b"ollow" in attributes.lower() else None
            found.append(Link(href, "nofollow" in (rel or "").lower().split()))
    return Found(_joined(url, base), found)


def sitemap(body: bytes) -> tuple[bool, list[str]]:
    """What a sitemap lists: whether it lists other sitemaps, and the URLs, as written.

    Source: sitemaps.org, Sitemaps XML format 0.9; a plain text of URLs is one too.

    Args:
        body: unpacked; no parser is asked, so no entity of its own is expanded.
    """
    found = [unescape(each.decode("utf-8", "replace")) for each in _LOC.findall(body)[:LISTED]]
    if not found and b"<" not in body[:200]:
        found = body.decode("utf-8", "replace").split()[:LISTED]
    return b"<sitemapindex" in body[:2_000], found


def _tags(page: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and attributes of the tags that matter."""
    at = 0
    while (tag := _TAG.search(page, at)) is not None:
        at = tag.end()
        comment, raw, name, attributes = tag.groups()
        if name is not None:
            yield name.lower(), attributes
            continue
        at = _end(page, at, raw) if comment is None else page.find(b"-->", at)
        if at < 0:
            return


def _end(page: bytes, at: int, name: bytes) -> int:
    """Where a raw text ends; -1: never."""
    end = re.compile(b"</" + name, re.IGNORECASE).search(page, at)
    return end.end() if end else -1


def _value(pattern: re.Pattern[bytes], attributes: bytes) -> str | None:
    found = pattern.search(attributes)
    if found is None:
        return None
    written = next((value for value in found.groups() if value is not None), b"")
    return unescape(_BREAKS.sub("", written.decode("utf-8", "replace"))).strip()


def _joined(url: str, base: str | None) -> str:
    try:
        return urljoin(url, base) if base else url
    except ValueError:
        return url
