"""What an answer means for a URL: fetched, moved, asked for again later, or given up."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from filters import urls
from pipelines.crawl.client import REFUSED, Answer
from pipelines.recipe.crawl import Crawl

STATES = DONE, WAITING, DROPPED = "done", "waiting", "dropped"
"""States of a URL."""

PAGE, IMAGE, SITEMAP = "page", "image", "sitemap"
"""Kinds of a URL: what is done with the answer."""

HOPS = 10  # redirects in a row
LONGEST = 86_400  # seconds until a URL is asked for again
MOVED = (301, 302, 303, 307, 308)
BUSY = (429, 503)

_STAYS = {"too large", "headers too large", "certificate not trusted", "media type", REFUSED}
"""Faults that asking again does not mend."""


class Row(NamedTuple):
    """A URL that is due: columns of `pipelines.crawl.frontier.FRONTIER`."""

    key: int
    url: str
    host: str
    kind: str = PAGE
    depth: int = 0
    hops: int = 0
    tries: int = 0
    etag: str | None = None
    modified: str | None = None
    digest: str | None = None
    record: str | None = None
    fetched: int | None = None  # seconds since 1970


@dataclass
class Outcome:
    """What became of a URL in a round."""

    state: str  # one of `STATES`
    reason: str  # of every one of its kind the same: "status 404", "redirect", "fetched"
    later: float | None = None  # seconds after which it is asked for again; None: never
    rest: float = 0.0  # seconds for which the host is left in peace
    leads: str | None = None  # where a redirect leads, canonical
    ill: bool = False  # whether it speaks against the host, not against the URL
    tried: bool = True  # whether it counts as a try


def judge(row: Row, answer: Answer, crawl: Crawl) -> Outcome:
    """What an answer to a URL means; what the body holds is judged elsewhere."""
    if answer.fault is not None:
        if answer.fault in _STAYS:
            return Outcome(DROPPED, answer.fault)
        return again(row, answer.fault, crawl, ill=True)
    status = answer.status
    if status == 200:
        return Outcome(DONE, "fetched", crawl.recrawl)
    if status == 304 and row.record is not None:
        return Outcome(DONE, "not modified", crawl.recrawl)
    if status in MOVED and (to := answer.header("Location")):
        return _moved(row, to)
    if status in BUSY:
        rest = retry_after(answer.header("Retry-After"))
        found = again(row, f"status {status}", crawl, ill=True)
        found.rest = max(rest, found.later or 0.0)
        found.later = None if found.later is None else found.rest
        return found
    if status >= 500:
        return again(row, f"status {status}", crawl)
    return Outcome(DROPPED, f"status {status}")


def again(row: Row, reason: str, crawl: Crawl, ill: bool = False) -> Outcome:
    """Ask once more, later each time; or give up."""
    if row.tries >= crawl.retries:
        return Outcome(DROPPED, reason, ill=ill)
    return Outcome(WAITING, reason, min(crawl.patience * 2**row.tries, LONGEST), ill=ill)


def _moved(row: Row, to: str) -> Outcome:
    leads = urls.led_to(row.url, to)
    if leads is None:
        return Outcome(DROPPED, "redirect to no URL")
    if leads == row.url:
        return Outcome(DROPPED, "redirect to itself")
    if row.hops >= HOPS:
        return Outcome(DROPPED, "too many redirects")
    return Outcome(DONE, "redirect", leads=leads)


def retry_after(value: str) -> float:
    """Seconds that a server asks to wait; 0 if it says nothing that can be read.

    Source: RFC 9110, section 10.2.3.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), LONGEST))
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(0.0, until - time.time()), LONGEST)
