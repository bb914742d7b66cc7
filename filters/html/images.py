"""The images in the main text of a page, with what the page says of each: the texts of a pair.

An image belongs to the main text if it stands between two blocks of it, or in a figure with one.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from filters.buffers import Bytes
from filters.html.blocks import FIRST, LAST
from filters.html.head import attributes, clean, urljoin_or_none
from filters.html.mainblocks import Blocks
from filters.html.markup import END, FROM, START, TAG, TO
from filters.html.tags import TAG as NUMBER
from filters.html.text import texts

AROUND = 30  # words before, and after
LEAST = 3  # pixels; what says that it is smaller on a side is no picture

_IMAGE = re.compile(rb"<img(?=[\s/>])[^>]{0,8000}", re.IGNORECASE)
_WHERE = ("src", "data-src", "data-lazy-src", "data-original", "srcset", "data-srcset")


class Image(NamedTuple):
    """An image of a page.

    Attributes:
        start: byte of the page where its tag begins.
        url: where it is, made absolute where the page's address is known.
        alt: what stands in its place; None: nothing is said.
        title: what is said of it beside.
        caption: of the figure that it stands in.
        before: the last words of the main text before it.
        after: the first words after it.
    """

    start: int
    url: str
    alt: str | None
    title: str | None
    caption: str | None
    before: str
    after: str


def images(page: Blocks, keep: Bytes, url: str | None = None) -> list[Image]:
    """The images in the main text, in order.

    Args:
        page: valid still.
        keep: shape (blocks,); 0: the block is no main text.
        url: what addresses are relative to.
    """
    of = _Texts(page)
    main = [block for block, kept in zip(of.blocks, keep.tolist(), strict=True) if kept]
    begins = [start for start, *_ in main]
    words = [" ".join(each.split()) for *_, each in main]
    found = []
    for start, address, said in _tags(page.data.tobytes()):
        figure = of.figure(start)
        place = bisect_right(begins, start)
        inside = 0 < place < len(main) or any(s <= b < e for s, e in figure for b in begins)
        where = urljoin_or_none(url, address)
        if inside and where:
            before = " ".join(words[max(0, place - 9) : place]).split()[-AROUND:]
            after = " ".join(words[place : place + 9]).split()[:AROUND]
            told = (clean(said.get("alt")), clean(said.get("title")), of.caption(figure))
            found.append(Image(start, where, *told, " ".join(before), " ".join(after)))
    return found


class _Texts:
    """Blocks as bytes of the page and text; figures and their captions."""

    def __init__(self, page: Blocks) -> None:
        first, last = page.blocks[:, FIRST], page.blocks[:, LAST] - 1
        starts, ends = page.segments[first, FROM].tolist(), page.segments[last, TO].tolist()
        self.blocks = list(zip(starts, ends, map(str.strip, texts(page)), strict=True))
        self.figures, self.captions = (
            self._ranges(page, name) for name in ("figure", "figcaption")
        )

    @staticmethod
    def _ranges(page: Blocks, name: str) -> list[tuple[int, int]]:
        rows = page.elements[page.elements[:, TAG] == NUMBER[name]]
        return [(int(a), int(b)) for a, b in rows[:, [START, END]]]

    def figure(self, start: int) -> list[tuple[int, int]]:
        """The innermost figure around a byte: one, or none."""
        return [each for each in self.figures if each[0] < start < each[1]][-1:]

    def caption(self, figure: list[tuple[int, int]]) -> str | None:
        """What stands under a figure."""
        said = [
            block
            for begin, end in figure
            for a, b in self.captions
            if begin < a and b <= end
            for start, _, block in self.blocks
            if a <= start < b
        ]
        return clean(" ".join(said))


def _tags(data: bytes) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Where images begin, where they are, and what their tags say."""
    for found in _IMAGE.finditer(data):
        said = attributes(found[0][4:])
        small = any(_pixels(said.get(side)) < LEAST for side in ("width", "height"))
        given = (said.get(name, "").split(",")[0].strip() for name in _WHERE)
        addresses = (each.split()[0] for each in given if each and not each.startswith("data:"))
        address = next(addresses, None)
        if address and not small:
            yield found.start(), address, said


def _pixels(value: str | None) -> float:
    digits = re.match(r"\s*(\d+)", value or "")
    return int(digits[1]) if digits else LEAST
