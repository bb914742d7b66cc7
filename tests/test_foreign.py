"""Paragraphs in other languages than are wanted, with the model that ships and against a twin."""

from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from filters import PARAGRAPHS
from filters.edits import apply
from filters.foreign import Foreign
from filters.language import paragraphs
from tests.helpers.measuring import structs
from tests.test_language import DE, EN, SENTENCES


def cut(text: str, **options: Any) -> str:
    texts = pa.array([text])
    batch = pa.record_batch({"text": texts, "paragraphs": paragraphs(texts)})
    return str(apply(texts, Foreign(**options).edit(batch))[0])


def test_only_the_languages_to_keep_are_left() -> None:
    text = "".join(SENTENCES.values())
    assert cut(text, keep=["en", "de"]) == DE + EN
    assert cut(text, keep=["ja"]) == SENTENCES["ja"]
    assert cut(text, keep=[*SENTENCES]) == text


def test_without_a_language_to_keep_that_of_most_bytes_stays() -> None:
    assert cut(DE + EN + DE) == DE + DE
    assert cut(EN + DE + EN) == EN + EN


def test_what_is_unknown_or_uncertain_stays() -> None:
    table = "0 1 2 3 4 5 6 7 8 9\n" * 5
    assert cut(DE + table, keep=["en"]) == table
    (judged,) = paragraphs(pa.array([DE])).to_pylist()
    score = judged[0]["score"]
    assert cut(DE, keep=["en"], score=score) == ""
    assert score == 1 or cut(DE, keep=["en"], score=(1 + score) / 2) == DE


Judged = list[tuple[int, str | None, float]]
"""Bytes, language and score of each paragraph."""


def slowly(judged: Judged, keep: set[str], score: float) -> list[int]:
    """The numbers of the paragraphs to cut."""
    certain = [(size, name) for size, name, s in judged if name and s >= score]
    sizes = Counter[str]()
    for size, name in certain:
        sizes[name] += size
    if not keep and sizes:
        keep = {min(sizes, key=lambda name: (-sizes[name], name))}
    return [i for i, (_, n, s) in enumerate(judged) if n and s >= score and n not in keep]


NAMES = st.sampled_from(["de", "en", "ja"])
ROW = st.lists(
    st.tuples(st.integers(1, 5), st.none() | NAMES, st.sampled_from([0.25, 0.5, 0.75])), max_size=6
)


@given(st.lists(ROW, max_size=5), st.sets(NAMES), st.sampled_from([0.25, 0.5, 1.0]))
def test_the_twin_agrees(rows: list[Judged], keep: set[str], score: float) -> None:
    lists = []
    for row in rows:
        ends = [sum(size for size, *_ in row[: i + 1]) for i in range(len(row))]
        spans = zip([0, *ends], ends, row, strict=False)
        lists.append([(a, b, name, s if name else None) for a, b, (_, name, s) in spans])
    column = structs(PARAGRAPHS, [[], *lists])[1:]
    edits = Foreign([*keep], score).edit(pa.record_batch({"paragraphs": column})).to_pylist()
    for row, paragraphs_, found in zip(rows, lists, edits, strict=True):
        expected = [paragraphs_[i] for i in slowly(row, keep, score)]
        assert [(e["start"], e["end"]) for e in found] == [(a, b) for a, b, *_ in expected]
        assert all((e["replacement"], e["reason"]) == ("", "foreign") for e in found)


def test_of_equals_the_first_in_the_alphabet_stays() -> None:
    for names in (["ja", "de", "en"], ["en", "de", "ja"]):
        row = [(5 * i, 5 * i + 5, name, 0.9) for i, name in enumerate(names)]
        (cuts,) = Foreign().edit(pa.record_batch({"paragraphs": structs(PARAGRAPHS, [row])}))
        assert [names[e["start"] // 5] for e in cuts.as_py()] == [n for n in names if n != "de"]
