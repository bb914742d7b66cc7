"""The benchmark of rules: its figures are right, and its causes are those that it says."""

import pyarrow as pa
import pytest

from tests.bench import rules

PROSE = "The water comes down with the rain, and it is to be kept in a tunnel that people dug. " * 3


def test_costs_are_marginal_and_from_medians() -> None:
    rows = {"quarter": 100, "corpus": 500, "peer": 10}
    turn = {"scan quarter": 1.0, "scan corpus": 3.0, "bare scan quarter": 0.5}
    turn |= {"bare scan corpus": 0.5, "rules quarter": 0.0, "rules corpus": 2.0}
    turn |= {"every": 5.0, "pipeline": 2.0}
    other = dict.fromkeys(turn, 99.0)
    found = rules.costs(rows, [turn, other, turn])
    assert found["karez"] == pytest.approx(200)
    assert found["karez, judging too"] == pytest.approx(100)
    assert found["datatrove, every filter"] == pytest.approx(2)
    assert found["times every filter"] == pytest.approx(100)
    assert found["times the pipeline"] == pytest.approx(40)
    assert not any("scan" in name for name in found)


def test_a_document_that_either_rejects_counts_once_among_all() -> None:
    mine: rules.Reasons = {"c4": ["few", None, None, None], "fineweb": ["dup", "dup", None, None]}
    theirs: rules.Reasons = {"c4": ["few", "few", None, None], "fineweb": [None, None, "dup", None]}
    assert rules.compared(mine, theirs) == {"c4": (1, 2), "fineweb": (0, 3), "all": (2, 3)}
    assert rules.differences("abcd", mine, theirs) == [
        ("b", "c4", "few", None),
        ("a", "fineweb", None, "dup"),
        ("b", "fineweb", None, "dup"),
        ("c", "fineweb", "dup", None),
    ]


def test_a_cause_is_white_space_only_where_taking_it_away_helps() -> None:
    found = ("a", "fineweb", "char_dup_ratio", None)
    assert rules.cause(found, {("a", "fineweb")}) == rules.SPACE
    other = rules.cause(found, {("a", "c4")})
    assert other and other != rules.SPACE
    assert rules.cause(("a", "c4", "unheard_of", None), set()) is None
    assert rules.tidy(" a \n\n\u00a0\n b\n ") == "a\n\n\nb"


def test_our_reasons_come_from_their_words() -> None:
    words = [(i, i + len(w)) for i, w in _placed(PROSE)]
    spans = [{"start": a, "end": b} for a, b in words]
    theirs = pa.table(
        {"words": [spans, spans], "solid": [[True] * len(spans), [False] * len(spans)]}
    )
    found = rules.reasons(pa.array([PROSE, PROSE]), theirs)
    assert found["gopher quality"] == [None, "short"]
    assert found["gopher repetition"] == ["top_ngram"] * 2
    assert found["c4"] == ["few_sentences"] * 2
    assert found["fineweb"] == [None, None]


def _placed(text: str) -> list[tuple[int, str]]:
    at, found = 0, []
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


def test_a_missed_bar_says_so() -> None:
    good = {"times every filter": 500.0}
    shares = {"all": (99, 100)}
    known = [["a", "c4", "x", None, "why"]]
    assert all(line.startswith("met") for line in rules.bars(good, shares, known))
    for said in (
        rules.bars({"times every filter": 199.0}, shares, known),
        rules.bars(good, {"all": (97, 100)}, known),
        rules.bars(good, shares, [["a", "c4", "x", None, None]]),
    ):
        assert sum(line.startswith("MISSED") for line in said) == 1
