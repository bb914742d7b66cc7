"""What sites and pages say to machines that gather texts: whether they may, and for what.

Of a site robots.txt, the agents it refuses, ai.txt and tdmrep.json; of a page its HTTP header and
the tags before its body.

Sources: RFC 9309, Robots Exclusion Protocol; RFC 8288 (Link); W3C community group, "TDM Reservation
Protocol (TDMRep)", final report of 10 May 2024; Google, "Robots meta tag, data-nosnippet, and
X-Robots-Tag specifications"; DeviantArt, "noai" and "noimageai"; Spawning, "ai.txt"; of the agents,
what their operators publish, as github.com/ai-robots-txt collects it.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson
from protego import Protego

from filters.html.head import clean, tags_of, urljoin_or_none

READ = 500 * 1024  # bytes of a file that are read, as RFC 9309 asks of crawlers at least
RULES = 100_000  # of a robots.txt that are read; one for seven agents counts as seven
NAME = 10  # rules that the name of an agent counts as

AGENTS = (
    *("AI2Bot", "Ai2Bot-Dolma", "aiHitBot", "amazon-kendra", "Amazonbot", "Andibot"),
    *("anthropic-ai", "Applebot-Extended", "bedrockbot", "Bravebot", "Brightbot", "Bytespider"),
    *("CCBot", "ChatGLM-Spider", "ChatGPT-User", "Claude-SearchBot", "Claude-User", "Claude-Web"),
    *("ClaudeBot", "cohere-ai", "cohere-training-data-crawler", "Cotoyogi", "Crawlspace"),
    *("DeepSeekBot", "Diffbot", "DuckAssistBot", "FacebookBot", "FirecrawlAgent"),
    *("FriendlyCrawler", "Google-CloudVertexBot", "Google-Extended", "GoogleOther"),
    *("GoogleOther-Image", "GoogleOther-Video", "GPTBot", "iaskspider", "ICC-Crawler"),
    *("ImagesiftBot", "img2dataset", "ISSCyberRiskCrawler", "Kangaroo", "LAIONDownloader"),
    *("laion-huggingface-processor", "meta-externalagent", "meta-externalfetcher"),
    *("MistralAI-User", "OAI-SearchBot", "omgili", "omgilibot", "PanguBot", "Perplexity-User"),
    *("PerplexityBot", "PetalBot", "PhindBot", "SBIntuitionsBot", "SemrushBot-OCOB", "Sidetrade"),
    *("Spawning-AI", "TikTokSpider", "Timpibot", "VelenPublicWebCrawler", "Webzio-Extended"),
    *("YandexAdditional", "YouBot"),
)
"""Product tokens of agents that gather texts and images for AI, or fetch them for its users."""

HEADERS = ("X-Robots-Tag", "TDM-Reservation", "TDM-Policy", "Link")
"""The headers of HTTP that are asked about."""

_TOKENS = {agent.lower(): agent for agent in AGENTS}
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_WEEKDAY = re.compile(r"(unavailable_after:[^,\d]*),")
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))""", re.IGNORECASE)
_NAMED = re.compile(r"\s*user(?:-|\s+)?agent(?:\s*:|\s)([^#]*)")
_RULE = re.compile(r"\s*(?:allow|dis\w+)\s*:")
_TEXTS = ("https://host/file.txt", "https://host/file.html")
_OTHERS = tuple(f"https://host/file.{each}" for each in ("pdf", "jpg", "png", "mp3", "mp4", "py"))
_ESCAPED = re.compile("%(?:2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])", re.IGNORECASE)


