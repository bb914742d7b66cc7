"""What readers of rows share: from the fields of a row to a document.

A field is named by its key, or by keys joined by dots where objects hold objects: ``meta.url``.
"""

from collections.abc import Collection
from itertools import islice
from typing import Any

import orjson

from pipelines.readers import LIMIT, Dead, Document, Source
from pipelines.readers.pages import brief

MISSING = object()
"""The text of a row that has none."""

NAMED = 12  # fields that are told of where one is missing

_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def document(
    text: object, row: dict[str, Any], offset: int, length: int, source: Source
) -> Document | Dead:
    """The document of a row, or why it is none.

    A text is a string; an id is a string or an integer, a URL a string; an id or URL of another
    type counts as missing.  Whatever becomes neither is kept as metadata.

    Args:
        text: taken out of the row, or `MISSING`.
        row: all other fields; is used up.
        offset: where the row stands.
        length: bytes of the row.
        source: names the fields that hold text, id and URL.
    """
    if text is MISSING:
        return Dead(offset, "no text", brief(f"field {source.text}; {there_are(row)}"))
    if not isinstance(text, str):
        reason = "no text" if text is None else f"text is {_KINDS[type(text)]}"
        return Dead(offset, reason, brief(f"field {source.text}"))
    if len(text) > LIMIT // 4 and (size := len(text.encode())) > LIMIT:
        return Dead(offset, "too large", f"{size:,} bytes of text")
    key, url = _take(row, source.id, (str, int)), _take(row, source.url, (str,))
    try:
        others = metadata(row)
    except orjson.JSONEncodeError as error:
        return Dead(offset, "too deep", brief(str(error)))
    return Document(text, offset, length, key or url, url, None, None, others)


def metadata(row: dict[str, Any]) -> str | None:
    """The fields of a row as JSON; None of none.

    Raises:
        orjson.JSONEncodeError: if they are too deep.
    """
    return orjson.dumps(row, default=str).decode() if row else None


def parse(content: bytes, offset: int) -> dict[str, Any] | Dead:
    """The fields of a JSON object, or why it has none."""
    try:
        row = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return Dead(offset, "not JSON", brief(str(error)))
    if not isinstance(row, dict):
        return Dead(offset, "not an object", brief(type(row).__name__))
    return row


def there_are(names: Collection[str]) -> str:
    """Which fields there are, at most `NAMED` of them and then how many more."""
    more = f" and {len(names) - NAMED:,} more" * (len(names) > NAMED)
    return f"there are {', '.join(islice(names, NAMED)) or 'none'}{more}"


def pop(row: dict[str, Any], field: str, default: object = None) -> Any:
    """Take a field out of a row."""
    holder, key = _place(row, field)
    return holder.pop(key, default)


def _take(row: dict[str, Any], field: str, kinds: tuple[type, ...]) -> str | None:
    """Take a field out of a row, if it is of one of the kinds; a boolean is no integer."""
    holder, key = _place(row, field)
    value = holder.get(key)
    if type(value) not in kinds:
        return None
    del holder[key]
    return str(value)


def _place(row: dict[str, Any], field: str) -> tuple[dict[str, Any], str]:
    """The object that holds a field, and its key there; an empty one where there is none."""
    if field in row or "." not in field:
        return row, field
    *outer, last = field.split(".")
    for key in outer:
        row = row.get(key, {})
        if not isinstance(row, dict):
            return {}, last
    return row, last
