"""Repetition, against a slow twin over lists of strings."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import SPANS
from filters.repetition import REPEATED, TOPS, Repetition
from filters.unicode import SPACES
from filters.words import words
from tests.helpers.measuring import batch, measured, structs, words_of


def one(text: str) -> dict[str, Any]:
    return measured(Repetition(), text)[0]


def size(data: str) -> int:
    """Characters; of bytes that are no UTF-8, those that can begin one."""
    return sum(b & 0xC0 != 0x80 for b in data.encode(errors="surrogateescape"))


def again(elements: list[str]) -> list[str]:
    return [e for i, e in enumerate(elements) if e in elements[:i]]


def top(found: list[str], n: int) -> int:
    grams = [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]
    if not grams:
        return 0
    gram, times = Counter(grams).most_common(1)[0]
    return times * size(" ".join(gram))


def repeated(found: list[str], n: int) -> int:
    total, i, had = 0, 0, set[tuple[str, ...]]()
    while i + n <= len(found):
        gram = tuple(found[i : i + n])
        total += size("".join(gram)) * (gram in had)
        i += n if gram in had else 1
        had.add(gram)
    return total


def twin(data: bytes) -> dict[str, Any]:
    text = data.decode(errors="surrogateescape")
    found = words_of(data)
    lines = [line.strip(SPACES) for line in text.split("\n")]
    raw = re.split(rf"\n[{SPACES}]*\n", text)
    paragraphs = [x.strip(SPACES) for x in raw if x.strip(SPACES)]
    lines = [line for line in lines if line]

    def share(part: int) -> float | None:
        return part / size(text) if size(text) else None

    return {
        "unique_words": len(set(found)) / len(found) if found else None,
        "duplicate_line_characters": share(size("".join(again(lines)))),
        "duplicate_paragraphs": (len(again(paragraphs)) / len(paragraphs) if paragraphs else None),
        "duplicate_paragraph_characters": share(size("".join(again(paragraphs)))),
        **{f"top_{n}gram": share(top(found, n)) for n in TOPS},
        **{f"duplicate_{n}grams": share(repeated(found, n)) for n in REPEATED},
    }


PIECES = st.sampled_from(
    [
        *("a ", "b ", "a ", "a b c d e f ", "d e f g h i j k l m ", "\u05d0 ", "漢"),
        *("e\u0301 ", "😀"),
        *("a b\n", "a b\n", "\n", "\n\n", " \n", "\r\n", "\u3000\n", "a b\nc d\n\n", "\0"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join).map(str.encode)


ANY = st.lists(TEXTS | st.binary(max_size=4)).map(b"".join)


@given(st.lists(TEXTS | ANY, max_size=5))
@settings(max_examples=200)
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert measured(Repetition(), *texts) == [*map(twin, texts)]


@given(st.lists(st.sampled_from("ab"), max_size=60), st.lists(st.sampled_from("abc"), max_size=60))
def test_the_twin_agrees_where_nearly_everything_recurs(some: list[str], more: list[str]) -> None:
    texts = [" ".join(each).encode() for each in (some, more, some + some)]
    assert measured(Repetition(), *texts) == [*map(twin, texts)]


def test_a_song() -> None:
    verse = "one two three four five\nsix seven\n"
    row = one(f"{verse}\n{verse}\nlast words")
    assert row["duplicate_paragraphs"] == pytest.approx(1 / 3)
    length = 2 * len(verse) + 2 + len("last words")
    assert row["duplicate_line_characters"] == (len(verse) - 2) / length
    assert row["duplicate_paragraph_characters"] == (len(verse) - 1) / length
    assert row["top_2gram"] == 2 * len("one two") / length
    assert row["top_4gram"] == 2 * len("one two three four") / length
    assert row["duplicate_5grams"] == len("onetwothreefourfive") / length
    assert row["duplicate_7grams"] == len("onetwothreefourfivesixseven") / length
    assert row["duplicate_8grams"] == 0


def test_the_first_of_equally_frequent_ones_counts() -> None:
    assert one("x y z w x y z w")["top_2gram"] == 2 * 3 / 15
    assert one("x longer z x longer z")["top_2gram"] == 2 * len("x longer") / 21
    assert one("longer x y")["top_2gram"] == len("longer x") / 10


def test_what_has_no_characters_has_no_shares() -> None:
    assert one("") == dict.fromkeys(Repetition().columns.names)
    assert measured(Repetition(), b"\x80\xbf")[0]["top_2gram"] is None


def test_a_text_that_is_too_short_repeats_nothing() -> None:
    row = one("word")
    assert row.pop("unique_words") == 1
    assert {name: value for name, value in row.items() if value} == {}
    assert None not in row.values()


def test_words_of_another_text_lead_nowhere() -> None:
    other = words(pa.array(["a much longer text than this, and longer"]))
    batch = pa.record_batch({"text": ["short"], "words": other})
    row = Repetition().measure(batch).to_pylist()[0]
    assert row["top_2gram"] == len("a ort") / 5


def seconds(text: str) -> float:
    rows = batch(text)
    began = time.process_time()
    Repetition().measure(rows)
    return time.process_time() - began


@pytest.mark.parametrize("kind", ["all alike", "all unlike", "one million letters", "drawn"])
def test_the_work_grows_with_the_words(kind: str) -> None:
    draw = random.Random(1)
    text: Callable[[int], str] = {
        "all alike": lambda count: "word " * count,
        "all unlike": lambda count: " ".join(map(str, range(count))),
        "one million letters": lambda count: "x y z " * (count // 3),
        "drawn": lambda count: " ".join(draw.choices(["a", "b", "c", "dd", "ee"], k=count)),
    }[kind]
    one("compiles")
    small = min(seconds(text(125_000)) for _ in range(3))
    assert seconds(text(1_000_000)) < 4 * 8 * small  # by the square it would be 64 times


def test_spans_need_not_be_those_of_our_words() -> None:
    text = "go , go , go"
    spans = structs(SPANS, [[(0, 2), (3, 4), (5, 7), (8, 9), (10, 12)]])
    row = Repetition().measure(pa.record_batch({"text": [text], "words": spans})).to_pylist()[0]
    assert row["top_2gram"] == 2 * len("go ,") / len(text)
