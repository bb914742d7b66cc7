"""Links of a page: where its anchors lead, found as a parser finds tags, without a tree.

What stands in a comment, a script, any other raw text or in an attribute is no link.  A page is
read once from its begin to its end, whatever is in it.

Source: WHATWG, HTML Standard, sections 4.6 (links), 4.2.3 (base) and 13.2.5 (tokenization).
"""

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from itertools import islice
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

LINKS = 10_000  # of a page, at most; a page of more is a trap
READ = 65_536  # bytes of the attributes of a tag that are read
LISTED = 50_000  # URLs of a sitemap, as its format says

_ATTRIBUTES = rb"""
(?: [\t\n\f\r /]++
  | [^\t\n\f\r />] [^\t\n\f\r />=]*+
    (?: [\t\n\f\r ]*+ = [\t\n\f\r ]*+ (?: "[^"]*+" | '[^']*+' | (?!["']) [^\t\n\f\r >]*+ )
      | (?! [\t\n\f\r ]*+ = ) )
)*+"""
_RAW = rb"(?:script|style|textarea|title|xmp|noembed|noframes|iframe|plaintext)"
_NEXT = re.compile(
    rb"""
(?: < (?: / [a-z] | [c-hj-moqru-wyz] ) [^"'=>]*+ > [^<]*+  # another tag: most are such
  | [^<]++
  | < (?! (?: a | area | base | %(raw)b ) [\t\n\f\r />] )
      (?: /?+ [a-z] [^\t\n\f\r />]*+ %(attributes)b >  # another tag
        | (?! /?+ [a-z] | [!?] | / ) )                 # no tag
)*+
< (?: (!--) | ([!?] | / (?![a-z]))
    | (%(raw)b) (?=[\t\n\f\r />]) %(attributes)b >
    | (a | area | base) (?=[\t\n\f\r />]) (%(attributes)b) > )"""
    % {b"raw": _RAW, b"attributes": _ATTRIBUTES},
    re.IGNORECASE | re.VERBOSE,
)
"""Up to the end of the next tag that matters, or the begin of a comment."""

_ATTRIBUTE = re.compile(
    rb"""([^\t\n\f\r />] [^\t\n\f\r />=]*+) (?: [\t\n\f\r ]*+ = [\t\n\f\r ]*+
(?: "([^"]*+)" | '([^']*+)' | ([^\t\n\f\r >]*+) ) )?+""",
    re.VERBOSE,
)
_COMMENT = re.compile(rb"--!?>")
_SCRIPT = re.compile(rb"<!--(?:-*+>)?|-->|</?script(?=[\t\n\f\r />])", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*;?)(=?)")
_LOC = re.compile(rb"<(?:\w++:)?loc>\s*+(?:<!\[CDATA\[\s*+)?([^<>\s\]]{1,4000})")
_CONTROLS = "".join(map(chr, range(33)))


class Link(NamedTuple):
    """Where an anchor leads."""

    href: str  # as written, references undone; relative to the page's base
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
        href, rel = _href_and_rel(attributes)
        if href is None:
            continue
        if name == b"base":
            base = href if base is None else base
        elif href and not href.startswith("#"):
            found.append(Link(href, "nofollow" in (rel or "").lower().split()))
            if len(found) == LINKS:
                break
    return Found(_joined(url, base), found)


def sitemap(body: bytes) -> tuple[bool, list[str]]:
    """What a sitemap lists: whether it lists other sitemaps, and the URLs, as written.

    Source: sitemaps.org, Sitemaps XML format 0.9; a plain text of URLs is one too.

    Args:
        body: unpacked; no parser is asked, so no entity of its own is expanded.
    """
    written = islice(_LOC.finditer(body), LISTED)
    found = [unescape(each[1].decode("utf-8", "replace")) for each in written]
    if not found and b"<" not in body[:200]:
        lines = body.split(None, LISTED)[:LISTED]
        found = [line.decode("utf-8", "replace") for line in lines]
    return b"<sitemapindex" in body[:2_000], found


def _tags(page: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and attributes of the tags that matter."""
    at = 0
    while (tag := _NEXT.match(page, at)) is not None:
        comment, bogus, raw, name, attributes = tag.groups()
        at = tag.end()
        if name is not None:
            yield name.lower(), attributes
        elif comment is not None:
            at = _end_of_comment(page, at)
        elif bogus is not None:
            at = page.find(b">", at) + 1 or -1
        else:
            at = _end_of(page, at, raw.lower())
        if at < 0:
            return


def _end_of_comment(page: bytes, at: int) -> int:
    """Where a comment ends; -1: never."""
    for short in (b">", b"->"):
        if page.startswith(short, at):
            return at + len(short)
    end = _COMMENT.search(page, at)
    return end.end() if end else -1


def _end_of(page: bytes, at: int, name: bytes) -> int:
    """Where a raw text ends, before its tag; -1: never."""
    if name == b"plaintext":
        return -1
    if name == b"script":
        return _end_of_script(page, at)
    end = re.compile(b"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE).search(page, at)
    return end.start() if end else -1


def _end_of_script(page: bytes, at: int) -> int:
    """The same of a script: within ``<!--`` and ``-->`` one may hold another."""
    is_hidden = is_inner = False
    for token in _SCRIPT.finditer(page, at):
        sign = token[0]
        if sign.endswith(b">"):
            is_hidden = is_inner = False
        elif sign == b"<!--":
            is_hidden = True
        elif sign.startswith(b"</"):
            if not is_inner:
                return token.start()
            is_inner = False
        else:
            is_inner = is_hidden
    return -1


def _href_and_rel(attributes: bytes) -> tuple[str | None, str | None]:
    """The values of two attributes, the first of each name."""
    if b"href" not in attributes.lower():  # an anchor to lead to, not one that leads
        return None, None
    href = rel = None
    for name, one, two, bare in _ATTRIBUTE.findall(attributes, 0, READ):
        if len(name) == 4 and href is None and name.lower() == b"href":
            href = _value(one or two or bare)
        elif len(name) == 3 and rel is None and name.lower() == b"rel":
            rel = _value(one or two or bare)
    return href, rel


def _value(written: bytes) -> str:
    value = written.translate(None, b"\t\n\r").decode("utf-8", "replace")
    return (_REFERENCE.sub(_meant, value) if "&" in value else value).strip(_CONTROLS)


def _meant(reference: re.Match[str]) -> str:
    """What a reference stands for in an attribute: ``&copy=`` stands for itself."""
    whole, ends = reference[0], reference[1]
    name = whole.removesuffix(ends)
    if name[1] == "#":
        return unescape(name) + ends
    if ends and not name.endswith(";"):
        return whole
    return html5.get(name[1:], name) + ends


def _joined(url: str, base: str | None) -> str:
    """What links are relative to."""
    if not base:
        return url
    try:
        parts = urlsplit(urljoin(url, base))
        is_web = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return url
    return parts._replace(path=parts.path or "/", fragment="").geturl() if is_web else url
