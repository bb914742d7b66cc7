"""What readers of pages share: from the bytes of a page to its text, or to why there is none."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from filters import charset, consent, extract
from filters.html.head import Head, head
from pipelines.readers import LIMIT, Dead, Document, Skipped
from pipelines.readers.consents import UNKNOWN, consents

HTML = ("text/html", "application/xhtml+xml")
DETAIL = 200  # characters of a dead letter's detail
REST = Skipped("rest of a long page")
"""What is counted beside the document of a page that has more text than is kept of one."""


class Fault(NamedTuple):
    """Why a page has no text: the reason and detail of a dead letter."""

    reason: str
    detail: str


class Page(NamedTuple):
    """A page: its text, what it says of itself and to machines, and whether `REST` was left out."""

    text: str
    head: Head
    consent: consent.Consent
    cut: bool = False


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
        (text, cut), told = (charset.decode(body, declared)[0], False), Head()
        said = consent.of_page(headers, None, url)
    else:
        page = charset.utf8(body, declared)
        try:
            text, cut = extract.found(page, extractor, url)
        except extract.TooLarge as error:
            return Fault("too large", str(error))
        except extract.TooDeep as error:
            return Fault("too deep", str(error))
        except MemoryError:  # this is not about the page
            raise
        except Exception as error:  # whatever a parser or the user's own extractor trips over
            return Fault("not extracted", f"{type(error).__name__}: {error}")
        told, said = head(page, url), consent.of_page(headers, page, url)
    told = told if told.licence else told._replace(licence=said.licence)
    size = len(text) if text.isascii() else len(text.encode())
    if size > LIMIT:
        return Fault("too large", f"{size:,} bytes of text")
    return Page(text, told, said, cut)


def items(
    page: Page | Fault, row: Document, recorded: str | None = None, is_asked: bool = True
) -> Iterator[Document | Dead | Skipped]:
    """What a page comes to: a document, perhaps with `REST`, or a dead letter.

    Args:
        page: as `page_of` gives it.
        row: where it stands, with what else is known of it.
        recorded: what the crawler noted of the site, see `pipelines.readers.consents`.
        is_asked: whether page and header are there to say something of consent.
    """
    if isinstance(page, Fault):
        detail = brief(f"{row.source_key or ''} {page.detail}".strip())
        yield Dead(row.offset, page.reason, detail)
        return
    said = consents(recorded, page.consent, row.date) if is_asked else UNKNOWN
    yield row._replace(text=page.text, head=page.head, consents=said)
    if page.cut:
        yield REST


def brief(detail: str) -> str:
    """At most `DETAIL` characters, all of them printable."""
    short = detail[:DETAIL]
    return "".join(c if c.isprintable() else "\ufffd" for c in short)
