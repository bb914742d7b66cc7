"""Selection: a budget is filled by rank, exactly, over all parts, and group by group."""

import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.recipe import select as asked
from pipelines.recipe.select import Budget, Select
from pipelines.steps.select import take
from tests.helpers import corpora
from tests.helpers.command import here
from tests.helpers.corpora import Rows

PARTS = 4


def made(folder: Path, rows: Rows, select: str, more: str = "", parts: int = PARTS) -> Path:
    """A recipe over some documents, in so many parts."""
    return corpora.recipe(folder, rows, f"[measure]\nquality = {{}}\n{select}\n{more}", parts)


def ran(folder: Path, rows: Rows, select: str, more: str = "", parts: int = PARTS) -> Rows:
    """What became of each document: its columns, rank and reason."""
    done = here("run", made(folder, rows, select, more, parts), cwd=folder)
    assert done.returncode == 0, done.stderr
    columns = ("quality/words", "tokens/tokens", "language/language", "split/split")
    return corpora.told(folder / "runs/a", *columns).to_pylist()


def refused(folder: Path, rows: Rows, select: str, more: str = "") -> tuple[int, str]:
    """The exit code, and what was said."""
    done = here("run", made(folder, rows, select, more), cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stderr.split())


def document(number: int, words: int) -> dict[str, Any]:
    text = " ".join(random.Random(number).choices("abcdefghijklmnop", k=words))
    return {"id": number, "text": text, "url": f"https://h{number % 60}.org/{number}"}


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Many documents of one length, and a few long ones."""
    draw = random.Random(3)
    return [document(i, draw.choice([20, 20, 21, 30, 200])) for i in range(600)]


def kept(found: Rows) -> set[str]:
    return {row["source_key"] for row in found if row["reason"] is None}


def best(found: Rows, budget: int, descending: bool = True) -> set[str]:
    """Those that a sort takes, as long as they fit."""
    order = sorted(found, key=lambda r: (-r["words"] if descending else r["words"], r["id"]))
    total, taken = 0, set()
    for row in order:
        total += row["tokens"]
        if total > budget:
            break
        taken.add(row["source_key"])
    return taken


TOP = '[[select]]\nstrategy = "top"\nby = "words {}"\nbudget = "{}"'


@pytest.mark.parametrize(("how", "budget"), [("desc", 3000), ("asc", 3000), ("desc", 12345)])
def test_the_best_fill_the_budget(how: str, budget: int, rows: Rows, tmp_path: Path) -> None:
    found = ran(tmp_path, rows, TOP.format(how, f"{budget} tokens"))
    assert kept(found) == best(found, budget, how == "desc")
    assert {row["reason"] for row in found} == {None, "not selected"}
    total = sum(row["tokens"] for row in found if row["reason"] is None)
    assert 0 <= budget - total < max(row["tokens"] for row in found)


@pytest.mark.parametrize("strategy", ["random", "importance\nby = 'words'\ntemperature = 20"])
def test_parts_decide_nothing(strategy: str, rows: Rows, tmp_path: Path) -> None:
    name, *more = strategy.split("\n")
    select = "\n".join(["[[select]]", f'strategy = "{name}"', *more, 'budget = "20 %"'])
    taken = []
    for parts in (1, 7):
        (tmp_path / str(parts)).mkdir()
        taken.append(kept(ran(tmp_path / str(parts), rows, select, parts=parts)))
    assert taken[0] == taken[1] and len(taken[0]) > 20


def test_heavy_weights_are_drawn_more_often(rows: Rows, tmp_path: Path) -> None:
    """The share of long documents grows with their weight; noise lets others in."""
    shares = []
    for degrees in (0.01, 100, 10_000):
        select = f'[[select]]\nstrategy = "importance"\nby = "words desc"\ntemperature = {degrees}'
        (tmp_path / str(degrees)).mkdir()
        found = ran(tmp_path / str(degrees), rows, f'{select}\nbudget = "10 %"')
        mine = [row for row in found if row["reason"] is None]
        shares.append(sum(row["words"] == 200 for row in mine) / len(mine))
    assert shares[0] == 1 and 0.25 < shares[1] < 1 and shares[2] < 0.5


def test_a_band_leaves_both_ends(rows: Rows, tmp_path: Path) -> None:
    band = '[[select]]\nstrategy = "band"\nby = "words"\nlow = "10 %"\nhigh = "60 %"'
    found = ran(tmp_path, rows, band)
    total = sum(row["tokens"] for row in found)
    low, high = (best(found, int(total * share), descending=False) for share in (0.1, 0.6))
    assert kept(found) == high - low and low < high


def test_strategies_follow_each_other(rows: Rows, tmp_path: Path) -> None:
    first = TOP.format("asc", "50 %")
    found = ran(tmp_path, rows, f"{first}\n{TOP.format('desc', '1k tokens')}")
    total = sum(row["tokens"] for row in found)
    narrowed = best(found, total // 2, descending=False)
    assert kept(found) == best([r for r in found if r["source_key"] in narrowed], 1000)


def test_a_strategy_may_add_to_what_was_taken(rows: Rows, tmp_path: Path) -> None:
    """The best of a band, and of all others some by chance."""
    band = '[[select]]\nstrategy = "band"\nby = "words"\nlow = "40 %"\nhigh = "100 %"'
    more = '[[select]]\nstrategy = "random"\nbudget = "2k tokens"\nadd = true'
    found = ran(tmp_path, rows, f"{band}\n{TOP.format('desc', '3k tokens')}\n{more}")
    total = sum(row["tokens"] for row in found)
    low = best(found, int(total * 0.4), descending=False)
    top = best([row for row in found if row["source_key"] not in low], 3000)
    drawn = kept(found) - top
    assert top < kept(found) and low & drawn and drawn - low
    size = sum(row["tokens"] for row in found if row["source_key"] in drawn)
    assert 2000 - max(row["tokens"] for row in found) < size <= 2000 and len(drawn) > 5


def test_the_budget_concerns_the_train_split(rows: Rows, tmp_path: Path) -> None:
    splits = "[publish]\nsplits = { train = 0.7, test = 0.3 }\nnear_train = false"
    found = ran(tmp_path, rows, TOP.format("desc", "2k tokens"), splits)
    by: dict[str, Rows] = defaultdict(list)
    for row in found:
        by[row["split"]].append(row)
    assert kept(by["train"]) == best(by["train"], 2000)
    assert {row["reason"] for row in by["test"]} == {None} and len(by["test"]) > 60


def test_what_is_dropped_before_is_no_candidate(rows: Rows, tmp_path: Path) -> None:
    found = ran(tmp_path, rows, TOP.format("desc", "30 %"), '[rules]\nlong = "words > 100"')
    left = [row for row in found if row["words"] <= 100]
    total = sum(row["tokens"] for row in left)
    assert kept(found) == best(left, int(total * 0.3))
    assert Counter(row["reason"] for row in found)["long"] == len(found) - len(left)


def test_a_users_own_function_is_a_strategy(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shortest_of.py").write_text(
        "import pyarrow as pa\nimport pyarrow.compute as pc\n"
        "def shortest(candidates, seed, least=0):\n"
        '    size = pc.binary_length(candidates["text"])\n'
        "    return pc.if_else(pc.less(size, least), pa.scalar(None, size.type), size)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = "[[select]]\nstrategy = 'shortest_of:shortest'\ncolumns = ['text']\nleast = 41"
    found = ran(tmp_path, rows, f"{own}\nbudget = 2000")
    left = [row for row in found if row["words"] > 20]
    assert kept(found) == best(left, 2000, descending=False)


LANGUAGES = {
    "en": "the house and the garden of my brother are old and very large today",
    "de": "das Haus und der Garten meines Bruders sind heute alt und sehr schön",
    "fr": "la maison et le jardin de mon frère sont aujourd'hui vieux et très grands",
}


@pytest.fixture(scope="module")
def mixed() -> Rows:
    """English, a tenth of it German, and ten documents in French."""
    counts = {"en": 300, "de": 30, "fr": 10}
    rows = [
        {"id": f"{lang}{i}", "text": f"{LANGUAGES[lang]} {i}\n" * 5, "url": None}
        for lang, count in counts.items()
        for i in range(count)
    ]
    random.Random(1).shuffle(rows)
    return rows


def tokens_of(found: Rows, reasons: tuple[str | None, ...]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in found:
        counts[row["language"]] += row["tokens"] * (row["reason"] in reasons)
    return dict(counts)


@pytest.mark.parametrize(
    ("more", "shares"),
    [
        ("", None),
        ("balance = 0", {"en": 1 / 3, "de": 1 / 3, "fr": 1 / 3}),
        ("share = { de = 0.5 }", {"de": 0.5}),
    ],
)
def test_every_language_has_a_budget(
    more: str, shares: dict[str, float] | None, mixed: Rows, tmp_path: Path
) -> None:
    select = f'[[select]]\nstrategy = "top"\nby = "words"\nper = "language"\nbudget = "6 %"\n{more}'
    found = ran(tmp_path, mixed, select)
    before, after = tokens_of(found, (None, "not selected")), tokens_of(found, (None,))
    budget, longest = sum(before.values()) * 0.06, max(row["tokens"] for row in found)
    equal = {language: count / sum(before.values()) for language, count in before.items()}
    for language, share in (shares or equal).items():
        wanted = min(budget * share, before[language])
        assert wanted - longest <= after[language] <= max(wanted, longest), language
    assert set(after) == set(LANGUAGES) and all(after.values())


def test_what_a_group_does_not_need_goes_to_the_others() -> None:
    select = Select("top", Budget(tokens=900), "language", balance=0.0)
    rooms = take.shared(select, {"en": 10_000, "de": 500, "fr": 100})
    assert rooms == {"en": 400, "de": 400, "fr": 100}
    assert take.shared(Select("top", Budget(share=1.0)), {"": 7}) == {"": 7}


def test_what_cannot_be_selected_is_said(rows: Rows, tmp_path: Path) -> None:
    for select, said in (
        (TOP.format("desc", "5 tokens"), "a budget of 5 tokens is less than the first document"),
        ('[[select]]\nstrategy = "json:loads"', "[[select]] json:loads: TypeError"),
    ):
        code, message = refused(tmp_path, rows[:40], select)
        assert (code, said in message) == (1, True), message


def test_a_score_that_is_null_everywhere_is_said(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[[select]]\nstrategy = "none_of:none"\nbudget = 500'
    own = "def none(rows, seed):\n    return [float('nan')] * len(rows)\n"
    (tmp_path / "none_of.py").write_text(own)
    monkeypatch.syspath_prepend(tmp_path)
    code, said = refused(tmp_path, rows[:40], text)
    assert code == 1 and "[[select]] 1: none_of:none gave none of 40 candidates a rank" in said


def test_a_constant_score_goes_by_id(rows: Rows, tmp_path: Path) -> None:
    same = [{**row, "text": f"{row['text'][:39]} and so on it goes"} for row in rows]
    found = ran(tmp_path, same, '[[select]]\nstrategy = "top"\nby = "words"\nbudget = "10 %"')
    assert len({row["words"] for row in found}) == 1
    assert kept(found) == best(found, sum(row["tokens"] for row in found) // 10)


def test_a_budget_larger_than_the_corpus_takes_all_and_says_so(rows: Rows, tmp_path: Path) -> None:
    done = here("run", made(tmp_path, rows[:50], TOP.format("desc", "1M tokens")), cwd=tmp_path)
    said = " ".join(done.stdout.split())
    assert done.returncode == 0 and "50 documents kept" in said
    assert "select has a budget of 1,000,000 tokens" in said and "all are taken" in said


def test_a_changed_budget_ranks_nothing_anew(rows: Rows, tmp_path: Path) -> None:
    recipe = made(tmp_path, rows, TOP.format("desc", "1k tokens"))
    here("run", recipe, cwd=tmp_path)
    recipe.write_text(recipe.read_text().replace("1k", "2k"))
    done = here("run", recipe, cwd=tmp_path)
    assert set(corpora.begun(done.stdout)) == {"select", "decide", "publish"}


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        ("200M tokens", Budget(tokens=200_000_000)),
        ("1.5B", Budget(tokens=1_500_000_000)),
        ("1 token", Budget(tokens=1)),
        ("30 %", Budget(share=0.3)),
        (12, Budget(tokens=12)),
    ],
)
def test_budgets_are_written_as_people_do(value: object, budget: Budget) -> None:
    assert asked.budget(value) == budget


def test_ranks_may_be_read_as_they_stand(rows: Rows, tmp_path: Path) -> None:
    ran(tmp_path, rows, TOP.format("desc", "1k tokens"))
    columns = tmp_path / "runs/a/columns/documents"
    table = pq.read_table(columns / "rank")
    assert table.schema.field("rank").type == pa.float64()
    assert pq.read_table(columns / "select")["selected"].null_count == 0
