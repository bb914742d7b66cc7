"""What is known of HTML's elements by name, as arrays that a kernel reads.

Names are known by a hash of their lower-case bytes: of tags, of attributes, and of the words in
``class``, ``id``, ``role`` and ``itemprop`` that say what a part of a page is for.

Source: WHATWG, HTML Standard, section 13 (syntax and parsing).
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Positions

Hashes = NDArray[np.uint64]

VOID, RAW, SKIPPED, BLOCK, TABLE, CELL, BUTTON, LIST, TERMS, ONCE = (1 << i for i in range(10))
"""Of a tag: has no content; its content is no mark-up; is left out if it is closed; begins and ends
a block; and what an end tag implied by another does not reach across; stands once on a page."""

KINDS, CLASSES, ENDS, STOPS, BARS = range(5)
"""Of a tag: `VOID` and so on; the class that other tags end, 0: none; the class that its start tag
ends; the kinds across which it does not; the kinds across which its end tag does not reach."""

P, LI, TERM, CELLS, ROW, GROUP, A, HEAD = range(1, 9)
"""Tags that other tags end, see `ENDED_BY`."""

_NAMES = {
    VOID: "area base bgsound br col embed frame hr img input keygen link meta param source track "
    "wbr",
    RAW: "script style iframe noembed textarea title",
    SKIPPED: "svg select template noscript canvas video audio map datalist",
    BLOCK: "address article aside blockquote body caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup html legend "
    "li listing main menu nav noframes ol option optgroup p plaintext pre search section summary "
    "xmp table tbody td tfoot th thead tr ul head object",
}
_INLINE = (
    "a abbr b big button cite code del em font i ins kbd label mark nobr q rp rt ruby s samp small "
    "span strike strong sub sup time tt u var output picture"
)
TAGS = ("", *" ".join([*_NAMES.values(), _INLINE]).split())
"""A tag's number is its place; 0: any other, which is inline."""

TAG = {name: number for number, name in enumerate(TAGS) if name}
BR, HR, IMG, SCRIPT, TITLE = (TAG[name] for name in ("br", "hr", "img", "script", "title"))
PLAINTEXT, ARTICLE_TAG, H1 = (TAG[name] for name in ("plaintext", "article", "h1"))
NOSCRIPT, DT, SECTION, ASIDE, LAST_HEADING = (
    TAG[name] for name in ("noscript", "dt", "section", "aside", "h6")
)

_ENDS_P = (
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup listing main menu nav ol p pre search section "
    "summary table ul plaintext"
)
_ENDED_BY = {  # a start tag: what it ends, and what that may not reach across
    **dict.fromkeys(_ENDS_P.split(), (P, TABLE | CELL | BUTTON)),
    "li": (LI, LIST | TABLE | CELL),
    **dict.fromkeys(("dd", "dt"), (TERM, TERMS | TABLE | CELL)),
    **dict.fromkeys(("td", "th"), (CELLS, TABLE)),
    "tr": (ROW, TABLE),
    **dict.fromkeys(("tbody", "thead", "tfoot"), (GROUP, TABLE)),
    "a": (A, BLOCK),
    "body": (HEAD, 0),
}
_OF_TABLES = "td th tr tbody thead tfoot caption"
_CLASSES = {
    P: "p",
    LI: "li",
    TERM: "dd dt",
    CELLS: "td th",
    ROW: "tr",
    GROUP: "tbody thead tfoot",
    A: "a",
    HEAD: "head",
}
_MORE = {
    TABLE: "table",
    CELL: "td th caption",
    BUTTON: "button object",
    LIST: "ul ol menu dir",
    TERMS: "dl",
    ONCE: "html body",
    SKIPPED: "iframe noembed textarea title",
}

FLAGS = (
    *("link", "bold", "pre", "code", "heading", "item", "table", "cell"),
    *("nav", "header", "footer", "aside", "article", "main", "section", "figure"),
    *("caption", "form", "quote", "p", "button", "label", "terms", "address"),
    *("time", "hidden", "emphasis", "details", "dialog", "head", "body_prop", "search_role"),
    *("w_nav", "w_header", "w_footer", "w_side", "w_comment", "w_share", "w_related", "w_ad"),
    *(
        "w_cookie",
        "w_meta",
        "w_content",
        "w_title",
        "w_caption",
        "w_newsletter",
        "w_list",
        "w_product",
    ),
    *("w_forum", "w_doc", "w_pager", "w_hidden", "w_lead", "w_bio", "w_note"),
)
"""What an element and all in it are said to be, a bit each; ``w_``: by a word of a class or id."""

