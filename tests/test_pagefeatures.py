"""What is counted in blocks and said of them: each against a slow, obvious twin."""

import re
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.html.blocks import (
    CAPITALS,
    CHARS,
    COMMAS,
    DIGITS,
    ENDS,
    FIRST,
    LAST,
    LINKED,
    MARKS,
    OWNER,
    QUOTES,
    STOPS,
    WIDE,
    WORDS,
)
from filters.html.features import FAR, NAMES, WIDTH
from filters.html.mainblocks import Blocks
from filters.html.markup import FROM, IMAGES, LEVEL, PARENT, TAG, TO
from filters.html.regions import MASSES, regions
from filters.html.regions import NAMES as REGIONS
from filters.html.tags import BIT, TAGS
from tests.test_maintext import within
from tests.test_tree import MARKS as SOME
from tests.test_tree import read

PROSE = "one two three four five six seven eight. "
MORE = [
    "<h1>",
    "</h1>",
    "<h2>",
    "</h2>",
    "<article>",
    "</article>",
    "<img>",
    PROSE,
    "<i class=comment>",
]
PAGES = st.lists(SOME | st.sampled_from(MORE), max_size=30).map("".join)
TEXT = st.text(alphabet="aB9 ,.!?\"'ßéЖ漢か–…\u3000שׁ\n", max_size=40)


@given(TEXT)
def test_what_is_counted_in_a_text(plain: str) -> None:
    kept = "".join(plain.split())
    for block in read("<p>" + plain).blocks if kept else ():
        words = re.findall(r"[漢か][aB9ßéЖש\u05c1]*|[aB9ßéЖש\u05c1]+", plain)
        assert block[WORDS] == len(words)
        assert block[CAPITALS] == sum(word[0] == "B" for word in words)
        for column, those in ((DIGITS, "9"), (COMMAS, ","), (STOPS, ".!?…"), (MARKS, "–")):
            assert block[column] == sum(c in those for c in plain)
        assert block[QUOTES] == plain.count('"') + plain.count("'")
        assert block[ENDS] == bool(re.search("[.!?…][\"']*$", kept))


def good(page: Blocks) -> list[int]:
    """Characters of each block that reads like a paragraph, else 0."""
    return [
        int(b[CHARS])
        if b[WORDS] - b[WIDE] // 2 >= 8
        and b[LINKED] <= 0.4 * b[CHARS]
        and not page.flags[b[OWNER]] & BIT["w_comment"]
        else 0
        for b in page.blocks
    ]


def above(page: Blocks, element: int) -> list[int]:
    """An element and those around it, inside out."""
    found = [element]
    while page.elements[found[-1], PARENT] >= 0:
        found.append(int(page.elements[found[-1], PARENT]))
    return found


def named(page: Blocks, element: int) -> str:
    return TAGS[page.elements[element, TAG]]


@given(PAGES)
def test_where_a_block_is(html: str) -> None:
    page = read(html)
    prose, its = good(page), page.blocks
    articles = [e for e in range(len(page.elements)) if named(page, e) == "article"]
    inside = {e: sum(prose[i] for i in held) for e, held in enumerate(within(page))}
    best = max(articles, key=lambda e: (inside[e], -e), default=-1)
    headings = [i for i, b in enumerate(its) if page.flags[b[OWNER]] & BIT["heading"]]
    levels = {
        i: next(
            int(n[1])
            for e in above(page, its[i, OWNER])
            if re.fullmatch("h[1-6]", n := named(page, e))
        )
        for i in headings
    }
    before = [0, *accumulate(prose)]
    for i, row in enumerate(page.rows):
        said = dict(zip(NAMES, row.tolist(), strict=False))
        around = above(page, int(its[i, OWNER]))
        mine = [e for e in around if e in articles][:1]
        assert said["article"] == (articles.index(mine[0]) + 1 if mine else 0)
        assert said["best article"] == (mine == [best])
        last = [h for h in headings if h <= i][-1:]
        assert said["since heading"] == (min(i - last[0], FAR) if last else -1)
        assert said["heading level"] == (levels[last[0]] if last else 0)
        first = [h for h in headings if h <= i and levels[h] == 1][-1:]
        assert said["since h1"] == (min(i - first[0], FAR) if first else -1)
        assert said["place good before"] == pytest.approx(before[i] / (sum(prose) or 1))
        assert said["level"] == page.elements[around[0], LEVEL]
        start = page.segments[its[i, FIRST], FROM]
        behind = page.segments[its[i - 1, LAST] - 1, TO] if i else 0
        assert said["gap before"] == start - behind


