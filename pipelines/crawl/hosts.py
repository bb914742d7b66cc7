"""A host and the manners towards it: what it says to machines first, then one page after the other.

robots.txt is asked for before anything else, and kept for a day.  Where it cannot be had because
the server fails, nothing is fetched; where there is none, all is allowed.

Source: RFC 9309, Robots Exclusion Protocol, sections 2.3.1 and 2.4.
"""

import heapq
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from filters import consent, urls
from pipelines.crawl.client import REFUSED, Answer, Request
from pipelines.crawl.outcome import BUSY, MOVED, Row, retry_after
from pipelines.readers import http
from pipelines.recipe.crawl import Crawl

ROBOTS, AI, TDM, PROBE = "/robots.txt", "/ai.txt", "/.well-known/tdmrep.json", "probe"
ALLOWED, DISALLOWED, UNREACHABLE, NONE = "allowed", "disallowed", "unreachable", "none"
"""What a host says to us about a URL: see `Host.verdict`."""

KEPT = 86_400  # seconds for which what a host says is kept
READ = 500 * 1024  # bytes of a robots.txt that are read
UNPACKED = 16_000_000  # bytes of one that are unpacked, though nobody asked to pack it
FOLLOWED = 5  # redirects of one, in a row
LONGEST = 600  # seconds of a Crawl-delay beyond which a host is left alone
ILL = 5  # faults in a row after which a host is left alone for this round
PROBED = 20  # pages of a host in a round from which on it is asked for a page that is none


@dataclass
class Said:
    """What a host said to machines, as it is kept from round to round."""

    robots: bytes | None = None  # its robots.txt; None: there is none, or it cannot be reached
    status: str = ""  # "fetched", "none" or "unreachable"
    at: int = 0  # when it was asked, seconds since 1970
    ai_txt: bytes | None = None
    tdm: bytes | None = None  # its tdmrep.json
    lost: str | None = None  # the text of a page that is none; "": it says so; None: not asked
    fetched: int = 0  # pages, in all rounds
    since: float = 0.0  # when it was let be, seconds since 1970
    rest: float = 0.0  # seconds from then on in which it is left in peace
    ill: int = 0  # faults in a row


