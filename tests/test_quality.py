from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.quality import BULLETS, DASHES, ENDS, STOP_WORDS, Quality
from filters.unicode import DIGIT, LETTER, SPACES, UPPER, classify
from filters.words import words
from tests.helpers.measuring import measured, words_of


def one(text: str, quality: Quality | None = None) -> dict[str, Any]:
    return measured(quality or Quality(), text)[0]


def twin(data: bytes) -> dict[str, Any]:
    """The same by strings, one figure after the other."""
    text = data.decode(errors="surrogateescape")
    found = words_of(data)
    lines = [line.strip(SPACES) for line in text.split("\n") if line.strip(SPACES)]
    visible = [c for c in text if c not in SPACES]
    letters = [c for c in text if classify(c) >= LETTER]
    bullets = [x for x in lines if x[0] in BULLETS or (x[0] in DASHES and x[1:2] in [*SPACES])]

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    return {
        "characters": len(text),
        "words": len(found),
        "lines": len(lines),
        "newlines": text.count("\n"),
        "stop_words": len(set(found) & set(STOP_WORDS)),
        "mean_word_length": share(len("".join(found)), len(found)),
        "alphabetic_words": share(
            sum(any(classify(c) >= LETTER for c in w) for w in found), len(found)
        ),
        "digits": share(sum(classify(c) == DIGIT for c in text), len(visible)),
        "uppercase": share(sum(classify(c) == UPPER for c in text), len(letters)),
        "hashes": share(text.count("#"), len(found)),
        "ellipses": share(text.count("…") + text.count("..."), len(found)),
        "bullet_lines": share(len(bullets), len(lines)),
        "ellipsis_lines": share(sum(x.endswith(("…", "...")) for x in lines), len(lines)),
        "punctuated_lines": share(sum(x[-1] in ENDS for x in lines), len(lines)),
        "short_lines": share(sum(len(x) <= 30 for x in lines), len(lines)),
        "duplicate_lines": share(len(lines) - len(set(lines)), len(lines)),
    }


PIECES = st.sampled_from(
    [
        *("The", "the", "with", "word", "word", "3.14", "ÉCOLE", "漢字", "a\nb", "don't"),
        *("x_1", "😀", "\u0301", "\0", "a line of thirty characters, o"),
        *(" ", " ", "\n", "\n", "\r\n", "\u3000", "\x85"),
        *(".", "...", "…", "。", "”", "#", "- ", "•", "–", "* "),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3)).map("".join).map(str.encode)


ANY = st.lists(TEXTS | st.binary(max_size=4)).map(b"".join)


@given(st.lists(TEXTS | ANY))
@settings(max_examples=200)
def test_the_twin_agrees(texts: list[bytes]) -> None:
    assert measured(Quality(), *texts) == [*map(twin, texts)]


def test_a_page() -> None:
    text = "Title HERE\n\n- one 1\n- two 22\n• three...\n"
    text += "He said “no.”\nHe said “no.”\n  \nand so on…\n"
    assert one(text) == {
        "characters": 82,
        "words": 16,
        "lines": 7,
        "newlines": 9,
        "stop_words": 1,
        "mean_word_length": 46 / 16,
        "alphabetic_words": 14 / 16,
        "digits": 3 / 59,
        "uppercase": 7 / 43,
        "hashes": 0,
        "ellipses": 2 / 16,
        "bullet_lines": 3 / 7,
        "ellipsis_lines": 2 / 7,
        "punctuated_lines": 4 / 7,
        "short_lines": 1,
        "duplicate_lines": 1 / 7,
    }


@pytest.mark.parametrize("text", ["", " \n\t\u3000\n"], ids=["empty", "blank"])
def test_what_has_no_denominator_is_null(text: str) -> None:
    counts = {"characters": len(text), "words": 0, "lines": 0, "stop_words": 0}
    counts["newlines"] = text.count("\n")
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


@pytest.mark.parametrize(
    ("text", "hashes", "ellipses"),
    [("....", 0, 1), ("......", 0, 2), (". . .", 0, 0), ("#…#", 2, 1), ("..\n.", 0, 0)],
)
def test_hashes_and_ellipses(text: str, hashes: int, ellipses: int) -> None:
    row = one("word " + text)
    assert (row["hashes"], row["ellipses"]) == (hashes, ellipses)


def test_stop_words_are_those_of_the_recipe_as_they_are_written() -> None:
    german = Quality(stop_words=("der", "die", "是"))
    assert one("der die der Die das 这是书", german)["stop_words"] == 3
    assert one("the of der", german)["stop_words"] == 1
    assert one("the of der", Quality(stop_words=()))["stop_words"] == 0


def test_a_list_of_stop_words_is_the_same_option() -> None:
    given: Any = ["the", "of", "the"]
    assert Quality(stop_words=given) == Quality(stop_words=("the", "of"))


@pytest.mark.parametrize(("size", "short"), [(30, 1), (31, 0)])
def test_a_line_is_short_by_its_characters_alone(size: int, short: int) -> None:
    assert one(f" \t{'é' * (size - 2)} é  \r\n\n")["short_lines"] == short
    assert one("é" * size, Quality(short_line=size))["short_lines"] == 1


def test_words_of_another_text_lead_nowhere() -> None:
    other = words(pa.array(["a much longer text than this"]))
    batch = pa.record_batch({"text": ["short"], "words": other})
    row = Quality().measure(batch).to_pylist()[0]
    assert (row["words"], row["mean_word_length"]) == (6, len("a" + "ort") / 6)


def test_many_words_and_lines_find_room() -> None:
    row = one("\n".join(f"w{i % 5000}" for i in range(20_000)))
    assert (row["words"], row["duplicate_lines"]) == (20_000, 0.75)
