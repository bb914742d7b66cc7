"""Bytes of a page to text: which encoding, and what becomes of bytes that are none.

The order is the HTML Standard's: byte order mark, HTTP header, a ``meta`` in the first 1,024 bytes,
detection.  Two departures, as utf-8 can be told from all else.  The Standard keeps to a declared
utf-8 whatever the bytes are, and a page of another encoding becomes unreadable for good: it is not
believed when most of what is not ASCII is no utf-8; then the next in the order is asked.  And a
``meta`` that names another encoding is not believed where all is utf-8, as in pages that were saved
by a browser.

Source: WHATWG, HTML Standard, section 13.2.3 (determining the character encoding); WHATWG, Encoding
Standard, section 4.2 (labels).
"""

import codecs
import re
from collections.abc import Iterator

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

PRESCAN = 1_024  # bytes in which a `meta` is looked for
SURE = 4  # bytes that go on a character of utf-8: no other encoding has so many, all in their place

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SUPERSETS = {  # what the Encoding Standard means by a name, as Python calls it
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gbk": "gb18030",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
}
_UNMAPPED = {"x-mac-cyrillic": "mac-cyrillic", "x-mac-ukrainian": "mac-cyrillic"}

_TAG = re.compile(rb"<!--.*?(?:-->|\Z)|<meta[\s/]([^>]*)", re.IGNORECASE | re.DOTALL)
_ATTRIBUTE = re.compile(rb"""([^\s=/"'>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([^\s"';]+)""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]+)""")


def decode(body: bytes, header: str | None) -> tuple[str, str]:
    """The text of a page or a plain text.  Never raises; never gives a surrogate.

    Args:
        body: as served, with codings like gzip undone.
        header: the charset of the HTTP header, or None; nonsense counts as None.

    Returns:
        the text without its byte order mark, and the name of the Python codec that read it.  Bytes
        that the encoding has no character for are U+FFFD.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace"), name
    if header and (found := _declared(body, codec(header))):
        return found
    said, whole = prescan(body[:PRESCAN]), _whole(body)
    if whole is not None and (said is None or len(body) - len(whole) >= SURE):
        return whole, "utf-8"
    if found := _declared(body, said):
        return found
    name = _detect(body)
    return body.decode(name, "replace"), name


def _declared(body: bytes, name: str | None) -> tuple[str, str] | None:
    """The text by a codec that is declared, and its name; None if it is utf-8, and not believed."""
    text = body.decode(name, "replace") if name else ""
    return (text, name) if name and (name != "utf-8" or _is_utf8(text)) else None


def _whole(body: bytes) -> str | None:
    """The text, if all of it is utf-8 and can be nothing else; None."""
    if b"\0" in body or b"\x1b" in body:  # it may be utf-16, or iso-2022
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def utf8(body: bytes, header: str | None) -> bytes:
    """The text of a page as UTF-8: the body itself, if it is just that; see `decode`."""
    text, name = decode(body, header)
    if name == "utf-8" and "\ufffd" not in text:
        return body.removeprefix(codecs.BOM_UTF8)
    return text.encode("utf-8", "replace")


def codec(label: str) -> str | None:
    """The Python codec for an encoding's label on the web; None if it is no such label."""
    label = label.encode("utf-8", "replace").decode()
    label = label.strip(" \t\r\n\f\"'").lower()
    name = map_encoding_to_html5(label, fallback_utf8=False) or _UNMAPPED.get(label)
    return _SUPERSETS.get(name, name) if name else None


def prescan(head: bytes) -> str | None:
    """The codec that a page's own ``meta`` (or XML declaration) names; utf-16 there means utf-8.

    Args:
        head: the first `PRESCAN` bytes.
    """
    for label in _labels(head):
        if name := codec(label.decode("latin-1")):
            return "utf-8" if name.startswith("utf-16") else name
    return None


def _labels(head: bytes) -> Iterator[bytes]:
    for tag in _TAG.finditer(head):
        attributes = {
            name.lower(): double or single or bare
            for name, double, single, bare in _ATTRIBUTE.findall(tag[1] or b"")
        }
        if b"charset" in attributes:
            yield attributes[b"charset"]
        elif attributes.get(b"http-equiv", b"").lower() == b"content-type":
            yield from _CHARSET.findall(attributes.get(b"content", b""))[:1]
    yield from _XML.findall(head)[:1]


def _is_utf8(text: str) -> bool:
    """Whether at least half of what is not ASCII was valid; a cut character does not matter."""
    bad = text.count("\ufffd")
    return not bad or 2 * bad <= len(text) - len(text.encode("ascii", "ignore"))


def _detect(body: bytes) -> str:
    name = detect_encoding(body)
    return codec(name) or "utf-8" if name else "utf-8"
