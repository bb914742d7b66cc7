"""What readers of pages share: from the bytes of a page to its text, or to why there is none."""

from typing import NamedTuple

from filters import charset, extract
from pipelines.readers import LIMIT

HTML = ("text/html", "application/xhtml+xml")
DETAIL = 200  # characters of a dead letter's detail


class Fault(NamedTuple):
    """Why a page has no text: the reason and detail of a dead letter."""

    reason: str
    detail: str


def text_of(body: bytes, declared: str | None, media_type: str, extractor: str) -> str | Fault:
    """The text of a page or of a plain text.

    Args:
        body: with codings like gzip undone.
        declared: the charset of the HTTP header.
        media_type: one of `HTML`, else it is taken for plain text.
        extractor: see `filters.extract.resolve`.
    """
    if media_type not in HTML:
        text, _ = charset.decode(body, declared)
    else:
        try:
            text = extract.text(charset.utf8(body, declared), extractor)
        except extract.TooLarge as error:
            return Fault("too large", str(error))
        except extract.TooDeep as error:
            return Fault("too deep", str(error))
        except Exception as error:  # whatever a parser or the user's own extractor trips over
            return Fault("not extracted", f"{type(error).__name__}: {error}")
    size = len(text) if text.isascii() else len(text.encode())
    return text if size <= LIMIT else Fault("too large", f"{size:,} bytes of text")


def brief(detail: str) -> str:
    """At most `DETAIL` characters, all of them printable."""
    short = detail[:DETAIL]
    return "".join(c if c.isprintable() else "\ufffd" for c in short)
