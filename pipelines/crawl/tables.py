"""The tables of a crawl in the run folder: the frontier, what is known of hosts, the log, WARC."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.urls import canonical
from pipelines.crawl import frontier
from pipelines.crawl.frontier import FRONTIER, PARTS, Now
from pipelines.runs import Part, Run, parts
from pipelines.runs.tables import WARC as WARC

VERSION = 1
URLS, HOSTS_, FETCHES_ = "frontier/urls", "frontier/hosts", "frontier/fetches"
TABLES = (URLS, HOSTS_, FETCHES_, WARC)


def part(run: Run, number: int, columns: Sequence[str] = FRONTIER.names) -> pa.Table:
    """A part of the frontier, or some columns of it."""
    schema = pa.schema([FRONTIER.field(name) for name in columns])
    if URLS not in run.manifest.tables:
        return schema.empty_table()
    return run.open_part(URLS, number).read(list(columns)).cast(schema)


def survey(run: Run, now: Now) -> dict[str, Any]:
    """What the frontier holds.

    Returns:
        URLs by state; how many are due, and due again; when the first is that is to be asked again
        later; pages that were fetched, on how many hosts.
    """
    known = Counter[str]()
    first = None
    for number in range(PARTS):
        each = frontier.state(part(run, number, frontier.TIMED), now)
        begins = each.pop("first")
        first = begins if first is None else min(first, begins or first)
        known.update(each)
    count = len(run.table(HOSTS_).parts)
    hosts = [run.open_part(HOSTS_, number).read(["fetched"]) for number in range(count)]
    fetched = sum(pc.sum(h["fetched"]).as_py() or 0 for h in hosts)
    return {**known, "first": first, "fetched": fetched, "hosts": sum(h.num_rows for h in hosts)}


def write(run: Run, table: str, name: str, rows: pa.Table) -> Part:
    """Write a part of a table."""
    with parts.Writer(run, table, f"{name}.parquet", rows.schema) as writer:
        writer.write(rows)
    return writer.part


def became(run: Run, key: str) -> str | None:
    """Why a URL brought no document; None if the run's crawl does not know it.

    Args:
        run: with or without a crawl.
        key: as the user wrote it.
    """
    url = canonical(key)
    if url is None or URLS not in run.manifest.tables:
        return None
    for number in reversed(range(len(run.table(FETCHES_).parts))):
        rows = run.open_part(FETCHES_, number).read()
        for row in rows.filter(pc.equal(rows["url"], url)).to_pylist():
            detail = f" ({row['detail']})" if row["detail"] else ""
            leads = f" to {row['leads']}" if row["leads"] else ""
            when = row["time"].strftime("%Y-%m-%d %H:%M:%S")
            return f"{key}: no document; {row['reason']}{leads}{detail}, {row['state']}, {when} UTC"
    for number in range(len(run.table(URLS).parts)):
        rows = part(run, number, ["url", "state", "reason"])
        for row in rows.filter(pc.equal(rows["url"], url)).to_pylist():
            return f"{key}: no document; {row['reason'] or 'not fetched yet'}, {row['state']}"
    return None
