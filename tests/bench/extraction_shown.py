"""The text of a part of a page as a browser shows it: blocks on lines, white space collapsed."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from resiliparse.parse.html import HTMLTree, NodeType

Node = Any
"""Of resiliparse's tree; its types do not tell a document from an element."""

_BLOCKS = (
    "address article aside blockquote body caption center dd details dialog dir div dl dt"
    " fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li"
    " main menu nav ol optgroup option p pre search section summary table tbody td tfoot th"
    " thead tr ul"
)
_UNSEEN = (
    "area audio base button canvas datalist embed frame frameset head iframe img input link map"
    " math meta noframes noscript object script select style svg template textarea title"
    " video"
)
BLOCKS, UNSEEN = frozenset(_BLOCKS.split()), frozenset(_UNSEEN.split())
KEEP = frozenset(("pre", "listing", "xmp"))

_SPACES = re.compile(r"[ \t\n\f\r]+")
_HIDDEN = re.compile(r"(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


def shown(page: HTMLTree, wanted: str, unwanted: Sequence[str] = ()) -> str:
    """The text of what a selector finds, without what others find in it.

    Args:
        page: parsed; elements are removed from it.
        wanted: a CSS selector; an element within another found one counts once.
        unwanted: CSS selectors.

    Returns:
        lines without empty ones; lines of ``pre`` keep their white space but at the end.
    """
    document: Node = page.document
    for selector in unwanted:
        for node in list(document.query_selector_all(selector)):
            if node.parent:
                node.decompose()
    found = list(document.query_selector_all(wanted))
    outer = [node for node in found if not any(other in found for other in _above(node))]
    pieces = [piece for node in outer for piece in ["\n", *_pieces(node, False), "\n"]]
    return lines("".join(pieces))


def lines(text: str) -> str:
    """Non-empty lines, white space collapsed where it is not kept, see `_pieces`."""
    found = []
    for line in text.split("\n"):
        kept = "\0" in line
        line = line.replace("\0", "").rstrip() if kept else _SPACES.sub(" ", line).strip(" ")
        if line.strip():
            found.append(line)
    return "\n".join(found)


def _above(node: Node) -> Iterator[Node]:
    while node := node.parent:
        yield node


def _children(node: Node) -> Iterator[Node]:
    child = node.first_child  # `child_nodes` takes time as the square of their number
    while child:
        yield child
        child = child.next


def _pieces(node: Node, kept: bool) -> Iterator[str]:
    """Text of a node and its children; a kept line carries a NUL before it."""
    for child in _children(node):
        if child.type == NodeType.TEXT:
            text = child.value.replace("\0", "")
            yield "\0" + text.replace("\n", "\n\0") if kept else _SPACES.sub(" ", text)
        elif child.type == NodeType.ELEMENT and not _unseen(child):
            if child.tag == "br":
                yield "\n"
            elif child.tag in BLOCKS:
                yield "\n"
                yield from _pieces(child, kept or child.tag in KEEP)
                yield "\n"
            else:
                yield from _pieces(child, kept)


def _unseen(node: Node) -> bool:
    style = node.getattr("style") or ""
    return node.tag in UNSEEN or node.hasattr("hidden") or bool(_HIDDEN.search(style))
