"""What other extractors make of the pages of a set: labels for training, where a page has no gold.

python infra/extraction/teachers.py SET.parquet OUT.parquet
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from trafilatura import extract

from filters.charset import decode

VARIANTS = {
    "default": {},
    "fast": {"fast": True},
    "precision": {"favor_precision": True},
    "recall": {"favor_recall": True},
}


def answers(html: bytes) -> dict[str, str]:
    """The text of a page by each variant; "" where it finds none or fails."""
    page, _ = decode(html, None)
    found = dict[str, str]()
    for name, options in VARIANTS.items():
        try:
            found[name] = extract(page, include_comments=False, **options) or ""
        except Exception:  # a teacher that fails says nothing
            found[name] = ""
    return found


def main(given: Path, out: Path) -> None:
    """Write a table of id and one column a variant."""
    rows = pq.read_table(given, columns=["id", "html"])
    told = [answers(html) for html in rows["html"].to_pylist()]
    columns = {name: [row[name] for row in told] for name in VARIANTS}
    pq.write_table(pa.table({"id": rows["id"], **columns}), out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
