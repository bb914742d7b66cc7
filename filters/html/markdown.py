"""The chosen blocks of a page as Markdown: headings, lists, links, code, tables.

Words are written as they are: what would be mark-up if it were Markdown is not escaped, but for the
bars in tables.  A table is one if its rows have cells beside each other, of one short block each;
others hold a page together, and their blocks are paragraphs.

Source: CommonMark 0.31; GitHub Flavored Markdown (tables).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import groupby
from typing import NamedTuple

import numpy as np

from filters.buffers import Bytes
from filters.html.blocks import FIRST, LAST, OWNER
from filters.html.head import attributes, urljoin_or_none
from filters.html.mainblocks import Blocks
from filters.html.markup import BREAK, CONTENT, ELEMENT, FROM, KIND, PARENT, START, TAG, TO
from filters.html.tags import HIDDEN
from filters.html.tags import TAG as NUMBER
from filters.html.text import LEFT_OUT

CELL = 300  # characters in a cell of a table, at most
DEEP = 200  # elements around a block that are looked at, from the inside

_HEADING = {NUMBER[f"h{level}"]: level for level in range(1, 7)}
_PRE = {NUMBER[name] for name in ("pre", "listing", "xmp", "plaintext")}
_CODE = {NUMBER[name] for name in ("code", "kbd", "samp", "tt")}
_CELLS = {NUMBER["td"], NUMBER["th"]}
_LI, _OL, _A, _TR, _TABLE, _QUOTE = (
    NUMBER[name] for name in ("li", "ol", "a", "tr", "table", "blockquote")
)
_LANGUAGE = re.compile(rb"(?:\blang(?:uage)?|highlight(?:-source)?)-([\w+#]+)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\r\f\u00a0]+")
_PLAIN = ("text", "none", "default", "plain", "plaintext", "nohighlight")


class Block(NamedTuple):
    """A block and where it stands; numbers of elements, -1: in none.

    Attributes:
        text: of its line or lines.
        level: of the heading; 0: it is none.
        pre: what preserves white space.
        cell: of a table, the innermost.
        items: of lists, the outermost first.
        quotes: how many quotes it stands in.
    """

    text: str
    level: int
    pre: int
    cell: int
    items: tuple[int, ...]
    quotes: int


class _Page:
    """What is asked of the elements of a page, again and again."""

    def __init__(self, page: Blocks, url: str | None) -> None:
        self.data, self.url = page.data.tobytes(), url
        self.segments, self.flags = page.segments.tolist(), page.flags.tolist()
        self.tags, self.parents = page.elements[:, [TAG, PARENT]].T.tolist()
        self.starts = page.elements[:, [START, CONTENT]].tolist()
        self.places: dict[int, int] = {}  # of items of ordered lists
        self.counts: defaultdict[int, int] = defaultdict(int)  # of items, by list

    def around(self, element: int) -> list[int]:
        """An element and those around it, the innermost first."""
        found = list[int]()
        while element > 0 and len(found) < DEEP:
            found.append(element)
            element = self.parents[element]
        return found

    def attributes(self, element: int) -> dict[str, str]:
        """Of its start tag."""
        return attributes(self.tag(element))

    def tag(self, element: int) -> bytes:
        """The bytes of its start tag."""
        begin, end = self.starts[element]
        return self.data[begin:end]

    def shown(self, first: int, last: int, owner: int, whole: bool) -> list[list[int]]:
        """The segments whose text is a block's, see `filters.html.text`."""
        inside = 0 if whole else LEFT_OUT & ~self.flags[owner]
        found = list[list[int]]()
        for left_out in (inside, inside & int(HIDDEN)):
            found, broken = [], False
            for s in self.segments[first:last]:
                broken = broken or s[BREAK] == 1
                if not s[KIND] & left_out:
                    found.append([*s[:BREAK], broken, s[KIND]])
                    broken = False
            if any(self.words(s).strip() for s in found):
                break
        return found

    def block(self, first: int, last: int, owner: int, whole: bool) -> Block:
        """The block of some segments."""
        around = self.around(self.segments[first][ELEMENT])
        tags = [self.tags[each] for each in around]
        pre = next((e for e, t in zip(around, tags, strict=True) if t in _PRE), -1)
        cell = next((e for e, t in zip(around, tags, strict=True) if t in _CELLS), -1)
        level = next((_HEADING[t] for t in tags if t in _HEADING), 0)
        items = tuple(e for e, t in zip(around, tags, strict=True) if t == _LI)[::-1]
        given = self.shown(first, last, owner, whole)
        text = self.preserved(given) if pre >= 0 else self.line(given)
        return Block(text, level, pre, cell, items, tags.count(_QUOTE))

    def preserved(self, segments: Sequence[list[int]]) -> str:
        """Text with its white space."""
        return "".join(
            "\n" * (number > 0 and s[BREAK] == 1) + self.words(s)
            for number, s in enumerate(segments)
        )

    def words(self, segment: list[int]) -> str:
        """The text of a segment, character references undone, soft hyphens left out."""
        raw = self.data[segment[FROM] : segment[TO]].decode("utf-8", "replace")
        return unescape(raw).replace("\0", "").replace("\xad", "")

    def line(self, segments: Sequence[list[int]]) -> str:
        """Text with its links and pieces of code."""
        out, number = "", 0
        for (link, code), some in groupby(segments, key=lambda s: self.format(s[ELEMENT])):
            text = ""
            for s in some:
                text += "\n" * (number > 0 and s[BREAK] == 1) + _SPACE.sub(" ", self.words(s))
                number += 1
            out += _wrapped(text, code, self.address(link))
        lines = (_SPACE.sub(" ", line).strip() for line in out.split("\n"))
        return "\n".join(line for line in lines if line)

    def format(self, element: int) -> tuple[int, bool]:
        """The link around an element, or -1, and whether it is code."""
        around = self.around(element)
        link = next((each for each in around if self.tags[each] == _A), -1)
        return link, any(self.tags[each] in _CODE for each in around)

    def address(self, link: int) -> str | None:
        """Where a link leads, if that can be written in Markdown."""
        href = self.attributes(link).get("href", "") if link >= 0 else ""
        found = urljoin_or_none(self.url, href) if href and not href.startswith("#") else None
        if found is None and href and self.url is None and re.match(r"[\w./?=&%-]+$", href):
            found = href  # what is relative stays so
        return found.replace(" ", "%20").replace(")", "%29") if found else None

    def number(self, item: int) -> str:
        """What stands before an item of a list."""
        around = self.parents[item]
        if self.tags[around] != _OL:
            return "- "
        if item not in self.places:
            self.counts[around] += 1
            self.places[item] = self.counts[around]
        return f"{self.places[item]}. "


