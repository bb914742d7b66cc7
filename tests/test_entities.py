"""Character references, as Python's `html.unescape` reads them."""

from html import unescape
from html.entities import html5

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.html.mainblocks import blocks
from filters.html.tags import words
from filters.html.text import text

PIECES = st.sampled_from(
    [
        *(*"&#xX;19 é", "amp", "lt", "notin", "not", "eacute", "128", "FFFE", "d800", "nGt;"),
        *("CounterClockwiseContourIntegral;", "amp;", "x0;", "x85;", "x7f;", "99999999999"),
    ]
)


def shown(content: str) -> str:
    """What a page shows that holds nothing but this."""
    page = blocks(np.frombuffer(f"<pre>x{content}.</pre>".encode(), np.uint8), words({}))
    return text(page, np.ones(len(page.blocks), np.uint8))[0].tobytes().decode()


def read(content: str) -> str:
    """The same, the slow way."""
    plain = unescape(f"x{content}.").replace("\xa0", " ").replace("\0", "").replace("\x0c", " ")
    return plain.replace("\r", "").replace("\xad", "")


def test_every_name_stands_for_its_characters() -> None:
    for name in html5:
        assert shown("&" + name) == read("&" + name), name


def test_every_number_up_to_a_plane_and_a_bit_stands_for_its_character() -> None:
    for first in range(0, 0x11000, 0x100):
        numbers = "".join(f"&#{n};" for n in range(first, first + 0x100))
        assert shown(numbers) == read(numbers)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_begins_as_a_reference_is_read_the_same(content: str) -> None:
    assert shown(content) == read(content)
