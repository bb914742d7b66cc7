"""How deep a page nests, before a parser sees it: deep pages cost parsers quadratic time.

A small model of the HTML Standard's stack of open elements.  It errs to the deep side: an end tag
closes an element only where the Standard's tree builder would close it too, so hostile mark-up
cannot hide its depth; sloppy mark-up may look deeper than it is.

Source: WHATWG, HTML Standard, section 13.2.6 (tree construction).
"""

import re
import sys

TAG = 36  # bytes of text that cost a parser as much as one tag (resiliparse 2.0, measured)
LONG = 10_000  # characters of a tag from which on its attributes are counted

_ATTRIBUTE = re.compile(
    r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?)?+"
)
_TAGS = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<!\[CDATA\["
    r"|<(/?)([a-zA-Z][^\s/>]*+)"
    r"((?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?)?+)*+)(?:>|\Z)",
    re.DOTALL,
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_RAW = _names("script style textarea title xmp iframe noembed noframes")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_TABLE = _names("table caption tbody tfoot thead tr td th colgroup")
_BLOCK = _names(
    "address article aside blockquote button center details dialog dir div dl dd dt fieldset "
    "figcaption figure footer header hgroup li listing main menu nav ol p pre search section "
    "summary ul h1 h2 h3 h4 h5 h6 applet marquee object select template"
)
_ENDS_P = _BLOCK - _names("applet button marquee object select template") | {"table", "hr", "xmp"}
_MARKERS = _names("td th caption applet marquee object template")
_TABLE_SCOPE = _names("table template select")
_SCOPE = (
    _TABLE_SCOPE | _MARKERS | _names("foreignobject desc title mi mo mn ms mtext annotation-xml")
)
_SCOPES = {"li": _SCOPE | {"ul", "ol"}, "p": _SCOPE | {"button"}} | dict.fromkeys(
    _TABLE, _TABLE_SCOPE
)
_TEMPLATE = _names("template")
_IN_TABLE = _TABLE - {"table"}  # ignored outside of a table
_ROWS = _names("table tbody thead tfoot tr")
_IN_ROWS = _TABLE | _names("form input script style template col")
_CELLS = _names("td th p")
_CLOSED_BY = {  # what a start tag closes, if it is the innermost open element
    "a": _names("a"),
    "p": _names("p"),
    "li": _names("li p"),
    "dt": _names("dt dd p"),
    "dd": _names("dt dd p"),
    "option": _names("option"),
    "td": _CELLS,
    "th": _CELLS,
    "tr": _CELLS | {"tr"},
    "tbody": _CELLS | _names("tr tbody thead tfoot caption colgroup"),
}
_INTEGRATION = _names("title desc foreignobject")  # HTML inside a drawing
_SVG = _names(
    "svg g path circle rect line polyline polygon ellipse use defs symbol stop lineargradient "
    "radialgradient clippath mask pattern filter image text tspan animate animatetransform set "
    "style metadata fegaussianblur feoffset feblend feflood fecolormatrix fecomposite femerge"
)
_DRAWN = "svg:"  # before the name of an element that surely belongs to a drawing
_LEFT = "left:"  # before that, once something may have ended the drawing


class Nesting:
    """The open elements while the tags of a page pass by, and what the page costs a parser.

    Attributes:
        deepest: the most elements open at once.
        work: bytes times open elements, a tag counting as `TAG` bytes.
    """

    def __init__(self) -> None:
        self.deepest = 0
        self.work = 0
        self._open: list[str] = []
        self._tags: list[str] = []  # their start tags
        self._lingering: dict[str, set[str]] = {}  # formatting closed by force opens again
        self._lingers = 0

    def start(self, name: str, tag: str) -> None:
        """A start tag: its name in lower case, and all of it."""
        if name in _IN_TABLE and not self._in_table():
            return
        self._make_room(name)
        if self.draws() or name == "svg":
            if name in _SVG:
                name = _DRAWN + name
                if tag.endswith("/>"):
                    return
            elif name not in _INTEGRATION:
                self._leave_drawing()
        if name not in _VOID:
            self._open.append(name)
            self._tags.append(tag)
            self.deepest = max(self.deepest, len(self._open) + self._lingers)

    def _in_table(self) -> bool:
        return self._find("table", _TEMPLATE) is not None or self._has(_TEMPLATE)

    def _make_room(self, name: str) -> None:
        """Close what this start tag closes."""
        if self._open and self._open[-1] in _ROWS and name not in _IN_ROWS:
            self._lingers += 1  # moved before its table, where what it opens can pile up
        closes = _CLOSED_BY.get(name, ())
        while self._open and self._open[-1] in closes:
            self._close(len(self._open) - 1)
        if name in _ENDS_P and "p" in self._open:
            self._end_paragraph(name)

    def _end_paragraph(self, name: str) -> None:
        """Close a ``p`` before a block; before a table it depends on the page's mode: either."""
        at = self._find("p", _SCOPES["p"])
        if at is not None and name == "table":
            self._open[at] = _LEFT + "p"
        elif at is not None:
            self._close(at)

    def end(self, name: str) -> None:
        """An end tag, its name in lower case."""
        if self._open and self._open[-1] in (name, _DRAWN + name):
            self._drop(len(self._open) - 1)
            return
        at = self._find(name, _SCOPES.get(name, _SCOPE)) if name in _CLOSABLE else None
        if name in _BLOCK or name in _TABLE:
            if at is not None:
                self._close(at)
            elif self.draws():
                self._leave_drawing()
        elif at is not None:  # formatting and forms leave what they hold open
            self._drop(at)
        elif self._lingering.get(name) and not self._has(_MARKERS):
            self._lingering[name].pop()
            self._lingers -= 1

    def passed(self, size: int) -> None:
        """Account for a tag and `size` bytes since the one before."""
        self.work += (TAG + size) * (len(self._open) + self._lingers)

    def plain(self) -> bool:
        """Whether a ``script`` or ``title`` here holds raw text, as it does not in a drawing."""
        return not self._has(_NOT_RAW)

    def draws(self) -> bool:
        """Whether the innermost element surely belongs to a drawing."""
        return bool(self._open) and self._open[-1].startswith(_DRAWN)

    def _has(self, names: frozenset[str]) -> bool:
        self.work += len(self._open)
        return not names.isdisjoint(self._open)

    def _find(self, name: str, barrier: frozenset[str]) -> int | None:
        for steps, other in enumerate(reversed(self._open), 1):
            self.work += TAG
            if other == name:
                return len(self._open) - steps
            if other in barrier:
                return None
        return None

    def _drop(self, at: int) -> None:
        del self._open[at], self._tags[at]

    def _close(self, at: int) -> None:
        """Close all from `at` on.  Formatting will open again: of like elements three at most.

        One stands for the three.  lexbor forgets to count them in a ``select``.
        """
        in_select = self._open[at] == "select"
        for name, tag in zip(self._open[at:], self._tags[at:], strict=True):
            kept = self._lingering.setdefault(name, set()) if name in _FORMATTING else {tag}
            self._lingers += tag not in kept or (name in _FORMATTING and in_select)
            kept.add(tag)
        del self._open[at:], self._tags[at:]

    def _leave_drawing(self) -> None:
        """Count a drawing's elements on, but no longer as a drawing: this may have ended it."""
        at = len(self._open)
        while at and self._open[at - 1].startswith(_DRAWN):
            at -= 1
            self._open[at] = _LEFT + self._open[at]


_CLOSABLE = _BLOCK | _TABLE | _FORMATTING | {"form"}
_NOT_RAW = frozenset([_DRAWN + "svg", _LEFT + _DRAWN + "svg", "math", "select"])


def measure(html: str, deepest: int, work: int) -> Nesting:
    """The nesting of a page, measured until it passes a limit.

    Args:
        html: the page.
        deepest: open elements at which to stop.
        work: at which to stop.
    """
    nesting = Nesting()
    at = 0
    while nesting.deepest <= deepest and nesting.work <= work:
        tag = _TAGS.search(html, at)
        if not tag:
            nesting.passed(len(html) - at)
            break
        nesting.passed(tag.start() - at)
        at = tag.end()
        if len(tag[0]) > LONG:  # a parser compares each attribute with those before it
            nesting.work += len(_ATTRIBUTE.findall(tag[3] or "")) ** 2
        if tag[2]:
            name = tag[2].lower()
            if tag[1]:
                nesting.end(name)
            elif name in _RAW and nesting.plain():
                close = _RAW_END[name].search(html, at)
                at = close.start() if close else len(html)
            else:
                nesting.start(name, tag[0])
        elif tag[0] == "<![CDATA[":
            at = _after_cdata(html, at, nesting)
    return nesting


def _after_cdata(html: str, at: int, nesting: Nesting) -> int:
    """Where what only a drawing may hold ends: elsewhere it is a comment up to the next ``>``."""
    if not nesting.draws() and not nesting.plain():
        nesting.work = sys.maxsize  # it could be either, so anything could hide behind it
    end = html.find("]]>" if nesting.draws() else ">", at)
    return end if end >= 0 else len(html)
