"""A recipe: one TOML file that decides a whole run, as a frozen value.

Unknown keys are refused with the table they stand in and the nearest known key.  Paths are relative
to the recipe, or to what its `base` names.  Names, places and the order of keys that mean nothing
stay out of every fingerprint; the order of rules and sources is meant, and enters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines import units
from pipelines.errors import nearest
from pipelines.readers import KINDS
from pipelines.readers.ranges import is_remote
from pipelines.recipe.crawl import CRAWL, Crawl
from pipelines.recipe.select import Curriculum, Select

EXCHANGES = FILES, SHUFFLE = "files", "shuffle"
"""How what one stage puts out comes to the next: `pipelines.engine.{segments,exchange}`."""

Options = Mapping[str, Any]
"""Options by name, as written: ``{"repeated_lines": {"words": 3}}``."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents come from.

    Attributes:
        kind: one of `KINDS`.
        paths: files, folders or patterns (``*``, ``?``, ``[ab]``, ``**``), relative to the recipe.
        exclude: files, folders or patterns that are left out.
        text, id, url: names of the fields of a row that hold them; in objects by names joined by
            dots.  Of "webdataset" text is the extension of texts.
        config, split: of "hf": which ones; the default config and all splits unless told.
        root: of "warc": what the names in a list (``warc.paths``) or an index are relative to, a
            folder or an http(s) URL.
        index: of "warc": files, folders or patterns of an index; only its records are read.
        where: SQL over the columns of the index: which of them.
        extract: extractor of the main text of a page: a name or ``package.module:thing``; "karez"
            unless told.  Of rows only where told, whose texts are pages then: else "".
        images: of "warc": whether its images become pairs with what pages say of them.
    """

    kind: str
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    text: str = "text"
    id: str = "id"
    url: str = "url"
    extract: str = ""
    config: str | None = None
    split: str | None = None
    images: bool = False
    root: str = "."
    index: tuple[str, ...] = ()
    where: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind {self.kind!r}; {nearest(self.kind, [*KINDS, CRAWL])}")
        if not self.paths and not self.index:
            raise ValueError("missing 'paths', or paths is empty; name the files to read")
        self._check_index()
        if self.kind in ("warc", "html") and not self.extract:
            object.__setattr__(self, "extract", "karez")
        if self.kind in ("wet", "text") and self.extract:
            raise ValueError(f"extract is of pages, kind {self.kind} has none; take kind html")
        for path in self.paths + self.index:
            if re.match(r"\w+://", path):
                raise ValueError(f"{path}: sources are local files; only runs lie on a store")
        if self.kind != "hf" and (self.config or self.split):
            raise ValueError("config and split are of kind hf")

    def _check_index(self) -> None:
        if self.kind != "warc" and (self.root != "." or self.index or self.where or self.images):
            raise ValueError("root, index, where and images are of kind warc")
        if self.images and (self.index or is_remote(self.root)):
            raise ValueError("images are of whole WARC files on this machine")
        if self.paths and self.index:
            raise ValueError("an index says what is read; leave paths out")
        if self.where is not None and not self.index:
            raise ValueError("where picks among the records of an index; name one")
        if re.match(r"\w+://", self.root) and not is_remote(self.root):
            raise ValueError(f"root is a folder or an http(s) URL, not {self.root}")


@dataclass(frozen=True, slots=True)
class Limit:
    """When a run fails.

    Attributes:
        dead: share of records, or of bytes, that may be unreadable.
        memory: bytes that one process may hold of what grows with the corpus; see
            `pipelines.engine.limits`.
    """

    dead: float = field(default=0.01, metadata={"read": units.share})
    memory: int = field(default=3_000_000_000, metadata={"read": units.size})


@dataclass(frozen=True, slots=True)
class Dedup:
    """Of documents with nearly equal texts one is kept.

    Attributes:
        threshold: estimated Jaccard similarity from which on a candidate is a duplicate.
        keep: who of a cluster stays: columns, each with ``asc`` or ``desc``; ties by id.
        link: "component": what is similar to something similar belongs together; "leader": only
            what is similar to the one kept.
        probes: documents that are compared with all others, to measure what was missed; 0: none.
    """

    threshold: float = field(default=0.8, metadata={"read": units.share})
    keep: str = ""
    link: str = "component"
    against: tuple[str, ...] = ()
    probes: int = 500

    def __post_init__(self) -> None:
        if not self.threshold:
            raise ValueError("threshold must be above 0")
        if self.probes < 0:
            raise ValueError(f"probes wants a number of documents, or 0, got {self.probes}")
        if self.link not in ("component", "leader"):
            raise ValueError(f"link is component or leader, not {self.link!r}")
        ordered(self.keep)

    @property
    def order(self) -> list[tuple[str, str]]:
        """Columns with "ascending" or "descending"."""
        return ordered(self.keep)


@dataclass(frozen=True, slots=True)
class Cap:
    """Of one host no more than some documents stay.

    Attributes:
        documents: that stay, at most.
        per: the column that tells groups apart; what has no value there is not counted.
        keep: who of a group stays, as in `Dedup`; ties by id.
    """

    documents: int
    per: str = "host"
    keep: str = ""

    def __post_init__(self) -> None:
        if self.documents < 1:
            raise ValueError(f"documents wants a number, at least 1, got {self.documents}")
        ordered(self.keep)

    @property
    def order(self) -> list[tuple[str, str]]:
        """Columns with "ascending" or "descending"."""
        return ordered(self.keep)


def ordered(keep: str) -> list[tuple[str, str]]:
    """Columns with "ascending" or "descending", from "words desc, url".

    Raises:
        ValueError: if it is written otherwise.
    """
    each = [one.strip() for one in keep.split(",")] if keep else []
    if not all(re.fullmatch(r"\w+( +(asc|desc))?", one) for one in each):
        raise ValueError(f'keep wants columns as in "words desc, url", got {keep!r}')
    return [(o.split()[0], "descending" if o.endswith(" desc") else "ascending") for o in each]


@dataclass(frozen=True, slots=True)
class Publish:
    """What is published, and in which files.

    Attributes:
        splits: share of each split, by hash of the domain; they add up to 1.
        near_train: estimated Jaccard similarity to a train document from which on a held-out one is
            dropped; None (in a recipe: false): not looked for.
        shard: bytes of text in a shard, about.
        columns: columns published beside id, source key, url, text, language and tokens.
    """

    splits: Mapping[str, float] = field(
        default_factory=lambda: {"train": 1.0}, metadata={"read": dict}
    )
    near_train: float | None = field(default=0.5, metadata={"read": units.share_or_off})
    shard: int = field(default=256_000_000, metadata={"read": units.size})
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.near_train == 0:
            raise ValueError("near_train must be above 0; false switches it off")
        for name, part in self.splits.items():
            if not re.fullmatch(r"\w+", name):
                raise ValueError(f"split {name!r} is no word of letters, digits and _")
            if not isinstance(part, (int, float)) or not 0 < part <= 1:
                raise ValueError(f"split {name} wants a share in (0, 1], got {part!r}")
        if abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"splits add up to {sum(self.splits.values()):g}, not to 1")

    @property
    def train(self) -> str:
        """The split that is trained on: the one of that name, or the first."""
        return "train" if "train" in self.splits else next(iter(self.splits))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run.  Everything but name and sources has a default; presets are expanded.

    Attributes:
        first: documents that are read of each source, at most; None: all.
        exchange: one of `EXCHANGES`; None: as suits the runner.  The bytes are the same.
        base: the folder that paths are relative to.
        crawl: the source that is fetched first, as WARC files of the run.
    """

    name: str
    seed: int = 0
    first: int | None = None
    exchange: str | None = None
    base: str = "."
    limit: Limit = field(default_factory=Limit)
    source: tuple[Source, ...] = ()
    crawl: Crawl | None = None
    measure: Options = field(default_factory=dict, metadata={"read": dict})
    edits: Options = field(default_factory=dict, metadata={"read": dict})
    rules: Mapping[str, str] = field(default_factory=dict, metadata={"read": dict})
    dedup: Dedup | None = None
    cap: Cap | None = None
    select: tuple[Select, ...] = ()
    curriculum: Curriculum | None = None
    publish: Publish = field(default_factory=Publish)

    @property
    def sources(self) -> tuple[Source | Crawl, ...]:
        """The sources, with the crawl."""
        return (*self.source, self.crawl) if self.crawl else self.source

    @property
    def checks_held_out(self) -> bool:
        """Whether held-out documents are compared with those of the train split."""
        return len(self.publish.splits) > 1 and self.publish.near_train is not None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ValueError(
                f"name {self.name!r} wants letters, digits, '-', '_' and '.' only, a letter first"
            )
        if self.first is not None and self.first < 1:
            raise ValueError(f"first wants a number of documents, got {self.first}")
        if self.exchange not in (None, *EXCHANGES):
            raise ValueError(f"exchange is {' or '.join(EXCHANGES)}, not {self.exchange!r}")
        if not (self.source or self.crawl):
            raise ValueError("no [[source]]; say what to read")


TABLES: dict[str, type] = {
    "limit": Limit,
    "dedup": Dedup,
    "cap": Cap,
    "curriculum": Curriculum,
    "publish": Publish,
}
