"""Main text: each kernel against a slow, obvious twin, and the model that ships on pages."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filters.html.blocks import CHARS, HASH, LINKED, OWNER, WIDE, WORDS
from filters.html.features import FAR, NAMES, WIDTH
from filters.html.forest import CHILD, FEATURE, Forest, chances
from filters.html.mainblocks import Blocks
from filters.html.maintext import BINS, MODES, chosen, main_text, model, read, save
from filters.html.markup import PARENT, SIGN
from filters.html.regions import MASSES, SECOND, WINDOW, regions
from filters.html.regions import NAMES as REGIONS
from filters.html.tags import BIT, hash_of
from tests.test_tree import PAGES
from tests.test_tree import read as blocks_of

Floats = NDArray[np.float32]

SENTENCE = "The manual says a few words about the matter at hand, and then it says no more. "
PAGE = f"""<html><head><title>The matter at hand</title></head><body>
<nav><ul><li><a href=/>Home</a><li><a href=/x>Menu entry</a></ul></nav>
<article><h1>The matter at hand</h1><p>{SENTENCE * 4}</p><p>{SENTENCE * 3}</p></article>
<footer><p>Imprint</p></footer></body></html>"""


def walked(forest: Forest, row: Floats) -> float:
    """What a forest says of a row, one node at a time, until it is sure."""
    total = 0.0
    for tree, root in enumerate(forest.roots.tolist()):
        if tree in (40, 60) and not -2.5 <= total <= 2.5:
            break
        node = root
        while forest.nodes[node, CHILD] != node:
            feature, child = forest.nodes[node, FEATURE], int(forest.nodes[node, CHILD])
            node = child if row[feature] <= forest.limits[node] else child + 1
        total += float(forest.values[node])
    return 1 / (1 + np.exp(-total))


def grown(rng: np.random.Generator, features: int) -> Forest:
    """Some trees."""
    nodes, limits, values = list[list[int]](), list[float](), list[float]()

    def room() -> int:
        nodes.append([0, len(nodes)])
        limits.append(np.inf)
        values.append(float(rng.normal()))
        return len(nodes) - 1

    def grow(at: int, depth: int) -> None:
        if depth and rng.random() < 0.8:
            first, _ = room(), room()
            nodes[at] = [int(rng.integers(features)), first]
            limits[at] = float(rng.integers(-2, 3))
            grow(first, depth - 1)
            grow(first + 1, depth - 1)

    roots = list[int]()
    for _ in range(64):
        roots.append(room())
        grow(roots[-1], 3)
    numbers = np.array(roots, np.int32), np.array(nodes, np.int32)
    return Forest(*numbers, np.array(limits, np.float32), np.array(values, np.float32))


@given(st.integers(0, 2**32))
def test_a_forest_says_what_its_trees_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    forest = grown(rng, 5)
    rows = rng.integers(-2, 3, (6, 5)).astype(np.float32)
    asked = (rng.random(6) < 0.8).astype(np.float32)
    out = np.empty(6, np.float32)
    chances(rows, asked, *forest, out)
    wanted = [walked(forest, row) if yes else 0.0 for row, yes in zip(rows, asked, strict=True)]
    assert out == pytest.approx(wanted, abs=1e-6)


def within(page: Blocks) -> list[list[int]]:
    """The blocks in each element, slowly."""
    found = [list[int]() for _ in page.elements]
    for i, block in enumerate(page.blocks):
        element = int(block[OWNER])
        while element >= 0:
            found[element].append(i)
            element = int(page.elements[element, PARENT])
    return found


def up(page: Blocks, block: int, times: int) -> int:
    """The element so many steps around a block's own."""
    element = int(page.blocks[block, OWNER])
    for _ in range(times):
        element = max(int(page.elements[element, PARENT]), 0)
    return element


