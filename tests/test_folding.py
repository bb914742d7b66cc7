import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.folding import LEFT_OUT, fold, folds

TEXT = st.text(st.sampled_from("AZaz@[`{'’é0") | st.characters(codec="utf-8"), max_size=30)


def twin(text: str) -> str:
    table = folds().tolist()
    points = (table[ord(c)] if ord(c) < len(table) else ord(c) for c in text)
    return "".join(chr(point) for point in points if point >= 0)


@given(TEXT, TEXT, TEXT)
def test_the_twin_agrees(before: str, text: str, after: str) -> None:
    body, at = (before + text + after).encode(), len(before.encode())
    data, size = np.frombuffer(body, np.uint8), len(text.encode())
    out = np.zeros(size + 8 + 3, np.uint8)
    end = fold(data, at, at + size, folds(), out, 3)
    assert out[3:end].tobytes().decode() == twin(text)


def test_small_and_capital_letters_count_as_one() -> None:
    table = folds()
    for letters in ("Ee", "Éé", "Σςσ", "Яя", "Աա", "Ệệ", "Ǆǅǆ", "sSſ", "ẞß", "ῼῳ"):
        assert len({int(table[ord(letter)]) for letter in letters}) == 1, letters


def test_no_letter_grows_and_none_is_lost() -> None:
    for point, counts in enumerate(folds().tolist()):
        assert (counts < 0) == (chr(point) in LEFT_OUT)
        if counts >= 0:
            assert len(chr(counts).encode()) <= len(chr(point).encode())
            assert folds()[counts] == counts


def test_what_has_no_case_counts_as_itself() -> None:
    for letter in "1_.·אعअกッİŉΐ":
        if ord(letter) < len(folds()):
            assert folds()[ord(letter)] == ord(letter)
