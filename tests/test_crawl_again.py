"""A crawl asked for again: what has not changed, what went wrong meanwhile, what is told of it."""

import errno
import signal
import time
from collections import Counter
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from fastwarc import WarcRecordType

from pipelines.crawl import archive, tables
from pipelines.crawl.archive import PROFILES, Archive
from pipelines.crawl.tables import write
from pipelines.runs import Part, Run
from tests.helpers.begun import begin, wait_for
from tests.helpers.command import refused, well
from tests.helpers.crawling import archives, bodies, crawl, frontier, recipe, records, table, warcio
from tests.helpers.hostile import FIRST, Answer, Talk, Web, message, page, served
from tests.test_crawl import tree

pytestmark = pytest.mark.server

CRAWL = ("run", "a.toml", "--run", "run", "--only", "crawl")


def headers(run: Path) -> list[dict[str, str]]:
    """Those of all answers in the WARC files, in order."""
    kinds = WarcRecordType.response | WarcRecordType.revisit
    return [dict(each.headers.items()) for each in records(run, kinds)]


def checked(run: Path) -> None:
    """`warcio check` finds nothing wrong."""
    done = warcio("check", "-v", *archives(run))
    assert (done.returncode, "fail" in done.stdout) == (0, False), done.stdout


def test_what_has_not_changed_is_a_revisit(tmp_path: Path) -> None:
    turn = Counter[str]()

    def tagged(talk: Talk) -> None:
        same = talk.seen.headers.get("if-none-match") == '"é"'
        known = message(status="304 Not Modified", ETag='"é"')
        talk.send(known if same else message("<p>Tagged.", ETag='"é"', Last_Modified="Mon"))

    def changing(talk: Talk) -> None:
        turn["changing"] += 1
        talk.send(page(text=f"Page {turn['changing']}."))

    same = page(text="The same.")
    site: dict[str, Answer] = {"/same": same, "/tagged": tagged, "/changing": changing}
    with served({"a": site}) as web:
        text = recipe(*(web.url("a", path) for path in site), recrawl="0 s", pages=3)
        crawl(tmp_path / "run", text)
        assert len(web.asked("a")) == 3  # and the crawl ended
        second = int(time.time())
        wait_for(lambda: time.time() > second + 1)
        rows = crawl(tmp_path / "run", text)
        assert sorted(row["reason"] for row in rows[3:]) == ["fetched", "not modified", "same"]
        assert len(web.asked("a")) == 6
        again = {each["WARC-Target-URI"]: each for each in headers(tmp_path / "run")[3:]}
        for path, profile in (("/same", "same"), ("/tagged", "not modified")):
            assert again[web.url("a", path)]["WARC-Profile"] == PROFILES[profile]
        assert again[web.url("a", "/changing")]["WARC-Type"] == "response"
        checked(tmp_path / "run")
        assert table(tmp_path / "run", "frontier/hosts")["fetched"].to_pylist() == [3]


def test_run_again_nothing_is_asked(tmp_path: Path) -> None:
    with served({"a": tree(5)}) as web:
        text = recipe(web.url("a", "/0"))
        crawl(tmp_path / "run", text)
        asked = len(web.seen)
        crawl(tmp_path / "run", text)
        assert len(web.seen) == asked
        checked(tmp_path / "run")


def test_a_changed_recipe_counts(tmp_path: Path) -> None:
    with served({"a": tree(30), "b": tree(3)}) as web:
        crawl(tmp_path / "run", recipe(web.url("a", "/0"), pages=3))
        before = len(web.seen)
        text = recipe(web.url("a", "/0"), web.url("b", "/0"), exclude=["*/1*"], pages=100)
        crawl(tmp_path / "run", text)
        later = {seen.path for seen in web.seen[before:] if seen.host == "a"}
        assert later and not any(path.startswith("/1") for path in later)
        assert set(web.asked("b")) == {"/0", "/2"}


def test_several_fetchers_and_workers_find_the_same(tmp_path: Path) -> None:
    with served({name: tree(9) for name in "abcd"}) as web:
        start = [web.url(name, "/0") for name in "abcd"]
        crawl(tmp_path / "one", recipe(*start))
        text = recipe(*start, fetchers=3)
        workers = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
        crawl(tmp_path / "many", text, *workers)
        assert frontier(tmp_path / "many") == frontier(tmp_path / "one")
        assert bodies(tmp_path / "many") == bodies(tmp_path / "one")
        hosts = table(tmp_path / "many", "frontier/hosts").to_pylist()
        assert sorted((h["host"], h["fetched"]) for h in hosts) == [
            (web.url(name, ""), 9) for name in "abcd"
        ]


def test_a_clock_that_was_set_back_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served({"a": tree(9)}) as web:
        crawl(tmp_path / "run", recipe(web.url("a", "/0"), pages=2))
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() - 400 * 86_400)
        began = time.monotonic()
        crawl(tmp_path / "run", recipe(web.url("a", "/0"), pages=5))
        assert time.monotonic() - began < 30
        assert len(web.asked("a")) == 5
        assert sum(seen.path == "/robots.txt" for seen in web.seen) == 2  # the first is of no age


