"""The makers of extraction's sets, on checkouts of a page or two."""

import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.bench import extraction_docs, extraction_more, extraction_sets
from tests.bench.extraction_pages import SCHEMA, Page, write


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_trafilaturas_pages_have_snippets_and_lie_in_two_folders(tmp_path: Path) -> None:
    both = {"https://a.org/1": "one.html", "https://a.org/2": "two.html"}
    told = {url: {"file": name, "with": ["yes"], "without": ["no"]} for url, name in both.items()}
    put(tmp_path / "tests/evaldata.json", json.dumps(told))
    put(tmp_path / "tests/cache/one.html", b"1")
    put(tmp_path / "tests/eval/two.html", b"2")
    found = list(extraction_sets.trafilatura(tmp_path))
    assert [(p.url, p.html) for p in found] == [
        ("https://a.org/1", b"1"),
        ("https://a.org/2", b"2"),
    ]
    assert found[0].snippets == (["yes"], ["no"]) and found[0].gold is None


def test_wcxb_names_its_parts_and_leaves_out_what_has_no_gold(tmp_path: Path) -> None:
    for part, name, gold in (("dev", "1", "text"), ("test", "2", "other"), ("dev", "3", "")):
        truth = {"main_content": gold, "with": ["a"], "without": None}
        kind = {"page_type": {"primary": "collection" if name == "1" else "forum"}}
        data = {"url": f"https://a.org/{name}", "ground_truth": truth, "_internal": kind}
        put(tmp_path / part / "ground-truth" / f"{name}.json", json.dumps(data))
        put(tmp_path / part / "html" / f"{name}.html.gz", gzip.compress(name.encode()))
    found = list(extraction_sets.wcxb(tmp_path))
    assert [(p.origin, p.type, p.gold, p.html) for p in found] == [
        ("wcxb/dev", "listing", "text", b"1"),
        ("wcxb/test", "forum", "other", b"2"),
    ]
    assert found[0].snippets == (["a"], [])


def test_a_documentation_page_is_its_container(tmp_path: Path) -> None:
    family = extraction_docs.Family("made/up", ("up/*.html",), "main", ("a.mark",))
    body = "word " * 60
    page = f"<nav>no</nav><main><h1>Title<a class=mark>#</a></h1><p>{body}</main><footer>no"
    put(tmp_path / "up/a.html", page)
    put(tmp_path / "up/b.html", "<main>short</main>")
    put(tmp_path / "up/c_source.html", page)
    paths = list(extraction_docs._drawn(tmp_path, family))
    assert {path.name for path in paths} == {"a.html", "b.html"}
    found = [extraction_docs.read(tmp_path, path, family) for path in sorted(paths)]
    assert found[0] and found[0].gold == f"Title\n{body.strip()}"
    assert (found[0].url, found[0].family) == ("https://made.up.example/up/a.html", "made/up")
    assert found[1] is None


SCRIPT = """
export const Extractor = {
  title: { selectors: ['h1'] },
  content: {
    selectors: [
      // a comment
      ['.lead', '.body'],
      '.body',
    ],
    clean: ['.ad', x => x],
  },
};
"""
TEST = "url = 'https://a.org/x'; const html = fs.readFileSync('./fixtures/a.org.html');"


@pytest.mark.parametrize(
    ("html", "gold"),
    [
        ("<p class=lead>One.<p class=body>Two.<b class=ad>Buy</b>", "One.\nTwo.Buy"),
        ("<p class=body>Two.", "Two."),
        ("<p class=lead>One.", ""),
        ("<p>Three.", ""),
    ],
    ids=["both", "the second selector", "half of the first", "none"],
)
def test_postlights_gold_is_what_its_authors_select(tmp_path: Path, html: str, gold: str) -> None:
    site = tmp_path / "src/extractors/custom/a.org"
    put(site / "index.js", SCRIPT)
    put(site / "index.test.js", TEST)
    put(tmp_path / "fixtures/a.org.html", html)
    found = list(extraction_more.postlight(tmp_path))
    # What is cleaned is no Python list there, and so not known.
    assert [(p.url, p.gold) for p in found] == [("https://a.org/x", gold)]
    put(site / "index.js", SCRIPT.replace(", x => x", ""))
    again = list(extraction_more.postlight(tmp_path))
    assert again[0].gold == gold.removesuffix("Buy")


def test_chinese_labels_choose_containers_and_leave_lines_out(tmp_path: Path) -> None:
    html = '<div id="endText"><p>（原标题：一）<p>正文。<p>责任编辑：某人</div><p>相关'
    put(tmp_path / "tests/163/1.html", html)
    put(tmp_path / "tests/163/5.html", html)  # not one of the pages
    found = list(extraction_more.gne(tmp_path))
    assert [(p.gold, p.family) for p in found] == [("正文。", "163")]


def test_labels_hold_no_text_of_a_page() -> None:
    told = json.loads(extraction_more.CHINESE.read_text())
    assert set(told) == {"by hand", "containers", "not lines", "not pages"}
    assert extraction_more.CHINESE.stat().st_size < 4_000
    assert all(selector.isascii() for selector in told["containers"].values())


def test_a_pages_address_is_canonical_or_of_the_host_it_names_most() -> None:
    canonical = b'<link rel="canonical" href="//a.org/x?y">'
    assert extraction_more.address(canonical, "n", "o") == "https://a.org/x?y"
    named = b"https://b.org/1 https://c.org/1 https://c.org/2 "
    assert extraction_more.address(named, "n", "o") == "https://c.org/o/n"
    assert extraction_more.address(b"", "n", "o") == "https://o.example/o/n"


@pytest.mark.parametrize(
    ("html", "gold", "served"),
    [
        (b"<meta charset=gbk>" + "文".encode(), "文", False),
        (b"<meta charset=gbk>" + "文".encode("gbk"), "文", True),
        (b"<meta charset=gbk>plain", "plain", True),
        (b"<meta charset=utf-8>" + "文".encode(), "文", True),
        (b"x", "Lorem ipsum dolor", False),
    ],
)
def test_pages_count_that_are_as_they_were_served(html: bytes, gold: str, served: bool) -> None:
    page = Page("https://a.org/", html, "news", "test", gold)
    assert extraction_more.served(page) == served


def test_sets_are_written_by_url_each_page_once_without_the_benchmarks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [Page(f"https://a.org/{i}", b"x", "news", "t", f"gold {i}") for i in (2, 1, 2)]
    monkeypatch.setitem(extraction_sets.SETS, "more", lambda folder: iter(pages))
    command = ["sets", str(tmp_path), f"more={tmp_path}"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit, match="make the set aeb first"):
        extraction_sets.main()
    write(tmp_path / "aeb.parquet", [Page("http://a.org/1/", b"y", "news", "aeb", "other")])
    extraction_sets.main()
    table = pq.read_table(tmp_path / "more.parquet")
    assert table.schema.equals(SCHEMA) and table["url"].to_pylist() == ["https://a.org/2"]
    for words in (["sets", str(tmp_path)], [*command[:2], "none=/"], [*command[:2], "aeb=/no"]):
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit):
            extraction_sets.main()
