"""A round's fetching: many hosts at once, each in its turn, in one thread."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.crawl.archive import Archive, Place, digest
from pipelines.crawl.client import HANDLES, REFUSED, Answer, Client, Request
from pipelines.crawl.hosts import ALLOWED, ILL, LONGEST, NONE, UNREACHABLE, Host, Turns
from pipelines.crawl.outcome import (
    DONE,
    DROPPED,
    IMAGE,
    PAGE,
    SITEMAP,
    WAITING,
    Outcome,
    Row,
    again,
    judge,
)
from pipelines.crawl.pages import Follower, New, body_of, fault_of, wanted
from pipelines.crawl.scope import Scope
from pipelines.readers.pages import HTML, brief
from pipelines.recipe.crawl import Crawl
from pipelines.runs.refusals import Refusals

TELL = 1.0  # seconds between two words on how it goes
SITEMAPS = 500  # that a robots.txt may name


@dataclass
class Live:
    """How a round goes."""

    pages: int = 0
    bytes: int = 0
    hosts: int = 0
    queued: int = 0
    waiting: int = 0
    flying: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class Round:
    """One task's share of a round.

    Args:
        crawl: as asked for.
        hosts: with their URLs.
        archive: open.
        refusals: what must not be fetched.
        left: pages that may still be fetched.
        tell: is told how it goes, once a second.

    Attributes:
        found: URLs that were found, each with its kind, depth and hops.
        lines: what became of each URL, as it was logged.
    """

    def __init__(
        self,
        crawl: Crawl,
        hosts: list[Host],
        archive: Archive,
        refusals: Refusals,
        left: int,
        tell: Callable[[Live], None],
    ) -> None:
        self.crawl, self.archive, self.refusals = crawl, archive, refusals
        self.turns, self.left, self.tell = Turns(hosts), left, tell
        self.found: dict[str, tuple[str, int, int]] = {}
        self.lines: list[Mapping[str, Any]] = []
        self.live = Live(hosts=len(hosts))
        self.scope = Scope(crawl)
        self.follower = Follower(self.scope, crawl.images)
        self.client = Client(crawl.user_agent, crawl.timeout, crawl.private, crawl.certificates)

    def go_on(self) -> None:
        """Find again what a task that was cut off had found, in what it had kept."""
        hosts = {host.name: host for host in self.turns}
        for line in self.archive.logged:
            row = Row(*(line[name] for name in Row._fields))
            host = hosts[row.host]
            host.said.fetched += line["new"]
            for url, kind, depth in line.get("found", ()):
                self.find((url, kind, depth))
            if line["leads"]:
                self._led(row, line["leads"])
            elif line["reason"] == "fetched":
                answer = self.archive.answer(line)
                body = body_of(answer, self.crawl.size)
                if not isinstance(body, Outcome):
                    self._follow(host, row, answer, body, line["digest"])

    def run(self, seconds: float) -> None:
        """Fetch until nothing is left, or the time is over; what was not asked for stays due."""
        end, told = time.monotonic() + seconds, 0.0
        try:
            for host in self.turns:
                self._settle(host)
            while True:
                now = time.monotonic()
                is_over = now >= end or self.left <= 0
                if not is_over:
                    self._ask_all(now)
                if not len(self.client) and (is_over or self.turns.is_empty):
                    break
                is_full = is_over or len(self.client) >= HANDLES  # then only answers matter
                self._wait(1.0 if is_full else self.turns.until(now))
                if now - told >= TELL:
                    told = now
                    self._tell(now)
        finally:
            self.client.close()
            self._tell(time.monotonic())
            for host in self.turns:
                host.keep()

    def _tell(self, now: float) -> None:
        self.live.queued = sum(len(host.queue) for host in self.turns)
        self.live.waiting, self.live.flying = self.turns.waiting(now), len(self.client)
        self.tell(self.live)

    def _wait(self, seconds: float) -> None:
        if not len(self.client):
            time.sleep(seconds)
        for request, answer in self.client.wait(seconds):
            host = request.about[0]
            host.busy -= 1
            if isinstance(request.about[1], Row):
                self._answered(host, request.about[1], answer)
            else:
                self._told(host, request, answer)
            self._back(host)

    def _ask_all(self, now: float) -> None:
        while len(self.client) < HANDLES and self.left > 0 and (host := self.turns.due(now)):
            request = host.first() or self._next(host)
            if request is not None:
                host.asked(now)
                self.client.send(request)
            self._back(host)

    def _back(self, host: Host) -> None:
        """Give a host its next turn, if it has more to be asked and may be asked now."""
        free = host.busy < (self.crawl.connections if host.is_ready else 1)
        if free and (host.queue or not host.is_ready):
            self.turns.back(host)

    def _next(self, host: Host) -> Request | None:
        """The request for the next URL of a host that may be fetched."""
        while host.is_ready and host.queue:
            row = host.queue.popleft()
            barred = self._barred(host, row)
            if barred is not None:
                self._log(row, Outcome(DROPPED, barred))
                continue
            headers = {}
            if row.record is not None:
                known = {"If-None-Match": row.etag, "If-Modified-Since": row.modified}
                headers = {name: value for name, value in known.items() if value}
            self.left -= _is_new(row)
            size = self.crawl.image_size if row.kind == IMAGE else self.crawl.size
            return Request(row.url, (host, row), headers, size, wants=wanted(row.kind))
        return None

    def _barred(self, host: Host, row: Row) -> str | None:
        """Why a URL must not be fetched."""
        if self.refusals.refused(row.url, None):
            return "forgotten"
        if row.kind == PAGE and not self.scope.holds(row.url):  # the recipe was changed
            return "out of scope"
        return None if host.verdict(row.url) in (ALLOWED, NONE) else "robots.txt"

    def _told(self, host: Host, request: Request, answer: Answer) -> None:
        """What a host says before its first page."""
        host.answered(request, answer)
        if host.is_ready and self.crawl.sitemaps:
            for url in host.sitemaps[:SITEMAPS]:
                self.find((url, SITEMAP, 0))
        self._settle(host)

    def _settle(self, host: Host) -> None:
        """Give up what a host is not to be asked for in this round."""
        rest = host.next - time.monotonic()
        if host.refused:
            self._give_up(host, lambda row: Outcome(DROPPED, REFUSED))
        elif host.is_ready and host.said.status == UNREACHABLE:
            self._give_up(host, lambda row: again(row, "robots.txt unreachable", self.crawl))
        elif host.delay > max(LONGEST, self.crawl.delay):
            self._give_up(host, lambda row: Outcome(DROPPED, "Crawl-delay too long"))
        elif rest > max(LONGEST, self.crawl.delay):
            self._give_up(host, lambda row: Outcome(WAITING, "host rests", rest, tried=False))

    def _give_up(self, host: Host, why: Callable[[Row], Outcome]) -> None:
        host.leave()
        rest = host.next - time.monotonic()
        while host.queue:
            row = host.queue.popleft()
            outcome = why(row)
            if outcome.later is not None:
                outcome.later = max(outcome.later, rest)
            self._log(row, outcome)

    def _answered(self, host: Host, row: Row, answer: Answer) -> None:
        outcome, now = judge(row, answer, self.crawl), time.time()
        place: Place | None = None
        changes: dict[str, Any] = {}
        if outcome.reason == "fetched":
            outcome, place, changes = self._fetched(host, row, answer, outcome, now)
        elif outcome.reason == "not modified":
            place, changes = self._revisit(row, answer, "not modified", now)
        elif outcome.leads:
            self._led(row, outcome.leads)
        if outcome.reason != "fetched":
            self.left += _is_new(row)
        self._log(row, outcome, answer, place, changes)
        self._judge_host(host, outcome)

    def _judge_host(self, host: Host, outcome: Outcome) -> None:
        host.said.ill = host.said.ill + 1 if outcome.ill else 0
        now = time.monotonic()
        host.rest(outcome.rest, now)
        if outcome.rest > LONGEST:
            later = outcome.rest
            self._give_up(host, lambda row: Outcome(WAITING, outcome.reason, later, tried=False))
        elif host.said.ill >= ILL:
            self._give_up(host, lambda row: again(row, f"host: {outcome.reason}", self.crawl))
        elif host.said.ill:
            host.rest(host.delay * 2**host.said.ill, now)

    def _fetched(
        self, host: Host, row: Row, answer: Answer, outcome: Outcome, now: float
    ) -> tuple[Outcome, Place | None, dict[str, Any]]:
        """Keep a page, or say why not."""
        body = body_of(answer, self.crawl.size)
        if isinstance(body, Outcome):
            return body, None, {}
        if row.kind == SITEMAP:
            listed = list(self.follower.sitemap(row, body))
            for new in listed:
                self.find(new)
            return Outcome(DONE, "sitemap", self.crawl.recrawl), None, {"found": listed}
        known = digest(answer.body)
        if row.record is not None and known == row.digest:
            return Outcome(DONE, "same", outcome.later), *self._revisit(row, answer, "same", now)
        if (fault := _fault(host, row, answer, body)) is not None:
            return fault, None, {}
        place, record = self.archive.response(row.url, answer, now, host.consent(row.url))
        if row.kind == IMAGE:
            outcome.reason = "image"
        else:
            host.said.fetched += _is_new(row)
            self._follow(host, row, answer, body, known)
        kept = {"digest": known, "record": record, "fetched": int(now)}  # as the record dates it
        return outcome, place, {**_version(answer), **kept}

    def _follow(self, host: Host, row: Row, answer: Answer, body: bytes, digest_: str) -> None:
        """Note where a page leads; one under many URLs leads on but once."""
        if digest_ not in host.digests:
            host.digests.add(digest_)
            for new in self.follower.page(row, answer, body):
                self.find(new)

    def _led(self, row: Row, to: str) -> None:
        """Note where a redirect leads, if that is in scope."""
        if row.kind == IMAGE or self.scope.holds(to):
            self.find((to, row.kind, row.depth), row.hops + 1)

    def _revisit(
        self, row: Row, answer: Answer, profile: str, now: float
    ) -> tuple[Place, dict[str, Any]]:
        place = self.archive.revisit(row, answer, now, profile)
        kept = {"fetched": row.fetched}  # when the record was written that holds the body
        return place, {**{n: v for n, v in _version(answer).items() if v}, **kept}

    def find(self, new: New, hops: int = 0) -> None:
        """Note a URL that was found, unless it is refused: its name is not to be kept."""
        url, kind, depth = new
        before = self.found.get(url)
        if before is None and self.refusals.refused(url, None):
            return
        if before is None or (depth, hops, kind) < (before[1], before[2], before[0]):
            self.found[url] = kind, depth, hops

    def _log(
        self,
        row: Row,
        outcome: Outcome,
        answer: Answer | None = None,
        place: Place | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        now = time.time()
        line = {
            **row._asdict(),
            **(changes or {}),
            "state": outcome.state,
            "reason": outcome.reason,
            "tries": row.tries + outcome.tried if outcome.state == WAITING else 0,
            "next": None if outcome.later is None else int(now + outcome.later),
            "leads": outcome.leads,
            "new": outcome.reason == "fetched" and _is_new(row),
            "time": now,
        }
        if answer is not None:
            line |= {
                "status": answer.status,
                "detail": brief(answer.detail),
                "bytes": len(answer.body),
                "seconds": answer.seconds,
            }
            self.live.bytes += len(answer.body)
        if place is not None:
            line |= place._asdict()
        self.archive.log(line)
        line.pop("found", None)  # the log alone needs it
        self.lines.append(line)
        self.live.pages += outcome.reason == "fetched"
        self.live.reasons[outcome.reason] += 1


def _fault(host: Host, row: Row, answer: Answer, body: bytes) -> Outcome | None:
    """Why what was sent is not kept."""
    if row.kind == IMAGE:
        return fault_of(body)
    is_lost = answer.media_type in HTML and host.is_lost(row.url, body)
    return Outcome(DROPPED, "soft 404") if is_lost else None


def _is_new(row: Row) -> bool:
    """Whether it is a page that was not fetched before."""
    return row.kind == PAGE and row.record is None


def _version(answer: Answer) -> dict[str, str | None]:
    """What an answer says of its version, for asking again."""
    return {
        "etag": answer.header("ETag") or None,
        "modified": answer.header("Last-Modified") or None,
    }
