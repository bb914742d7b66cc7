"""More labelled pages, from the tests of other extractors and from a Chinese set.

What each gold is:

- cwce: copied by hand from the page (immortal-autumn/Chinese-Web-Content-Extraction-Dataset, MIT).
- gne: pages of GeneralNewsExtractor's tests; containers chosen by hand here, in
  ``data/chinese_news.json``, which holds no text of a page.
- postlight: what the selectors select that parser's authors wrote for the site.
- newspaper: texts beside the pages of newspaper4k's tests, what the tool gave and its authors took.
- readability: likewise of Mozilla's readability, so it favours what works alike.

Left out are pages made up to test a tool, and pages saved in another encoding than they declare.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from resiliparse.parse.html import HTMLTree

from filters import charset
from tests.bench.extraction_pages import Page
from tests.bench.extraction_shown import lines, shown

CHINESE = Path(__file__).parent / "data/chinese_news.json"
LEAST = 100  # characters of gold

_CANONICAL = re.compile(rb"""<link[^>]*rel=["']?canonical["']?[^>]*href=["']([^"']+)""", re.I)
_HOST = re.compile(rb"https?://([\w.-]+\.[a-z]+)/", re.I)
_FIXTURE = re.compile(
    r"""(?:url|parse\()\s*=?\s*['"](https?://[^'"]+)['"][^;]*?;?.{0,300}?fixtures/([^'"]+\.html)""",
    re.DOTALL,
)


def tree(html: bytes) -> HTMLTree:
    """A page, decoded as the engine does."""
    return HTMLTree.parse(charset.decode(html, None)[0])


def address(html: bytes, name: str, origin: str) -> str:
    """Its canonical URL, else one of the host that the page names most."""
    if (found := _CANONICAL.search(html)) and urlsplit(found[1]).netloc:
        return "https:" * found[1].startswith(b"//") + found[1].decode(errors="replace")
    hosts = Counter(_HOST.findall(html)).most_common(1)
    host = hosts[0][0].decode() if hosts else f"{origin}.example"
    return f"https://{host}/{origin}/{name}"


def readability(folder: Path) -> Iterator[Page]:
    """Mozilla/readability, test/test-pages."""
    for case in sorted((folder / "test/test-pages").iterdir()):
        html = (case / "source.html").read_bytes()
        gold = shown(tree((case / "expected.html").read_bytes()), "body")
        url = address(html, case.name, "readability")
        yield Page(url, html, "article", "readability", gold)


def newspaper(folder: Path) -> Iterator[Page]:
    """AndyTheFactory/newspaper4k, tests/data."""
    for path in sorted((folder / "tests/data/txt").glob("*.txt")):
        page = folder / "tests/data/html" / f"{path.stem}.html"
        if page.exists():
            html, gold = page.read_bytes(), lines(path.read_text())
            yield Page(address(html, path.stem, "newspaper"), html, "news", "newspaper", gold)


def postlight(folder: Path) -> Iterator[Page]:
    """Postlight/parser, fixtures and src/extractors/custom."""
    for site in sorted((folder / "src/extractors/custom").iterdir()):
        script, test = site / "index.js", site / "index.test.js"
        if not (script.exists() and test.exists()):
            continue
        code = re.sub(r"^\s*//.*$", "", script.read_text(), flags=re.M).partition("content: {")[2]
        wanted, unwanted = _list(code, "selectors"), _list(code, "clean")
        for url, name in _FIXTURE.findall(test.read_text()):
            path = folder / "fixtures" / name
            if path.exists() and wanted:
                html = path.read_bytes()
                gold = _selected(html, wanted, [s for s in unwanted or [] if isinstance(s, str)])
                yield Page(url, html, "news", "postlight", gold)


def cwce(folder: Path) -> Iterator[Page]:
    """Immortal-autumn/Chinese-Web-Content-Extraction-Dataset."""
    for path in sorted((folder / "cleaned").glob("*.txt")):
        html = (folder / "original" / f"{path.stem}.html").read_bytes()
        gold = lines(path.read_text(errors="replace"))
        yield Page(address(html, path.stem, "cwce"), html, "news", "cwce", gold)


def gne(folder: Path) -> Iterator[Page]:
    """GeneralNewsExtractor/GeneralNewsExtractor, tests."""
    labels = json.loads(CHINESE.read_text())
    unwanted = re.compile(labels["not lines"])
    for site, container in labels["containers"].items():
        for path in sorted((folder / "tests" / site).glob("*.html")):
            name = f"{site}/{path.name}"
            if name not in labels["not pages"]:
                html = path.read_bytes()
                text = shown(tree(html), container).splitlines()
                gold = "\n".join(line for line in text if not unwanted.search(line))
                yield Page(address(html, name, "gne"), html, "news", "gne", gold, family=site)


def more(folder: Path) -> Iterator[Page]:
    """All of them that are there: checkouts in folders that are called OWNER+NAME."""
    readers = {
        "mozilla+readability": readability,
        "AndyTheFactory+newspaper4k": newspaper,
        "postlight+parser": postlight,
        "immortal-autumn+Chinese-Web-Content-Extraction-Dataset": cwce,
        "GeneralNewsExtractor+GeneralNewsExtractor": gne,
    }
    for name, reader in readers.items():
        pages = list(reader(folder / name)) if (folder / name).is_dir() else []
        kept = [page for page in pages if len(page.gold or "") >= LEAST and served(page)]
        print(f"  {name}: {len(kept)} of {len(pages)} pages")
        yield from kept


def served(page: Page) -> bool:
    """Whether the page is one of the web, in the bytes that were served."""
    if "lorem ipsum" in (page.gold or "").lower():
        return False
    name = charset.prescan(page.html[: charset.PRESCAN])
    try:
        return name in (None, "utf-8") or page.html.decode().isascii()
    except UnicodeDecodeError:
        return True


def _list(code: str, name: str) -> list[Any] | None:
    """The first JavaScript list of that name, which is a Python list too; None where it is not."""
    found = re.search(rf"{name}:\s*(\[.*)", code, re.DOTALL)
    text = found[1] if found else ""
    ends = (place for place, letter in enumerate(text, 1) if letter == "]")
    whole = (text[:end] for end in ends if text[:end].count("[") == text[:end].count("]"))
    try:
        value = ast.literal_eval(next(whole, ""))
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, list) else None


def _selected(html: bytes, wanted: Sequence[str | list[str]], unwanted: Sequence[str]) -> str:
    """The text of the first selector that finds any; a list of them must all find some."""
    for each in wanted:
        selectors = [each] if isinstance(each, str) else each
        try:
            document: Any = tree(html).document
            if all(document.query_selector(selector) for selector in selectors):
                return shown(tree(html), ", ".join(selectors), unwanted)
        except ValueError:  # a selector that only jQuery knows
            return ""
    return ""