@given(PAGES)
def test_features_say_what_is_there(html: str) -> None:
    page = blocks_of(html)
    held, its = within(page), page.blocks
    signs = [(int(e[PARENT]), int(e[SIGN])) for e in page.elements]
    for i, row in enumerate(page.rows):
        said = dict(zip(NAMES, row.tolist(), strict=False))
        for times in range(4):
            element = up(page, i, times)
            chars = int(its[held[element], CHARS].sum())
            assert said[f"around {times} chars"] == chars
            assert said[f"around {times} blocks"] == len(held[element])
            linked = its[held[element], LINKED].sum() / chars
            assert said[f"around {times} linked"] == pytest.approx(linked)
            if times < 3 and element:
                assert said[f"alike {times}"] == signs.count(signs[element])
        assert said["same text"] == (its[:, HASH] == its[i, HASH]).sum()
        assert said["place from start"] == min(i, FAR)
        assert said["place to end"] == min(len(its) - i, FAR)
        before = its[:i, CHARS].sum() / its[:, CHARS].sum()
        assert said["place chars before"] == pytest.approx(before)
        words = int(its[i - 1, WORDS]) - int(its[i - 1, WIDE]) // 2 if i else -1
        assert said["before 1 words"] == words
        flags = int(page.flags[its[i, OWNER]])
        assert all(said[f"is {name}"] == bool(flags & int(bit)) for name, bit in BIT.items())


@given(PAGES, st.integers(0, 2**32))
def test_regions_say_what_was_said_around(html: str, seed: int) -> None:
    page = blocks_of(html)
    p = np.random.default_rng(seed).random(len(page.blocks)).astype(np.float32)
    masses = np.empty((len(page.elements), MASSES), np.float32)
    regions(page.elements, page.sums, page.blocks, p, masses, page.rows)
    held, chars = within(page), page.blocks[:, CHARS]
    main = p * chars
    for i, row in enumerate(page.rows[:, WIDTH:]):
        said = dict(zip(REGIONS, row.tolist(), strict=True))
        for times in range(4):
            those = held[up(page, i, times)]
            mean = main[those].sum() / chars[those].sum()
            assert said[f"p around {times} mean"] == pytest.approx(mean, rel=1e-4)
            assert said[f"p around {times} top"] == p[those].max()
        near = [j for j in range(i - WINDOW, i + WINDOW + 1) if j != i and 0 <= j < len(p)]
        window = main[near].sum() / chars[near].sum() if near else 0
        assert said["p window"] == pytest.approx(window, rel=1e-4)
        first = last = i
        while first and (p[first - 1] >= 0.5) == (p[i] >= 0.5):
            first -= 1
        while last + 1 < len(p) and (p[last + 1] >= 0.5) == (p[i] >= 0.5):
            last += 1
        assert abs(said["p run"]) == last - first + 1 and (said["p run"] > 0) == (p[i] >= 0.5)
        assert said["p before"] == pytest.approx(main[:i].sum() / main.sum(), abs=1e-4)


@given(st.integers(0, 2**32), st.sampled_from(["balanced", "precision", "recall"]))
def test_no_other_number_of_blocks_is_expected_to_be_better(seed: int, mode: str) -> None:
    page = blocks_of("".join(f"<p>{'word ' * (seed % (n + 2) + 1)}" for n in range(20)))
    p = np.random.default_rng(seed).random(20).astype(np.float32)
    chars, beta = page.blocks[:, CHARS].astype(float), MODES[mode]

    def expected(keep: NDArray[np.bool_]) -> float:
        right = (p * chars)[keep].sum()
        return float((1 + beta**2) * right / (chars[keep].sum() + beta**2 * (p * chars).sum()))

    kept = chosen(page, p, mode).astype(bool)
    best = max(expected((p * BINS).astype(int) >= bin_) for bin_ in range(BINS))
    assert expected(kept) == pytest.approx(best) and p[kept].min() > p[~kept].max(initial=-1)


WORDLIKE = st.text(alphabet="aB9 ,.!?\"'ßéЖ漢か–… \u3000שׁ\n", max_size=40)


@given(WORDLIKE)
def test_what_is_counted_in_a_block(plain: str) -> None:
    page = blocks_of("<p>" + plain)
    kept = "".join(plain.split())
    if not kept:
        assert len(page.blocks) == 0
        return
    (block,) = page.blocks
    assert block[CHARS] == len(kept)
    assert block[WIDE] == sum(c in "漢か" for c in kept)


