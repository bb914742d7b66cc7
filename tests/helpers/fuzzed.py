"""What is fuzzed by `tests.helpers.fuzz`: each reader and parser, with inputs to mutate."""

import gzip
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from fastwarc import ArchiveIterator

from filters import blocklist, charset, consent, extract, links, pictures, urls
from filters.fasttext import file as fastfile
from filters.html.maintext import MODES, main_text
from pipelines import sql
from pipelines.commands import price
from pipelines.crawl import outcome
from pipelines.crawl.archive import Archive
from pipelines.errors import KarezError, is_told
from pipelines.readers import (
    Document,
    Documents,
    by_kind,
    hf,
    http,
    indexed,
    pagerows,
    strings,
    warcs,
)
from pipelines.readers import pictures as pictured
from pipelines.readers.pages import Page, page_of
from pipelines.recipe import Source, lists
from pipelines.recipe.text import parse
from pipelines.runs import Run, refusals
from pipelines.runs.sealed import Sealed
from pipelines.steps.output import identity

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests/data/sample"
HTML = [
    *(b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"&", b"&#", b"&#x", b";", b"'", b'"'),
    *(b"\0", b"\xff", b"\xc2", b"\xe2\x80", b"\xf0\x9f", b"\\u", b'"articleBody":"', b"\\"),
    *(b"<title>", b"<script>", b"<script type='application/ld+json'>", b"</script>", b"<svg>"),
    *(b"<select>", b"<pre>", b"<table>", b"<tr>", b"<td>", b"<li>", b"<a href=", b"<plaintext>"),
    *(b"<div class='", b" style='display:none", b"<br><br>", b"<p>", b"</p>", b"<h1>", b"<head>"),
    *(b"<meta charset=", b"<base href=", b"<img srcset=", b"utf-16", b"<meta name=robots content="),
]
WORDS = [
    *(b"\0", b"\xff", b"\n", b"\r\n", b"[", b"]", b"{", b"}", b'"', b"'", b":", b",", b"\\", b"("),
    *(b"-1", b"1e999", b"NaN", b"99999999999999999999", b"null", b"true", b"\\ud800", b"%", b"*"),
    *(b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"#", b"$", b"/"),
    *(b"../", b"http://", b"[::1]", b"@", b"?", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"=", b")"),
]


class Fuzzer(NamedTuple):
    """What is mutated and read: whatever it holds, nothing is raised."""

    given: Callable[[], list[bytes]]
    read: Callable[[bytes], object]
    tokens: list[bytes] = WORDS


@cache
def pages() -> list[bytes]:
    """The pages of the sample."""
    found = list[bytes]()
    for path in sorted(SAMPLE.glob("*.warc.gz")):
        with suppress(OSError), path.open("rb") as file:  # some are damaged on purpose
            found += [record.reader.read(400_000) for record in ArchiveIterator(file)]
    return [page for page in found if b"<" in page]


def warm() -> None:
    """Compile what takes long, once."""
    whole_page(pages()[0])


def kernel(page: bytes) -> None:
    mode = list(MODES)[len(page) % len(MODES)]
    assert main_text(np.frombuffer(page, np.uint8), mode) is not None


def whole_page(page: bytes) -> None:
    """Text, links and all that a page says."""
    extractor = list(extract.SHIPPED)[len(page) % len(extract.SHIPPED)]
    found = page_of(page, None, "text/html", extractor, "http://x.org/a/b?c")
    if isinstance(found, Page):
        documents(Documents.of([Document(found.text, 0, 0, head=found.head)]))
    for link in links.links(page, "http://x.org/").links:
        urls.led_to("http://x.org/a", link.href)


def documents(found: Documents) -> None:
    """As they are stored, of valid text."""
    found.columns.validate(full=True)
    text = found.columns["text"]
    assert text.null_count == 0
    identity(text[0].as_py().encode(), b"")


