"""Images of WARC files become pairs with what the documents of their pages say of them."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.crawl.archive import Archive
from pipelines.crawl.client import Answer
from tests.helpers.command import here
from tests.test_pictures import jpeg, png

pytestmark = pytest.mark.slow


WORDS = " ".join(f"word{n} and some more of them" for n in range(40))
PAGE = f"""<html lang="en"><head><title>Of rivers</title></head><body><article>
<p>Before it stands this. {WORDS}</p>
<figure><img src="/a.png" alt="A river" title="seen from above"><figcaption>The river Dee
</figcaption></figure>
<p>After it stands that. {WORDS}</p><img src="b.jpg" alt="B"><p>{WORDS}</p>
<img src="gone.png" alt="was not fetched"><p>{WORDS}</p></article></body></html>"""
IMAGE, OTHER = png(640, 480), jpeg(64, 64)


def answer(body: bytes, media_type: str, *headers: bytes) -> Answer:
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: " + media_type.encode(), *headers]
    return Answer(None, "", 200, lines, body, "127.0.0.1")


def warc(folder: Path, name: str, records: dict[str, Answer]) -> None:
    archive = Archive(folder, name, {})
    for url, each in records.items():
        archive.response(url, each, 1e9, {})
    archive.close()
    (folder / f"{name}.log").unlink()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A page in one file, its images in two others."""
    html = "text/html; charset=utf-8"
    other = PAGE.replace("/a.png", "http://h.org/a.png#x").replace("Of rivers", "Again")
    pages = {"http://h.org/p/1": answer(PAGE.encode(), html)}
    pages["http://g.org/p/2"] = answer(other.replace("word", "sword").encode(), html)
    warc(tmp_path / "in", "pages", pages)
    noai = b"X-Robots-Tag: noai"
    images = {"http://h.org/a.png": answer(IMAGE, "image/png", noai)}
    warc(tmp_path / "in", "one", images)
    warc(tmp_path / "in", "two", {"http://h.org/p/b.jpg": answer(OTHER, "image/png")})
    recipe = tmp_path / "r.toml"
    recipe.write_text('name = "r"\n[[source]]\nkind = "warc"\npaths = ["in"]\nimages = true\n')
    return recipe


def pairs(recipe: Path, *more: str) -> list[dict[str, Any]]:
    run = recipe.parent / "run"
    done = here("run", recipe, "--run", run, *more, cwd=recipe.parent)
    assert (done.returncode, done.stderr) == (0, "")
    rows: list[dict[str, Any]] = pq.read_table(run / "pairs").to_pylist()
    return rows


def test_an_image_meets_the_documents_that_show_it(site: Path) -> None:
    rows = {(row["url"], row["image_url"]): row for row in pairs(site)}
    documents = pq.read_table(site.parent / "run" / "documents").to_pylist()
    ids = {row["url"]: row["id"] for row in documents}
    a, b = "http://h.org/a.png", "http://h.org/p/b.jpg"
    assert set(rows) == {("http://h.org/p/1", a), ("http://h.org/p/1", b), ("http://g.org/p/2", a)}
    row = rows["http://h.org/p/1", a]
    texts = {each["kind"]: each["text"] for each in row["texts"]}
    assert texts["alt"] == "A river" and texts["title"] == "seen from above"
    assert texts["caption"] == "The river Dee" and texts["page_title"] == "Of rivers"
    assert texts["before"].endswith("more of them")
    assert "After it stands that." in texts["after"]
    assert {each["lang"] for each in row["texts"]} == {"en"}
    assert row["document"] == ids["http://h.org/p/1"]
    assert (row["width"], row["height"], row["media_type"]) == (640, 480, "image/png")
    assert row["noai"] and row["noimageai"] and not rows["http://h.org/p/1", b]["noai"]
    assert rows["http://h.org/p/1", b]["media_type"] == "image/jpeg"  # the head, not the header


def test_images_are_kept_by_their_content(site: Path) -> None:
    kept = {row["image"] for row in pairs(site)}
    assert kept == {hashlib.sha256(body).hexdigest() for body in (IMAGE, OTHER)}
    for digest in kept:
        (file,) = (site.parent / "run" / "images" / digest[:2]).glob(f"{digest}.*")
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


def test_the_pairs_are_the_same_with_two_workers(site: Path) -> None:
    one = pairs(site)
    (site.parent / "run").rename(site.parent / "other")
    assert pairs(site, "--workers", "2") == one
    assert len({row["id"] for row in one}) == len(one) == 3


def test_a_second_run_does_nothing_again(site: Path) -> None:
    pairs(site)
    files = sorted((site.parent / "run" / "pairs").iterdir())
    before = [file.stat().st_mtime_ns for file in files]
    pairs(site)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_images_are_of_warc_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('name = "r"\n[[source]]\nkind = "text"\npaths = ["x"]\nimages = true\n')
    done = here("run", path, cwd=tmp_path)
    assert done.returncode == 2 and "where and images are of kind warc" in done.stderr
