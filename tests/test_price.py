"""What a plan says that a run would take and cost at sizes that nobody has tried here."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands import price
from pipelines.engine import limits
from pipelines.errors import RunError
from pipelines.recipe import Limit, Recipe
from pipelines.recipe.measures import MEASURES, selected
from pipelines.steps import holdings, order
from tests.helpers.command import ROOT, here
from tests.test_limits import EVERY

EXAMPLE = ROOT / "infra/prices.toml"
RECIPE = ROOT / "infra/recipes/sample.toml"


def planned(path: Path, recipe: Path = RECIPE) -> dict[str, Any]:
    done = here("plan", recipe, "--price", path, "--json", cwd=path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)["price"]
    return found


def test_the_benchmark_knows_every_step_and_measure() -> None:
    known = price.coefficients()
    of_given_files = {"overlap", "listed", "blocklist", "classifier", "perplexity", "causal"}
    steps = {price.kind(step) for step in order.STEPS}
    assert set(known["steps"]) == steps - {"fit", "pairs"}
    assert set(known["measures"]) == {*MEASURES, "edits", "words"} - of_given_files
    assert known["text"] > 0 and known["machine"] and known["date"]


def test_money_is_what_its_parts_cost(tmp_path: Path) -> None:
    """Each price alone gives its own part."""
    names = [f.name for f in fields(price.Prices) if f.type is float]
    costs = asdict(price.read(EXAMPLE))
    whole = planned(EXAMPLE)["sizes"]["100 TB"]
    total = 0.0
    for name in names:
        path = tmp_path / f"{name}.toml"
        alone = {**costs, **{other: 0 for other in names if other != name}}
        path.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in alone.items()))
        part = planned(path)["sizes"]["100 TB"]["money"]
        assert part > 0
        total += part
    assert total == pytest.approx(whole["money"])
    hours = whole["cpu_hours"]
    only = planned(tmp_path / "cpu_hour.toml")["sizes"]["100 TB"]["money"]
    assert only == pytest.approx(hours * costs["cpu_hour"])


def test_costs_grow_with_the_text() -> None:
    sizes = planned(EXAMPLE)["sizes"]
    assert list(sizes) == ["1 TB", "100 TB", "1 PB"]
    for taken in sizes.values():  # in runs of which each holds
        most = taken["cluster"]["from"] if taken["cluster"] else taken["text"]
        assert (taken["runs"] - 1) * most < taken["text"] <= taken["runs"] * most
        assert taken["memory"] <= limits.worker() + Limit().memory
    for name in ("cpu_hours", "exchanged"):
        assert sizes["100 TB"][name] == pytest.approx(100 * sizes["1 TB"][name], rel=1e-6)
        assert sizes["1 PB"][name] == pytest.approx(1000 * sizes["1 TB"][name], rel=1e-6)


def is_refused(recipe: Recipe, text: int) -> list[str]:
    """The steps that refuse a corpus of so much text."""
    refusing = []
    for step in order.wanted(recipe):
        try:
            holdings.check(step, recipe, price.sized(text, 3500))
        except RunError as error:
            assert "raise [limit] memory" in str(error)
            refusing.append(step.name)
    return refusing


def test_what_is_said_to_break_first_does() -> None:
    said = price.at(EVERY, selected(EVERY), 10**15, 3500)
    first = said["cluster"]
    assert is_refused(EVERY, int(first["from"] * 0.98)) == []
    assert first["step"] == is_refused(EVERY, int(first["from"] * 1.02))[0]
    assert first["what"] == "lines of the manifest" and "[dedup] against" in first["helps"]
    assert said["here"]["from"] < first["from"]
    assert said["here"]["what"] == "references between stages"
    assert price.at(EVERY, selected(EVERY), 10**9, 3500)["here"] is None


def test_the_table_says_it_in_words(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import pyarrow as pa\n\n\nclass Mine:\n    needs = ('text',)\n"
        "    columns = pa.schema([('mine', pa.int32())])\n\n    def measure(self, batch): ...\n"
    )
    text = RECIPE.read_text().replace('base = "../.."', f'base = "{ROOT}"')
    (tmp_path / "a.toml").write_text(f'{text}\n[measure]\n"mine:Mine" = {{}}\n')
    path = [str(tmp_path / "a.toml"), "--price", str(EXAMPLE)]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        said = " ".join(here("plan", *path, cwd=tmp_path).stdout.split())
    costs = price.read(EXAMPLE)
    assert f"prices of {costs.date}: {costs.source}" in said
    assert "not counted: mine:Mine" in said
    assert "at 1 PB" in said and "on a cluster ingest breaks first" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("cpu_hour = ", "cpu_hours = "), "unknown key 'cpu_hours'; did you mean cpu_hour?"),
        (("cpu_hour = 0.05", 'cpu_hour = "0.05"'), "cpu_hour: want a number, got '0.05'"),
        (("cpu_hour = 0.05", "cpu_hour = -1"), "cpu_hour: want no less than 0, got -1"),
        (("cpu_hour = 0.05", "cpu_hour = nan"), "cpu_hour: want no less than 0, got nan"),
        (("currency =", "#"), "missing 'currency'"),
        (("date =", "date"), "cannot be read"),
    ],
)
def test_wrong_prices_are_one_line(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(EXAMPLE.read_text().replace(*change))
    done = here("plan", RECIPE, "--price", "p.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("karez: p.toml: ") and says in done.stderr
    done = here("plan", RECIPE, "--price", "none.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
