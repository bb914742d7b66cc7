"""What scores extraction, by cases that were counted by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from resiliparse.parse.html import HTMLTree

from tests.bench import extraction, extraction_scores
from tests.bench.extraction_pages import Page, address, apart, kinds
from tests.bench.extraction_scores import (
    Score,
    difference,
    of_shingles,
    of_snippets,
    of_tokens,
    scored,
    shingles,
    snippets,
    tokens,
)
from tests.bench.extraction_shown import shown


@pytest.mark.parametrize(
    ("found", "gold", "counts"),
    [
        ("a b c d e", "a b c d e", (1, 0, 0)),
        ("a b c d e", "a b c d", (1 / 2, 1 / 2, 0)),  # abcd | bcde
        ("a b c d", "x a b c d y", (1 / 3, 0, 2 / 3)),
        ("a b c d a b c d", "a b c d", (1 / 5, 4 / 5, 0)),  # abcd twice, and three across
        ("a b", "a b", (1, 0, 0)),  # fewer than four words are one gram
        ("a b", "a b c", (0, 1 / 2, 1 / 2)),
        ("A b", "a b", (0, 1 / 2, 1 / 2)),  # case counts
        ("", "a b", (0, 0, 1)),
        ("a b", "", (0, 1, 0)),
        ("", "", (0, 0, 0)),
    ],
)
def test_shingles_are_shares_of_a_page(
    found: str, gold: str, counts: tuple[float, float, float]
) -> None:
    assert shingles(found, gold) == pytest.approx(counts)


@pytest.mark.parametrize(
    ("found", "gold", "counts"),
    [
        ("a b b", "B a c", (2, 1, 1)),
        ("你好 世界", "你好世界", (4, 0, 0)),  # characters, not runs
        ("Python语言", "语言 python", (3, 0, 0)),
        ("한국어", "한국", (2, 1, 0)),
        ("a_b -", "a b", (2, 0, 0)),
        ("", "", (0, 0, 0)),
    ],
)
def test_tokens_are_words_and_cjk_characters(
    found: str, gold: str, counts: tuple[int, int, int]
) -> None:
    assert tokens(found, gold) == counts


def test_snippets_ignore_white_space_and_nothing_else() -> None:
    assert snippets("one  two\nthree", ["two three", "Two"], ["one", "e\ntwo", "4"]) == (1, 2, 1)
    assert snippets("", ["two three"], ["one"]) == (0, 0, 1)


def test_figures_of_shingles_leave_out_pages_without_a_denominator() -> None:
    counts = np.array([[0.5, 0.5, 0.0], [0.25, 0.0, 0.75], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    precision, recall = (0.5 + 1) / 2, (1 + 0.25 + 0) / 3
    f1 = 2 * precision * recall / (precision + recall)
    assert of_shingles(counts).tolist() == pytest.approx([precision, recall, f1])


def test_figures_of_snippets_are_of_the_sums_and_of_tokens_means_over_pages() -> None:
    sums = of_snippets(np.array([[3.0, 1.0, 0.0], [1.0, 0.0, 3.0]]))
    assert sums.tolist() == pytest.approx([4 / 5, 4 / 7, 8 / 12])
    means = of_tokens(
        np.array([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 5.0, 0.0], [1.0, 0.0, 3.0]])
    )
    three = 2 / 3 + 1 + 0 + 1, 2 / 3 + 1 + 0 + 1 / 4, 2 / 3 + 1 + 0 + 2 / 5
    assert means.tolist() == pytest.approx([each / 4 for each in three])


def test_an_interval_holds_the_value_and_pages_that_agree_have_none() -> None:
    same = scored([(1, 1, 0)] * 5, of_tokens)[2]
    assert same.low == same.value == same.high == pytest.approx(2 / 3)
    mixed = scored([(1, 0, 0)] * 10 + [(0, 1, 1)] * 10, of_tokens)[2]
    assert mixed.value == 0.5
    # Of 20 draws with p = 1/2, the 2.5th and 97.5th percentiles are 6 and 14.
    assert mixed.low == pytest.approx(0.3, abs=0.051)
    assert mixed.high == pytest.approx(0.7, abs=0.051)


def test_a_difference_draws_the_same_pages_for_both() -> None:
    theirs = [(1.0, 0.0, 0.0), (0.0, 1.0, 1.0)] * 10
    assert difference(theirs, theirs, of_tokens) == (0, 0, 0)
    better = [(1.0, 0.0, 0.0)] * 20
    found = difference(better, theirs, of_tokens)
    assert found.value == 0.5 and 0.2 < found.low < found.high < 0.8
    # Where every page is better by as much, there is no doubt, however the pages differ.
    ours, less = [(1.0, 0.0, 0.0), (1.0, 1.0, 1.0)] * 9, [(3.0, 1.0, 1.0), (1.0, 3.0, 3.0)] * 9
    assert difference(ours, less, of_tokens) == pytest.approx((0.25, 0.25, 0.25))


def row(gold: str | None, kind: str = "other", snippets: Any = ([], [])) -> dict[str, object]:
    return Page("https://a.example.org/x", b"<p>", kind, "test", gold, snippets).row()


def test_kinds_add_short_and_cjk_by_the_gold_or_the_snippets() -> None:
    assert kinds(row("word " * 300, "forum")) == ["forum"]
    assert kinds(row("word")) == ["other", "short"]
    assert kinds(row("文字" * 600)) == ["other", "cjk"]
    assert kinds(row(None, snippets=(["これは日本語です"], []))) == ["other", "cjk"]


def test_a_row_has_its_registered_domain_and_an_id_of_url_and_bytes() -> None:
    first = Page("https://a.example.co.uk/x", b"1", "news", "t").row()
    assert (first["domain"], first["family"]) == ("example.co.uk", "example.co.uk")
    assert first["id"] != Page("https://a.example.co.uk/x", b"2", "news", "t").row()["id"]


def test_pages_apart_share_no_address_and_few_grams() -> None:
    words = [f"w{i}" for i in range(60)]
    other = Page("http://www.a.org/x/?q=1", b"", "news", "t", " ".join(words))
    copy = Page("https://a.org/x", b"", "news", "t", "nothing of it " * 9)
    quoting = Page("https://b.org/y", b"", "news", "t", " ".join(words[:30]))
    fresh = Page("https://b.org/z", b"", "news", "t", " ".join(f"v{i}" for i in range(30)))
    assert address(other.url) == address(copy.url) == "a.org/x"
    assert list(apart([copy, quoting, fresh], [other])) == [fresh]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one\n  two<p>three <b>fo</b>ur", "one two\nthree four"),
        ("one<br>two<div>three</div>four", "one\ntwo\nthree\nfour"),
        ("<pre>a\n  b  \n\n c</pre>d", "a\n  b\n c\nd"),
        ("<ul><li>a<li>b</ul><table><tr><td>c<td>d", "a\nb\nc\nd"),
        ("a<script>x</script><span hidden>y</span><i style='display: none'>z</i>b", "ab"),
        ("<p>a<nav>no</nav>b", "a\nb"),
        ("<pre>a<b>b\nc</b>d</pre>", "ab\ncd"),
        ("", ""),
    ],
)
def test_shown_is_what_a_browser_shows(html: str, text: str) -> None:
    assert shown(HTMLTree.parse(html), "body", ["nav"]) == text


def test_shown_counts_a_container_within_another_once() -> None:
    html = "<div class=a>one<div class=a>two</div></div><div class=b>no</div><div class=a>three"
    assert shown(HTMLTree.parse(html), ".a") == "one\ntwo\nthree"


def test_extractors_run_in_turn_and_one_that_fails_has_no_text() -> None:
    def broken(html: bytes) -> str:
        raise RuntimeError("no")

    found = extraction.run([b"ab", b"c"], {"upper": lambda h: h.decode().upper(), "broken": broken})
    assert found["upper"].texts == ["AB", "C"]
    assert found["broken"].texts == ["", ""]
    assert all(0 <= second < 1 for second in found["upper"].seconds)


def test_the_slowest_page_is_told_by_its_time_per_byte() -> None:
    rows = [{"html": bytes(100_000)}, {"html": bytes(100)}]
    told = extraction.pace(rows, extraction.Taken(["", ""], [1.0, 0.5]))
    mean = 1.5 / 100_100
    assert told["pages a CPU s"] == pytest.approx(2 / 1.5)
    # The small page counts as one of `SMALL` bytes.
    assert told["slowest per byte, times the mean"] == pytest.approx(0.5 / extraction.SMALL / mean)


def test_groups_are_types_and_families_with_pages_enough() -> None:
    rows = [row("word " * 300, "forum") for _ in range(extraction.LEAST)]
    rows += [row("word", "docs") for _ in range(extraction.LEAST - 1)]
    found = dict(extraction.groups(rows))
    assert set(found) == {"all", "forum"}
    assert found["forum"] == list(range(extraction.LEAST))


def test_each_set_is_scored_by_its_own_metric() -> None:
    taken = extraction.Taken(["a b c d"], [0.1])
    rows = [row("a b c d e", snippets=(["a b"], ["c"]))]
    assert extraction.counted("trafilatura", rows, taken) == [(1, 1, 0)]
    assert extraction.counted("aeb", rows, taken) == [(0.5, 0, 0.5)]
    assert extraction.counted("docs", rows, taken) == [(4, 0, 1)]
    assert extraction.figures("aeb") is extraction_scores.of_shingles


def test_texts_of_a_file_are_scored_and_timed_by_nobody(tmp_path: Path) -> None:
    rows = [row("a b c d"), row("e f g h", "news", (["e"], []))]
    rows[1]["id"] = "other"
    ids, path = [row["id"] for row in rows], tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ids[::-1], "text": ["e f", "a b c d"]}), path)
    assert extraction.named(f"mine={path}") == ("mine", path)
    with pytest.raises(SystemExit, match="no such file"):
        extraction.named("mine=none")
    found = extraction.texts(path, rows)
    assert found == extraction.Taken(["a b c d", "e f"], [])
    table = extraction.measured("docs", rows, {"mine": found})
    assert table["pace"] == {} and table["all"]["mine"]["R"].value == 0.75
    assert table["all"]["mine"]["less"] is None  # there is nothing to compare it with
    assert extraction.texts(path, [*rows, {**rows[0], "id": "third"}]) is None


def score(value: float, low: float = 0, high: float = 0) -> dict[str, Score]:
    return {"F1": Score(value, value, value), "less": Score(value, low, high)}


def test_bars_are_met_by_value_by_interval_and_by_pace() -> None:
    slowest = "slowest per byte, times the mean"
    pace = {
        "trafilatura": {"pages a CPU s": 10.0, slowest: 90.0},
        "resiliparse": {"pages a CPU s": 150.0, slowest: 5.0},
        "karez": {"pages a CPU s": 160.0, slowest: 20.0},
    }
    aeb = {"pace": pace, "all": {"pages": 181, "karez": score(0.965)}}
    more = {
        "pace": {},
        "all": {"pages": 200, "karez": score(0.5), "karez unseen": score(0.4)},
        "forum": {"pages": 60, "karez unseen": score(-0.01, -0.02, 0.0)},
        "docs": {"pages": 60, "karez unseen": score(-0.01, -0.02, -0.001), "karez": score(1)},
        "short": {"pages": 59, "karez unseen": score(-0.5, -0.6, -0.4)},
    }
    peers = {"pace": pace, "all": {"pages": 3, "trafilatura": score(0.9)}}
    found = list(extraction.bars({"machine": "it", "aeb": aeb, "more": more, "docs": peers}))
    assert [(met, what.partition(",")[0].partition(":")[0]) for met, what in found] == [
        (True, "aeb"),  # F1
        (True, "aeb"),  # 16 times
        (False, "aeb"),  # 1.07 times
        (True, "aeb"),  # slowest
        (True, "more"),  # forum
        (False, "more"),  # docs
    ]
    assert found[2][1] == "aeb: 1.1 times resiliparse's pages a second, bar 1.2"
    assert "forum, karez unseen: -0.010" in found[4][1]
    lower = {**aeb, "all": {"pages": 181, "karez": score(0.9649)}}
    assert not next(extraction.bars({"aeb": lower}))[0]
