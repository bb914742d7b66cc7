"""What readers of pages share: from the bytes of a page to its text, or to why there is none."""

from collections.abc import Sequence
from typing import NamedTuple

from filters import charset, consent, extract
from filters.pagehead import Head, head
from pipelines.readers import LIMIT

HTML = ("text/html", "application/xhtml+xml")
DETAIL = 200  # characters of a dead letter's detail


class Fault(NamedTuple):
    """Why a page has no text: the reason and detail of a dead letter."""

    reason: str
    detail: str


class Page(NamedTuple):
    """A page: its text, and what it says of itself, and to machines."""

    text: str
    head: Head
    consent: consent.Consent


def page_of(
    body: bytes,
    declared: str | None,
    media_type: str,
    extractor: str,
    url: str | None,
    headers: Sequence[tuple[str, str]] = (),
) -> Page | Fault:
    """A page or a plain text.

    Args:
        body: with codings like gzip undone.
        declared: the charset of the HTTP header.
        media_type: one of `HTML`, else it is taken for plain text.
        extractor: see `filters.extract.resolve`.
        url: its own, if it is known.
        headers: of the response, those of `filters.consent.HEADERS`.
    """
    if media_type not in HTML:
        text, told = charset.decode(body, declared)[0], Head()
        said = consent.of_page(headers, None, url)
    else:
        page = charset.utf8(body, declared)
        try:
            text = extract.text(page, extractor, url)
        except extract.TooLarge as error:
            return Fault("too large", str(error))
        except extract.TooDeep as error:
            return Fault("too deep", str(error))
        except Exception as error:  # whatever a parser or the user's own extractor trips over
            return Fault("not extracted", f"{type(error).__name__}: {error}")
        told, said = head(page, url), consent.of_page(headers, page, url)
    told = told if told.licence else told._replace(licence=said.licence)
    size = len(text) if text.isascii() else len(text.encode())
    return (
        Page(text, told, said) if size <= LIMIT else Fault("too large", f"{size:,} bytes of text")
    )


def brief(detail: str) -> str:
    """At most `DETAIL` characters, all of them printable."""
    short = detail[:DETAIL]
    return "".join(c if c.isprintable() else "\ufffd" for c in short)
