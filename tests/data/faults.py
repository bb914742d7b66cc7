"""Faults that a crawl brings home: of pages, of servers, of files."""

import base64
import random
from collections.abc import Iterator
from dataclasses import replace

from tests.data import warcs
from tests.data.near import Case, framed, main_part
from tests.data.pages import Page, words

PIXEL = base64.b64decode(  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SITE = "https://faults.example.org/"
DROPPED: dict[str, object] = {"then": "dropped"}  # a document, but rules should drop it
CHARSETS = (  # kind, source, encoding, byte order mark, in the HTTP header, in the page
    ("windows-1252 named by the page", "help-de", "cp1252", b"", "", "windows-1252"),
    ("windows-1252 named nowhere", "help-fr", "cp1252", b"", "", ""),
    ("utf-8 with mark, header lies", "help-fr", "utf-8", b"\xef\xbb\xbf", "iso-8859-1", ""),
    ("utf-16 with mark", "help-es", "utf-16-le", b"\xff\xfe", "", ""),
    ("utf-16 named by the header", "help-ru", "utf-16-be", b"", "utf-16be", ""),
    ("shift_jis named by the header", "help-ja", "shift_jis", b"", "shift_jis", ""),
    ("koi8-r named nowhere", "help-ru", "koi8-r", b"", "", ""),
)


def place(kind: str) -> str:
    """A fault's URL."""
    return SITE + "".join(c if c.isalnum() else "-" for c in kind)


def served(
    kind: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    expect: str = "document",
    status: str = "200 OK",
    made_from: str | None = None,
    more: dict[str, object] | None = None,
) -> Case:
    """A sound record of an odd answer."""
    member = warcs.gzip(warcs.response(place(kind), body, headers, status=status)[1])
    return Case(kind, place(kind), expect, member, made_from, more or {})


def charsets(spare: dict[str, list[Page]]) -> Iterator[Case]:
    """Pages whose encoding is named wrongly, in an odd place, or nowhere."""
    for kind, source, encoding, mark, header, meta in CHARSETS:
        page = spare[source].pop()
        named = f"charset={meta}" if meta else ""
        text = page.html.replace("charset=utf-8", named)
        body = mark + text.encode(encoding, "xmlcharrefreplace")
        kept = body.decode(encoding)
        known = [w for w in words(page.html) if w.isalpha() and not w.isascii() and w in kept]
        content = f"text/html; charset={header}" if header else "text/html"
        more: dict[str, object] = {"contains": max(known, key=len)}
        yield served(kind, body, {"Content-Type": content}, made_from=page.url, more=more)


def chunks(body: bytes) -> bytes:
    """HTTP's chunked transfer coding, 1,000 bytes a chunk."""
    parts = [body[i : i + 1000] for i in range(0, len(body), 1000)] + [b""]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def transfers(spare: dict[str, list[Page]]) -> Iterator[Case]:
    """Bodies that the server encoded, well and badly."""
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": ""}
    page = spare["postgresql"].pop()
    body = warcs.gzip(page.html.encode())
    yield served("content-encoding gzip", body, {"Content-Encoding": "gzip"}, made_from=page.url)
    page = spare["postgresql"].pop()
    body = chunks(page.html.encode())
    yield served("chunked transfer", body, chunked, made_from=page.url)
    page = spare["postgresql"].pop()
    body = chunks(page.html.encode()).replace(b"\r\n3e8\r\n", b"\r\nzzz\r\n")
    yield served("broken chunks", body, chunked, expect="dead: broken chunks", made_from=page.url)
    page = spare["postgresql"].pop()
    body = page.html.encode()
    yield served("chunked in the header only", body, chunked, made_from=page.url)


def mixed(spare: dict[str, list[Page]]) -> Iterator[Case]:
    """Pages whose halves are in two languages; called first, while the lists are still aligned."""
    for first, second in (("en", "de"), ("fr", "ru")):
        one, two = spare[f"help-{first}"].pop(), spare[f"help-{second}"].pop()
        a, b = (main_part(page.html).split("<p ") for page in (one, two))
        text = framed(one.html, "", "<p ".join(a[: len(a) // 2] + b[len(b) // 2 :]), "")
        more: dict[str, object] = {"languages": [first, second], "second": two.url}
        yield served(f"two languages {first} {second}", text.encode(), made_from=one.url, more=more)


def bodies(spare: dict[str, list[Page]], draw: random.Random) -> Iterator[Case]:
    """Pages that are worth nothing, or too much."""
    noise = base64.encodebytes(draw.randbytes(9000))
    yield served(
        "base64 as a page", b"<html><body><pre>%b</pre></body></html>" % noise, more=DROPPED
    )
    yield served("empty page", b"<!DOCTYPE html><html><body></body></html>", more=DROPPED)
    yield served("no body", b"", more=DROPPED)
    links = "".join(f'<li><a href="/{i}">Chapter {i}</a></li>' for i in range(1, 40))
    yield served(
        "navigation only", f"<html><nav><ul>{links}</ul></nav></html>".encode(), more=DROPPED
    )
    page = spare["postgresql"].pop()
    nul = page.html.replace(" the ", " the\0 ").encode()
    yield served("NUL bytes", nul, made_from=page.url)
    page = spare["postgresql"].pop()
    line = "<p>Press the button below to see this page in your own language.</p>\n"
    text = framed(page.html, "", main_part(page.html) + 10 * line, "")
    yield served("repeated lines", text.encode(), made_from=page.url, more={"cut_lines": 9})
    page = spare["postgresql"].pop()
    main = f"<p>{' '.join(words(page.html)[:200])}</p>\n".encode()
    body = b"<html><body>%b</body></html>" % (main * (17_500_000 // len(main)))
    yield served("17 MB of text", body, expect="dead: too large", made_from=page.url)
    page = spare["postgresql"].pop()
    text = framed(page.html, "", 50_000 * "<div>" + main_part(page.html) + 50_000 * "</div>", "")
    yield served("50,000 deep", text.encode(), expect="dead: too deep", made_from=page.url)


def records(clean: dict[str, list[Page]], spare: dict[str, list[Page]]) -> Iterator[Case]:
    """Records that are no page, or not in the usual shape."""
    lost = (
        b"<html><body><h1>Not found</h1><p>There is no such page on this server.</p></body></html>"
    )
    yield served("status 404", lost, status="404 Not Found", expect="skipped: status 404")
    moved = {"Location": SITE, "Content-Type": "text/html"}
    yield served("status 301", b"", moved, status="301 Moved", expect="skipped: status 301")
    yield served("image", PIXEL, {"Content-Type": "image/png"}, expect="skipped: image/png")
    data = {"Content-Type": "application/json"}
    yield served("json", b'{"pages": 12}', data, expect="skipped: application/json")
    page = spare["python"].pop()
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    yield served("plain text", " ".join(words(page.html)).encode(), plain, made_from=page.url)
    page = clean["postgresql"][0]
    about = {"WARC-Target-URI": page.url, "WARC-Date": "2023-07-01T12:00:00Z"}
    about["WARC-Profile"] = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    about |= {"WARC-Refers-To-Target-URI": page.url, "WARC-Refers-To-Date": warcs.DATE}
    about["WARC-Payload-Digest"] = warcs.digest(page.html.encode())
    about["Content-Type"] = "application/http; msgtype=response"
    answer = warcs.lines("HTTP/1.1 200 OK", {"Content-Type": "text/html; charset=utf-8"})
    member = warcs.gzip(warcs.record("revisit", answer, about)[1])
    yield Case("revisit", page.url, "skipped: revisit", member, page.url)
    for kind, content, expect in (
        ("resource", "text/html", "document"),
        ("conversion", "text/plain", "document"),
        ("metadata", "application/warc-fields", "skipped: metadata"),
    ):
        page = spare["postgresql"].pop()
        text = {"resource": page.html, "conversion": " ".join(words(page.html))}
        block = text.get(kind, "fetchTimeMs: 37\r\n").encode()
        about = {"WARC-Target-URI": place(kind), "Content-Type": content}
        about["WARC-Payload-Digest"] = warcs.digest(block)
        member = warcs.gzip(warcs.record(kind, block, about)[1])
        yield Case(kind, place(kind), expect, member, page.url if kind in text else None)


def faults(
    clean: dict[str, list[Page]], spare: dict[str, list[Page]], draw: random.Random
) -> Iterator[Case]:
    """Everything in faults.warc.gz: each record is sound, what it holds is not."""
    yield from mixed(spare)
    yield from charsets(spare)
    yield from transfers(spare)
    yield from bodies(spare, draw)
    yield from records(clean, spare)


def intact(page: Page) -> Case:
    """A good page, to see whether a reader finds its way back."""
    member = warcs.gzip(warcs.response(page.url, page.html.encode())[1])
    return Case("intact", page.url, "document", member, page.url)


def damaged(spare: list[Page], draw: random.Random) -> Iterator[Case]:
    """Everything in damaged.warc.gz: a good page stands before and after each damage."""
    yield intact(spare.pop())
    good = intact(spare.pop())
    flipped = bytearray(good.member)
    flipped[len(flipped) // 2] ^= 16
    yield replace(good, kind="flipped bit", expect="dead: damaged", member=bytes(flipped))
    yield intact(spare.pop())
    for kind, wrong in (("length too long", 1000), ("length too short", -1000)):
        page = spare.pop()
        lie = warcs.gzip(warcs.response(page.url, page.html.encode(), lie=wrong)[1])
        yield Case(kind, page.url, "dead: wrong length", lie, page.url)
        yield intact(spare.pop())
    yield Case("garbage between members", None, "dead: damaged", draw.randbytes(997))
    yield intact(spare.pop())


def cut(spare: list[Page]) -> Iterator[Case]:
    """Everything in cut.warc.gz: good pages, and one that ends in the middle."""
    yield from (intact(spare.pop()) for _ in range(3))
    last = intact(spare.pop())
    half = last.member[: len(last.member) // 2]
    yield replace(last, kind="cut off", expect="dead: cut off", member=half)
