"""What a crawl fetched is forgotten: pages, images, what is known of their addresses; for good."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.runs import Run, refusals
from tests.helpers.command import did, refused, well
from tests.test_forget import naming, sealed_as_they_are, text
from tests.test_pictures import png

pytestmark = pytest.mark.slow


RARE = "quixotryl"
PAGE = "<html><title>{title}</title><body><article><p>{text}</p>{rest}</article></body></html>"
RECIPE = """\
name = "c"
[[source]]
kind = "crawl"
start = ["{site}/index.html"]
contact = "crawler@example.org"
private = true
delay = 0
images = true
patience = 0
[dedup]
"""


class Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved.html":
            self.send_response(301)
            self.send_header("Location", "/gone.html")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write(folder: Path, name: str, number: int, rest: str, first: str = "") -> None:
    page = PAGE.format(title=f"{first}{name}", text=f"{first} {text(number, 120)}", rest=rest)
    page = page.replace("</article>", f"<p>{text(number + 50, 120)}</p></article>")
    (folder / name).write_text(page)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A site of three pages, one of which is to go; another leads to it in two ways."""
    folder = tmp_path / "site"
    folder.mkdir()
    links = (
        '<a href="gone.html">one</a> <a href="stays.html">two</a> <a href="moved.html">three</a>'
        '<a href="missing.html">four</a>'
    )
    write(folder, "index.html", 1, links)
    both = '<figure><img src="both.png" alt="Of it"><figcaption>Of it</figcaption></figure>'
    write(folder, "stays.html", 2, both)
    shows = both + both.replace("both.png", "own.png")
    write(folder, "gone.html", 3, shows, RARE)
    for number, name in enumerate(("both.png", "own.png")):
        (folder / name).write_bytes(png(640, 480 + number))
    (folder / "robots.txt").write_text("")
    with served(folder) as address:
        (tmp_path / "c.toml").write_text(RECIPE.format(site=address))
        yield tmp_path, address


def ran(folder: Path, recipe: str = "c.toml") -> list[str]:
    """The steps that were done."""
    return did("run", recipe, "--run", "run", cwd=folder)


def test_a_page_that_was_crawled_goes_and_does_not_come_back(site: tuple[Path, str]) -> None:
    folder, address = site
    run, gone = folder / "run", f"{address}/gone.html"
    assert "ingest" in ran(folder)
    held = {name.partition("/")[0] for name in naming(run, gone)}
    assert held == {"warc", "documents", "pairs", "frontier", "dataset"}
    assert len(list(run.glob("images/*/*"))) == 2
    well("forget", "run", gone, cwd=folder)
    assert naming(run, gone, RARE) == [] and sealed_as_they_are(run)
    left = pq.read_table(run / "pairs").to_pylist()
    assert [row["url"] for row in left if row["url"]] == [f"{address}/stays.html"]
    emptied = [row for row in left if not row["url"]]
    assert len(emptied) == 2
    assert all(not row[name] for row in emptied for name in ("image", "image_url", "source"))
    kept = {path.stem for path in run.glob("images/*/*")}
    assert kept == {row["image"] for row in left if row["url"]}
    fetches = pq.read_table(run / "frontier/fetches").to_pylist()
    assert [row["leads"] for row in fetches if row["url"].endswith("moved.html")] == [None]
    assert ran(folder) == []
    write(
        folder / "site", "index.html", 5, '<a href="gone.html">one</a> <a href="new.html">new</a>'
    )
    write(
        folder / "site", "new.html", 6, '<a href="gone.html#x">one</a> <a href="moved.html">m</a>'
    )
    run_again = RECIPE.format(site=address).replace("delay = 0", "delay = 0\nrecrawl = 1")
    (folder / "c.toml").write_text(run_again.replace("index.html", "new.html"))
    assert "ingest" in ran(folder)
    urls = pq.read_table(run / "documents").column("url").to_pylist()
    assert f"{address}/new.html" in urls and naming(run, gone, RARE) == []


def test_an_image_a_missing_page_and_what_the_recipe_names(site: tuple[Path, str]) -> None:
    folder, address = site
    ran(folder)
    for name, gone in (("own.png", "pairs of image and text"), ("missing.html", "the crawl knows")):
        assert naming(folder / "run", name)
        assert gone in well("forget", "run", f"{address}/{name}", cwd=folder)
        assert naming(folder / "run", f"{address}/{name}") == []
    assert len(list(folder.glob("run/images/*/*"))) == 1
    start = f"{address}/index.html"
    said = well("forget", "run", start, "--dry-run", cwd=folder)
    assert "run/recipe.toml: names it; yours to change" in said
    run = Run(folder / "run")
    run.manifest.facts["crawl"]["now"] = 1
    run.save()
    line = refused("forget", "run", start, cwd=folder, code=1)
    assert "karez run run/recipe.toml --run run --only crawl" in line
    assert not refusals.read(run.folder).refused(start, None)
