"""The report of a run: what it counts, what it shows, and that no document can harm its reader."""

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import sql
from pipelines.opened import Opened
from pipelines.plain import plain
from pipelines.report import command as report
from pipelines.report import plots, samples
from pipelines.report.axes import axis
from pipelines.report.spread import Numbers
from pipelines.report.view import View, gather
from pipelines.runs import Run
from tests.helpers.command import here
from tests.helpers.making import HOSTILE, PROSE, RULES, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two parts, every kind of reason, edits, a dead letter, and a hostile document."""
    texts = [PROSE * (i % 5) + f"Number {i}." for i in range(60)]
    texts += [PROSE * 3, PROSE * 3, PROSE * 40, "", HOSTILE]
    texts += ["A line of five words.\n" * 4 + PROSE + "More of it here."]
    return write_run(tmp_path_factory.mktemp("many"), texts, RULES, dedup=True, files=2)


@pytest.fixture(scope="module")
def view(run: Path) -> View:
    return gather(Run(run))


@pytest.fixture(scope="module")
def html(view: View) -> str:
    return report.page(view)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("words < 50", [("words", "<", 50)]),
        ("50 > words", [("words", "<", 50)]),
        ("0.5 <= x", [("x", ">=", 0.5)]),
        ("words between 5 and 9.5", [("words", ">=", 5), ("words", "<=", 9.5)]),
        ("words not between 5 and 9", [("words", "<", 5), ("words", ">", 9)]),
        ("not (a < 1 and not b >= 2)", [("a", ">=", 1), ("b", ">=", 2)]),
        ("a = 1 or a <> 2", [("a", "=", 1), ("a", "<>", 2)]),
        ("a < -3 or a < 0.5 - 0.1", [("a", "<", -3), ("a", "<", 0.4)]),
        ("a::double > 1e3", [("a", ">", 1000)]),
        ("a < 1 and (b or a < 1)", [("a", "<", 1)]),
        ("language not in ('en') and date > '2020'", []),
        ("a / 2 < 5 or coalesce(a, 0) < 5 or a < b or 1 < 2", []),
        ("a <", []),
    ],
)
def test_thresholds_of_a_rule(rule: str, expected: list[tuple[str, str, float]]) -> None:
    assert list(sql.thresholds(rule)) == expected


numbers = st.lists(
    st.one_of(st.integers(-5, 2000).map(float), st.floats(-1e6, 1e9), st.just(0.0)), min_size=1
)


@given(numbers, st.lists(st.floats(-1e3, 1e4), max_size=3))
def test_every_number_falls_into_the_bin_around_it(
    values: list[float], bounds: list[float]
) -> None:
    array = np.sort(np.array(values))
    whole = all(v == int(v) for v in values)
    bins = axis(array, array[0], array[-1], whole, bounds)
    if bins is None:
        assert array[0] == pytest.approx(array[-1], rel=1e-11, abs=1e-299)
        return
    assert list(bins.edges) == sorted(set(bins.edges))
    assert 1 <= len(bins.edges) - 1 <= 120
    slow = [0] * (len(bins.edges) - 1 + bins.zero)
    for value in values:
        inner = sum(value >= edge for edge in bins.edges[1:-1])
        slow[0 if bins.zero and value == 0 else inner + bins.zero] += 1
    assert bins.counts(array).tolist() == slow
    slack = 1e-6 * (array[-1] - array[0])
    assert bins.log or bins.edges[0] - slack <= array[0] <= array[-1] <= bins.edges[-1] + slack


def test_a_long_tail_has_a_logarithmic_axis_and_a_round_threshold_is_an_edge() -> None:
    tail = np.sort(np.concatenate([np.zeros(5), np.geomspace(0.001, 10, 500)]))
    curved = axis(tail, 0, 10, False, [])
    assert curved is not None and curved.log and curved.zero
    even = np.linspace(0, 1000, 500)
    straight = axis(even, 0, 1000, False, [50])
    assert straight is not None and not straight.log and 50 in straight.edges
    assert axis(even, 3, 3, True, [50]) is None


QUANTILES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]


def columns(view: View) -> dict[str, Any]:
    return {c.name: c for group in view.groups for c in group.columns}


def test_every_document_is_in_a_bin_or_has_no_value(view: View, run: Path) -> None:
    kept = Opened(run).arrow(["kept"])["kept"].to_pylist()
    found = [c for c in columns(view).values() if isinstance(c, Numbers)]
    assert len(found) > 15
    for c in found:
        assert sum(c.kept) + sum(c.dropped) + c.nulls == c.rows == view.documents == len(kept)
        assert sum(c.kept) <= sum(kept)
    assert columns(view)["entropy"].nulls == 1


def test_thresholds_and_quantiles_are_those_of_the_columns(view: View, run: Path) -> None:
    opened = Opened(run)
    for column in ("words", "unique_words", "entropy", "language_score"):
        c = columns(view)[column]
        table = opened.arrow([column, "reason"])
        values = table[column].drop_null().to_numpy()
        assert c.quantiles == pytest.approx(np.quantile(values, QUANTILES))
        for mark in c.marks:
            rows = zip(table[column].to_pylist(), table["reason"].to_pylist(), strict=True)
            held = [
                reason
                for value, reason in rows
                if value is not None
                and {"<": value < mark.number, ">": value > mark.number}[mark.operator]
            ]
            assert (mark.holds, mark.dropped) == (len(held), held.count(mark.rule))
    said = [(m.rule, m.operator, m.number) for m in columns(view)["words"].marks]
    assert said == [("short", "<", 12), ("long", "<", 12), ("long", ">", 400)]
    assert columns(view)["words"].marks[2].dropped == 1


def test_quantiles_of_many_documents_come_from_every_so_many_th(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.report.spread.SAMPLE", 10)
    shown = gather(Run(run))
    c = columns(shown)["words"]
    words = Opened(run).arrow(["words"])["words"].to_numpy()
    assert c.every == 7
    assert c.quantiles[1:-1] == pytest.approx(np.quantile(words[::7], QUANTILES[1:-1]))
    assert (c.quantiles[0], c.quantiles[-1]) == (words.min(), words.max())
    assert "every 7th document" in report.page(shown)


def test_reasons_stand_in_written_order_and_add_up(view: View, run: Path) -> None:
    names = [r.name for r in view.reasons]
    ours = [name for name in names if name.removesuffix(": no value") in RULES]
    assert [n for n in ours if n in RULES] == list(RULES)
    assert names[-2:] == ["duplicate", "near duplicate"]
    counted = Counter(Opened(run).arrow(["reason"])["reason"].to_pylist())
    found: dict[str | None, int] = {r.name: r.documents for r in view.reasons if r.documents}
    assert found | {None: view.kept.documents} == counted
    assert sum(n for _, n, _ in view.splits) == view.kept.documents
    assert [(d.reason, d.count) for d in view.dead] == [("not JSON", 1)]


def test_samples_are_those_drawn_first_and_say_why(view: View, run: Path) -> None:
    rows = Opened(run).arrow(["id", "order"]).to_pylist()
    first = sorted((r["order"], r["id"]) for r in rows if r["order"] is not None)[: samples.MANY]
    assert [s.id for s in view.kept.samples] == [id_ for _, id_ in first]
    short = next(r for r in view.reasons if r.name == "short")
    assert len(short.samples) == min(samples.MANY, short.documents)
    assert all(s.values["words"] < 12 for s in short.samples)
    duplicate = view.reasons[-1].samples[0]
    assert duplicate.values["kept instead"] in [r["id"] for r in rows]


def test_a_text_is_shown_with_its_edits() -> None:
    text = "aé\nbb\nccc"
    edits = [
        {"start": 1, "end": 3, "replacement": "[x]", "reason": "r"},
        {"start": 4, "end": 7, "replacement": "", "reason": "twice"},
    ]
    pieces = samples.shown(text, edits)
    assert "".join(p.text for p in pieces) == text
    edited = [(p.text, p.reason, p.replacement) for p in pieces if p.reason]
    assert edited == [("é", "r", "[x]"), ("bb\n", "twice", "")]
    long = samples.shown("ü" * 5000, [{"start": 0, "end": 9000, "replacement": "", "reason": "r"}])
    assert [(len(p.text), p.reason) for p in long] == [(samples.LENGTH, "r")]
    assert samples.shown("", []) == ()


def test_an_edit_is_struck_through(html: str) -> None:
    assert '<del title="repeated_lines">A line of five words.' in html


class Elements(HTMLParser):
    """Elements and attributes; fails where tags are not nested."""

    VOID = ("meta", "br", "img", "link", "input")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def harmless(html: str) -> None:
    """Nothing runs, nothing is fetched, nothing steers a terminal."""
    for tag, attributes in Elements(html).found:
        assert tag not in ("script", "img", "link", "iframe", "object", "form", "base", "font")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "style", "action", "xlink:href")
            assert name != "href" or str(value).startswith("#")
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e]", html)


def test_a_hostile_document_is_shown_and_not_obeyed(view: View, html: str) -> None:
    assert view.reasons[0].samples[0].pieces[0].text.startswith("</script><script>alert(1)")
    harmless(html)


def test_a_real_parser_reads_the_hostile_text_back(html: str) -> None:
    from resiliparse.parse.html import HTMLTree

    body = HTMLTree.parse(html).body
    assert body is not None
    texts = [str(e.text) for e in body.query_selector_all(".text")]
    assert any(plain(HOSTILE)[:150] in text for text in texts)
    assert body.query_selector("script, img, style") is None
    assert len(body.query_selector_all("h1")) == 1
    assert len(body.query_selector_all("table")) == len(body.query_selector_all("caption"))
    assert all(e.getattr("aria-label") for e in body.query_selector_all("svg[role=img]"))


def test_the_rule_that_is_named_like_an_element_is_text(html: str) -> None:
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<b>x</b>" not in html


@pytest.mark.parametrize(
    ("texts", "rules", "kept"),
    [
        ([PROSE], {"all": "words >= 0"}, 0),
        ([PROSE, "x"], {}, 2),
        (["", ""], {"none": "entropy < 3"}, 0),
    ],
    ids=["nothing kept", "nothing dropped", "no value at all"],
)
def test_the_least_of_runs_have_a_report(
    texts: list[str], rules: dict[str, str], kept: int, tmp_path: Path
) -> None:
    folder = write_run(tmp_path, texts, rules)
    shown = gather(Run(folder))
    assert (shown.documents, shown.kept.documents) == (len(texts), kept)
    for c in columns(shown).values():
        if isinstance(c, Numbers):
            assert sum(c.kept) + sum(c.dropped) + c.nulls == len(texts)
    harmless(report.page(shown))


def test_the_same_run_gives_the_same_bytes(run: Path, html: str, tmp_path: Path) -> None:
    assert report.page(gather(Run(run))) == html
    shutil.copytree(run, tmp_path / "copy")
    done = here("view", tmp_path / "copy", cwd=run)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/copy/report.html\n")
    copy = (tmp_path / "copy/report.html").read_text()
    assert copy == html.replace(str(run), str(tmp_path / "copy"))


def test_a_recipe_changed_since_is_said(run: Path, view: View, tmp_path: Path) -> None:
    assert not view.stale
    shutil.copytree(run, tmp_path / "copy")
    recipe = tmp_path / "copy/recipe.toml"
    recipe.write_text(recipe.read_text().replace("words < 12", "words < 13"))
    assert gather(Run(tmp_path / "copy")).stale


def test_what_is_no_finished_run_is_one_line(run: Path, tmp_path: Path) -> None:
    def told(*arguments: str | Path) -> tuple[int, int]:
        """The exit code, and how many lines are said."""
        done = here("view", *arguments, cwd=tmp_path)
        return done.returncode, len(done.stderr.splitlines())

    assert told(tmp_path) == (2, 1)
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["tables"]["decisions/documents"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(run / "recipe.toml", tmp_path)
    assert told(tmp_path) == (1, 1)
    assert told(run, "--out", tmp_path / "no/file.html") == (1, 1)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (0.00012, "1.2e-4"),
        (1234, "1,234"),
        (12345, "12.3k"),
        (-3.14159, "-3.14"),
        (1.5e6, "1.5M"),
        (999_999, "1M"),
    ],
)
def test_numbers_are_short(number: float, said: str) -> None:
    assert plots.short(number) == said
