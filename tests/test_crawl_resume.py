"""A crawl that is cut off, at any moment, goes on as if it had not been."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import orjson
import pytest

from pipelines.runs import Run
from tests.helpers.crawling import Child, bodies, crawl, fetches, frontier, recipe, table
from tests.helpers.hostile import FIRST, Seen, Site, Web, message, moved, page, served
from tests.test_crawl import tree

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
    partial(die_in, "crawl.archive.Archive.log", 3),
    partial(die_in, "crawl.archive._write", 5, half=True),
    partial(die_in, "crawl.step._by_part", 1),
    partial(die_in, "crawl.frontier.merge", 5),
    partial(die_in, "runs.Run.save", 3),
    partial(die_in, "runs.Run.sweep", 2),
]


def killed(web: Web, folder: Path, text: str, death: Death) -> None:
    """Crawl until death."""
    asked = len(web.seen)

    def watch(seen: Seen) -> None:
        if isinstance(death, int) and len(web.seen) == asked + death:
            child.kill(signal.SIGKILL)

    web.watch = watch
    child = Child(folder, text, None if isinstance(death, int) else death)
    code = child.wait()
    web.watch = lambda seen: None
    assert code == -signal.SIGKILL


def logged(folder: Path) -> set[str]:
    """The URLs that logs and sealed tables tell of."""
    logs = [path.read_bytes() for path in folder.glob("warc/*.log")]
    lines = [line for log in logs for line in log.splitlines(keepends=True)]
    found = {orjson.loads(line)["url"] for line in lines if line.endswith(b"\n")}
    begun = (folder / "manifest.json").exists()
    if begun and "frontier/fetches" in Run(folder).manifest.tables:
        found |= {row["url"] for row in fetches(folder)}
    return found


def repeated(web: Web, folder: Path, text: str) -> list[tuple[str, str]]:
    """Crawl, killed again and again; gives what may have been asked for twice."""
    found = []
    for death in DEATHS:
        begun = len(web.seen)
        killed(web, folder, text, death)
        told = logged(folder)
        for host in "ab":  # at most one request to a host is under way
            last = [s.path for s in web.seen[begun:] if s.host == host][-1:]
            found += [(host, path) for path in last if web.url(host, path) not in told]
    return found


def test_killed_again_and_again_it_comes_to_the_same(tmp_path: Path) -> None:
    with served(sites()) as web:
        text = recipe(web.url("a", "/0"), web.url("b", "/0"), delay=0.02)
        crawl(tmp_path / "whole", text)
        whole = [(s.host, s.path) for s in web.seen]
        web.seen.clear()
        allowed = Counter([*set(whole), *repeated(web, tmp_path / "run", text)])
        crawl(tmp_path / "run", text)
        allowed.subtract((s.host, s.path) for s in web.seen if s.path not in FIRST)
        assert min(allowed.values()) >= 0
        assert frontier(tmp_path / "run") == frontier(tmp_path / "whole")
        assert bodies(tmp_path / "run") == bodies(tmp_path / "whole")
        fetched, hosts = (
            [table(tmp_path / run, name) for run in ("run", "whole")]
            for name in ("frontier/fetches", "frontier/hosts")
        )
        assert fetched[0].num_rows == fetched[1].num_rows
        assert hosts[0]["fetched"].equals(hosts[1]["fetched"])
        warcs = {path.name for path in (tmp_path / "run/warc").iterdir()}
        assert warcs == {part.name for part in Run(tmp_path / "run").table("warc").parts}
