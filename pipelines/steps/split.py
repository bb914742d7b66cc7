"""Split: train, validation, test by hash of the domain, so that no site stands on both sides.

Where the corpus has fewer than 50 domains, domain and first path segment are hashed; a document
without a URL is hashed by its source key, else by its id.
"""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.engine.step import Batches, Done, Job, Plan, Step
from pipelines.recipe import Recipe
from pipelines.recipe.measures import table_of
from pipelines.runs import Run, parts
from pipelines.runs.folders import fingerprint
from pipelines.schema import SPLIT

TABLE = "columns/documents/split"
DOMAINS = 50


def tables(run: Run, recipe: Recipe) -> dict[str, str]:
    """The splits, by their shares, the seed and the sites."""
    shares = list(recipe.publish.splits.items())
    seen = [run.table("documents").fingerprint]
    if len(shares) > 1:
        seen.append(run.table(table_of("site")).fingerprint)
    return {TABLE: fingerprint(shares, recipe.seed, seen)}


def plan(run: Run, recipe: Recipe) -> Plan:
    """A task a part; the unit of splitting is the same for all."""
    count = run.parts
    domains: set[str] = set()
    if len(recipe.publish.splits) > 1:
        for index in range(count):  # stops at the first part of a large crawl
            columns = run.columns(index, {table_of("site"): ["domain"]})
            domains.update(pc.unique(columns["domain"].drop_null()).to_pylist())
            if len(domains) >= DOMAINS:
                break
    unit = "domain" if len(domains) >= DOMAINS else "group"
    return Plan(list(range(count)), facts={"unit": unit})


def assign(job: Job, key: int, _: Batches) -> Done:
    """The split of every document of one part."""
    names = list(job.recipe.publish.splits)
    if len(names) == 1:
        splits = pa.repeat(names[0], job.run.table("documents").parts[key].rows)
    else:
        unit = job.plan.facts["unit"]
        reads = {table_of("site"): [unit], "documents": ["source_key", "id"]}
        columns = job.run.columns(key, reads)
        units = pc.coalesce(columns[unit], columns["source_key"], columns["id"])
        splits = _splits(units.combine_chunks(), job.recipe)
    columns = pa.table([splits], SPLIT)
    return Done({TABLE: [parts.write_columns(job.run, TABLE, key, columns)]})


def _splits(units: pa.Array, recipe: Recipe) -> pa.Array:
    codes = units.dictionary_encode()
    draws = np.array([_draw(unit, recipe.seed) for unit in codes.dictionary.to_pylist()])
    names = list(recipe.publish.splits)
    bounds = np.cumsum(list(recipe.publish.splits.values()))[:-1]
    chosen = np.searchsorted(bounds, draws, side="right")
    by_unit = pa.array(names, pa.string()).take(pa.array(chosen, pa.int64()))
    return by_unit.take(codes.indices)


def _draw(unit: str, seed: int) -> float:
    digest = blake2b(f"{seed}:{unit}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


STEP = Step("split", "train and held out", tables, (assign,), plan=plan, every=True)
