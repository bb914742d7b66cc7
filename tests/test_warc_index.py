"""WARC files by list and by index, below a folder and on a web server that knows ranges."""

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pycurl
import pytest
from warcio.archiveiterator import ArchiveIterator

from pipelines.errors import RecipeError
from pipelines.readers import Dead, ranges
from pipelines.recipe.text import parse
from pipelines.steps import ingest, sources
from tests.helpers.archives import http, page, record, url
from tests.helpers.command import counts, here, table

NAME = "crawl-data/a b.warc.gz"
PAGES = [*(http(page(i)) for i in range(4)), http(page(4)).replace(b"200 OK", b"404 Not Found")]
MEMBERS = [gzip.compress(record(url(i), each), mtime=0) for i, each in enumerate(PAGES)]
WARC = b"".join(MEMBERS)
SPANS = [(sum(map(len, MEMBERS[:i])), len(member)) for i, member in enumerate(MEMBERS)]


class Handler(BaseHTTPRequestHandler):
    """Files of a folder by range; the first folder of a path says what goes wrong."""

    protocol_version = "HTTP/1.1"
    folder: Path
    asked: Counter[str]
    ranges: list[str]

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        self.ranges.append(self.headers["Range"])
        _, how, *rest = self.path.replace("%20", " ").split("/")
        if how in ("403", "404", "416", "500"):
            self.said(int(how))
        elif how == "later":
            self.said(503, ("Retry-After", "7"))
        elif how == "busy" and self.asked[self.path] < 3:
            self.said(503, ("Retry-After", "0"))
        elif how == "moved":
            self.said(302, ("Location", "/ranges/" + "/".join(rest)))
        elif (file := self.folder.joinpath(*rest)).is_file():
            self.ranged(file.read_bytes(), how)
        else:
            self.said(404)

    def ranged(self, body: bytes, how: str) -> None:
        start, end = (int(n) for n in self.headers["Range"].removeprefix("bytes=").split("-"))
        if start >= len(body):
            return self.said(416)
        part = body[start : end + 1]
        if how == "ignored":
            return self.said(200, body=body * 1_000)
        where = start + 1 if how == "other" else start
        span = f"bytes {where}-{where + len(part) - 1}/{len(body)}"
        if how == "broken" and self.asked[self.path] < 3:
            self.close_connection = True
            return self.said(206, ("Content-Range", span), body=part[:50], size=len(part))
        return self.said(206, ("Content-Range", span), body=part)

    def said(
        self, status: int, *headers: tuple[str, str], body: bytes = b"-", size: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(size or len(body)))):
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked has gone
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is read."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(ranges, "PAUSE", 0.001)
    Handler.folder, Handler.asked, Handler.ranges = tmp_path, Counter(), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / NAME).parent.mkdir()
    (tmp_path / NAME).write_bytes(WARC)


def places(spans: list[tuple[Any, Any]] = SPANS, name: str | None = NAME) -> list[dict[str, Any]]:
    return [
        {
            "url": url(i),
            "fetch_status": 200 if i < 4 else 404,
            "content_mime_detected": "text/html",
            "warc_filename": name,
            "warc_record_offset": start,
            "warc_record_length": size,
        }
        for i, (start, size) in enumerate(spans)
    ]


def cdxj(rows: list[dict[str, Any]]) -> bytes:
    short = {"warc_filename": "filename", "warc_record_offset": "offset", "url": "url"}
    short |= {"warc_record_length": "length", "fetch_status": "status"}
    short |= {"content_mime_detected": "mime-detected"}
    lines = ({short[k]: str(v) for k, v in row.items()} for row in rows)
    return b"".join(b"org,example)/ 20240102030405 %b\n" % json.dumps(x).encode() for x in lines)


def index(base: Path, rows: list[dict[str, Any]], name: str = "index.parquet") -> None:
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), base / name)
    else:
        body = cdxj(rows)
        (base / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)


def run(base: Path, root: str = ".", more: str = "", what: str = 'index = ["index.*"]') -> Path:
    recipe = 'name = "a"\nlimit = { dead = "100 %" }\n[[source]]\nkind = "warc"\n'
    (base / "a.toml").write_text(f'{recipe}root = "{root}"\n{what}\n{more}\n')
    done = here("run", "a.toml", "--run", "run", "--only", "ingest", cwd=base)
    assert done.returncode == 0 or "no document" in done.stderr, done.stderr
    return base / "run"


