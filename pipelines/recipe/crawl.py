"""What a recipe asks of a crawl: ``[[source]] kind = "crawl"``."""

import re
from dataclasses import dataclass, field
from importlib.metadata import version

from filters import urls
from pipelines import units

CRAWL = "crawl"  # the kind of such a source
DAY = 86_400  # seconds
SCOPES = ("folder", "host", "domain", "web")
"""How far from the pages it starts at a crawl goes: see `Crawl.scope`."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl, politely.

    Attributes:
        contact: an address at which its sites reach somebody: of mail, or a URL.
        start: URLs to begin with; robots.txt's sitemaps of their hosts too.
        agent: the name that robots.txt knows it by.
        scope: which links are followed: into the folders of the start URLs, to their hosts, to
            their domains, or anywhere.
        exclude: patterns of URLs that are left alone (``*`` stands for anything).
        pages: that are fetched in all, at most.
        depth: links between a start URL and a page, at most.
        alike: URLs of a host that differ in their digits alone, of which more are a trap.
        delay: seconds between two requests to a host; a longer Crawl-delay is kept to.
        connections: to one host at a time.
        fetchers: tasks that fetch at the same time, each with hosts of its own.
        timeout: seconds for one answer, from the first byte sent to the last received.
        size: bytes of an answer, at most.
        retries: of what failed and may come right, each after twice the time.
        patience: seconds before the first of these.
        images: whether the images in the main text of pages are fetched too, from any host.
        image_size: bytes of one, at most.
        sitemaps: whether the sitemaps that robots.txt names are read.
        recrawl: seconds after which a page is asked for again; None: never.
        private: whether hosts on private and loopback addresses may be fetched.
        certificates: a file of authorities to trust instead of those of this machine.
        extract: extractor of the main text of a page.
    """

    contact: str
    start: tuple[str, ...]
    kind: str = CRAWL
    agent: str = "karez"
    scope: str = "host"
    exclude: tuple[str, ...] = ()
    pages: int = 10_000
    depth: int = 50
    alike: int = 2_000
    delay: float = field(default=1.0, metadata={"read": units.seconds})
    connections: int = 1
    fetchers: int = 1
    timeout: float = field(default=60.0, metadata={"read": units.seconds})
    size: int = field(default=16_000_000, metadata={"read": units.size})
    retries: int = 3
    patience: float = field(default=60.0, metadata={"read": units.seconds})
    images: bool = False
    image_size: int = field(default=10_000_000, metadata={"read": units.size})
    sitemaps: bool = True
    recrawl: float | None = field(default=None, metadata={"read": units.seconds})
    private: bool = False
    certificates: str | None = None
    extract: str = "karez"

    def __post_init__(self) -> None:
        is_ascii = self.contact.isascii() and self.contact.isprintable()
        form = r"https?://\S+|[^@\s]+@[^@\s]+\.[^@\s]+"
        if not (is_ascii and re.fullmatch(form, self.contact)):
            raise ValueError(
                f"contact {self.contact!r}: want an address of mail or a URL, so that a site can "
                "reach you"
            )
        if not re.fullmatch(r"[A-Za-z_-]{2,40}", self.agent):
            raise ValueError(f"agent {self.agent!r}: want letters, '-' and '_' only")
        if self.scope not in SCOPES:
            raise ValueError(f"scope is {', '.join(SCOPES)}; not {self.scope!r}")
        if not self.start:
            raise ValueError("start is empty; name a URL to begin with")
        if wrong := [url for url in self.start if urls.canonical(url) is None]:
            raise ValueError(f"start: {wrong[0]!r} is no http or https URL")
        self._check_numbers()

    def _check_numbers(self) -> None:
        least = {"pages": 1, "alike": 1, "connections": 1, "fetchers": 1, "depth": 0, "retries": 0}
        for name, few in least.items():
            if getattr(self, name) < few:
                raise ValueError(f"{name}: want {few} or more, got {getattr(self, name)}")
        most = {"depth": 1000, "retries": 20, "delay": DAY, "timeout": DAY, "patience": DAY}
        for name, many in most.items():
            if getattr(self, name) > many:
                raise ValueError(f"{name}: want {many:,} or less, got {getattr(self, name):,}")
        if self.timeout < 0.001:
            raise ValueError("timeout: want 1 ms or more")

    @property
    def user_agent(self) -> str:
        """What requests say of us."""
        return f"{self.agent}/{version('karez')} (+{self.contact})"
