"""What a page says of itself: title, author, date, language, licence, canonical URL.

It is read from the tags before the body, from JSON-LD, and from links to a licence anywhere.  Tags
are found by their first bytes, without a parser; what stands in a comment or a script is none.

Sources: WHATWG, HTML Standard, sections 4.2 (metadata) and 4.6.6 (link types); schema.org, Article;
The Open Graph protocol; Dublin Core; RFC 5646 (languages).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from filters.html.jsonld import TAG, TAGS, around, article, text

LONG = 1_000  # characters of a value that are kept

_OPEN = re.compile(
    rb"<(!--|(?:script|style|title|meta|link|html|base|body)(?=[\s/>]))", re.IGNORECASE
)
_ASKED = re.compile(
    rb"title|author|creator|byl|headline|date|issued|published|licen|rights|langu|locale|og:url|"
    rb"canonical|robots|noindex|none|noai|imageai|tdm-"
)
"""What all tags hold that are asked about, in lower case."""

_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_DIGITS = re.compile(r"(?<!\d)(\d{4})([-/.]?)(\d\d)\2(\d\d)(?!\d)")
_MONTH_FIRST = re.compile(r"(?P<m>[A-Z][a-z]{2})[a-z]*\.? (?P<d>\d{1,2}),? (?P<y>\d{4})")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})\.? (?P<m>[A-Z][a-z]{2})[a-z]*\.?,? (?P<y>\d{4})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_COMMONS = re.compile(rb"https?://creativecommons\.org/(?:licenses|publicdomain)/[\w./-]{2,60}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

TITLES = ("og:title", "twitter:title", "dc.title", "dcterms.title", "headline", "title")
AUTHORS = (
    *("author", "article:author", "dc.creator", "dcterms.creator", "citation_author", "byl"),
    *("parsely-author", "sailthru.author"),
)
DATES = (
    *("article:published_time", "datepublished", "dc.date.issued", "dcterms.issued", "dc.date"),
    *("dcterms.date", "date", "pubdate", "publishdate", "publish_date", "parsely-pub-date"),
    *("sailthru.date", "citation_publication_date"),
)
LICENCES = ("dcterms.license", "dc.rights.license", "license", "dcterms.rights", "dc.rights")
LANGUAGES = ("content-language", "og:locale", "dc.language", "dcterms.language")
"""Names of meta tags, the first that says something counts."""


class Head(NamedTuple):
    """What a page says of itself; None: nothing.

    Attributes:
        title: of the text, where the page tells it from that of the site.
        author: names, joined by "; ".
        published: a date of ISO 8601, 2024-05-31.
        declared_language: a tag of RFC 5646, as written.
        licence: a URL, or what is written instead.
        canonical: an absolute URL.
    """

    title: str | None = None
    author: str | None = None
    published: str | None = None
    declared_language: str | None = None
    licence: str | None = None
    canonical: str | None = None


@dataclass
class Tags:
    """What the tags before the body say.

    Attributes:
        meta: of each name in lower case the first that says something.
        metas: all names with what they say, in order.
    """

    meta: dict[str, str] = field(default_factory=dict)
    metas: list[tuple[str, str]] = field(default_factory=list)
    title: str | None = None
    language: str | None = None
    canonical: str | None = None
    base: str | None = None


def head(page: bytes, url: str | None = None) -> Head:
    """What a page says of itself.

    Args:
        page: UTF-8.
        url: its own, which others are relative to.
    """
    tags, data = tags_of(page), article(page)
    base = urljoin_or_none(url, tags.base) or url

    def first(made: Callable[[Any], str | None], *given: Any) -> str | None:
        return next((value for value in map(made, given) if value), None)

    def metas(names: Iterable[str]) -> list[str | None]:
        return [tags.meta.get(name) for name in names]

    return Head(
        first(clean, data.get("headline"), *metas(TITLES), data.get("name"), tags.title),
        first(_names, data.get("author"), *metas(AUTHORS)),
        first(_dated, data.get("datePublished"), *metas(DATES)),
        first(_language, tags.language, data.get("inLanguage"), *metas(LANGUAGES)),
        first(clean, _licensed(page, base), data.get("license"), *metas(LICENCES), _commons(page)),
        first(lambda each: urljoin_or_none(base, each), tags.canonical, tags.meta.get("og:url")),
    )


def base_of(page: bytes, url: str | None) -> str | None:
    """What the links of a page are relative to.

    Args:
        page: UTF-8.
        url: its own, if it is known.
    """
    return urljoin_or_none(url, tags_of(page).base) or url


def clean(value: object) -> str | None:
    """A value without entities and needless white space; None if it is no text, or empty."""
    if not isinstance(value, str):
        return None
    return " ".join(unescape(value).split())[:LONG].strip() or None


def urljoin_or_none(base: str | None, value: object) -> str | None:
    """A URL of the web, made absolute; None if it is none."""
    wanted = clean(value)
    try:
        made = urljoin(base or "", wanted) if wanted else None
        fits = made and urlsplit(made).scheme in ("http", "https") and urlsplit(made).netloc
    except ValueError:
        return None
    return made if fits else None


@lru_cache(maxsize=1)  # of a page that several ask about in turn
def tags_of(page: bytes) -> Tags:
    """What the tags of a page say that stand before its body."""
    tags, at = Tags(), 0
    for _ in range(TAGS):
        found = _OPEN.search(page, at)
        if found is None or found[1].lower() == b"body":
            break
        name = found[1].lower().decode()
        end = page.find(b">", found.end())
        end = len(page) if end < 0 else end
        ends = {"!--": b"-->", "script": b"</script", "style": b"</style"}.get(name)
        if ends is not None:
            at = page.find(ends, found.end())
            if at < 0:
                break
            continue
        at = end + 1
        if name == "title":
            stop = page.find(b"<", at)
            tags.title = tags.title or clean(text(page[at : len(page) if stop < 0 else stop]))
        elif name in ("html", "base") or _ASKED.search(page[found.end() : end].lower()):
            _take(tags, name, attributes(page[found.end() : end]))
    return tags


def _take(told: Tags, name: str, attributes: dict[str, str]) -> None:
    """Note what a tag says."""
    if name == "meta" and (value := clean(attributes.get("content"))):
        for key in ("property", "name", "itemprop", "http-equiv"):
            if called := attributes.get(key):
                called = called.strip().lower()
                told.meta.setdefault(called, value)
                told.metas.append((called, value))
    elif name == "html":
        told.language = told.language or attributes.get("lang") or attributes.get("xml:lang")
    elif name == "base":
        told.base = told.base or attributes.get("href")
    elif name == "link" and "canonical" in attributes.get("rel", "").lower().split():
        told.canonical = told.canonical or attributes.get("href")


def attributes(tag: bytes) -> dict[str, str]:
    """The attributes in a tag; of equal names the first."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text(tag[:TAG])):
        found.setdefault(name.lower(), "".join(values))
    return found