def letters(base: Path, root: str = ".") -> list[tuple[str, int, str]]:
    """What is dead of an index, by the reader alone."""
    text = f'name = "a"\n[[source]]\nkind = "warc"\nroot = "{root}"\nindex = ["index.*"]\n'
    recipe = parse(text, base / "a.toml")
    (source,) = recipe.source
    (file,) = sources.files(source, recipe.base)
    items = ingest._records(file, source, recipe.base)
    return [(name, item.offset, item.reason) for name, item in items if isinstance(item, Dead)]


def found(run: Path) -> dict[str, tuple[str, int, int]]:
    return {
        row["url"]: (row["source"], row["offset"], row["length"])
        for row in table(run, "documents").to_pylist()
    }


def dead(run: Path) -> list[tuple[str, int, str]]:
    if not (run / "dead/ingest").exists():
        return []
    return [(r["source"], r["offset"], r["reason"]) for r in table(run, "dead/ingest").to_pylist()]


WANTED = {url(i): (NAME, *SPANS[i]) for i in range(4)}


@pytest.mark.parametrize("name", ["index.parquet", "index.cdxj", "index.cdx.gz"])
def test_an_index_reads_what_the_whole_file_holds(name: str, tmp_path: Path, server: str) -> None:
    index(tmp_path, places()[::-1], name)
    (tmp_path / "whole.paths").write_text(f"\n{NAME}\r\n")
    whole = table(run(tmp_path, what='paths = ["whole.paths"]'), "documents")
    for root in (".", f"{server}/ranges/"):
        by_index = run(tmp_path, root)
        assert table(by_index, "documents").equals(whole)
        assert (found(by_index), dead(by_index)) == (WANTED, [])
        assert counts(by_index)["ingest"]["skipped: status 404"] == 1
    assert sorted(Handler.ranges) == sorted(f"bytes={a}-{a + n - 1}" for a, n in SPANS)


def test_a_condition_picks_and_nothing_else_is_asked_for(tmp_path: Path, server: str) -> None:
    index(tmp_path, [*places(), {**places()[0], "fetch_status": None}])
    where = "where = \"fetch_status = 200 and (ends_with(url, '1') or ends_with(url, '3'))\""
    run_ = run(tmp_path, f"{server}/ranges", where)
    assert {*found(run_)} == {url(1), url(3)}
    assert Handler.asked.total() == 2


def test_what_an_index_names_twice_is_read_once(tmp_path: Path) -> None:
    index(tmp_path, places() * 2)
    assert len(table(run(tmp_path), "documents")) == 4


def test_limit_counts_documents_and_asks_for_no_more(tmp_path: Path, server: str) -> None:
    index(tmp_path, places())
    recipe = f'name = "a"\nfirst = 2\n[[source]]\nkind = "warc"\nroot = "{server}/ranges"\n'
    (tmp_path / "a.toml").write_text(f'{recipe}index = ["index.parquet"]\n')
    here("run", "a.toml", "--run", "run", "--only", "ingest", cwd=tmp_path)
    assert {*found(tmp_path / "run")} == {url(0), url(1)}
    assert Handler.asked.total() == 2


@pytest.mark.parametrize(
    ("how", "reason", "requests"),
    [
        ("403", "forbidden", 1),
        ("404", "not found", 1),
        ("416", "cut off", 1),
        ("500", "status 500", ranges.TRIES),
        ("ignored", "range ignored", 1),
        ("other", "wrong range", 1),
    ],
)
def test_what_a_server_refuses_is_a_dead_letter(
    how: str, reason: str, requests: int, tmp_path: Path, server: str
) -> None:
    index(tmp_path, places()[:2])
    wanted = [(NAME, start, reason) for start, _ in SPANS[:2]]
    assert letters(tmp_path, f"{server}/{how}") == wanted
    assert Handler.asked.total() == 2 * requests