def asked_for(web: Web, count: int) -> bool:
    return len([seen for seen in web.seen if seen.path not in FIRST]) >= count


@pytest.mark.slow
def test_interrupted_it_says_so_in_a_line_and_goes_on(tmp_path: Path) -> None:
    with served({"a": tree(20)}) as web:
        (tmp_path / "a.toml").write_text(recipe(web.url("a", "/0"), delay=0.1))
        with begin(*CRAWL, cwd=tmp_path) as begun:
            wait_for(lambda: asked_for(web, 4), begun)
            begun.send_signal(signal.SIGINT)
            said, told = begun.communicate(timeout=30)
            assert begun.returncode == 1
            assert len(told.splitlines()) == 1 and "Traceback" not in said + told, said + told
        well(*CRAWL, cwd=tmp_path)
        assert set(web.asked("a")) == {f"/{i}" for i in range(20)}
        assert len(web.asked("a")) <= 21  # what was under way


def test_a_damaged_frontier_is_one_line(tmp_path: Path) -> None:
    with served({"a": tree(9)}) as web:
        (tmp_path / "a.toml").write_text(recipe(web.url("a", "/0")))
        well(*CRAWL, cwd=tmp_path)
        path = max((tmp_path / "run/frontier/urls").iterdir(), key=lambda each: each.stat().st_size)
        whole = path.read_bytes()
        rotten = whole[:60] + bytes(byte ^ 255 for byte in whole[60:160]) + whole[160:]
        for body in (whole[:-9], rotten, bytes(len(whole)), None):
            path.unlink(missing_ok=True)
            if body is not None:
                path.write_bytes(body)
            assert path.name in refused(*CRAWL, cwd=tmp_path, code=1)


def test_a_full_disk_is_one_line_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served({"a": tree(9)}) as web:
        (tmp_path / "a.toml").write_text(recipe(web.url("a", "/0")))
        writes = archive._write
        calls = Counter[str]()

        def none(run: Run, table: str, name: str, rows: pa.Table) -> Part:
            if calls["parts"]:
                raise OSError(errno.ENOSPC, "No space left on device")
            calls["parts"] += 1
            return write(run, table, name, rows)

        def full(file: int, data: bytes) -> None:
            calls["all"] += 1
            if calls["all"] > 5:
                writes(file, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            writes(file, data)

        for module, name, twin in ((tables, "write", none), (archive, "_write", full)):
            with monkeypatch.context() as patched:
                patched.setattr(module, name, twin)
                line = refused(*CRAWL, cwd=tmp_path, code=1)
            assert "No space left on device" in line
        well(*CRAWL, cwd=tmp_path)
        assert set(bodies(tmp_path / "run")) == {web.url("a", f"/{i}") for i in range(9)}
        checked(tmp_path / "run")


def test_what_another_round_left_is_not_read(tmp_path: Path) -> None:
    with served({"a": tree(9)}) as web:
        warc = tmp_path / "run/warc"
        left = Archive(warc, "a-00000-20200101T000000-000", {})
        left.log({"key": 7, "url": "http://a/", "reason": "fetched", "new": True})
        left.close()
        (warc / "a-00000-000.log").write_bytes(orjson.dumps({"key": 8}) + b"\n")
        (tmp_path / "run/lock").touch()
        (tmp_path / "run/recipe.toml").touch()
        (tmp_path / "run/manifest.json").write_text(
            '{"format": 1, "tables": {}, "steps": {}, "facts": {}}'
        )
        crawl(tmp_path / "run", recipe(web.url("a", "/0")))
        assert len(bodies(tmp_path / "run")) == 9
        names = {part.name for part in Run(tmp_path / "run").table("warc").parts}
        assert {path.name for path in warc.iterdir()} == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"contact": "nobody"}, "contact"),
        ({"contact": "http://münchen.example/"}, "contact"),
        ({"agent": "Mozilla/5.0 (X11)"}, "agent"),
        ({"delay": -1}, "delay"),
        ({"delay": "1 year"}, "delay"),
        ({"timeout": 0}, "timeout"),
        ({"patience": "100 days"}, "patience"),
        ({"retries": 999}, "retries"),
        ({"depth": 99_999}, "depth"),
        ({"scope": "galaxy"}, "scope"),
        ({"start": ["ftp://example.org/"]}, "start"),
        ({"start": []}, "start"),
        ({"pages": 0}, "pages"),
        ({"fetcher": 2}, "did you mean fetchers"),
    ],
)
def test_what_cannot_be_crawled_is_one_line(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    (tmp_path / "a.toml").write_text(recipe(**{"start": ["http://example.org/"], **options}))
    assert said in refused("run", "a.toml", "--run", "run", cwd=tmp_path)
    assert not (tmp_path / "run").exists()
