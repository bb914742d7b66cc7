"""Real pages, mutated, through the extractor of pages: `python -m tests.fuzz SECONDS SEED`.

Run it with ``NUMBA_BOUNDSCHECK=1``: a kernel that reads or writes beyond its arrays raises then.
"""

import random
import sys
import time
from pathlib import Path

import numpy as np
from fastwarc import ArchiveIterator

from filters.maintext import MODES, main_text

SAMPLE = Path(__file__).parent / "data" / "sample"
LARGEST = 400_000  # bytes of a page
SLOW = 2.0  # seconds that no page may take, with bounds checks and on a busy machine
TOKENS = (
    *(b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"&", b"&#", b"&#x", b";", b"'", b'"'),
    *(b"\0", b"\xff", b"\xc2", b"\xe2\x80", b"\xf0\x9f", b"\\u", b'"articleBody":"', b"\\"),
    *(b"<title>", b"<script>", b"<script type='application/ld+json'>", b"</script>", b"<svg>"),
    *(b"<select>", b"<pre>", b"<table>", b"<tr>", b"<td>", b"<li>", b"<a href=", b"<plaintext>"),
    *(b"<div class='", b" style='display:none", b"<br><br>", b"<p>", b"</p>", b"<h1>", b"<head>"),
)


def pages() -> list[bytes]:
    """The pages of the sample."""
    found = list[bytes]()
    for path in sorted(SAMPLE.glob("*.warc.gz")):
        try:
            for record in ArchiveIterator(path.open("rb")):
                found.append(record.reader.read(LARGEST))
        except OSError:  # some of them are damaged on purpose
            continue
    return [page for page in found if b"<" in page]


def mutated(page: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """A page with a few pieces cut, doubled, swapped, taken from another page or made up."""
    data = bytearray(page)
    for _ in range(rng.choice((1, 2, 5, 20, 100))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 3, 10, 100, 2_000))
        kind = rng.randrange(6)
        if kind == 0:
            del data[at : at + size]
        elif kind == 1:
            data[at:at] = data[at : at + size] * rng.choice((1, 3, 50))
        elif kind == 2:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 3:
            other = rng.choice(others)
            begin = rng.randrange(len(other))
            data[at:at] = other[begin : begin + size]
        elif kind == 4:
            data[at:at] = rng.choice(TOKENS) * rng.choice((1, 1, 1, 600))
        else:
            del data[at + 50_000 :]
        del data[LARGEST:]
    return bytes(data)


def main(seconds: float, seed: int) -> int:
    """Mutate and extract for so long; how many pages that were."""
    rng, given, count = random.Random(seed), pages(), 0
    main_text(np.frombuffer(given[0], np.uint8))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        page = mutated(rng.choice(given), given, rng)
        begin = time.process_time()
        found = main_text(np.frombuffer(page, np.uint8), rng.choice(list(MODES)))
        took = time.process_time() - begin
        if took > SLOW or found is None:
            raise AssertionError(f"page {count} of seed {seed}: {took:.1f} s, {found is None}")
        count += 1
    return count


if __name__ == "__main__":
    print(main(float(sys.argv[1]), int(sys.argv[2])), "pages")