def _wrapped(text: str, code: bool, address: str | None) -> str:
    """Words as code, as a link, with the white space around them outside."""
    inner = text.strip()
    if not inner or not (code or address):
        return text
    before, after = text[: text.index(inner[0])], text[len(text.rstrip()) :]
    if code and "`" not in inner:
        inner = f"`{inner}`"
    if address:
        inner = f"[{' '.join(inner.split())}]({address})"
    return before + inner + after


def markdown(page: Blocks, keep: Bytes, url: str | None = None, whole: bool = False) -> str:
    """Some blocks as Markdown.

    Args:
        page: valid still.
        keep: shape (blocks,); 0: the block is left out.
        url: what links are relative to; without it relative ones stay so.
        whole: with what is left out of blocks otherwise, see `filters.html.text`.
    """
    of = _Page(page, url)
    chosen = page.blocks[np.flatnonzero(keep)][:, [FIRST, LAST, OWNER]].tolist()
    blocks = [b for b in (of.block(a, z, owner, whole) for a, z, owner in chosen) if b.text.strip()]
    seen: set[int] = set()  # items of lists that were begun
    out = list[str]()
    before: Block | None = None
    for block, text in _pieces(of, blocks):
        near = before is not None and _is_near(before, block)
        out.append(("\n" if near else "\n\n") * bool(out) + _placed(of, block, text, seen))
        before = block
    return "".join(out)


def _pieces(of: _Page, blocks: Sequence[Block]) -> Iterator[tuple[Block, str]]:
    """Blocks, tables and code, each with its lines."""
    for table, several in groupby(blocks, key=lambda b: _table(of, b)):
        some = list(several)
        rows = _rows(of, some) if table >= 0 else None
        if rows:
            yield some[0], _written(rows)
            continue
        for pre, together in groupby(some, key=lambda b: b.pre):
            each = list(together)
            if pre < 0:
                yield from ((b, "#" * b.level + " " * (b.level > 0) + _flat(b)) for b in each)
            else:
                yield each[0], _fenced(of, each[0], "\n".join(b.text.rstrip() for b in each))


def _flat(block: Block) -> str:
    return block.text.replace("\n", " ") if block.level else block.text


def _fenced(of: _Page, block: Block, text: str) -> str:
    """Lines of code, with the language that a class says."""
    ticks = max((len(each) for each in re.findall(r"`{3,}", text)), default=2) + 1
    around = [block.pre + 1, *of.around(block.pre)[:3]]  # the first is what it begins with
    found = (_LANGUAGE.search(of.tag(each)) for each in around if each < len(of.tags))
    language = next((m[1].decode("ascii", "ignore").lower() for m in found if m), "")
    language = "" if language in _PLAIN else language
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    return f"{'`' * ticks}{language}\n{body}\n{'`' * ticks}"


def _table(of: _Page, block: Block) -> int:
    """The table that a block stands in, -1: in none."""
    if block.cell < 0 or block.pre >= 0:
        return -1
    return next((e for e in of.around(block.cell) if of.tags[e] == _TABLE), -1)


def _rows(of: _Page, blocks: Sequence[Block]) -> list[list[str]] | None:
    """The cells of a table; None if it is none."""
    rows: dict[int, dict[int, str]] = {}
    for block in blocks:
        row = next((e for e in of.around(block.cell) if of.tags[e] == _TR), -1)
        cells = rows.setdefault(row, {})
        if block.cell in cells or len(block.text) > CELL or block.level or row < 0:
            return None
        cells[block.cell] = block.text
    wide = max(map(len, rows.values()))
    if len(rows) < 2 or wide < 2:
        return None
    return [[*cells.values()] + [""] * (wide - len(cells)) for cells in rows.values()]


def _written(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(_cell(each) for each in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _is_near(before: Block, block: Block) -> bool:
    """Whether two blocks are items of one list, with no empty line between them."""
    return bool(before.items and block.items) and before.quotes == block.quotes


def _placed(of: _Page, block: Block, text: str, seen: set[int]) -> str:
    """Lines with what stands before them: of quotes, and of the items that they are in."""
    first = rest = "> " * block.quotes
    for item in block.items:
        mark = of.number(item)
        first += " " * len(mark) if item in seen else mark
        rest += " " * len(mark)
        seen.add(item)
    begin, *lines = text.split("\n")
    return "\n".join([first + begin, *(rest + line if line else rest.rstrip() for line in lines)])
