from filters.folding import LEFT_OUT, folds


def test_small_and_capital_letters_count_as_one() -> None:
    table = folds()
    for letters in ("Ee", "Éé", "Σςσ", "Яя", "Աա", "Ệệ", "Ǆǅǆ", "sSſ", "ẞß", "ῼῳ"):
        assert len({int(table[ord(letter)]) for letter in letters}) == 1, letters


def test_no_letter_grows_and_none_is_lost() -> None:
    for point, counts in enumerate(folds().tolist()):
        assert (counts == 0) == (point == 0 or chr(point) in LEFT_OUT)
        assert len(chr(counts).encode()) <= len(chr(point).encode())
        assert folds()[counts] == counts or counts == 0


def test_what_has_no_case_counts_as_itself() -> None:
    for letter in "1_.·אعअกッİŉΐ":
        if ord(letter) < len(folds()):
            assert folds()[ord(letter)] == ord(letter)