@pytest.mark.parametrize("how", ["busy", "moved", "broken"])
def test_a_server_is_asked_again(how: str, tmp_path: Path, server: str) -> None:
    index(tmp_path, places()[:1])
    run_ = run(tmp_path, f"{server}/{how}")
    assert (found(run_), dead(run_)) == ({url(0): WANTED[url(0)]}, [])
    assert Handler.asked.total() == {"busy": 3, "moved": 2, "broken": 3}[how]


def test_pauses_double_and_heed_what_the_server_asks(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("pipelines.readers.ranges.time.sleep", slept.append)
    monkeypatch.setattr(ranges, "PAUSE", 1.0)
    with pytest.raises(ranges.RangeError, match="status 500, 6 times"):
        ranges.Server(f"{server}/500").read("x", 0, 10)
    assert slept == [1, 2, 4, 8, 16]
    slept.clear()
    with pytest.raises(ranges.RangeError, match="status 503, 6 times"):
        ranges.Server(f"{server}/later").read("x", 0, 10)
    assert slept == [7, 7, 7, 8, 16]


def test_a_whole_file_that_was_not_asked_for_is_not_taken(server: str) -> None:
    answer = ranges._Answer(0, 10)
    assert answer.of(pycurl.Curl(), f"{server}/ignored/{NAME.replace(' ', '%20')}")
    assert answer.status == 200 and len(answer.body) < len(WARC) * 1_000


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "PAUSE", 0.001)
    index(tmp_path, places()[:1])
    assert dead(run(tmp_path, "http://127.0.0.1:1/")) == [(NAME, 0, "no answer")]


BAD: list[tuple[tuple[Any, Any], str]] = [
    ((SPANS[0][0], SPANS[0][1] + SPANS[1][1]), "no record"),
    ((1, 100), "not WARC"),
    ((SPANS[1][0], SPANS[1][1] - 40), "cut off"),
    ((len(WARC) - 20, 40), "cut off"),
    ((len(WARC) + 20, 40), "cut off"),
    ((0, 10**12), "too large"),
]


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize(("span", "reason"), BAD)
def test_a_range_that_is_no_record(
    span: tuple[int, int], reason: str, remote: bool, tmp_path: Path, server: str
) -> None:
    index(tmp_path, places([span]))
    root = f"{server}/ranges" if remote else "."
    assert letters(tmp_path, root) == [(NAME, span[0], reason)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.warc.gz", "not found"),
        ("crawl-data", "cannot be opened"),
        ("../a.warc.gz", "not below the root"),
        ("/etc/passwd", "not below the root"),
        ("", "not below the root"),
    ],
)
def test_a_file_that_is_not_there(name: str, reason: str, tmp_path: Path) -> None:
    index(tmp_path, places(SPANS[:1], name))
    assert letters(tmp_path) == [(name, 0, reason)]


@pytest.mark.parametrize(
    "row",
    [
        {"warc_filename": None},
        {"warc_record_offset": -1},
        {"warc_record_length": 0},
        {"warc_record_length": None},
    ],
)
def test_a_row_that_names_no_range(row: dict[str, Any], tmp_path: Path) -> None:
    index(tmp_path, [places()[0] | row, *places()[1:]])
    run_ = run(tmp_path)
    assert dead(run_) == [("index.parquet", 0, "no range")] and len(found(run_)) == 3


def test_lines_that_are_no_cdxj_leave_their_neighbours(tmp_path: Path) -> None:
    good = cdxj(places()[:1])
    bad = [b"x 1 {", b"no json", b'x 1 {"offset": "a"}', b'x 1 {"offset": "-5"}', b"x 1 [1]"]
    (tmp_path / "index.cdxj").write_bytes(b"\n".join([*bad, b"", good, b'x 1 {"status": "-"}']))
    run_ = run(tmp_path)
    reasons = Counter(reason for _, _, reason in dead(run_))
    assert reasons == {"not CDXJ": 5, "no range": 1} and {*found(run_)} == {url(0)}


def test_a_damaged_index(tmp_path: Path) -> None:
    (tmp_path / "index.parquet").write_bytes(b"PAR1 is not all")
    assert letters(tmp_path) == [("index.parquet", 0, "damaged")]
    (tmp_path / "index.parquet").unlink()
    (tmp_path / "index.cdx.gz").write_bytes(gzip.compress(cdxj(places()), mtime=0)[:-9])
    assert ("index.cdx.gz", 0, "cut off") in letters(tmp_path)