class Host:
    """A host in a round.

    Args:
        name: scheme, host and port.
        rows: its URLs that are due, the first first.
        said: what is known of it.
        crawl: as asked for.
        now: seconds since 1970.

    Attributes:
        next: monotonic second from which on it may be asked.
        busy: requests under way.
        listed: whether its next turn is set.
        refused: whether its address must not be asked.
    """

    def __init__(self, name: str, rows: Iterable[Row], said: Said, crawl: Crawl, now: float):
        self.name, self.queue, self.said, self.crawl = name, deque(rows), said, crawl
        self.next, self.busy, self.listed = 0.0, 0, False
        self.digests: set[str] = set()
        self.refused = False
        self._moved: Request | None = None
        wants = [PROBE] * (said.lost is None and len(self.queue) >= PROBED)
        is_old = not 0 <= now - said.at < KEPT  # or from the future: the clock was set back
        if not said.status or is_old or said.status == UNREACHABLE:
            wants += [TDM, AI, ROBOTS]
            self.said = replace(said, robots=None, status="", at=int(now), ai_txt=None, tdm=None)
        self._read()
        self._first = [each for each in wants if ROBOTS in wants or self._may(each)]
        self.rest(said.rest - max(0.0, now - said.since), time.monotonic())

    def _read(self) -> None:
        self.rules = consent.rules_of(self.said.robots or b"")
        asked = self.rules.delay(self.crawl.agent)
        self.delay = max(self.crawl.delay, asked or 0.0)
        self._ai = consent.ai_txt(self.said.ai_txt) if self.said.ai_txt else None

    @property
    def is_ready(self) -> bool:
        """Whether all was asked that comes before its pages."""
        return not self._first

    def first(self) -> Request | None:
        """What to ask before the first page; None: nothing, or an answer is awaited."""
        if not self._first or self.busy:
            return None
        moved, self._moved = self._moved, None
        return moved or self._special(self._first[-1], None, 0)

    def leave(self) -> None:
        """Ask nothing more of this kind in this round."""
        self._first = []

    def _special(self, what: str, url: str | None, hops: int) -> Request:
        path = f"/{self.crawl.agent}-{secrets.token_hex(6)}" if what == PROBE else what
        asks = {"Accept-Encoding": "identity"}  # what is packed cannot be read in part
        return Request(url or self.name + path, (self, what, hops), asks, size=READ, partial=True)

    def answered(self, request: Request, answer: Answer) -> None:
        """Take the answer to such a question; where a redirect leads is asked for next."""
        _, what, hops = request.about
        to = answer.header("Location") if answer.status in MOVED else ""
        if to and hops < FOLLOWED and (url := urls.led_to(request.url, to)):
            self._moved = self._special(what, url, hops + 1)
            return
        self._first.pop()
        is_there = answer.status == 200 and answer.fault in (None, "too large")
        body = _body(answer) if is_there else None
        if what == ROBOTS:
            self._robots(answer, body)
        elif what == AI:
            self.said.ai_txt = body
        elif what == TDM:
            self.said.tdm = body
        else:
            self.said.lost = words(body, request.url) if body is not None else ""
        if what in (ROBOTS, AI):  # rules by the thousand take their time
            self._read()
        self._first = [each for each in self._first if self._may(each)]

    def _may(self, what: str) -> bool:
        """Whether it may be asked that; robots.txt always."""
        path = "/" if what == PROBE else what
        return what == ROBOTS or self.rules.allows(self.name + path, self.crawl.agent)

    def _robots(self, answer: Answer, body: bytes | None) -> None:
        """RFC 9309, section 2.3.1: 4xx is no rules, all else that is no rules is no access."""
        if body is not None:
            self.said.robots, self.said.status = body, "fetched"
        elif 400 <= answer.status < 500 and answer.status not in BUSY:
            self.said.status = NONE
        else:
            self.said.status = UNREACHABLE
            self.refused = answer.fault == REFUSED
            self.leave()
            self.rest(retry_after(answer.header("Retry-After")), time.monotonic())

    @property
    def sitemaps(self) -> list[str]:
        """Where its sitemaps are, canonical; those on other domains are not its own."""
        found = (urls.led_to(f"{self.name}/", each) for each in self.rules.sitemaps)
        domain = urls.site(self.name)[1]
        return [url for url in found if url and urls.site(url)[1] == domain]

    def verdict(self, url: str) -> str:
        """What it says to us about a URL."""
        if self.said.status in (UNREACHABLE, NONE):
            return self.said.status
        return ALLOWED if self.rules.allows(url, self.crawl.agent) else DISALLOWED

    def consent(self, url: str) -> dict[str, Any]:
        """What is kept beside an answer: see `filters.consent`."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        reserved, policy = consent.tdm_rep(self.said.tdm, path) if self.said.tdm else (None, None)
        return {
            "robots": self.verdict(url),
            "agents": consent.refused(self.rules, url) if self.said.robots else [],
            "ai_txt": self._ai,
            "tdm": reserved,
            "tdm_policy": policy,
        }

    def asked(self, now: float) -> None:
        """A request was sent."""
        self.busy += 1
        self.next = now + self.delay

    def rest(self, seconds: float, now: float) -> None:
        """Leave it in peace."""
        self.next = max(self.next, now + seconds)

    def keep(self) -> None:
        """Note for the next round how long it is to be left in peace."""
        self.said.since = time.time()
        self.said.rest = max(0.0, self.next - time.monotonic())

    def is_lost(self, url: str, text: bytes) -> bool:
        """Whether a page is the one that it gives for what is not there."""
        lost = self.said.lost
        if not lost:
            return False
        one, other = set(lost.split()), set(words(text, url).split())
        return len(one & other) >= 0.9 * len(one | other)


class Turns:
    """Hosts by when they may be asked next."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._heap: list[tuple[float, str]] = []  # when each may be asked next
        for host in self._hosts.values():
            self.back(host)

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def due(self, now: float) -> Host | None:
        """A host whose turn it is, taken out until it is given `back`."""
        while self._heap and self._heap[0][0] <= now:
            host = self._hosts[heapq.heappop(self._heap)[1]]
            host.listed = False
            if host.next <= now:
                return host
            self.back(host)  # it was left in peace meanwhile
        return None

    def back(self, host: Host) -> None:
        """It has more to be asked, from its `next` on."""
        if not host.listed:
            host.listed = True
            heapq.heappush(self._heap, (host.next, host.name))

    @property
    def is_empty(self) -> bool:
        """Whether no turn is set."""
        return not self._heap

    def until(self, now: float) -> float:
        """Seconds until the next turn; 1 if there is none."""
        return min(1.0, max(0.0, self._heap[0][0] - now)) if self._heap else 1.0

    def waiting(self, now: float) -> int:
        """Hosts whose turn is to come."""
        return sum(at > now for at, _ in self._heap)


def words(page: bytes, url: str) -> str:
    """What a page says, without its own address and without numbers; for comparing.

    "" if it says nothing that can be read.
    """
    from filters import extract

    try:
        text = extract.text(page, "karez-everything", url)
    except Exception:  # whatever a parser trips over
        return ""
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    kept = (w for w in text.split() if (not name or name not in w) and not any(map(str.isdigit, w)))
    return " ".join(kept)[:20_000]


def _body(answer: Answer) -> bytes | None:
    """The beginning of an answer's body, decoded; None if it is not what it says."""
    try:
        body = http.decode(answer.body, "", answer.header("Content-Encoding"), UNPACKED)
    except http.CodingError:
        return None
    return body[: READ + 1]  # one more says that there is more
