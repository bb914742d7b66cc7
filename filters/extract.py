"""From a page to its main text, with one interface to every extractor.

A parser spends time as the square of a page's depth, so a hostile page is refused by size and depth
before a parser sees it (resiliparse 2.0: 50,000 open ``div`` take more than 20 seconds, 50,000
attributes on one tag 5 seconds; nothing crashed it).

Errors::

    PageError(ValueError)
    ├── TooLarge   more characters than `HTML`
    └── TooDeep    more open elements than `DEPTH`, or more work for a parser than `WORK`
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache, partial
from html import unescape
from importlib import import_module
from typing import NamedTuple

from filters.html import nesting

Extractor = Callable[[str], str]
"""A page's decoded HTML to its text: plain, paragraphs parted by newlines, "" if there is none."""

HTML = 16_000_000  # characters of a page
DEPTH = 2_000  # elements open at once; browsers stop at 512, and tools that write pages long before
WORK = 400_000_000  # characters times open elements, see `nesting`; about 3 seconds of parsing
FEW = 200  # characters of main text below which JSON-LD is asked for the article's
SMALL = 100_000  # characters, and
BROKEN = 0.1  # of characters that could not be read, above which a page is no text at all
_FEED = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+|(?><!--.{0,999}?-->)\s*+){0,9}+<(?:rss|feed|rdf:RDF)[\s>]", re.S
)
"""How a feed begins: its entries are other pages."""

TAGS = 3_000  # tags, up to which a page is not measured: it cannot take two seconds


class Found(NamedTuple):
    """What an extractor found.

    Attributes:
        text: plain or Markdown, "" if there is none.
        cut: whether the page has more than our own extractor keeps of one
            (`filters.html.mainblocks`).
    """

    text: str
    cut: bool = False


class PageError(ValueError):
    """A page that no parser should see."""


class TooLarge(PageError):  # noqa: N818 (the name says it)
    """More characters than `HTML`."""


class TooDeep(PageError):  # noqa: N818 (the name says it)
    """More open elements than `DEPTH`, or more work for a parser than `WORK`."""


def text(html: str | bytes, extractor: str = "karez", url: str | None = None) -> str:
    """The main text of a page.

    Args:
        html: decoded, or as UTF-8.
        extractor: as in `resolve`.
        url: the page's own, which links in Markdown are relative to.

    Raises:
        TooLarge, TooDeep: for a page that would take a parser too long.
        Exception: whatever a user's own extractor raises.
    """
    return found(html, extractor, url).text


def found(html: str | bytes, extractor: str = "karez", url: str | None = None) -> Found:
    """The main text of a page, and whether it is all of it; see `text`."""
    first, plus, second = extractor.partition("+")
    if plus:
        one, other = found(html, first, url), found(html, second, url)
        return Found(_both(one.text, other.text), one.cut or other.cut)
    if extractor in KAREZ:
        data = html if isinstance(html, bytes) else html.encode("utf-8", "replace")
        return _karez(data, *KAREZ[extractor], url)
    page = html if isinstance(html, str) else html.decode("utf-8", "replace")
    check(page)
    made = resolve(extractor)(page)
    return Found(made if made.isascii() else made.encode("utf-8", "replace").decode())


def check(html: str) -> None:
    """Refuse a page that would take a parser too long.

    Raises:
        TooLarge, TooDeep: see `PageError`.
    """
    if len(html) > HTML:
        raise TooLarge(f"{len(html):,} characters of HTML; the limit is {HTML:,}")
    if len(html) <= SMALL and html.count("<") <= TAGS:
        return
    found = nesting.measure(html, DEPTH, WORK)
    if found.deepest > DEPTH:
        raise TooDeep(f"more than {DEPTH:,} elements open at once")
    if found.work > WORK:
        raise TooDeep(f"more than {WORK:,} characters times elements open")


@cache
def resolve(name: str) -> Extractor:
    """The extractor of that name: one of `SHIPPED`, or a ``package.module:thing``.

    Two of them joined by ``+`` give the lines of both.

    Raises:
        ValueError: there is none of that name; the message says why.
    """
    if name in SHIPPED:
        return SHIPPED[name]
    first, plus, second = name.partition("+")
    if plus:
        resolve(first), resolve(second)
        return partial(text, extractor=name)
    module, colon, thing = name.partition(":")
    if not colon:
        known = ", ".join(sorted(SHIPPED))
        raise ValueError(
            f"no extractor {name!r}; there are {known} and your own package.module:thing"
        )
    try:
        found = getattr(import_module(module), thing)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"no extractor {name!r}: {error}") from error
    if not callable(found):
        raise ValueError(f"no extractor {name!r}: it is no function")
    return found


@cache
def edition() -> tuple[int, str]:
    """What tells the text of our own extractor from that of another edition: code, and model."""
    from filters.html.maintext import PATH, VERSION

    return VERSION, hashlib.sha256(PATH.read_bytes()).hexdigest()


def _resiliparse(html: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(html, main_content=True, alt_texts=False)


def _trafilatura(html: str) -> str:
    from trafilatura import extract

    return extract(html) or ""


def _karez(data: bytes, mode: str, marked: bool, url: str | None) -> Found:
    import numpy as np

    from filters.html.head import base_of
    from filters.html.maintext import chosen, read
    from filters.html.markdown import markdown
    from filters.html.text import text

    if len(data) > HTML and (size := len(data.decode("utf-8", "replace"))) > HTML:
        raise TooLarge(f"{size:,} characters of HTML; the limit is {HTML:,}")
    if mode != "everything" and _FEED.match(data):
        return Found("")
    main = read(np.frombuffer(data, np.uint8))
    keep, whole = chosen(*main, mode), mode == "everything"
    if marked:
        written = markdown(main.page, keep, base_of(data, url), whole)
    else:
        written = text(main.page, keep, whole)[0].tobytes().decode("utf-8", "replace")
    if written.count("\ufffd") > BROKEN * len(written):
        return Found("", main.cut)
    if len(written) < FEW and not whole:
        written = _told(data) or written
    return Found(written, main.cut)


def _told(page: bytes) -> str | None:
    """The text that JSON-LD has of an article, for pages that a script writes."""
    from filters.html.jsonld import article

    body = article(page).get("articleBody")
    if not isinstance(body, str):
        return None
    lines = (" ".join(line.split()) for line in unescape(body).splitlines())
    text = "\n".join(line for line in lines if line)
    return text if len(text) >= FEW else None


def _both(first: str, second: str) -> str:
    """The lines of one text, and where they belong those that only the other one has."""
    lines = first.split("\n") if first else []
    known = {" ".join(line.split()) for line in lines}
    place, found = 0, list[str]()
    where = {" ".join(line.split()): i for i, line in enumerate(lines)}
    for line in second.split("\n") if second else ():
        key = " ".join(line.split())
        if key in known:
            upto = max(place, where.get(key, -1) + 1)
            found += lines[place:upto]
            place = upto
        else:
            known.add(key)
            found.append(line)
    return "\n".join(found + lines[place:])


_MODES = {"karez": "balanced"} | {f"karez-{m}": m for m in ("precision", "recall", "everything")}
KAREZ = {
    name + "-markdown" * marked: (mode, marked)
    for name, mode in _MODES.items()
    for marked in (False, True)
}
"""Our own extractor: of each name of it the `MODES` of `filters.html.maintext`, and if Markdown."""

SHIPPED: dict[str, Extractor] = {
    "resiliparse": _resiliparse,
    "trafilatura": _trafilatura,
    **{name: partial(text, extractor=name) for name in KAREZ},
}