def test_columns_of_other_types_are_a_dead_letter(tmp_path: Path) -> None:
    index(tmp_path, [places()[0] | {"warc_record_offset": "far"}])
    assert letters(tmp_path) == [("index.parquet", 0, "damaged")]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('index = ["index.parquet"]\nwhere = "fetch_stat = 200"', "no column 'fetch_stat'"),
        ('index = ["index.parquet"]\nwhere = "fetch_status"', "no truth value"),
        ('index = ["index.parquet"]\nwhere = "fetch_status = "', r"\[\[source\]\] where"),
        ('index = ["index.parquet"]\nwhere = "url in (select 1)"', "not allowed"),
        ('index = ["other.parquet"]', "no column 'warc_filename'"),
        ('index = ["gone.parquet"]', "no such file"),
        ('index = ["index.parquet"]\nroot = "ftp://a/"', "root is a folder or an http"),
        ('index = ["http://a/x.parquet"]', "sources are local files"),
        ('index = ["index.parquet"]\npaths = ["a.warc"]', "leave paths out"),
        ('paths = ["a.paths"]\nwhere = "true"', "of an index; name one"),
        ('paths = ["out.paths"]', "not below the root"),
        ('paths = ["bad.paths.gz"]', "cannot be read"),
        ("", "missing 'paths'"),
    ],
)
def test_a_recipe_that_is_wrong_says_so(source: str, said: str, tmp_path: Path) -> None:
    index(tmp_path, places())
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "out.paths").write_text("../x.warc.gz\n")
    (tmp_path / "bad.paths.gz").write_text("no gzip")
    text = f'name = "a"\n[[source]]\nkind = "warc"\n{source}\n'
    with pytest.raises(RecipeError, match=said):
        recipe = parse(text, tmp_path / "a.toml")
        sources.files(recipe.source[0], recipe.base)


def test_root_and_index_are_of_warc_alone() -> None:
    text = 'name = "a"\n[[source]]\nkind = "jsonl"\npaths = ["a"]\nroot = "b"\n'
    with pytest.raises(RecipeError, match="of kind warc"):
        parse(text, Path("/a.toml"))


def test_a_list_of_files_on_a_server_is_read_whole(tmp_path: Path, server: str) -> None:
    (tmp_path / "warc.paths.gz").write_bytes(gzip.compress(f"{NAME}\ngone.warc\n".encode()))
    run_ = run(tmp_path, f"{server}/ranges", what='paths = ["warc.paths.gz"]')
    assert found(run_) == WANTED
    assert dead(run_) == [("gone.warc", 0, "not found")]


def test_a_large_file_of_a_server_comes_in_pieces(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "AHEAD", 100_000)
    big = b"".join(record(url(i), http(page(i) * 200)) for i in range(20))
    (tmp_path / "big.warc").write_bytes(big)
    file = ranges.Remote(ranges.Server(f"{server}/ranges"), "big.warc")
    for at, size in ((0, 10), (99_990, 100), (5, 20), (len(big) - 5, 50), (len(big), 5)):
        file.seek(at)
        assert file.read(size) == big[at : at + size]
    (tmp_path / "x.paths").write_text("big.warc")
    run_ = run(tmp_path, f"{server}/ranges", what='paths = ["x.paths"]')
    assert len(found(run_)) == 20 and len(Handler.ranges) >= len(big) // 100_000


def test_ranges_are_those_that_warcio_finds(tmp_path: Path) -> None:
    index(tmp_path, places())
    records = ArchiveIterator(io.BytesIO(WARC))
    at = [records.get_record_offset() for _ in records]
    assert at == [start for start, _ in SPANS]
    assert [offset for _, offset, _ in sorted(found(run(tmp_path)).values())] == at[:4]


def test_what_is_read_enters_the_fingerprint(tmp_path: Path) -> None:
    index(tmp_path, places())
    assert {*found(run(tmp_path))} == {*WANTED}
    assert {*found(run(tmp_path, more="where = \"ends_with(url, '1')\""))} == {url(1)}
