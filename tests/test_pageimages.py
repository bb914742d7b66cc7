"""Images of a page, with the texts that a pair is made of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.html.images import Image, images
from filters.html.mainblocks import blocks
from filters.html.tags import words

URL = "https://www.example.org/a/b.html"


def found(html: str | bytes, left_out: str = "Menu") -> list[Image]:
    data = np.frombuffer(html if isinstance(html, bytes) else html.encode(), np.uint8)
    page = blocks(data, words({}))
    keep = np.array([left_out.encode() not in _raw(page, i) for i in range(len(page.blocks))])
    return images(page, keep.astype(np.uint8), URL)


def _raw(page: object, block: int) -> bytes:
    first, last = page.blocks[block, :2]  # type: ignore[attr-defined]
    begin, end = page.segments[first, 0], page.segments[last - 1, 1]  # type: ignore[attr-defined]
    return bytes(page.data[begin:end])  # type: ignore[attr-defined]


def test_an_image_has_its_texts_and_the_words_around_it() -> None:
    page = """<nav><img src=logo.png>Menu</nav><h1>A &amp; b</h1><p>One two.
        <figure><IMG title="T" alt='A  hill &lt;' src="../i/hill.jpg" width=640>
        <figcaption>The <b>hill</b></figcaption></figure><p>Three.<img src=//c.org/d.png><p>Four"""
    first, second = found(page)
    assert page[first.start :].startswith("<IMG")
    assert first[1:] == (
        *("https://www.example.org/i/hill.jpg", "A hill <", "T", "The hill"),
        *("A & b One two.", "The hill Three. Four"),
    )
    assert second[1:] == (
        "https://c.org/d.png",
        None,
        None,
        None,
        "A & b One two. The hill Three.",
        "Four",
    )


def test_words_around_are_so_many() -> None:
    many = " ".join(f"w{i}" for i in range(50))
    (image,) = found(f"<p>{many}</p><img src=a><p>{many}</p>")
    assert image.before.split() == many.split()[-30:] and image.after.split() == many.split()[:30]


def test_what_is_no_picture_of_the_text_is_left_out() -> None:
    for tag in (
        "<img>",
        "<img src='data:x'>",
        "<img src=a width=1>",
        "<img src=a height=2px>",
        "<imgx src=a>",
    ):
        assert found(f"<p>a</p>{tag}<p>b</p>") == []
    assert found("<img src=a><p>a</p>") == [] == found("<p>a</p><div>Menu <img src=a></div>")
    (lazy,) = found("<p>a</p><img src='data:x' data-src='b c' srcset='d 2x, e'><p>b</p>")
    assert lazy.url == "https://www.example.org/a/b"
    (last,) = found("<p>a</p><figure><img src=a><figcaption>b</figcaption></figure>")
    assert last.caption == "b"


PARTS = ["<img src=a", ">", "<figure>", "</figure>", "<figcaption>", "b ", "\xff"]


@given(st.lists(st.sampled_from(PARTS)))
def test_any_page_will_do(parts: list[str]) -> None:
    for image in found("".join(parts).encode("latin-1")):
        assert image.url.startswith("https://www.example.org/a/a")