def read(kind: str, name: str, extractor: str = "") -> Callable[[bytes], None]:
    source = Source(kind, (name,), extract=extractor)

    def do(data: bytes) -> None:
        items = by_kind(kind)(io.BytesIO(data), name, source)
        if kind in pagerows.KINDS and extractor:
            items = pagerows.extracted(items, extractor)
        for item in items:
            if isinstance(item, (Document, Documents)):
                documents(item if isinstance(item, Documents) else Documents.of([item]))

    return do


def all_of(*parsers: Callable[[bytes], Iterable[object] | object]) -> Callable[[bytes], None]:
    """What each gives, to the end; errors for people are right."""

    def do(data: bytes) -> None:
        for parser in parsers:
            try:
                found = parser(data)
                if hasattr(found, "__next__"):
                    list(found)  # type: ignore[call-overload]
            except KarezError:
                continue
            except OSError as error:
                if not is_told(error):
                    raise

    return do


def as_file(name: str, do: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Of what is read from a file of a name in a folder of its own."""

    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found = do(path)
            return list(found) if hasattr(found, "__next__") else found  # type: ignore[call-overload]

    return read


def text(do: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: do(data.decode("utf-8", "replace"))


def refusing(do: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Of what refuses by a ValueError."""

    def read(data: bytes) -> object:
        with suppress(ValueError):
            return do(data)
        return None

    return read


def robots(body: bytes) -> None:
    rules = consent.rules_of(body)
    consent.refused(rules, "http://x.org/a?b=c")
    rules.delay("*")
    consent.ai_txt(body)
    consent.tdm_rep(body, "/a/b")
    said = body.decode("latin-1")[:9_000]
    consent.of_page([(name, said) for name in consent.HEADERS], None, "http://x.org/")
    outcome.retry_after(said)


def address(written: str) -> None:
    for line in written.splitlines()[:50]:
        urls.canonical(line), urls.site(line), urls.led_to("http://x.org/a", line)
        for do in (refusals.targets, blocklist.site):
            with suppress(ValueError):
                do(line)


def coded(body: bytes) -> None:
    for transfer, content in [("chunked", ""), ("", "gzip"), ("", "deflate"), ("", "br, zstd")]:
        with suppress(http.CodingError):
            http.decode(body, transfer, content, 1_000_000)


def rule(written: str) -> None:
    schema = pa.schema([("words", pa.int32()), ("url", pa.string()), ("score", pa.float64())])
    sql.columns(written, "here")
    sql.thresholds(written)
    sql.check_types({"x": written}, schema, "here")


def log(path: Path) -> None:
    (path.parent / "a-000.warc.gz").write_bytes(b"x" * 2_000)
    Archive(path.parent, "a", {}).close()


def index(name: str) -> Callable[[bytes], object]:
    class Root:
        def read(self, name: str, start: int, size: int) -> bytes:
            return b"nothing"

    source = Source("warc", index=(name,))
    return lambda data: indexed.read(io.BytesIO(data), name, source, "length(url) > 3", Root())


def of_files(*patterns: str) -> Callable[[], list[bytes]]:
    return lambda: [p.read_bytes()[:300_000] for x in patterns for p in sorted(ROOT.glob(x))]


ROWS = [
    {"text": "words 😀 " * n, "id": f"n{n}", "url": "http://x.org/", "a": {"b": [n]}, "d": n / 3}
    for n in range(30)
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def parquet() -> list[bytes]:
    found, table = list[bytes](), pa.Table.from_pylist(ROWS)
    coded = table.set_column(0, "text", table["text"].dictionary_encode())
    for given, options in [(table, {}), (coded, {"compression": "zstd", "row_group_size": 9})]:
        pq.write_table(given, out := io.BytesIO(), **options)
        found.append(out.getvalue())
    return found


def arrow() -> list[bytes]:
    found, table = list[bytes](), pa.Table.from_pylist(ROWS)
    for write in (pa.ipc.new_stream, pa.ipc.new_file):
        with write(out := io.BytesIO(), table.schema) as writer:
            writer.write_table(table, 9)
        found.append(out.getvalue())
    return found


def tar() -> list[bytes]:
    found = list[bytes]()
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(fileobj=(out := io.BytesIO()), mode="w", format=form) as file:
            for n in range(4):
                for end, body in [("txt", b"words " * n), ("json", b'{"url": "u"}')]:
                    info = tarfile.TarInfo(f"{'long/' * 30 * n}é{n}.{end}")
                    info.size = len(body)
                    file.addfile(info, io.BytesIO(body))
        found.append(out.getvalue())
    return found


def places() -> list[bytes]:
    row = {"url": "http://x.org/", "filename": "a.warc.gz", "offset": "3", "length": "9"}
    return [b"".join(b"org,x)/ 2026 " + json.dumps(row).encode() + b"\n" for _ in range(9))]


def place_rows() -> list[bytes]:
    rows = [{"url": "http://x.org/", "warc_filename": "a", **dict.fromkeys(indexed.PLACE[1:], 9)}]
    pq.write_table(pa.Table.from_pylist(rows * 9), out := io.BytesIO())
    return [out.getvalue()]


def manifest() -> list[bytes]:
    part = {"name": "part-0.parquet", "rows": 1, "size": 2, "sha256": "0"}
    table = {"fingerprint": "f", "parts": [part], "at": None}
    step = {"counts": {"dead": 1}, "facts": {}, "seconds": 1.0, "cpu_seconds": 1.0, "exchanged": 1}
    whole = {"format": 1, "tables": {"documents": table}, "steps": {"scan": step}, "facts": {}}
    return [json.dumps(whole).encode()]


ROBOTS = (
    b"User-agent: *\nDisallow: /a/*.pdf$\nAllow: /\nCrawl-delay: 3\nSitemap: http://x.org/s.xml\n"
    b"User-agent: GPTBot\nDisallow: /\n"
)
SITEMAP = b"<urlset><url><loc>http://x.org/a?b&amp;c</loc></url></urlset> http://x.org/d\n" * 9
TDM = b'[{"location": "/a/*", "tdm-reservation": 1, "tdm-policy": "http://x.org/p"}]'
RULES = [
    *(b"words < 50 or url is null", b"language_score < 0.65 or url not in ('en', 'de')"),
    *(b"regexp_matches(url, '^a(b|c)*$') and length(url) % 3 = 1", b"cast(url as int) > 3"),
    b"case when words between 1 and 3 then score >= 0.1 else starts_with(lower(url), 'x') end",
]
ADDRESSES = b"http://a@WWW.x.org:80/a/../b%2f?c=d#e\n*.x.org\n//x.org\n[::1]\nhttp://xn--a.org\n"
LOG = b'{"url": "http://x.org/", "file": 0, "offset": 0, "length": 900, "when": 1.5}\n' * 5
CARD = b"---\nconfigs:\n- config_name: a\n  data_files:\n  - split: train\n    path: a/*\n---\n"
IMAGES = [
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(20)),
    b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(9) + b"\xff\xc0\0\x11\x08\1\1\1\1" + bytes(9),
    *(b"GIF89a" + bytes(20), b"RIFF0000WEBPVP8X" + bytes(30), b"0000ftypavif" + b"ispe" * 9),
]
COMPRESSED = [
    *(b"5\r\nhello\r\n0\r\n\r\n", gzip.compress(LINES), zstandard.compress(LINES)),
    gzip.compress(b"a" * 3_000_000),
]


def model() -> list[bytes]:
    shape = np.ones((9, 4), np.float32)
    words, labels = [b"word", b"other"], [b"__label__a", b"__label__b"]
    counts = np.ones(2, np.int64)
    return [
        fastfile.written(
            fastfile.File(words, labels, counts, None, shape, shape[:2], 3, 7, 1, 3, 2)
        )
    ]


FUZZERS = {
    "kernel": Fuzzer(pages, kernel, HTML),
    "page": Fuzzer(pages, whole_page, HTML),
    "charset": Fuzzer(pages, lambda data: charset.decode(data, None)[0].encode(), HTML),
    "html": Fuzzer(pages, read("html", "a.html", "karez"), HTML),
    "text": Fuzzer(lambda: [LINES, gzip.compress(LINES)], read("text", "a.txt.gz")),
    "jsonl": Fuzzer(lambda: [LINES, gzip.compress(LINES)], read("jsonl", "a.jsonl")),
    "zst": Fuzzer(lambda: [zstandard.compress(LINES)] * 2, read("jsonl", "a.jsonl.zst")),
    "warc": Fuzzer(
        lambda: [gzip.decompress(p) for p in of_files("tests/data/sample/help-en*.warc.gz")()],
        all_of(
            read("warc", "a.warc", "karez"),
            lambda data: pictured.read(io.BytesIO(data), "balanced"),
        ),
        [*HTML, b"WARC/1.0\r\n", b"Content-Length: ", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n"],
    ),
    "warc.gz": Fuzzer(
        of_files("tests/data/sample/help-*.warc.gz"), read("warc", "a.warc.gz", "karez")
    ),
    "parquet": Fuzzer(parquet, read("parquet", "a.parquet")),
    "arrow": Fuzzer(arrow, read("parquet", "a.arrow")),
    "pagerows": Fuzzer(parquet, read("parquet", "a.parquet", "karez")),
    "tar": Fuzzer(tar, read("webdataset", "a.tar")),
    "given": Fuzzer(
        lambda: [LINES, json.dumps(ROWS).encode(), *parquet(), *arrow()],
        all_of(
            lambda data: strings.json(io.BytesIO(data), "a.json"),
            lambda data: strings.table(io.BytesIO(data), "a"),
        ),
    ),
    "cdxj": Fuzzer(places, all_of(index("a.cdxj"))),
    "index": Fuzzer(place_rows, all_of(index("a.parquet"))),
    "paths": Fuzzer(lambda: [b"crawl/a.warc.gz\n" * 9], all_of(as_file("a.paths", warcs.named))),
    "lists": Fuzzer(
        lambda: [b"# a list\nx.org\nexample.org/path # why\n"],
        all_of(
            as_file("a.txt", lambda p: lists.Entries(str(p.parent), (p.name,), lists.words).read()),
            as_file(
                "a.txt", lambda p: lists.Entries(str(p.parent), (p.name,), blocklist.site).read()
            ),
        ),
    ),
    "robots": Fuzzer(lambda: [ROBOTS, TDM], robots, [*WORDS, b"User-agent: ", b"Disallow: "]),
    "sitemap": Fuzzer(lambda: [SITEMAP], links.sitemap, [*HTML, b"<loc>", b"<sitemapindex>"]),
    "urls": Fuzzer(lambda: [ADDRESSES], text(address)),
    "codings": Fuzzer(lambda: COMPRESSED, coded),
    "images": Fuzzer(lambda: IMAGES, pictures.look),
    "recipe": Fuzzer(
        of_files("infra/recipes/*.toml"),
        all_of(text(lambda written: parse(written, SAMPLE / "recipe.toml"))),
    ),
    "rules": Fuzzer(lambda: RULES, all_of(text(rule)), [*WORDS, b"(", b" and ", b" not ", b"::"]),
    "prices": Fuzzer(of_files("infra/prices.toml"), all_of(as_file("a.toml", price.read))),
    "manifest": Fuzzer(manifest, all_of(as_file("manifest.json", lambda p: Run(p.parent)))),
    "log": Fuzzer(lambda: [LOG], all_of(as_file("a.log", log))),
    "refusals": Fuzzer(
        lambda: [refused()],
        all_of(as_file(refusals.FILE, lambda p: refusals.read(Run(p.parents[1]).folder))),
    ),
    "sealed": Fuzzer(
        parquet, all_of(lambda data: Sealed(pa.BufferReader(data), "a", False).read())
    ),
    "card": Fuzzer(
        lambda: [CARD],
        all_of(as_file("README.md", lambda p: (hf.is_dataset(p.parent), hf.choices(p.parent)))),
    ),
    "model": Fuzzer(model, refusing(fastfile.parsed)),
}


def refused() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        before = refusals.read(run.folder)
        refusals.add(run.folder, before, refusals.targets("x.org"), "why")
        return Path(folder, refusals.FILE).read_bytes()
