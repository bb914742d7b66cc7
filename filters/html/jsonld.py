"""JSON-LD of a page: what it says of the article that the page holds, or else of the page.

Source: W3C, JSON-LD 1.1, section 7 (in HTML); schema.org.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

TAG = 8_000  # bytes of a tag that are read
TAGS = 500  # of a kind that are read
DATA = 1_000_000  # bytes of all JSON-LD that are read
BACK = 1_000  # bytes before a word in which its tag must begin

_ARTICLE = re.compile(r"(Article|Posting|Report|Book|Recipe|HowTo|QAPage|Product|CreativeWork)$")


def article(page: bytes) -> dict[str, Any]:
    """What JSON-LD says of an article, or else of the page."""
    nodes, left = list[dict[str, Any]](), DATA
    for name, _, end in around(page, b"application/ld+json"):
        stop = page.find(b"</", end)
        left -= stop - end
        if name != "script" or stop < 0 or left < 0:
            continue
        try:
            nodes += _nodes(json.loads(text(page[end + 1 : stop]), strict=False))
        except (ValueError, RecursionError):
            continue
    named = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
    found: dict[str, Any] = {}
    for node in sorted(nodes, key=lambda node: not _is_article(node)):
        kind = node.get("@type")
        if _is_article(node) or kind in ("WebPage", ["WebPage"]):
            for key, value in node.items():
                found.setdefault(key, _resolved(value, named))
    return found


def _nodes(value: object) -> list[dict[str, Any]]:
    """The objects that stand at the top of JSON-LD."""
    if isinstance(value, list):
        return [node for each in value for node in _nodes(each)]
    if not isinstance(value, dict):
        return []
    return [value, *_nodes(value.get("@graph", []))]


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    each = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and _ARTICLE.search(kind) for kind in each)


def _resolved(value: object, named: dict[str, dict[str, Any]]) -> object:
    """A value, or the object that it names by its id."""
    if isinstance(value, list):
        return [_resolved(each, named) for each in value]
    if isinstance(value, dict) and isinstance(value.get("@id"), str) and len(value) <= 2:
        return named.get(value["@id"], value)
    return value


def around(page: bytes, word: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Name, attributes and end of the tags in which a word stands."""
    at = -1
    for _ in range(TAGS):
        at = page.find(word, at + 1)
        if at < 0:
            return
        begin, end = page.rfind(b"<", max(0, at - BACK), at), page.find(b">", at, at + TAG)
        if begin >= 0 and end >= 0 and page.find(b">", begin, at) < 0:
            name, *rest = page[begin + 1 : end].split(None, 1)
            if rest:
                yield text(name).lower(), rest[0], end


def text(some: bytes) -> str:
    """Bytes as text; what is no UTF-8 is U+FFFD."""
    return some.decode("utf-8", "replace")