@given(PAGES)
def test_what_is_around_a_block(html: str) -> None:
    page = read(html)
    prose, held = good(page), within(page)
    parents = page.elements[1:, PARENT].tolist()
    outer = [above(page, e) for e in range(len(page.elements))]
    total = sum(prose)
    for name, share in (("most", 0.85), ("main", 0.6)):
        enough = [
            e for e, those in enumerate(held) if sum(prose[i] for i in those) >= share * total
        ]
        region = enough[-1] if total else 0
        for block, row in zip(page.blocks, page.rows, strict=True):
            said = dict(zip(NAMES, row.tolist(), strict=False))
            owner = int(block[OWNER])
            assert said[f"{name} inside"] == (region in outer[owner])
            assert said[f"{name} levels"] == len(outer[owner]) - len(outer[region])
    for block, row in zip(page.blocks, page.rows, strict=True):
        said = dict(zip(NAMES, row.tolist(), strict=False))
        for times, element in enumerate(outer[int(block[OWNER])][:3]):
            inner = [e for e in range(len(outer)) if element in outer[e]]
            assert said[f"children {times}"] == parents.count(element)
            assert said[f"around {times} images"] == page.elements[inner, IMAGES].sum()
            density = page.blocks[held[element], CHARS].sum() / len(inner)
            assert said[f"around {times} tags"] == pytest.approx(density)
            share = sum(prose[i] for i in held[element]) / (total or 1)
            assert said[f"around {times} good"] == pytest.approx(share)


@given(PAGES, st.integers(0, 2**32))
def test_what_the_first_probabilities_say(html: str, seed: int) -> None:
    page = read(html)
    chars, held = page.blocks[:, CHARS], within(page)
    p = (np.random.default_rng(seed).integers(0, 9, len(chars)) / 8).astype(np.float32)
    main = p * chars  # eighths, so that sums are exact
    masses = np.empty((len(page.elements), MASSES), np.float32)
    regions(page.elements, page.sums, page.blocks, p, masses, page.rows)
    total, whole = main.sum(), chars.sum()
    likely = (p >= 0.5).tolist()
    for i, row in enumerate(page.rows[:, WIDTH:]):
        said = dict(zip(REGIONS, row.tolist(), strict=True))
        assert said["p"] == p[i] and said["p sum"] == total
        assert said["p page"] == pytest.approx(total / whole)
        assert said["p top"] == p.max()
        assert said["p behind"] == pytest.approx(main[i + 1 :].sum() / (total or 1))
        for way in (-3, -2, -1, 1, 2, 3):
            assert said[f"p {way:+}"] == (p[i + way] if 0 <= i + way < len(p) else -1)
        first = last = i
        while first and likely[first - 1] == likely[i]:
            first -= 1
        while last + 1 < len(p) and likely[last + 1] == likely[i]:
            last += 1
        run = chars[first : last + 1].sum()
        assert said["p run chars"] == (run if likely[i] else -run)
        outer = above(page, int(page.blocks[i, OWNER]))
        for name, share in (("most", 0.85), ("main", 0.6)):
            enough = [e for e, those in enumerate(held) if main[those].sum() >= share * total]
            assert said[f"p {name} inside"] == (enough[-1] in outer)
        for times in range(2):
            element = outer[min(times, len(outer) - 1)]
            share = main[held[element]].sum() / (total or 1)
            assert said[f"p around {times} share"] == pytest.approx(share)