class Rules:
    """What a robots.txt says; of what it does not say, all is allowed.

    A group is for the agents whose names begin with its own; of several the longest name counts.

    Args:
        body: its text.
    """

    def __init__(self, body: str) -> None:
        lines = _bounded(body)
        self._parsed = Protego.parse("\n".join(lines))
        self._agents = _named(lines)

    def allows(self, url: str, agent: str) -> bool:
        """Whether an agent may fetch a URL; what is no URL nobody may.

        Args:
            url: whole, with scheme and host.
            agent: a product token, or a whole User-Agent in which it stands.
        """
        try:
            return bool(self._parsed.can_fetch(url, agent))
        except ValueError:
            return False

    def delay(self, agent: str) -> float | None:
        """Seconds between two requests of an agent; None: nothing is said."""
        return self._parsed.crawl_delay(agent)

    @property
    def sitemaps(self) -> list[str]:
        """Where the site's sitemaps are, as written."""
        return list(self._parsed.sitemaps)


def rules_of(body: bytes) -> Rules:
    """The rules of a robots.txt, whatever its bytes are; of `READ` bytes and `RULES` at most."""
    return Rules(_text(body))


def refused(rules: Rules, url: str) -> list[str]:
    """The `AGENTS` that may not fetch a URL, in their order."""
    named, others = rules._agents, rules.allows(url, "*")
    return [a for a in AGENTS if not (rules.allows(url, a) if a in named else others)]


def ai_txt(body: bytes) -> str | None:
    """What an ai.txt in Spawning's form says of texts: "allowed", "in part" or "disallowed".

    "in part": it refuses other files than texts, or some of the `AGENTS` alone.  None: it is of
    another form.
    """
    text = _text(body)
    if not any(_NAMED.match(line.lower()) for line in text.splitlines()):
        return None
    rules = Rules(text)
    if not all(rules.allows(url, "*") for url in _TEXTS):
        return "disallowed"
    free = all(rules.allows(url, "*") for url in _OTHERS) and not any(
        refused(rules, url) for url in _TEXTS
    )
    return "allowed" if free else "in part"


def tdm_rep(body: bytes, path: str) -> tuple[int | None, str | None]:
    """What a /.well-known/tdmrep.json says of a path: 1 reserved, 0 not, None nothing; its policy.

    Of the rules whose location matches the first counts.

    Args:
        body: JSON; of another form, it says nothing.
        path: of a URL, with its query if there is one.
    """
    try:
        rules = orjson.loads(body) if len(body) <= READ else None
    except orjson.JSONDecodeError:
        return None, None
    path = _plain(path)
    for rule in rules if isinstance(rules, list) else [rules]:
        if not isinstance(rule, dict):
            continue
        location = rule.get("location")
        if isinstance(location, str) and _matches(_plain(location), path):
            return tdm(rule.get("tdm-reservation"), rule.get("tdm-policy"))
    return None, None


def tdm(reservation: Any, policy: Any) -> tuple[int | None, str | None]:
    """A reservation (1, 0, None: neither) and its policy, of which there is one if it is 1."""
    written = str(reservation).strip()
    if written not in ("0", "1"):
        return None, None
    named = policy.strip() if isinstance(policy, str) and written == "1" else ""
    return int(written), named or None


class Consent(NamedTuple):
    """What a page says of itself, in its HTTP header or its tags.

    Attributes:
        noindex, nofollow: of robots of all kinds; "none" is noindex and nofollow.
        noai: no use of the page for AI.
        noimageai: no use of its images for AI; noai says so too.
        agents: those of `AGENTS` that it refuses by name, in their order.
        unavailable_after: a date, as written.
        tdm: 1: text and data mining is reserved; 0: it is not; None: nothing is said.
        tdm_policy: a URL.
        licence: a URL, by the HTTP header alone; see `filters.html.head` for the page's.
    """

    noindex: bool = False
    nofollow: bool = False
    noai: bool = False
    noimageai: bool = False
    agents: tuple[str, ...] = ()
    unavailable_after: str | None = None
    tdm: int | None = None
    tdm_policy: str | None = None
    licence: str | None = None


NOTHING = Consent()


