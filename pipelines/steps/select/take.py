"""Take: the budget of a strategy is filled, in the order of the ranks, over all partitions.

A group takes documents as long as they fit, so what it takes is less than its budget by less than
one document; where groups have budgets each takes one document at least.  See `levels`.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.engine.step import Batches, Done, Job, Step
from pipelines.errors import RunError
from pipelines.recipe import Recipe
from pipelines.recipe.measures import table_of
from pipelines.recipe.select import MOST, Select
from pipelines.runs import Run, latest, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import id_heads
from pipelines.steps.meeting import U64, to_all
from pipelines.steps.select import levels, rank
from pipelines.steps.select.levels import BEFORE, Pair

VERSION = 1
TAKEN = pa.schema([pa.field("selected", pa.bool_())])  # null: was no candidate
FLOOR, CEILING = 0, 1  # the two ends of what a group takes

END = [("group", pa.string()), ("end", pa.int8())]
ROW = [("rank", pa.uint64()), ("id", pa.uint64())]
OFFER = pa.schema([("group", pa.string()), *levels.SKETCH])
BRACKET = pa.schema([*END, ("level", pa.int64()), *levels.ENDS])
BORDER = pa.schema(
    [*END, ("level", pa.int64()), ("before", pa.bool_()), *ROW, ("tokens", pa.int64())]
)
"""A row in a bracket; or `before`: where the bracket begins, and the tokens up to there."""
PLACE = pa.schema([*END, *ROW])


class Rows(NamedTuple):
    """The ranked candidates of one part.

    Attributes:
        at: their numbers in it.
        group: "" where there are no groups.
    """

    at: NDArray[np.int64]
    group: NDArray[np.object_]
    rank: U64
    ids: U64
    tokens: NDArray[np.int64]

    def of(self, group: str) -> "Rows":
        """Those of one group."""
        mine = self.group == group
        return Rows(*(column[mine] for column in self))


def tables(run: Run, recipe: Recipe, number: int) -> dict[str, str]:
    """What is taken, by the ranks and the budget."""
    select, how = rank.asked(recipe, number)
    wanted = (select.budget, select.balance, sorted(select.share.items()), how.window)
    seen = run.marks((rank.table(number), table_of("tokens")))
    return {rank.taken(number): fingerprint(VERSION, repr(wanted), seen)}


def check(run: Run, recipe: Recipe, number: int) -> None:
    """Refuse to take from what nobody put in an order.

    Raises:
        RunError: if the strategy ranked none of the candidates.
    """
    counts = run.manifest.steps[rank.named("rank", number)]["counts"]
    if counts.get("candidates") and not counts.get("ranked"):
        select, how = rank.asked(recipe, number)
        by = f"; is {', '.join(how.needs)} null everywhere?" if how.needs else ""
        raise RunError(
            f"[[select]] {number + 1}: {select.strategy} gave none of "
            f"{counts['candidates']:,} candidates a rank{by}"
        )


def _ranked(job: Job, key: int) -> Rows:
    """The ranked candidates of one part."""
    reads = {
        rank.table(rank.number_of(job.step.name)): ["rank", "group"],
        "documents": ["id"],
        table_of("tokens"): ["tokens"],
    }
    columns = latest.columns(job.run, key, reads)
    at = np.flatnonzero(pc.is_valid(columns["rank"]).to_numpy())
    some = columns.take(pa.array(at))
    return Rows(
        at,
        pc.fill_null(some["group"], "").to_numpy().astype(object),
        levels.ordinal(some["rank"].to_numpy()),
        id_heads(some["id"].combine_chunks()),
        pc.fill_null(some["tokens"], 0).to_numpy().astype(np.int64),
    )


def offer(job: Job, key: int, _: Batches) -> Done:
    """What one part has to offer, in stretches.

    Raises:
        RunError: if there is nothing to take from.
    """
    check(job.run, job.recipe, rank.number_of(job.step.name))
    rows, made = _ranked(job, key), [OFFER.empty_table()]
    for group in sorted(set(rows.group)):
        mine = rows.of(group)
        told = levels.sketch(mine.rank, mine.ids, mine.tokens)
        made.append(told.add_column(0, "group", pa.repeat(pa.scalar(group), told.num_rows)))
    return Done(out=to_all(pa.concat_tables(made), 1))


def bracket(job: Job, key: int, batches: Batches) -> Done:
    """Where the level of each group must lie, to all parts."""
    select, how = rank.asked(job.recipe, rank.number_of(job.step.name))
    table = pa.Table.from_batches(batches)
    by = {g: table.filter(pc.equal(table["group"], g)) for g in _groups(table)}
    totals = {group: pc.sum(mine["tokens"]).as_py() for group, mine in by.items()}
    rooms = shared(select, totals)
    told = []
    for group, mine in by.items():
        order, (low, high) = levels.known(mine.drop_columns(["group"])), how.window
        floor = int(totals[group] * low)
        ends = [(FLOOR, floor)] if floor else []
        ends.append((CEILING, min(floor + rooms[group], int(totals[group] * high))))
        for end, level in ends:
            first, last = order.bracket(level)
            told.append((group, end, level, *first, *last))
    rows = pa.table(list(map(list, zip(*told, strict=True))), BRACKET)
    done = Done(out=to_all(rows, job.plan.keys[1]))
    done.counts.update({"wanted": _wanted(select, totals), "offered": sum(totals.values())})
    return done


def _wanted(select: Select, totals: Mapping[str, int]) -> int:
    total = sum(totals.values())
    return total if select.budget is None else select.budget.of(total)


def _groups(table: pa.Table) -> list[str]:
    return sorted(pc.unique(table["group"]).to_pylist())


def shared(select: Select, totals: Mapping[str, int]) -> dict[str, int]:
    """Tokens that each group may take.

    What a group is given beyond what it has goes to the others, by the same shares.

    Args:
        select: with the budget and how it is divided.
        totals: tokens that each group has.
    """
    left = min(_wanted(select, totals), sum(totals.values()))
    weight = {group: float(total) ** select.balance for group, total in totals.items()}
    named_ = {g: s for g, s in select.share.items() if g in totals}
    rest = sum(w for g, w in weight.items() if g not in named_) or 1.0
    others = max(0.0, 1 - sum(named_.values()))
    part = {g: named_.get(g, others * w / rest) for g, w in weight.items()}
    rooms: dict[str, int] = {}
    while part and sum(part.values()) > 0:
        scale = left / sum(part.values())
        full = [g for g in sorted(part) if part[g] * scale >= totals[g]]
        if not full:
            break
        for group in full:
            rooms[group] = totals[group]
            left -= totals[group]
            del part[group]
    scale = left / (sum(part.values()) or 1.0)
    return rooms | {g: int(part[g] * scale) for g in part}


def border(job: Job, key: int, batches: Batches) -> Done:
    """The rows of one part in the brackets, and what stands before."""
    rows, made = _ranked(job, key), []
    for told in pa.Table.from_batches(batches).to_pylist():
        mine = rows.of(told["group"])
        low = levels.upto(mine.rank, mine.ids, Pair(told["low"], told["low_id"]))
        inside = levels.upto(mine.rank, mine.ids, Pair(told["high"], told["high_id"])) & ~low
        columns = {
            "rank": np.append(np.uint64(told["low"]), mine.rank[inside]),
            "id": np.append(np.uint64(told["low_id"]), mine.ids[inside]),
            "tokens": np.append(mine.tokens[low].sum(), mine.tokens[inside]),
            "before": np.arange(1 + inside.sum()) == 0,
        }
        for name in ("group", "end", "level"):
            columns[name] = pa.repeat(pa.scalar(told[name]), len(columns["rank"]))
        made.append(pa.table([columns[f.name] for f in BORDER], schema=BORDER))
    return Done(out=to_all(pa.concat_tables(made), 1))


def settle(job: Job, key: int, batches: Batches) -> Done:
    """The last row that each group takes, to all parts.

    Raises:
        RunError: if the budget is less than the first document.
    """
    select = job.recipe.select[rank.number_of(job.step.name)]
    table, told = pa.Table.from_batches(batches), []
    for group in _groups(table):
        for end in (FLOOR, CEILING):
            which = pc.and_(pc.equal(table["group"], group), pc.equal(table["end"], end))
            mine = table.filter(which)
            if mine.num_rows:
                told.append((group, end, *_last(mine, end, select)))
    rows = pa.table(list(map(list, zip(*told, strict=True))), PLACE)
    return Done(out=to_all(rows, job.plan.keys[3]))


def _last(mine: pa.Table, end: int, select: Select) -> Pair:
    """The last row that fits.

    Raises:
        RunError: if none does, and there is but one group.
    """
    level, before = mine["level"][0].as_py(), mine["before"].to_numpy()
    ranks, ids, tokens = (mine[n].to_numpy() for n in ("rank", "id", "tokens"))
    inside = ~before
    room = level - int(tokens[before].sum())
    sure = Pair(int(ranks[before][0]), int(ids[before][0]))
    found = levels.settle(ranks[inside], ids[inside], tokens[inside], room)
    if found is not None or sure != BEFORE or end == FLOOR:
        return found or sure
    first = levels.order(ranks[inside], ids[inside])[0]
    if select.per is None:
        raise RunError(
            f"[[select]] {select.strategy}: a budget of {level:,} tokens is less than the first "
            f"document, which has {int(tokens[inside][first]):,}: raise it"
        )
    return Pair(int(ranks[inside][first]), int(ids[inside][first]))


def choose(job: Job, key: int, batches: Batches) -> Done:
    """Who of one part is taken, row for row."""
    number = rank.number_of(job.step.name)
    rows = _ranked(job, key)
    told = pa.Table.from_batches(batches, PLACE).to_pylist()
    ends = {(t["group"], t["end"]): Pair(t["rank"], t["id"]) for t in told}
    chosen = np.zeros(len(rows.at), np.bool_)
    for group in sorted(set(rows.group)):
        mine = rows.group == group
        floor, ceiling = (ends.get((group, end), BEFORE) for end in (FLOOR, CEILING))
        upto = levels.upto(rows.rank[mine], rows.ids[mine], ceiling)
        chosen[mine] = upto & ~levels.upto(rows.rank[mine], rows.ids[mine], floor)
    select = rank.reads(job.recipe, number)
    every = latest.columns(job.run, key, select)
    said = np.zeros(every.num_rows, np.bool_)
    said[rows.at[chosen]] = True
    candidate = np.zeros(every.num_rows, np.bool_)
    candidate[rank.candidates(every, job.recipe, number)] = True
    if job.recipe.select[number].add:
        before = pc.fill_null(every["selected"], False).to_numpy()
        said, candidate = said | before, candidate | before
    table = pa.table([pa.array(said, mask=~candidate)], schema=TAKEN)
    done = Done()
    done.parts[rank.taken(number)] = [parts.write_columns(job.run, rank.taken(number), key, table)]
    done.counts.update({"taken": int(chosen.sum()), "tokens": int(rows.tokens[chosen].sum())})
    done.counts["left"] = int(candidate.sum() - said.sum())
    return done


def step(number: int) -> Step:
    """The step of one strategy."""
    return Step(
        rank.named("select", number),
        "budget of tokens",
        partial(tables, number=number),
        (offer, bracket, border, settle, choose),
        wanted=lambda recipe: number < len(recipe.select),
        sizes=lambda recipe, corpus: [corpus.parts, 1, corpus.parts, 1, corpus.parts],
        exchanges=(1, 0),
        held=((bracket, 1), (settle, 1)),
    )


STEPS = tuple(step(number) for number in range(MOST))
