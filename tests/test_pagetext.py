"""The text of a page's blocks, against a slow twin over strings."""

import html

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.html.blocks import FIRST, LAST, OWNER
from filters.html.mainblocks import Blocks, blocks
from filters.html.markup import BREAK, FROM, KIND, TO
from filters.html.tags import BIT, HIDDEN, PRE, words
from filters.html.text import text

PLAIN = words({})
SPACES = " \n\t\r\f"


def run(out: str, gap: bool, plain: str, preserved: bool) -> tuple[str, bool]:
    """A line with a run's text behind it, and whether a space is due."""
    for c in plain:
        c = " " if c == "\xa0" else c
        if c in SPACES and preserved:
            out += c if c in "\n\t" else "" if c == "\r" else " "
        elif c in SPACES:
            gap = gap or out != ""
        elif c not in "\xad\x7f" and c > " ":
            out, gap = out + " " * gap + c, False
    return out, gap


def lines(page: Blocks, block: list[int], left_out: int) -> tuple[str, str]:
    """The lines of a block without some of its runs, and the last one, whose end is not yet cut."""
    done, line, gap, broken = "", "", False, False
    for segment in page.segments[block[FIRST] : block[LAST]].tolist():
        broken = broken or segment[BREAK] == 1
        if segment[KIND] & left_out:
            continue
        if broken and done + line:
            done, line, gap = done + line.rstrip(SPACES) + "\n", "", False
        broken = False
        data = page.data[segment[FROM] : segment[TO]].tobytes()
        plain = html.unescape(data.decode(errors="surrogateescape"))
        line, gap = run(line, gap, plain, bool(segment[KIND] & int(PRE)))
    return done, line


def twin(page: Blocks, keep: list[bool], whole: bool) -> str:
    out = ""
    for block, kept in zip(page.blocks.tolist(), keep, strict=True):
        own = int(page.flags[block[OWNER]])
        inside = 0 if whole else int(HIDDEN | BIT["button"]) & ~own
        done, line = lines(page, block, inside)
        if not done + line:
            done, line = lines(page, block, inside & int(HIDDEN))
        said = done + line.rstrip(SPACES)
        out += f"{said}\n" if kept and said else ""
    return out.removesuffix("\n")


PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<div>", "</div>", "<h2>", "</h2>", "<li>", "<pre>", "</pre>", "<br>"),
        *("<div hidden>", "<i hidden>", "</i>", "<b style='display:none'>", "</b>", "<button>"),
        *("</button>", "<a class=headerlink href=#a>", "<a href=x>", "</a>", "¶", "[source]"),
        *("a b", "c", "e\u0301", "😀", "שלום", "漢字", " ", "\n", "\r\n", "\t", "\f", "\0", "\x7f"),
        *("<br><button>a</button>", "<br><i hidden>a</i>"),
        *("&nbsp;", "\xa0", "&shy;", "\xad", "&amp;", "&lt;", "&"),
    ]
)
PAGES = st.lists(PIECES, max_size=30).map("".join).map(str.encode)
BYTES = st.binary(max_size=4).map(lambda data: data.replace(b"&", b""))


@given(st.lists(PAGES | BYTES, max_size=6).map(b"".join), st.integers(0, 2**32), st.booleans())
def test_the_twin_agrees(data: bytes, seed: int, whole: bool) -> None:
    page = blocks(np.frombuffer(data, np.uint8), PLAIN)
    keep = np.random.default_rng(seed).random(len(page.blocks)) < 0.8
    found, begins = text(page, keep.astype(np.uint8), whole)
    expected = twin(page, keep.tolist(), whole)
    assert found.tobytes() == expected.encode(errors="surrogateescape")
    assert len(begins) == len(keep) + 1 and (np.diff(begins)[~keep] == 0).all()
