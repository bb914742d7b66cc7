"""Which names of classes and ids stand at main text: learned from labelled pages."""

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from filters.html.blocks import CHARS, OWNER
from filters.html.mainblocks import Blocks
from filters.html.markup import CONTENT, PARENT, START
from filters.html.tags import OF_NAME, OF_PART, OF_PROP, OF_ROLE, hash_of

DOMAINS, MOST, UP = 4, 4_000, 6  # a name is on so many domains; names; elements around a block
PRIOR = 2.0  # pages' worth of blocks that are as others are
_ATTRIBUTE = re.compile(
    rb"""\b(class|id|role|itemprop)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_PART = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Page = tuple[str, dict[int, tuple[float, float]]]
"""A domain, and of each name on a page: main text near it, other text, as shares of the page."""


def names(tag: bytes) -> set[int]:
    """Hashes of what a start tag's attributes say."""
    found = set[int]()
    for attribute, *values in _ATTRIBUTE.findall(tag):
        value = next((v for v in values if v), b"").decode("utf-8", "replace")
        kind = attribute.lower()
        if kind in (b"class", b"id"):
            found |= {hash_of(OF_NAME, name) for name in value.split()}
            parts = _PART.findall(_CAMEL.sub(" ", value))
            found |= {hash_of(OF_PART, part) for part in parts}
        else:
            found.add(hash_of(OF_ROLE if kind == b"role" else OF_PROP, "".join(value.split())))
    return found


def seen(page: Blocks, domain: str, value: NDArray[np.float32]) -> Page:
    """What the labels of a page say of its names."""
    sums, total = defaultdict[int, list[float]](lambda: [0.0, 0.0]), 0.0
    memory, html = dict[int, set[int]](), page.data.tobytes()
    for block, share in zip(page.blocks, value.tolist(), strict=True):
        element, chars = int(block[OWNER]), float(min(block[CHARS], 300))
        around = set[int]()
        for _ in range(UP):
            if element <= 0:
                break
            if element not in memory:
                start, content = page.elements[element, [START, CONTENT]]
                memory[element] = names(html[start:content])
            around |= memory[element]
            element = int(page.elements[element, PARENT])
        for name in around:
            sums[name][0] += share * chars
            sums[name][1] += (1 - share) * chars
        total += chars
    return domain, {name: (a / total, b / total) for name, (a, b) in sums.items() if total}


def scores(pages: Iterable[Page]) -> dict[int, float]:
    """The score of each name: above 0 is said of main text; the logarithm of a ratio."""
    domains = defaultdict[int, set[str]](set)
    sums = defaultdict[int, list[float]](lambda: [0.0, 0.0])
    for domain, page in pages:
        for name, (main, other) in page.items():
            domains[name].add(domain)
            sums[name][0] += main / (main + other)
            sums[name][1] += other / (main + other)
    often = sorted(domains, key=lambda name: (-len(domains[name]), name))[:MOST]
    return {
        name: round(float(np.log((sums[name][0] + PRIOR) / (sums[name][1] + PRIOR))), 4)
        for name in often
        if len(domains[name]) >= DOMAINS
    }
