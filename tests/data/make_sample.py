"""Make tests/data/sample/: real web pages in WARC files, with planted faults and near copies.

    python -m tests.data.make_sample FOLDER

FOLDER holds the Debian packages of `pages.PACKAGES` (bookworm), fetched with `apt-get download`;
`dpkg-deb` must be there to unpack them, and the file of common licences that Debian has.  The same
packages and zlib give the same bytes.
"""

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.data import faults, near, warcs
from tests.data.near import Case
from tests.data.pages import LANGUAGES, PACKAGES, Package, Page, helps, read, sized, spread

SEED = 3
OUT = Path(__file__).parent / "sample"
MPL = Path("/usr/share/common-licenses/MPL-2.0")

LICENSES = """\
# Where the pages come from, and under which licences

The pages are taken from Debian packages, byte for byte, and put into WARC files by
`tests/data/make_sample.py`. Each has the address that it has on the public web. The licence texts
stand beside this file.

| file | source, Debian package and version | copyright | licence |
| --- | --- | --- | --- |
{rows}
| `mirror.warc.gz` | pages of the files above, some changed | as above | as its source, each page |
| `faults.warc.gz` | more pages of the same, most changed | as above | as its source, each page |
| `damaged.warc.gz` | more of the Python manual | as `python` | [PSF-2.0](PSF-2.0.txt) |
| `cut.warc.gz` | more of the PostgreSQL manual | as `postgresql` | [PostgreSQL](PostgreSQL.txt) |
| `planted.json` | Karez | the Karez authors | Apache-2.0 |

Pages in `mirror.warc.gz` and `faults.warc.gz` **were changed on purpose**: words replaced, headers
and footers exchanged, encodings altered, two languages mixed. They are test input, not
documentation. `planted.json` names for each of them the page that it was made from.

The source form of LibreOffice's help is at <https://git.libreoffice.org/help>; each page names its
own source file near its end.
"""


def row(file: str, what: str, package: Package, holder: str, licence: str) -> str:
    """One line of the table of licences."""
    source = f"{what}, `{package.name}` {package.version}"
    return f"| `{file}.warc.gz` | {source} | {holder} | [{licence}]({licence}.txt) |"


def licences(packages: dict[str, Package]) -> dict[str, str]:
    """LICENSES.md and the licence texts, by file name."""
    postgres, python = packages["postgresql-doc-15"], packages["python3.11-doc"]
    group = (
        "1996-2026 PostgreSQL Global Development Group; "
        "1994 The Regents of the University of California"
    )
    psf = "2001-2026 Python Software Foundation; earlier holders in the licence text"
    office = "2000, 2010 Oracle and/or its affiliates; LibreOffice contributors"
    rows = [
        row("postgresql", "PostgreSQL 15 manual", postgres, group, "PostgreSQL"),
        row("python", "Python 3.11 manual", python, psf, "PSF-2.0"),
    ]
    for language in LANGUAGES:
        package = packages[f"libreoffice-help-{language.lower()}"]
        file = f"help-{language[:2]}"
        rows.append(row(file, f"LibreOffice 7.4 help ({language})", package, office, "MPL-2.0"))
    stanza = postgres.copyright.split("### licenses ###")[1].split("License: PostgreSQL\n")[1]
    terms = stanza.split("\n\n")[0].replace("\n .\n", "\n\n").replace("\n ", "\n").strip()
    notice = "".join(f"Portions Copyright (c) {line}\n" for line in group.split("; "))
    agreement = python.copyright.split("Python License\n====", 1)[1]
    agreement = agreement[agreement.index("A. HISTORY") :].split("\n\nLicenses and Ack")[0]
    return {
        "LICENSES.md": LICENSES.format(rows="\n".join(rows)),
        "PostgreSQL.txt": f"{notice}\n{terms}\n",
        "PSF-2.0.txt": agreement.rstrip() + "\n",
        "MPL-2.0.txt": MPL.read_text(),
    }


def choose(packages: dict[str, Package]) -> tuple[dict[str, list[Page]], dict[str, list[Page]]]:
    """The pages of the clean files, and others of the same kind to make faults of."""
    clean, spare = dict[str, list[Page]](), dict[str, list[Page]]()

    def take(file: str, base: str, pages: dict[str, str], names: list[str], count: int) -> None:
        for into, chosen in zip((clean, spare), spread(names, count), strict=True):
            into[file] = [Page(base + name, pages[name]) for name in chosen]

    manual, python = packages["postgresql-doc-15"].pages, packages["python3.11-doc"].pages
    take("postgresql", "https://www.postgresql.org/docs/15/", manual, sized(manual, 200, 3000), 120)
    take("python", "https://docs.python.org/3.11/", python, sized(python, 300, 2500), 50)
    paths = helps(packages, 200, 1200)
    for language in LANGUAGES:
        pages = packages[f"libreoffice-help-{language.lower()}"].pages
        names = [f"{language}/{path}" for path in paths]
        take(f"help-{language[:2]}", "https://help.libreoffice.org/7.4/", pages, names, 100)
    return clean, spare


def plain(file: str, pages: list[Page]) -> bytes:
    """A clean WARC file; the one of PostgreSQL has the requests too."""
    out = [warcs.gzip(warcs.warcinfo(f"{file}.warc.gz", f"pages of {file}"))]
    for page in pages:
        identity, answer = warcs.response(page.url, page.html.encode())
        if file == "postgresql":
            out.append(warcs.gzip(warcs.request(page.url, identity)))
        out.append(warcs.gzip(answer))
    return b"".join(out)


def plant(file: str, cases: Iterable[Case]) -> tuple[bytes, list[dict[str, object]]]:
    """A WARC file of planted things, and what planted.json says of each."""
    out = warcs.gzip(warcs.warcinfo(file, "planted faults and copies"))
    listed = list[dict[str, object]]()
    for case in cases:
        entry = {"file": file, "offset": len(out), "url": case.url, "kind": case.kind}
        listed.append(entry | {"from": case.made_from, "expect": case.expect} | case.more)
        out += case.member
    return out, listed


def main(folder: Path) -> None:
    """Write everything.

    Args:
        folder: where the Debian packages are.
    """
    packages = {name: read(folder, name) for name in PACKAGES}
    clean, spare = choose(packages)
    OUT.mkdir(exist_ok=True)
    for file, pages in clean.items():
        (OUT / f"{file}.warc.gz").write_bytes(plain(file, pages))
    draw = random.Random(SEED)
    planted = {
        "mirror.warc.gz": near.mirror(clean, draw),
        "faults.warc.gz": faults.faults(clean, spare, draw),
        "damaged.warc.gz": faults.damaged(spare["python"], draw),
        "cut.warc.gz": faults.cut(spare["postgresql"]),
    }
    listed = list[dict[str, object]]()
    for file, cases in planted.items():
        data, entries = plant(file, cases)
        (OUT / file).write_bytes(data)
        listed += entries
    entries_text = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in listed)
    (OUT / "planted.json").write_text(f"[\n{entries_text}\n]\n")
    for name, text in licences(packages).items():
        (OUT / name).write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"{__doc__}\nPackages: apt-get download {' '.join(PACKAGES)}")
    main(Path(sys.argv[1]))