BIT = {name: np.uint64(1 << number) for number, name in enumerate(FLAGS)}
LINK, BOLD, PRE, HIDDEN = (BIT[n] for n in ("link", "bold", "pre", "hidden"))
COMMENT, NOTE = BIT["w_comment"], BIT["w_note"]

_TAG_FLAGS = {
    "link": "a",
    "bold": "b strong h1 h2 h3 h4 h5 h6 th",
    "pre": "pre listing xmp plaintext",
    "code": "code kbd samp tt",
    "heading": "h1 h2 h3 h4 h5 h6",
    "item": "li",
    "table": "table",
    "cell": "td th",
    **{name: name for name in ("nav", "header", "footer", "aside", "article", "main", "section")},
    "figure": "figure",
    "caption": "figcaption caption",
    "form": "form fieldset",
    "quote": "blockquote",
    "p": "p",
    "button": "button summary",
    "label": "label legend",
    "terms": "dl",
    "address": "address",
    "time": "time",
    "emphasis": "em i",
    "details": "details",
    "dialog": "dialog",
    "head": "head",
}
_ROLES = {
    "nav": "navigation menu menubar tablist",
    "header": "banner",
    "footer": "contentinfo",
    "aside": "complementary",
    "main": "main",
    "article": "article",
    "dialog": "dialog alertdialog alert",
    "button": "button tab",
    "search_role": "search",
    "heading": "heading",
    "item": "listitem",
}
_PROPS = {"body_prop": "articlebody text reviewbody description recipeinstructions"}
_WORDS = {
    "w_nav": "nav navbar navigation menu topnav submenu breadcrumb breadcrumbs crumbs megamenu",
    "w_header": "header masthead topbar banner top",
    "w_footer": "footer foot bottom colophon copyright legal imprint",
    "w_side": "sidebar side aside rail widget widgets secondary",
    "w_comment": "comment comments commentlist disqus respond reply replies discussion kommentar "
    "kommentare commentaires comentarios",
    "w_share": "share sharing social facebook twitter follow addthis sharedaddy",
    "w_related": "related recommended recommend recommendations more similar popular trending "
    "latest teaser teasers also",
    "w_ad": "ad ads advert advertisement sponsor sponsored anzeige werbung promo promoted "
    "promotion",
    "w_cookie": "cookie cookies consent gdpr privacy popup modal overlay notice alert",
    "w_meta": "meta byline author date published timestamp info posted category categories tag "
    "tags",
    "w_content": "content body text entry post article story inhalt contenido",
    "w_title": "title headline heading hed",
    "w_caption": "caption credit figure image photo gallery media picture",
    "w_newsletter": "newsletter subscribe subscription signup login register search paywall",
    "w_list": "list listing items grid card cards feed archive",
    "w_product": "product price cart shop buy sku rating review reviews",
    "w_forum": "forum thread message messages topic quote signature answer question",
    "w_doc": "doc docs document markdown rst toc highlight code",
    "w_pager": "pagination pager prev next",
    "w_hidden": "hidden hide invisible sr screen noprint visuallyhidden",
    "w_lead": "summary abstract lead intro dek subtitle standfirst excerpt",
    "w_bio": "bio about profile",
    "w_note": "footnote footnotes references reflist note notes citation",
}
_LINKS = ("headerlink", "hash-link", "viewcode-link", "viewcode-back")
"""Names of classes of links to the very place, or to its source: what they say is no text."""

_COMPOUNDS = {"navheader": ("nav", "header"), "navfooter": ("nav", "footer")}
"""DocBook's words for two others at once: they say what these say."""

CLASS, ID, ROLE, PROP, STYLE, HIDE, TYPE = range(1, 8)
_ATTRIBUTES = ("class", "id", "role", "itemprop", "style", "hidden", "type")

BASIS, PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
OF_TAG, OF_ATTRIBUTE, OF_PART, OF_NAME, OF_ROLE, OF_PROP = (
    BASIS ^ (0x9E3779B97F4A7C15 * i & (1 << 64) - 1) for i in range(6)
)
"""What the hash of a name begins with: of a tag, an attribute, a word in a class or id, a whole
class or id, a role, an itemprop."""


