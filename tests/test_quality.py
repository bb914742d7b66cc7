from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.quality import BULLETS, DASHES, QUOTES, TERMINALS, Quality
from filters.unicode import DIGIT, LETTER, SPACES, UPPER, classify
from filters.words import words


def measured(texts: list[bytes]) -> list[dict[str, Any]]:
    column = pa.array(texts, pa.binary()).view(pa.string())
    batch = pa.record_batch({"text": column, "words": words(column)})
    rows: list[dict[str, Any]] = Quality().measure(batch).to_pylist()
    return rows


def one(text: str) -> dict[str, Any]:
    return measured([text.encode()])[0]


def twin(data: bytes) -> dict[str, Any]:
    """The same by strings, one figure after the other."""
    text = data.decode(errors="surrogateescape")
    spans = words(pa.array([data], pa.binary()).view(pa.string()))[0].as_py()
    found = [data[s["start"] : s["end"]].decode() for s in spans]
    lines = [line.strip(SPACES) for line in text.split("\n") if line.strip(SPACES)]
    visible = [c for c in text if c not in SPACES]
    letters = [c for c in text if classify(c) >= LETTER]
    symbols = text.count("#") + text.count("…") + text.count("...")
    bullets = [x for x in lines if x[0] in BULLETS or (x[0] in DASHES and x[1:2] in [*SPACES])]

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    return {
        "characters": len(text),
        "words": len(found),
        "lines": len(lines),
        "mean_word_length": share(len("".join(found)), len(found)),
        "alphabetic_words": share(
            sum(any(classify(c) >= LETTER for c in w) for w in found), len(found)
        ),
        "unique_words": share(len(set(found)), len(found)),
        "digits": share(sum(classify(c) == DIGIT for c in text), len(visible)),
        "uppercase": share(sum(classify(c) == UPPER for c in text), len(letters)),
        "symbols": share(symbols, len(found)),
        "bullet_lines": share(len(bullets), len(lines)),
        "ellipsis_lines": share(sum(x.endswith(("…", "...")) for x in lines), len(lines)),
        "punctuated_lines": share(sum(x[-1] in TERMINALS + QUOTES for x in lines), len(lines)),
        "duplicate_lines": share(len(lines) - len(set(lines)), len(lines)),
    }


PIECES = st.sampled_from(
    [
        *(
            "The",
            "word",
            "word",
            "3.14",
            "ÉCOLE",
            "漢字",
            "a\nb",
            "don't",
            "x_1",
            "😀",
            "\u0301",
            "\0",
        ),
        *(" ", " ", "\n", "\n", "\r\n", "\u3000", "\x85"),
        *(".", "...", "…", "。", "”", "#", "- ", "•", "–", "* "),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3)).map("".join).map(str.encode)


@given(st.lists(TEXTS))
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert measured(texts) == [*map(twin, texts)]


@given(st.lists(TEXTS | st.binary(max_size=4)).map(b"".join))
def test_the_twin_agrees_on_any_bytes(data: bytes) -> None:
    assert measured([data]) == [twin(data)]


def test_a_page() -> None:
    text = "Title HERE\n\n- one 1\n- two 22\n• three...\n"
    text += "He said “no.”\nHe said “no.”\n  \nand so on…\n"
    assert one(text) == {
        "characters": 82,
        "words": 16,
        "lines": 7,
        "mean_word_length": 46 / 16,
        "alphabetic_words": 14 / 16,
        "unique_words": 13 / 16,
        "digits": 3 / 59,
        "uppercase": 7 / 43,
        "symbols": 2 / 16,
        "bullet_lines": 3 / 7,
        "ellipsis_lines": 2 / 7,
        "punctuated_lines": 4 / 7,
        "duplicate_lines": 1 / 7,
    }


@pytest.mark.parametrize("text", ["", " \n\t\u3000\n"], ids=["empty", "blank"])
def test_what_has_no_denominator_is_null(text: str) -> None:
    counts = {"characters": len(text), "words": 0, "lines": 0}
    assert one(text) == dict.fromkeys(Quality().columns.names) | counts


@pytest.mark.parametrize(
    ("text", "bullets"),
    [("- a", 1), ("-5 degrees", 0), ("-", 0), ("**bold**", 0), ("* a", 1), ("•a", 1), ("  • a", 1)],
)
def test_a_dash_is_a_bullet_before_a_space(text: str, bullets: int) -> None:
    assert one(text)["bullet_lines"] == bullets


@pytest.mark.parametrize("end", [*'.!?…。！？؟۔।։።"”»」'])
def test_sentences_end_in_other_scripts_too(end: str) -> None:
    assert one(f"x{end} \r\n")["punctuated_lines"] == 1


@pytest.mark.parametrize(("text", "symbols"), [("....", 1), ("......", 2), (". . .", 0), ("#…", 2)])
def test_symbols(text: str, symbols: int) -> None:
    assert one("word " + text)["symbols"] == symbols


def test_words_of_another_text_lead_nowhere() -> None:
    other = words(pa.array(["a much longer text than this"]))
    batch = pa.record_batch({"text": ["short"], "words": other})
    row = Quality().measure(batch).to_pylist()[0]
    assert (row["words"], row["mean_word_length"]) == (6, len("a" + "ort") / 6)


def test_many_words_and_lines_find_room() -> None:
    row = one("\n".join(f"w{i % 5000}" for i in range(20_000)))
    assert (row["unique_words"], row["duplicate_lines"]) == (0.25, 0.75)
