"""Sites that a crawler must get past: each with what becomes of its pages, in the end.

A site is asked for ``/x`` first.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from tests.helpers.hostile import Answer, Site, Talk, html, message, moved, page

SIZE = 200_000  # bytes of an answer that a crawl takes, at most
LONG = b"<p>word</p>" * 100_000

Ends = dict[str, str]
"""Path to the last reason of the log."""


@dataclass
class Hostile:
    """A site, and what becomes of it."""

    site: Site
    ends: Ends = field(default_factory=dict)


def one(answer: Answer, reason: str) -> Hostile:
    """A site of one page."""
    return Hostile({"/x": answer}, {"/x": reason})


def with_robots(robots: Answer, reason: str) -> Hostile:
    """One that says something to machines first."""
    return Hostile({"/robots.txt": robots, "/x": page()}, {"/x": reason})


def then(*steps: bytes | Callable[[Talk], None]) -> Answer:
    """Bytes to be sent, and things to be done, in order."""

    def answer(talk: Talk) -> None:
        for step in steps:
            if isinstance(step, bytes):
                talk.send(step)
            else:
                step(talk)

    return answer


def endless(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        talk.send(LONG)


def endless_head(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1_000):
        talk.send(b"".join(b"X-%d: y\r\n" % n for n in range(1_000)))


def coded(body: bytes, coding: str) -> bytes:
    return message(body, Content_Encoding=coding)


def raw(body: bytes) -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packed.compress(body) + packed.flush()


def packed(body: bytes, coding: str) -> bytes:
    return pa.compress(body, coding, asbytes=True)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PAGE = html("/y").encode()
LEADS: Ends = {"/x": "fetched", "/y": "fetched"}
LOST: Ends = {"/x": "fetched", "/y": "status 404"}
ROBOTS = message("User-agent: *\nDisallow: /", kind="text/plain")


def leads(answer: bytes) -> Hostile:
    """A page whose link is found, whatever it is packed in."""
    return Hostile({"/x": answer, "/y": page()}, LEADS)


BODIES = {
    "endless": one(endless, "too large"),
    "announced": one(message(PAGE, Content_Length=10**12), "too large"),
    "short": one(then(message(PAGE, Content_Length=10_000), Talk.close), "cut off"),
    "long": Hostile({"/x": then(message(PAGE + LONG, Content_Length=len(PAGE)), Talk.close)}, LOST),
    "twice": one(
        message(PAGE, Content_Length="5").replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n", 1),
        "broken answer",
    ),
    "negative": one(message(PAGE, Content_Length=-1), "broken answer"),
    "empty": one(message(), "empty"),
    "picture": one(message(b"\x89PNG", kind="image/png"), "media type"),
    "charset": leads(message(PAGE, kind="text/html; charset=utf-16")),
    "mixed": leads(message(PAGE + "é".encode() + b"\xe9\xff\x00", kind='text/html; charset="?"')),
    "drip": one(lambda talk: talk.drip(message(LONG), 0.2), "too slow"),
    "silent": one(Talk.hang, "too slow"),
    "hungbody": one(then(message(PAGE, Content_Length=10_000), Talk.hang), "too slow"),
    "nochunks": one(CHUNKED + b"zz\r\n", "cut off"),
    "halfchunk": one(then(CHUNKED + b"64\r\nhalf", Talk.close), "cut off"),
    "hugechunk": one(then(CHUNKED + b"f" * 40 + b"\r\n", Talk.close), "cut off"),
    "chunks": leads(
        CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in PAGE) + b"0\r\nX-Trailer: 1\r\n\r\n"
    ),
    "deep": leads(message(b"<div>" * 20_000 + PAGE)),
}

CODINGS = {
    "gzip": leads(coded(gzip.compress(PAGE), "gzip")),
    "brotli": leads(coded(packed(PAGE, "brotli"), "br")),
    "zstd": leads(coded(packed(PAGE, "zstd"), "zstd")),
    "twofold": leads(coded(packed(gzip.compress(PAGE), "zstd"), "gzip, zstd")),
    "rawdeflate": leads(coded(raw(PAGE), "deflate")),
    "zlib": leads(coded(zlib.compress(PAGE), "deflate")),
    "liar": leads(coded(PAGE, "gzip")),
    "deflateliar": one(coded(gzip.compress(PAGE), "deflate"), "broken encoding"),
    "broken": one(coded(gzip.compress(PAGE)[:40], "gzip"), "broken encoding"),
    "rotten": one(coded(b"\x1f\x8b" + bytes(90), "gzip"), "broken encoding"),
    "brokenbr": one(coded(packed(LONG, "brotli")[:20], "br"), "broken encoding"),
    "unknown": one(coded(PAGE, "sdch"), "unknown encoding"),
    "bomb": one(coded(gzip.compress(bytes(100_000_000), 9), "gzip"), "too large"),
    "brbomb": one(coded(packed(bytes(100_000_000), "brotli"), "br"), "too large"),
    "zstdbomb": one(coded(packed(bytes(100_000_000), "zstd"), "zstd"), "too large"),
    "members": one(coded(gzip.compress(b"") * 9_000, "gzip"), "empty"),
    "onion": one(coded(PAGE, ", ".join(["gzip"] * 99)), "unknown encoding"),
}

HEADS = {
    "headers": one(then(HEAD, *[b"X-Long: " + b"y" * 60_000 + b"\r\n"] * 170), "headers too large"),
    "million": one(endless_head, "headers too large"),
    "oneline": one(then(HEAD, b"X: " + b"y" * 10_000_000), "headers too large"),
    "old": one(then(b"<html>I am HTTP/0.9</html>", Talk.close), "broken answer"),
    "zero": one(message(PAGE, status="000 Nothing"), "broken answer"),
    "status": one(message(PAGE, status="999 Denied"), "status 999"),
    "informed": leads(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + message(PAGE)),
    "nul": one(message(PAGE, X="a\0b"), "broken answer"),
    "latin": leads(message(PAGE, ETag='"é"', Last_Modified="é", X="\xff")),
    "nothing": one(Talk.close, "cut off"),
    "reset": one(Talk.reset, "cut off"),
    "resethead": one(then(HEAD, Talk.reset), "cut off"),
    "resetbody": one(then(message(PAGE, Content_Length=9_999), Talk.reset), "cut off"),
    "folded": leads(message(PAGE).replace(b"\r\n", b"\r\nX-Fold: a\r\n b\r\n", 1)),
    "gone": one(message(status="410 Gone"), "status 410"),
    "failing": one(message(PAGE, status="500 Oh"), "status 500"),
    "busy": one(message(status="429 Slow", Retry_After="99999999999"), "status 429"),
    "away": one(
        message(status="503 Away", Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"), "status 503"
    ),
}

REDIRECTS = {
    "loop": Hostile({"/x": moved("/y"), "/y": moved("/x")}, {"/x": "redirect", "/y": "redirect"}),
    "itself": one(moved("/x"), "redirect to itself"),
    "session": one(moved("/x?PHPSESSID=1#top"), "redirect to itself"),
    "chain": Hostile(
        lambda path: moved(f"/{'x' * (len(path))}") if path[:2] == "/x" else None,
        {"/" + "x" * 11: "too many redirects"},
    ),
    "file": one(moved("file:///etc/passwd"), "redirect to no URL"),
    "gopher": one(moved("gopher://127.0.0.1:6379/_FLUSHALL"), "redirect to no URL"),
    "script": one(moved("javascript:alert(1)"), "redirect to no URL"),
    "brackets": one(moved("http://[::1/"), "redirect to no URL"),
    "blank": one(moved(""), "status 302"),
    "elsewhere": one(moved("http://no.example/"), "redirect"),
    "spaces": Hostile(
        {"/x": moved(" /y z\t"), "/y%20z": page()}, {"/x": "redirect", "/y%20z": "fetched"}
    ),
}


def circles(path: str) -> Answer | None:
    """robots.txt that leads from one place to the next without end."""
    return page() if path == "/x" else moved(f"{path}a")


RULES = {
    "rules500": with_robots(message(status="500 Oh"), "robots.txt unreachable"),
    "rules429": with_robots(message(status="429 Slow"), "robots.txt unreachable"),
    "rulesreset": with_robots(Talk.reset, "robots.txt unreachable"),
    "rulesslow": with_robots(Talk.hang, "robots.txt unreachable"),
    "ruleshalf": with_robots(
        then(message("User-agent: *", Content_Length=99), Talk.close), "robots.txt unreachable"
    ),
    "rulesloop": Hostile(circles, {"/x": "robots.txt unreachable"}),
    "rulesfile": with_robots(moved("file:///etc/passwd"), "robots.txt unreachable"),
    "rules403": with_robots(message(status="403 No"), "fetched"),
    "ruleshtml": with_robots(page(), "fetched"),
    "rulesempty": with_robots(message(), "fetched"),
    "rulesno": with_robots(ROBOTS, "robots.txt"),
    "rulesbom": with_robots(message(b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /x"), "robots.txt"),
    "rulescr": with_robots(message("User-agent: *\rDisallow: /x\r"), "robots.txt"),
    "rulesopen": with_robots(message("User-agent: *\nDisallow: /x"), "robots.txt"),
    "rulesus": with_robots(
        message("User-agent: *\nDisallow: /\n\nUser-agent: karez\nAllow: /"), "fetched"
    ),
    "rulesagainstus": with_robots(
        message("User-agent: *\nAllow: /\n\nUser-Agent: KAREZ\nDisallow: /"), "robots.txt"
    ),
    "ruleslong": with_robots(
        message("User-agent: *\nDisallow: /x\n" + "# long\n" * 150_000), "robots.txt"
    ),
    "ruleslate": with_robots(
        message("User-agent: *\n" + "# long\n" * 150_000 + "Disallow: /x\n"), "fetched"
    ),
    "rulespacked": with_robots(
        coded(gzip.compress(b"User-agent: *\nDisallow: /x"), "gzip"), "robots.txt"
    ),
    "rulesbomb": with_robots(
        coded(gzip.compress(b"User-agent: *\nDisallow: /x\n" + bytes(9_000_000)), "gzip"),
        "robots.txt",
    ),
    "rulesrotten": with_robots(coded(b"\x1f\x8b" + bytes(90), "gzip"), "robots.txt unreachable"),
    "rulesdelay": with_robots(message("User-agent: *\nCrawl-delay: 1000"), "Crawl-delay too long"),
    "rulesnodelay": with_robots(message("User-agent: *\nCrawl-delay: -1e999"), "fetched"),
    "rulesmoved": Hostile(
        {"/robots.txt": moved("/r", "301 Moved"), "/r": ROBOTS, "/x": page()}, {"/x": "robots.txt"}
    ),
}

HOSTILE = {**BODIES, **CODINGS, **HEADS, **REDIRECTS, **RULES}
"""By name of the host."""
