"""C4's questions about a page, against a slow twin of patterns."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.c4 import C4
from filters.punctuation import TERMINALS
from filters.unicode import DIGIT, IDEOGRAPH, LETTER, MARK, SPACES, classify
from tests.helpers.measuring import measured


def one(text: str) -> dict[str, Any]:
    return measured(C4(), text)[0]


def ends(text: str, at: int) -> bool:
    """Whether a character may end a sentence."""
    if text[at] != ".":
        return text[at] in TERMINALS
    before = [c for c in text[:at] if classify(c) != MARK]
    alone = [LETTER <= classify(c) < IDEOGRAPH for c in before[-2:]] in ([True], [False, True])
    return not alone and "." not in text[at - 1 : at] + text[at + 1 : at + 2]


def code(text: str, at: int) -> str:
    """Space, of a word, terminal of ASCII or of others, or else."""
    if text[at] in SPACES:
        return "s"
    if classify(text[at]) >= DIGIT:
        return "w"
    return "o" if not ends(text, at) else "t" if text[at].isascii() else "T"


END = re.compile("[^ws]*T[^wst]*(?=[ws])|[^ws]*t[^wsT]*(?=s)")
"""The last terminal between two words, with what stands around it."""


def twin(data: bytes) -> dict[str, int]:
    text = data.decode(errors="surrogateescape")
    codes = "".join(code(text, at) for at in range(len(text)))
    at, sentences = 0, 0
    for line in text.split("\n"):
        sentences += sum("w" in piece for piece in END.split(codes[at : at + len(line)] + "s"))
        at += len(line) + 1
    lower = data.lower()
    return {
        "sentences": sentences,
        "curly_brackets": text.count("{"),
        "lorem_ipsum": lower.count(b"lorem ipsum"),
    }


PIECES = st.sampled_from(
    [
        *("A word", "a", "é", "e\u0301", "J", "3", "漢", "ไ", "שלום", "_", "😀", "\u0301", "\0"),
        *(" ", " ", "\n", "\r\n", "\u3000", "\x85"),
        *(".", ".", "..", "!", "?", "…", "。", "؟", '"', "”", ")", "{", "#"),
        *("Lorem IPSUM", "lorem ", "ipsum", "LOREM"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3)).map("".join).map(str.encode)


ANY = st.lists(TEXTS | st.binary(max_size=4)).map(b"".join)


@given(st.lists(TEXTS | ANY))
@settings(max_examples=200)
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert measured(C4(), *texts) == [*map(twin, texts)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is one. It is two! Is it three?", 3),
        ("No end\nAnother line\n\n  \n- \n", 2),
        ("He said “no.” She said (yes.) Good.", 3),
        ("J. Smith lives in the U.S. now, e.g. there.", 1),
        ("Call it e\u0301. It is so.", 1),
        ("Wait... what? Well.. no", 2),
        ("Version 3.14 of example.com is out.", 1),
        ("?! ... 。", 0),
        ("漢字。漢字！漢字", 3),
        ("One.\r\nTwo.\r\n", 2),
        ("यह एक है। यह दो है।", 2),
        ("هل هذا؟ نعم.", 2),
        ("Plan b.\nDone", 2),
        ("", 0),
    ],
)
def test_sentences(text: str, sentences: int) -> None:
    assert one(text)["sentences"] == sentences


def test_brackets_and_filler() -> None:
    row = one("Lorem Ipsum { dolor {\nLOREM IPSUM, lorem  ipsum")
    assert (row["curly_brackets"], row["lorem_ipsum"]) == (2, 2)
