"""What a recipe takes on a corpus of any size, by what the benchmark measured, and its price.

Costs are linear in the bytes of text; ``coefficients.json`` says what was measured, where and when
(`tests/bench/price.py`).  What is held in memory is not linear: see `pipelines.engine.limits`.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

from pipelines.engine import limits
from pipelines.engine.corpus import Corpus
from pipelines.engine.step import Step
from pipelines.errors import RecipeError
from pipelines.recipe import Recipe
from pipelines.recipe.build import build
from pipelines.recipe.measures import Scan
from pipelines.runs import parts
from pipelines.steps import holdings, order
from pipelines.units import SIZES, say_size

BY_COLUMN = ("random", "top", "band", "importance")  # strategies: alike in what they cost
NOTHING = {"cpu": 0.0, "exchanged": 0.0}  # of a step whose cost does not go with the text
PLACES = {"1 TB": SIZES["TB"], "100 TB": 100 * SIZES["TB"], "1 PB": 1000 * SIZES["TB"]}
GB = SIZES["GB"]
ASKED = 2  # requests for each file that is written and read, and for each of its segments
LARGEST = 10**18  # bytes of text up to which it is looked for what breaks


@dataclass(frozen=True, slots=True)
class Prices:
    """What things cost, as a file of the user's says.

    Attributes:
        cpu_hour: of a core.
        gb_month: of 10^9 bytes on the store.
        gb_shuffled: of 10^9 bytes that go from stage to stage.
        million_requests: to the store.
    """

    date: str
    source: str
    currency: str
    cpu_hour: float
    gb_month: float
    gb_shuffled: float
    million_requests: float

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.type is float and not (value := getattr(self, f.name)) >= 0:  # nan is neither
                raise ValueError(f"{f.name}: want no less than 0, got {value:g}")


def read(path: Path) -> Prices:
    """Prices from a TOML file.

    Raises:
        RecipeError: if it cannot be read, or is wrong.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    return build(Prices, table, str(path))


@cache
def coefficients() -> dict[str, Any]:
    """As the benchmark wrote them."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("coefficients.json").read_text())
    return found


def cpu(recipe: Recipe, scan: Scan, text: int) -> float:
    """CPU seconds of a run over so many bytes of text; start, models and pairs left out."""
    known = coefficients()
    steps = order.wanted(recipe)
    seconds = sum(known["steps"].get(kind(step), NOTHING)["cpu"] for step in steps)
    made: Mapping[str, float] = known["measures"]
    seconds += sum(made.get(name, 0) for name in ("edits", *scan.measures))
    if any("words" in measure.needs for measure in scan.measures.values()):
        seconds += made["words"]
    return float(seconds * text)


def kind(step: Step) -> str:
    """What a step costs as: rank2 as rank."""
    return step.name.rstrip("0123456789")


def uncounted(recipe: Recipe, scan: Scan) -> list[str]:
    """Measures and strategies that no benchmark knows.

    They are a user's own, measures that given files decide, and strategies that read more than
    columns of numbers: what these take goes with what the ones before them left.
    """
    known = coefficients()["measures"]
    strategies = [asked.strategy for asked in recipe.select if asked.strategy not in BY_COLUMN]
    return [name for name in scan.measures if name not in known] + strategies


def at(recipe: Recipe, scan: Scan, text: int, document: float) -> dict[str, Any]:
    """What a recipe takes on so much text, ready for JSON; in as many runs as a cluster needs.

    Text is told in bytes, and a document by those that it has on average.
    """
    cluster = _first(recipe, document, text, lambda holding: not holding.is_local)
    runs = ceil(text / cluster["from"]) if cluster else 1
    corpus = sized(text // runs, document)
    steps = order.wanted(recipe)
    known = coefficients()["steps"]
    sizes = [step.sizes(recipe, corpus) for step in steps]
    segments = sum(one * other for each in sizes for one, other in pairwise(each))
    every = (h for step in steps for h in holdings.holdings(step, recipe, corpus))
    held = max(h.each * (h.count or 0) for h in every if not h.is_local)
    files = corpus.parts * holdings.tables(recipe) + sizes[-1][1]
    return {
        "text": text,
        "cpu_hours": cpu(recipe, scan, text) / 3600,
        "exchanged": int(sum(known.get(kind(step), NOTHING)["exchanged"] for step in steps) * text),
        "memory": limits.worker() + held,
        "runs": runs,
        "files": runs * files,
        "requests": ASKED * runs * (files + segments),
        "here": _first(recipe, document, text, lambda holding: True),
        "cluster": cluster,
    }


def sized(text: int, document: float) -> Corpus:
    """A corpus of so much text in whole parts."""
    rows = max(1, int(text / document))
    return Corpus(rows, text, max(ceil(text / parts.PART), ceil(rows / parts.PART_ROWS)))


def _beyond(
    recipe: Recipe, corpus: Corpus, counts: Callable[[limits.Holding], bool]
) -> Iterator[dict[str, str]]:
    for step in order.wanted(recipe):
        for holding in holdings.holdings(step, recipe, corpus):
            if counts(holding) and holding.is_beyond(recipe.limit.memory):
                yield {"step": step.name, "what": holding.what, "helps": holding.helps}


def _first(
    recipe: Recipe, document: float, text: int, counts: Callable[[limits.Holding], bool]
) -> dict[str, Any] | None:
    """What breaks first as a corpus grows to this size, and where; None if all holds."""
    low, high = 1, min(text, LARGEST)
    if not any(_beyond(recipe, sized(high, document), counts)):
        return None
    while high - low > high // 1000:
        middle = (low + high) // 2
        if any(_beyond(recipe, sized(middle, document), counts)):
            high = middle
        else:
            low = middle
    return {"from": high, **next(_beyond(recipe, sized(high, document), counts))}


def money(taken: Mapping[str, Any], written: int, prices: Prices) -> float:
    """What it costs to take that, see `at`, and to keep the bytes written for a month."""
    return (
        prices.cpu_hour * float(taken["cpu_hours"])
        + prices.gb_shuffled * float(taken["exchanged"]) / GB
        + prices.gb_month * written / GB
        + prices.million_requests * float(taken["requests"]) / 10**6
    )


def lines(priced: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """The prices for a person: rows of a table; none where none were asked for."""
    if priced is None:
        return
    for size, taken in priced["sizes"].items():
        yield (
            f"at {size}",
            f"{taken['cpu_hours']:,.0f} CPU hours, {say_size(taken['exchanged'])} exchanged, "
            f"{say_size(taken['memory'])} a worker, {taken['files']:,} files, "
            f"{taken['requests']:,} requests, in {taken['runs']} runs: "
            f"{taken['money']:,.0f} {priced['currency']}",
        )
        for where, who in (("here", "in one process"), ("cluster", "on a cluster")):
            if first := taken[where]:
                what = f"{first['step']} breaks first, from {say_size(first['from'])} of text on"
                yield "", f"{who} {what}: {first['what']}: {first['helps']}"
    if priced["uncounted"]:
        yield "", f"not counted: {', '.join(priced['uncounted'])}"
    yield "", f"measured {priced['measured']}; prices of {priced['date']}: {priced['source']}"