def test_the_main_text_is_kept_and_the_frame_is_not() -> None:
    found = main_text(np.frombuffer(PAGE.encode(), np.uint8))
    lines = found.tobytes().decode().split("\n")
    assert lines[-2:] == [(SENTENCE * 4).strip(), (SENTENCE * 3).strip()]
    assert not {"Home", "Menu entry", "Imprint"} & set(lines)


def test_the_frame_of_a_manual_made_from_docbook_is_seen_as_one() -> None:
    chapter = f"<div class=chapter><h2>Name</h2><p>{SENTENCE * 4}</p><pre>SELECT 1;</pre></div>"
    cells = "<td><a href=x>Prev</a><td><a href=y>Home</a><tr><td>74.6. BKI Example<td>75. Use"
    page = chapter + f"<div class=navfooter><table><tr>{cells}</table></div>"
    likely = read(np.frombuffer(page.encode(), np.uint8)).chances
    assert likely[1] > 0.9 and likely[3:].max() < 0.05


@pytest.mark.parametrize("count", [4, 40, 400, 4_000])
def test_a_long_page_keeps_its_later_part(count: int) -> None:
    prose = "".join(f"<p>{SENTENCE * 2} The {n}th time it is said.</p>" for n in range(count))
    page = PAGE.replace("</h1>", "</h1>" + prose)
    found = main_text(np.frombuffer(page.encode(), np.uint8))
    assert found.tobytes().decode().count("time it is said") == count


def test_modes_take_more_and_more_of_a_page() -> None:
    data = np.frombuffer(PAGE.encode(), np.uint8)
    sizes = [len(main_text(data, m)) for m in ("precision", "balanced", "recall", "everything")]
    assert sizes == sorted(sizes)
    everything = main_text(data, "everything")
    for piece in (b"Home", b"Menu entry", b"Imprint", SENTENCE.strip().encode()):
        assert piece in everything.tobytes()


def test_what_readers_wrote_is_left_out_unless_it_is_the_page() -> None:
    said = "".join(f"<li><p>{SENTENCE} Says reader {n}.</p>" for n in range(2))
    readers = f"<div class=comments><ol>{said}</ol></div>"
    page = PAGE.replace("</article>", readers + "</article>")
    for mode, wanted in (("precision", 0), ("balanced", 0), ("recall", 0), ("everything", 2)):
        found = main_text(np.frombuffer(page.encode(), np.uint8), mode).tobytes()
        assert found.count(b"Says reader") == wanted
        assert SENTENCE.encode() * 3 in found
    both = blocks_of("<p>" + "word " * 7 + "<div class=comment><p>" + "word " * 3)
    likely = np.ones(2, np.float32)
    assert chosen(both, likely, "balanced").tolist() == [1, 1]
    less = blocks_of("<p>" + "word " * 8 + "<div class=comment><p>" + "word " * 3)
    assert chosen(less, likely, "balanced").tolist() == [1, 0]


def test_a_model_is_what_was_saved() -> None:
    forests = [grown(np.random.default_rng(seed), WIDTH) for seed in (1, 2)]
    names = {hash_of(3, "content"): 0.5, hash_of(4, "menu"): -1.0}
    out = [io.BytesIO(), io.BytesIO()]
    for file in out:
        save(names, forests, file)
    assert out[0].getvalue() == out[1].getvalue()
    shipped = model()
    assert shipped.second.nodes[:, FEATURE].max() < WIDTH + SECOND
    assert shipped.first.nodes[:, FEATURE].max() < WIDTH


@given(PAGES)
def test_every_block_has_a_probability(html: str) -> None:
    page, likely = read(np.frombuffer(html.encode(), np.uint8))
    assert len(likely) == len(page.blocks) and ((likely >= 0) & (likely <= 1)).all()
    assert not any(a[OWNER] >= len(page.elements) for a, _ in pairwise(page.blocks))