def _licensed(page: bytes, base: str | None) -> str | None:
    """Where a link leads to that calls itself one to the licence."""
    for name, rest, _ in around(page, b"license"):
        if name in ("a", "link", "area"):
            given = attributes(rest)
            if "license" in given.get("rel", "").lower().split() and given.get("href"):
                return urljoin_or_none(base, given["href"]) or clean(given["href"])
    return None


def _commons(page: bytes) -> str | None:
    """The licence of Creative Commons that a page names, if it names one alone."""
    if b"creativecommons.org" not in page:
        return None
    found = {each.rstrip(b"/.").partition(b"://")[2] for each in _COMMONS.findall(page)}
    return f"https://{text(found.pop())}/" if len(found) == 1 else None


def _names(value: object) -> str | None:
    """Names of authors: of a text, of what JSON-LD says; an address is none."""
    each = value if isinstance(value, list) else [value]
    found = (clean(one.get("name") if isinstance(one, dict) else one) for one in each)
    names = dict.fromkeys(name for name in found if name and "://" not in name)
    return "; ".join(names)[:LONG] or None


def _dated(value: object) -> str | None:
    """A day, from whatever a page writes."""
    written = clean(value)
    if written is None:
        return None
    if found := _DIGITS.search(written):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    found = _MONTH_FIRST.search(written) or _DAY_FIRST.search(written)
    if found and found["m"] in _MONTHS:
        return _day(int(found["y"]), 1 + _MONTHS.index(found["m"]), int(found["d"]))
    return None


def _day(year: int, month: int, day: int) -> str | None:
    """A date of the Gregorian calendar, if there is such a day."""
    leaps = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 28 + leaps, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (year and 1 <= month <= 12 and 1 <= day <= lengths[month - 1]):
        return None
    return f"{year:04}-{month:02}-{day:02}"


def _language(value: object) -> str | None:
    """A tag of a language; of several the first."""
    if isinstance(value, dict):  # JSON-LD's Language
        value = value.get("alternateName") or value.get("name")
    written = clean(value[0] if isinstance(value, list) and value else value) or ""
    found = _LANGUAGE.match(written)
    whole = found and written[found.end() :][:1] in ("", ",", ";", " ", ".")
    return found[0].replace("_", "-") if found and whole else None
