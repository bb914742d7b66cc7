"""Copies and near copies of pages, as mirrors of a site hold them."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.data import warcs
from tests.data.pages import MAIN, TAG, Page, jaccard, words

SHARES = (0.01, 0.03, 0.05, 0.10)  # of the words, that a near copy has changed

BEFORE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>The manual shelf</title></head><body>
<header><p>The manual shelf: free manuals for everyone, mirrored every night.</p><nav><ul>
<li><a href="/">Home</a></li><li><a href="/new">New on the shelf</a></li>
<li><a href="/mirrors">All mirrors</a></li><li><a href="/about">About us</a></li>
</ul></nav></header>
<div class="cookie-notice"><p>We use cookies to remember which manuals you read last. By reading on
you agree to our cookie rules, which you can read again on the page about us at any time.</p></div>
<div class="content">"""
AFTER = """</div>
<footer><p>Was this page useful? Tell us what is missing and we will pass it on.</p>
<p>Subscribe to our letter and hear of new manuals once a month.</p>
<ul><li><a href="/terms">Terms of use</a></li><li><a href="/privacy">Privacy</a></li></ul>
<p>All names belong to their owners. The shelf keeps copies, the authors keep their rights.</p>
</footer></body></html>"""


@dataclass(frozen=True, slots=True)
class Case:
    """One planted thing."""

    kind: str
    url: str | None  # None where there is no record
    expect: str  # what a reader, or the dedup after it, should do
    member: bytes  # as it stands in the file
    made_from: str | None = None  # the page's own URL
    more: dict[str, object] = field(default_factory=dict)  # what else a test can check


def framed(page: str, before: str, main: str, after: str) -> str:
    """A page with its main part, and what stands around it, replaced; "" keeps the old."""
    old = MAIN.search(page)
    if not old:
        raise ValueError(f"no main part in {page[:60]!r}")
    around = (before or page[: old.start(1)], after or page[old.end(1) :])
    return around[0] + main + around[1]


def main_part(page: str) -> str:
    """The HTML between header and footer."""
    found = MAIN.search(page)
    return found[1] if found else ""


def edited(page: str, share: float, stock: list[str], draw: random.Random) -> str:
    """The page with a share of its words replaced; no tag is touched.

    Args:
        page: HTML.
        share: of the words of the main part.
        stock: words to put in.
        draw: which words, and by what.
    """
    nodes = [re.split(r"(\s+)", node) for node in TAG.split(main_part(page))]
    spots = [
        (i, j)
        for i in range(0, len(nodes), 2)  # tags have the odd numbers
        for j, word in enumerate(nodes[i])
        if word.isalpha()
    ]
    for i, j in draw.sample(spots, max(1, round(share * len(words(page))))):
        nodes[i][j] = draw.choice(stock)
    return framed(page, "", "".join(piece for node in nodes for piece in node), "")


def copy(kind: str, page: Page, text: str, similar: float, host: str) -> Case:
    """A page under another host's name.

    Args:
        kind: what was done.
        page: the original.
        text: the copy's HTML.
        similar: Jaccard of the 5-word shingles of both main parts.
        host: of the copy.
    """
    expect = "duplicate" if text == page.html else "near duplicate"
    url = f"https://{host}/{page.url.removeprefix('https://')}"
    member = warcs.gzip(warcs.response(url, text.encode())[1])
    return Case(kind, url, f"{expect} of {page.url}", member, page.url, {"jaccard": similar})


def mirror(clean: dict[str, list[Page]], draw: random.Random) -> Iterator[Case]:
    """Everything in mirror.warc.gz.  Each page of the clean files is copied at most once."""
    left = {name: draw.sample(pages, len(pages)) for name, pages in clean.items()}
    spaced = [name for name in left if name != "help-ja"]  # Japanese has no words between spaces
    for name in left:
        page = left[name].pop()
        yield copy("exact copy", page, page.html, 1.0, "mirror.example.org")
    for name in ("postgresql", "help-de"):
        page = left[name].pop()
        later = {"WARC-Date": "2023-07-01T12:00:00Z"}
        member = warcs.gzip(warcs.response(page.url, page.html.encode(), fields=later)[1])
        yield Case(
            "captured twice",
            page.url,
            f"duplicate of {page.url}",
            member,
            page.url,
            {"jaccard": 1.0},
        )
    for name in spaced:
        stock = sorted({w for p in clean[name] for w in words(p.html) if w.isalpha() and w[3:]})
        for share in SHARES:
            page = left[name].pop()
            text = edited(page.html, share, stock, draw)
            kind = f"{share:.0%} of words changed".replace("%", " %")
            similar = round(jaccard(words(page.html), words(text)), 3)
            yield copy(kind, page, text, similar, "mirror.example.org")
    for name in spaced:
        page = left[name].pop()
        text = framed(page.html, BEFORE, main_part(page.html), AFTER)
        yield copy("other header and footer", page, text, 1.0, "shelf.example.net")