def hash_of(basis: int, name: str) -> int:
    """The hash of a name in lower case, never 0."""
    value = basis
    for byte in name.lower().encode():
        value = (value ^ byte) * PRIME & (1 << 64) - 1
    return max(value, 1)


def table(entries: dict[int, int]) -> Hashes:
    """Some hashes and what belongs to each, by open addressing: shape (2, a power of two).

    At least half of it is free, where the hash is 0.
    """
    size = 1 << (2 * len(entries)).bit_length()
    made = np.zeros((2, size), np.uint64)
    for key, value in entries.items():
        at = key & (size - 1)
        while made[0, at]:
            at = (at + 1) & (size - 1)
        made[:, at] = key, value
    return made


class Words(NamedTuple):
    """What words of classes, ids, roles and itemprops say.

    Attributes:
        flags: as in `table`: hashes, and bits of `FLAGS`.
        scores: of the same, learned; above 0 is said of content.
    """

    flags: Hashes
    scores: NDArray[np.float32]


def words(scores: Mapping[int, float]) -> Words:
    """The words that are known, and those that were learned, by hash."""
    flags, scores = _flags(), dict(scores)
    for name, parts in _COMPOUNDS.items():
        for basis in (OF_PART, OF_NAME):
            hashes = [hash_of(basis, part) for part in parts]
            learned = [scores[each] for each in hashes if each in scores]
            scores.setdefault(hash_of(basis, name), min(learned, default=0.0))
    keys = table({key: i for i, key in enumerate(sorted({*flags, *scores}))})[0]
    names = [int(key) for key in keys]
    return Words(
        np.stack([keys, np.array([flags.get(key, 0) for key in names], np.uint64)]),
        np.array([scores.get(key, 0.0) for key in names], np.float32),
    )


class Known(NamedTuple):
    """What a kernel knows of HTML.

    Attributes:
        tags: their numbers, see `table`.
        attributes: `CLASS` and so on, see `table`.
        of: of each tag `KINDS`, `CLASSES`, `ENDS`, `STOPS` and `BARS`.
        flags: bits of `FLAGS`, by tag.
    """

    tags: Hashes
    attributes: Hashes
    of: Positions
    flags: Hashes


@cache
def known() -> Known:
    """All of it, made once."""
    of = np.zeros((5, len(TAGS)), np.int32)
    kinds, classes, ends, stops, bars = of
    flags = np.zeros(len(TAGS), np.uint64)
    for kind, names in (*_NAMES.items(), *_MORE.items()):
        kinds[[TAG[name] for name in names.split()]] |= kind
    for number, names in _CLASSES.items():
        classes[[TAG[name] for name in names.split()]] = number
    for name, (end, stop) in _ENDED_BY.items():
        ends[TAG[name]], stops[TAG[name]] = end, stop
    bars[:] = np.where(kinds & BLOCK, CELL | TABLE | BUTTON, BLOCK)
    bars[[TAG[name] for name in _OF_TABLES.split()]] = TABLE
    bars[TAG["table"]] = 0
    for flag, names in _TAG_FLAGS.items():
        flags[[TAG[name] for name in names.split()]] |= BIT[flag]
    return Known(
        table({hash_of(OF_TAG, name): number for name, number in TAG.items()}),
        table({hash_of(OF_ATTRIBUTE, name): i for i, name in enumerate(_ATTRIBUTES, 1)}),
        *(of, flags),
    )


def _flags() -> dict[int, int]:
    """Bits of `FLAGS` by the hash of the word that says so."""
    found = {hash_of(OF_NAME, name): int(HIDDEN) for name in _LINKS}
    for basis, groups in ((OF_PART, _WORDS), (OF_ROLE, _ROLES), (OF_PROP, _PROPS)):
        for flag, names in groups.items():
            for name in names.split():
                key = hash_of(basis, name)
                found[key] = found.get(key, 0) | int(BIT[flag])
    for name, parts in _COMPOUNDS.items():
        for part in parts:
            key = hash_of(OF_PART, name)
            found[key] = found.get(key, 0) | found[hash_of(OF_PART, part)]
    return found
