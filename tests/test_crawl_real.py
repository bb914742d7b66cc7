"""Real sites behind a real nginx: every page that their files' links lead to is in the WARC."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from resiliparse.parse.html import HTMLTree

from pipelines.readers import http
from tests.helpers.crawling import crawl, reasons, recipe, records
from tests.helpers.needs import unpacked
from tests.helpers.nginx import handbook, nginx

pytestmark = pytest.mark.server

SOME = ("ar-MA", "de-DE", "en-US", "ja-JP", "ru-RU", "zh-CN")
MORE = ("python-django-doc", "libreoffice-help-ja", "debian-policy", "apache2-doc")
PAGE = (".html", ".htm", ".shtml")  # what nginx calls text/html
SITE = "http://site"


def walk(sites: Mapping[str, Path], start: Iterable[str]) -> dict[str, bytes]:
    """The pages that links lead to, by their paths, straight from the disk."""
    found: dict[str, bytes] = {}
    paths = list(start)
    while paths:
        path = paths.pop()
        file = _file(sites, path)
        if path not in found and file is not None and file.suffix in PAGE:
            found[path] = file.read_bytes()
            paths += _leads(found[path], path)
    return found


def _file(sites: Mapping[str, Path], path: str) -> Path | None:
    """What nginx gives for a path: of a folder its index."""
    name, _, rest = path.removeprefix("/").partition("/")
    if name not in sites or ("?" in path or "//" in path):
        return None
    file = sites[name] / rest
    file = file / "index.html" if path.endswith("/") else file
    return file if file.is_file() else None


def _leads(page: bytes, path: str) -> list[str]:
    """Where the links of a page lead within the site, by a parser."""
    document: Any = HTMLTree.parse_from_bytes(page, "utf-8").document
    bases = document.query_selector_all("base[href]")
    base = urljoin(SITE + path, bases[0].getattr("href") if bases else "")
    links = document.query_selector_all("a[href], area[href]")
    followed = [a for a in links if "nofollow" not in (a.getattr("rel") or "").lower().split()]
    urls = [urljoin(base, a.getattr("href").strip()).partition("#")[0] for a in followed]
    return [unquote(urlsplit(url).path) for url in urls if url.startswith(SITE + "/")]


def kept(run: Path) -> dict[str, bytes]:
    """The pages of a run's WARC files, by their paths, and as they were meant."""
    found = {}
    for record in records(run):
        body = record.reader.read()
        url = unquote(urlsplit(record.headers["WARC-Target-URI"]).path)
        coding = record.http_headers.get("Content-Encoding") or ""
        found[url] = http.decode(body, "", coding, len(body) * 1100)
    return found


def check(folder: Path, sites: Mapping[str, Path], start: Iterable[str]) -> int:
    """Crawl sites whole; gives how many pages there were."""
    expected = walk(sites, start)
    with nginx(folder / "nginx", sites) as url:
        options = {"delay": 0, "connections": 8, "timeout": 60, "retries": 3, "alike": 5000}
        rows = crawl(folder / "run", recipe(*(url + path for path in start), **options))
    found = kept(folder / "run")
    assert found.keys() >= expected.keys()
    assert all(found[path] == page for path, page in expected.items())
    assert {each for every in reasons(rows).values() for each in every} <= {
        *("fetched", "redirect", "media type", "status 404", "status 403")
    }
    return len(expected)


def test_a_book_in_six_languages_is_crawled_whole(tmp_path: Path) -> None:
    sites = {name: handbook() / name for name in SOME}
    files = [file for place in sites.values() for file in place.rglob("*.html")]
    assert check(tmp_path, sites, [f"/{name}/index.html" for name in SOME]) == len(files)


@pytest.mark.soak
def test_thousands_of_pages_of_many_makers_are_crawled_whole(tmp_path: Path) -> None:
    sites = {each.name: each for each in handbook().iterdir()}
    start = [f"/{name}/index.html" for name in sites]
    for name in MORE:
        sites[name] = unpacked(name)
        files = sorted(f for f in sites[name].rglob("index.html") if not f.is_symlink())
        start += [f"/{name}/{f.relative_to(sites[name])}" for f in files[:20]]
    assert check(tmp_path, sites, start) > 4_000
