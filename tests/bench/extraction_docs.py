"""Documentation pages whose content stands in a container that their template names.

The pages come from documentation packages, each unpacked into a folder of its name: of Debian
(``apt-get download NAME && dpkg-deb -x NAME_*.deb NAME``), and ``javadoc-8``, which holds the
javadoc jars of guava 23.0 and commons-compress 1.18 from Maven Central.  A family is one template;
its name begins with the generator, so that folds can keep generators apart.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from resiliparse.parse.html import HTMLTree

from filters import charset
from tests.bench.extraction_pages import Page
from tests.bench.extraction_shown import shown

PAGES = 120  # of a family, at most
SOURCE = re.compile(r"_source\.html$|_8h\.html$|/_modules/|/src/|/class-use/|/search/|/genindex")
LEAST, MOST = 200, 400_000  # characters of gold, and bytes of a page


class Family(NamedTuple):
    """Where the pages of a template are, and what of them is content."""

    name: str
    paths: tuple[str, ...]  # patterns under the folder of all packages; drawn from in equal shares
    content: str  # CSS
    drop: tuple[str, ...] = ()  # CSS: within the content, but not of it


_SPHINX = ("a.headerlink", "div.highlight button", "a.viewcode-link")
_NAVIGATION = (".navheader", ".navfooter", "table.navigation", ".footer", ".spirit-nav")

FAMILIES = (
    Family("sphinx/python", ("python3.11-doc/**/html/*/*.html",), "div.body", _SPHINX),
    Family("sphinx/classic", ("cmake-doc/**/*.html", "debian-policy/**/*.html",
           "developers-reference/**/*.html"), "div.body", _SPHINX),
    Family("sphinx/django", ("python-django-doc/**/html/*/**/*.html",), "#yui-main .yui-b",
           _SPHINX),
    Family("sphinx/flask", ("python-flask-doc/**/*.html",), "div.body", _SPHINX),
    Family("sphinx/pydata", ("python-pandas-doc/**/html/*/*.html",), "main",
           (*_SPHINX, ".prev-next-area", ".prev-next-bottom")),
    Family("mkdocs/bootstrap", ("mkdocs-doc/**/*.html",), "div[role=main]", _SPHINX),
    Family("docbook/postgresql", ("postgresql-doc-15/**/*.html",), "body", _NAVIGATION),
    Family("docbook/publican", tuple(f"debian-handbook/**/{language}/*.html"
           for language in ("en-US", "ja-JP", "zh-CN")), "body", (".docnav", "#banner", "p#title")),
    Family("docbook/boost", ("libboost1.74-doc/**/doc/html/boost/*/*.html",), "body",
           ("body > table:first-child", ".spirit-nav", ".copyright-footer")),
    Family("docbook/exim", ("exim4-doc-html/**/*.html",), "#content",
           (".previous_page", ".next_page", ".toc_page")),
    Family("docbook/dsssl", ("privoxy/**/*.html",), "body", (".NAVHEADER", ".NAVFOOTER")),
    Family("gtkdoc/classic", ("libcairo2-doc/**/*.html", "libglib2.0-doc/**/*.html"), "body",
           _NAVIGATION),
    Family("gtkdoc/gi-docgen", ("libgtk-4-doc/**/*.html",), "section#main", ("a.anchor",)),
    Family("javadoc/17", ("openjdk-17-doc/**/api/java.*/**/*.html",), "main"),
    Family("javadoc/jdk8", ("javadoc-8/**/*.html",), "div.header, div.contentContainer"),
    Family("rustdoc/rustdoc", ("rust-doc/**/html/core/**/*.html", "rust-doc/**/html/std/**/*.html"),
           "#main-content", ("a.anchor", "button", ".out-of-band", ".src", ".srclink",
           ".test-arrow", ".hideme")),
    Family("mdbook/mdbook", ("rust-doc/**/html/book/*.html", "rust-doc/**/html/reference/**/*.html",
           "rust-doc/**/html/nomicon/*.html"), "main"),
    Family("doxygen/doxygen", ("libeigen3-doc/**/html/*.html",), "#doc-content .header, .contents",
           (".summary", ".permalink")),
    Family("qdoc/qt5", ("qtbase5-doc-html/**/qt*/*.html",), ".mainContent",
           (".mainContent .sidebar", ".naviNextPrevious")),
    Family("scaladoc/2.11", ("scala-doc/**/api/*/**/*.html",), "#definition, #template",
           ("#mbrsel",)),
    Family("haddock/haddock", ("ghc-doc/**/libraries/*/*.html", "libghc-lens-doc/**/html/*.html"),
           "#content", ("a.link", "a.selflink")),
    Family("asciidoc/asciidoc", ("git-doc/**/*.html",), "#header, #content"),
    Family("asciidoc/asciidoctor", ("kicad-doc-ja/**/*.html", "kicad-doc-zh/**/*.html"),
           "#header > h1, #content"),
    Family("erlang/erl_docgen", ("erlang-doc/**/html/*.html",), "#content", (".footer", ".topbar")),
    Family("fpdoc/fpdoc", ("fp-docs-3.2.2/**/rtl/*/*.html", "fp-docs-3.2.2/**/fcl/*/*.html"),
           "body", ("table.bar", ".footer")),
    Family("libreoffice/help", ("libreoffice-help-en-us/**/text/**/*.html",
           "libreoffice-help-ja/**/text/**/*.html", "libreoffice-help-zh-cn/**/text/**/*.html"),
           "#DisplayArea"),
    Family("texinfo/maxima", ("maxima-doc/**/*.html",), "body", ("div.header",)),
    Family("texinfo/octave", ("octave-doc/**/octave.html/*.html", "sbcl-doc/**/*.html"), "body",
           ("div.header",)),
    Family("mediawiki/cppreference", ("cppreference-doc-en-html/**/en/c*/*/*.html",),
           "#firstHeading, #mw-content-text", (".t-navbar", ".editsection", ".noprint")),
    Family("apache/apache", tuple(f"apache2-doc/**/manual/{language}/**/*.html"
           for language in ("en", "ja", "ko", "zh-cn")), "#page-content",
           (".toplang", ".bottomlang", "#comments_section", ".top", ".quickview #social")),
    Family("scribble/racket", ("racket-doc/**/*.html",), "div.main",
           (".navsettop", ".navsetbottom", ".versionbox", ".tocset")),
    Family("node/node", ("nodejs-doc/**/api/*.html",), "#apicontent", ("a.mark",)),
    Family("sqlite/sqlite", ("sqlite3-doc/**/*.html",), "body", (".nosearch",)),
)  # fmt: skip


def docs(folder: Path) -> Iterator[Page]:
    """The pages of all families that are there, drawn by family name."""
    for family in FAMILIES:
        found = 0
        for path in _drawn(folder, family):
            page = read(folder, path, family)
            if page:
                found += 1
                yield page
            if found == PAGES:
                break
        print(f"  {family.name}: {found} pages")


def read(folder: Path, path: Path, family: Family) -> Page | None:
    """One page; None if it is a stub, too large, or not of the template."""
    html = path.read_bytes()
    if len(html) > MOST:
        return None
    tree = HTMLTree.parse(charset.decode(html, None)[0])
    gold = shown(tree, family.content, family.drop)
    if len(gold) < LEAST:
        return None
    url = f"https://{family.name.replace('/', '.')}.example/{path.relative_to(folder).as_posix()}"
    return Page(url, html, "docs", "docs", gold, family=family.name)


def _is_page(path: Path) -> bool:
    """Not a listing of source code, nor an index."""
    return path.is_file() and not path.is_symlink() and not SOURCE.search(path.as_posix())


def _drawn(folder: Path, family: Family) -> Iterator[Path]:
    """Its files in a drawn order, one of each pattern in turn."""
    draw = random.Random(family.name)
    shuffled = []
    for pattern in family.paths:
        mine = sorted(p for p in folder.glob(pattern) if _is_page(p))
        draw.shuffle(mine)
        shuffled.append(mine)
    for place in range(max(map(len, shuffled), default=0)):
        yield from (mine[place] for mine in shuffled if place < len(mine))
