"""Web pages out of Debian packages: read, cut to their main part, compared, chosen."""

import html
import re
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

LANGUAGES = ("en-US", "de", "es", "fr", "ja", "ru")
PACKAGES = (
    "postgresql-doc-15",
    "python3.11-doc",
    *(f"libreoffice-help-{language.lower()}" for language in LANGUAGES),
)
MAIN = re.compile(
    r'(?:<hr /></div>|<div class="body" role="main">|<div id="DisplayArea"[^>]*>)'
    r"(.*)"
    r'(?:<div class="navfooter">|<div class="clearer"></div>\s*</div>\s*</div>\s*</div>\s*'
    r'<div class="sphinxsidebar"|<div id="SearchFrame">)',
    re.DOTALL,
)
"""The part of a page of any of the three sources that is neither header nor footer."""
TAG = re.compile(r"(<[^>]*>)")


class Page(NamedTuple):
    """One page as its package has it."""

    url: str  # where it stands on the public web
    html: str


class Package(NamedTuple):
    """What the sample needs of one Debian package."""

    name: str
    version: str
    copyright: str
    pages: dict[str, str]  # path below html/ or help/ -> HTML


def read(folder: Path, name: str) -> Package:
    """Unpack one package in memory.

    Raises:
        SystemExit: if it is not in the folder, with the line that fetches it.
    """
    found = sorted(folder.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise SystemExit(f"{folder}: {len(found)} files {name}_*.deb; try: apt-get download {name}")
    show = ["dpkg-deb", "--field", str(found[0]), "Version"]
    version = subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()
    unpack = ["dpkg-deb", "--fsys-tarfile", str(found[0])]
    rights, pages = "", dict[str, str]()
    with (
        subprocess.Popen(unpack, stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for entry in archive:
            path = re.split(r"/(?:html|help)/", entry.name, maxsplit=1)[-1]
            if entry.isfile() and (file := archive.extractfile(entry)):
                if entry.name.endswith(f"{name}/copyright"):
                    rights = file.read().decode()
                elif path.endswith(".html"):
                    pages[path] = file.read().decode()
    return Package(name, version, rights, pages)


def texts(page: str) -> list[str]:
    """The text nodes of the main part, without the white space around them."""
    main = MAIN.search(page)
    nodes = TAG.split(main[1])[::2] if main else []
    return [html.unescape(node).strip() for node in nodes]


def words(page: str) -> list[str]:
    """The main part's words, as white space separates them."""
    return " ".join(texts(page)).split()


def jaccard(a: list[str], b: list[str]) -> float:
    """Share of the 5-word shingles of two texts that both have."""
    first, second = ({tuple(w[i : i + 5]) for i in range(len(w) - 4)} for w in (a, b))
    return len(first & second) / max(1, len(first | second))


def spread(names: list[str], count: int) -> tuple[list[str], list[str]]:
    """`count` names at even distances, and the rest."""
    chosen = [names[i * len(names) // count] for i in range(count)]
    return chosen, sorted(set(names) - set(chosen))


def sized(pages: dict[str, str], low: int, high: int) -> list[str]:
    """Names of the pages whose main part has `low` to `high` words, in order; no lists of links."""
    return sorted(
        name
        for name, page in pages.items()
        if low <= len(words(page)) <= high
        and not name.startswith(("genindex", "py-modindex"))
        and "toctree-wrapper" not in page
    )


def translated(english: str, other: str) -> bool:
    """Whether at most 15 % of the English passages (4 words and more) are left in the other."""
    passages, left = ({t for t in texts(p) if len(t.split()) >= 4} for p in (english, other))
    return bool(left) and len(passages & left) <= 0.15 * len(passages)


def helps(packages: dict[str, Package], low: int, high: int) -> list[str]:
    """Paths of the help pages that every language has translated, and that are not alike.

    Returns:
        paths below the language's folder, such as `text/scalc/guide/sorted_list.html`.
    """
    pages = {n: packages[f"libreoffice-help-{n.lower()}"].pages for n in LANGUAGES}
    english = pages["en-US"]
    kept = dict[str, list[str]]()  # path -> words of the English page
    for name in sized(english, low, high):
        path, text = name.removeprefix("en-US/"), words(english[name])
        if all(translated(english[name], pages[n][f"{n}/{path}"]) for n in LANGUAGES[1:]) and all(
            jaccard(text, other) < 0.4 for other in kept.values()
        ):
            kept[path] = text
    return list(kept)
