"""A crawl that is cut off, at any moment, goes on as if it had not been."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import orjson
import pytest

from pipelines.runs import Run
from tests.crawling import Child, crawl, fetches, frontier, recipe, table
from tests.hostile import FIRST, Seen, Site, Web, message, moved, page, served
from tests.test_crawl import bodies, tree

pytestmark = [pytest.mark.server, pytest.mark.slow]


def sites() -> dict[str, Site]:
    """Two hosts: links, redirects, a sitemap, one page under two names."""
    listed = "".join(f"<url><loc>/{i}</loc></url>" for i in range(30, 36))
    pages = tree(36)
    more = {
        "/robots.txt": message("Sitemap: /map.xml", kind="text/plain"),
        "/map.xml": message(f"<urlset>{listed}</urlset>", kind="text/xml"),
        "/0": page("/1", "/2", "/old", "/one/", "/two/"),
        "/old": moved("/new"),
        "/new": page("/5"),
        "/one/": page("a", text="The same."),
        "/two/": page("a", text="The same."),
    }
    return {"a": {**pages, **more}, "b": {**tree(20), **more}}


def die_in(place: str, at: int, half: bool = False) -> None:
    """Let a function end the process the so-manieth time that it is called."""
    path, _, name = place.rpartition(".")
    owner = resolve_name(f"pipelines.{path}")
    does, calls = getattr(owner, name), 0

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            if half:  # the first half of what it was to write
                arguments = (arguments[0], arguments[1][: len(arguments[1]) // 2])
                does(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return does(*arguments)

    setattr(owner, name, counted)


Death = Callable[[], None] | int
"""What a child meets first, or the number of the request at which it is killed."""

DEATHS: list[Death] = [
    1,
    7,
    partial(die_in, "crawl.archive._write", 2, half=True),
    partial(die_in, "crawl.archive.Archive.log", 3),
    partial(die_in, "crawl.archive._write", 5, half=True),
    13,
    partial(die_in, "crawl.rounds._by_part", 1),
    partial(die_in, "crawl.frontier.merge", 5),
    partial(die_in, "runs.Run.save", 3),
    partial(die_in, "crawl.archive.Archive.log", 9),
    partial(die_in, "runs.Run.sweep", 2),
]


def killed(web: Web, folder: Path, text: str, death: Death) -> None:
    """Crawl until death."""
    asked = len(web.seen)

    def watch(seen: Seen) -> None:
        if isinstance(death, int) and len(web.seen) == asked + death:
            child.kill(signal.SIGKILL)
            child.process.join()

    web.watch = watch
    child = Child(folder, text, None if isinstance(death, int) else death)
    code = child.wait()
    web.watch = lambda seen: None
    assert code == -signal.SIGKILL


def logged(folder: Path) -> set[str]:
    """The URLs that logs and sealed tables tell of."""
    lines = [
        line for log in folder.glob("warc/*.log") for line in log.read_bytes().splitlines(True)
    ]
    found = {orjson.loads(line)["url"] for line in lines if line.endswith(b"\n")}
    sealed = (folder / "manifest.json").exists() and "frontier/fetches" in Run(
        folder
    ).manifest.tables
    return found | ({row["url"] for row in fetches(folder)} if sealed else set())


def test_killed_again_and_again_it_comes_to_the_same(tmp_path: Path) -> None:
    with served(sites()) as web:
        text = recipe(web.url("a", "/0"), web.url("b", "/0"), delay=0.02)
        crawl(tmp_path / "whole", text)
        whole = [(s.host, s.path) for s in web.seen]
        web.seen.clear()
        allowed = dict.fromkeys(whole, 1)
        for death in DEATHS:
            begun = len(web.seen)
            killed(web, tmp_path / "run", text, death)
            told = logged(tmp_path / "run")
            for host in "ab":  # at most one request to a host is under way
                last = [s for s in web.seen[begun:] if s.host == host][-1:]
                for s in last:
                    if web.url(s.host, s.path) not in told:
                        allowed[s.host, s.path] += 1
        crawl(tmp_path / "run", text)
        for seen in web.seen:
            if seen.path not in FIRST:
                allowed[seen.host, seen.path] -= 1
        assert min(allowed.values()) >= 0
        assert frontier(tmp_path / "run") == frontier(tmp_path / "whole")
        assert bodies(tmp_path / "run") == bodies(tmp_path / "whole")
        for name in ("frontier/fetches", "frontier/hosts"):
            one, other = (table(tmp_path / each, name) for each in ("run", "whole"))
            assert one.num_rows == other.num_rows
            if name == "frontier/hosts":
                assert one["fetched"].equals(other["fetched"])
        warcs = {path.name for path in (tmp_path / "run/warc").iterdir()}
        assert warcs == {part.name for part in Run(tmp_path / "run").table("warc").parts}
