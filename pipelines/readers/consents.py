"""What is known of a document's consent: what a crawler recorded of the site, and the page says.

A crawler records its findings in the header of a WARC response, as the field `FIELD`: compact JSON
with ``robots`` ("allowed", "disallowed", "unreachable" or "none"), ``agents`` (those of
`filters.consent.AGENTS` that may not fetch the page), ``ai_txt``, ``tdm`` (1, 0 or null, of the
site's tdmrep.json) and ``tdm_policy``.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import orjson

from filters.consent import AGENTS, Consent, tdm

FIELD = "Karez-Consent"
ROBOTS = ("allowed", "disallowed", "unreachable", "none")


class Consents(NamedTuple):
    """The columns of a document; None: nobody asked."""

    robots: str | None = None  # one of `ROBOTS`, of the crawler that fetched the page
    agents_refused: list[str] | None = None  # agents for AI that may not fetch or use the page
    noindex: bool | None = None  # as fetched; `unavailable_after` a day before is noindex
    noai: bool | None = None  # no use for AI, of the page or its images
    noimageai: bool | None = None  # the same, of its images
    tdm_reserved: bool | None = None  # by the page's tags, else its HTTP header, else tdmrep.json
    tdm_policy: str | None = None  # a URL
    ai_txt: str | None = None  # see `filters.consent.ai_txt`


UNKNOWN = Consents()


def consents(recorded: str | None, page: Consent, date: datetime | None) -> Consents:
    """The columns of a page.

    Args:
        recorded: the field `FIELD`; what is not of its form is not read.
        page: what it says of itself.
        date: when it was fetched.
    """
    site = _site(recorded)
    robots, agents, ai_txt = site.get("robots"), site.get("agents"), site.get("ai_txt")
    if isinstance(agents, list) or page.agents:
        both = [*page.agents, *(agents if isinstance(agents, list) else [])]
        agents = [agent for agent in AGENTS if agent in both]
    reserved = page.tdm, page.tdm_policy
    if page.tdm is None:
        reserved = tdm(site.get("tdm"), site.get("tdm_policy"))
    return Consents(
        robots if robots in ROBOTS else None,
        agents if isinstance(agents, list) else None,
        page.noindex or _is_past(page.unavailable_after, date),
        page.noai,
        page.noimageai,
        reserved[0] == 1,
        reserved[1],
        ai_txt if isinstance(ai_txt, str) else None,
    )


def _site(recorded: str | None) -> dict[str, Any]:
    try:
        found = orjson.loads(recorded) if recorded else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_past(written: str | None, date: datetime | None) -> bool:
    """Whether a date, as mail or as ISO 8601 writes it, is before another."""
    if written is None or date is None:
        return False
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(written)
        except (ValueError, OverflowError):
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)) <= date
    return False