def of_page(
    headers: Iterable[tuple[str, str]], page: bytes | None, url: str | None = None
) -> Consent:
    """What a page says of itself; a TDM reservation in its tags counts before one in its header.

    Args:
        headers: of the HTTP response, in any case and order; only `HEADERS` are looked at.
        page: HTML as UTF-8; None: it is none.
        url: its own, which a licence's is relative to.
    """
    given = [(name.lower(), value) for name, value in headers]
    metas = tags_of(page).metas if page is not None else []
    if not given and not metas:
        return NOTHING
    said: dict[str, str] = {}
    agents: set[str] = set()
    for name, value in given + metas:
        if name in ("x-robots-tag", "robots", *_TOKENS):
            _read(value, _TOKENS.get(name, ""), said, agents)
    reserved, policy = _reserved(dict(reversed(metas)), dict(reversed(given)))
    links = (_licence(value, url) for name, value in given if name == "link")
    return Consent(
        noindex="noindex" in said,
        nofollow="nofollow" in said,
        noai="noai" in said,
        noimageai="noimageai" in said or "noai" in said,
        agents=tuple(agent for agent in AGENTS if agent in agents),
        unavailable_after=said.get("unavailable_after"),
        tdm=reserved,
        tdm_policy=policy,
        licence=next(filter(None, links), None),
    )


def _read(value: str, agent: str, said: dict[str, str], agents: set[str]) -> None:
    """Note the directives for all, and which agents may not use the page.

    Args:
        value: "noindex, nofollow"; an agent before a colon is whom the rest is for.
        agent: whom the value is for; "": all.
        said: directives for all, with their values.
        agents: that are refused.
    """
    for piece in _WEEKDAY.sub(r"\1", value.lower()).split(","):
        name, colon, rest = (each.strip() for each in piece.partition(":"))
        if colon and name not in _VALUED:
            agent = _TOKENS.get(name, "" if name in ("*", "robots") else name)
            name, _, rest = (each.strip() for each in rest.partition(":"))
        for word in [name] if rest else name.split():
            if agent in AGENTS and word in ("noindex", "noai", "none"):
                agents.add(agent)
            elif not agent:
                said |= dict.fromkeys(("noindex", "nofollow") if word == "none" else (word,), rest)


def _reserved(*given: dict[str, str]) -> tuple[int | None, str | None]:
    """The first TDM reservation that is one, with its policy."""
    each = (tdm(one.get("tdm-reservation"), one.get("tdm-policy")) for one in given)
    return next((found for found in each if found[0] is not None), (None, None))


def _licence(link: str, url: str | None) -> str | None:
    """Where a header Link leads to that calls itself one to the licence."""
    for target, parameters in _LINK.findall(link):
        relation = _RELATION.search(parameters)
        if relation and "license" in (relation[1] or relation[2] or "").lower().split():
            return urljoin_or_none(url, target) or clean(target)
    return None


def _text(body: bytes) -> str:
    """The lines of a file that are read, the last of them whole."""
    if len(body) > READ:
        body = body[: READ + 1].rpartition(b"\n")[0]
    return body.decode("utf-8-sig", "replace")


def _bounded(text: str) -> list[str]:
    """The lines of a robots.txt up to the rule that is one too many."""
    lines, agents, left, in_rules = text.splitlines(), 0, RULES, False
    for number, line in enumerate(lines):
        low = line.lower()
        if _NAMED.match(low):
            agents, in_rules = 1 if in_rules else agents + 1, False
            left -= NAME
        elif low.strip():
            in_rules = in_rules or bool(_RULE.match(low))
            left -= agents
        if left < 0:
            return lines[:number]
    return lines


def _named(lines: list[str]) -> frozenset[str]:
    """Those of `AGENTS`, and perhaps some more, that a group other than that of "*" is for."""
    found = (_NAMED.match(line.lower()) for line in lines)
    names = {each[1].strip().replace("*", "") for each in found if each} - {""}
    return frozenset(a for a in AGENTS if any(name in a.lower() for name in names))


def _plain(path: str) -> str:
    """A path in which what needs no escape has none (RFC 3986, section 2.3)."""
    return _ESCAPED.sub(lambda found: unquote(found[0]), path)


def _matches(pattern: str, path: str) -> bool:
    """Whether a path begins as a pattern says: "*" is any characters, "$" at its end the end."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if rest and ends else None
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return at == len(path) if ends else True
