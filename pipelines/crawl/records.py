"""Lines of the log as tables: what was fetched, what is known of hosts, what the frontier takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.crawl.archive import Archive
from pipelines.crawl.frontier import OUTCOMES, PARTS, hash_of
from pipelines.crawl.hosts import Host, Said
from pipelines.crawl.scope import shape
from pipelines.runs import Run

FETCHES = pa.schema(
    [
        pa.field("url", pa.string(), False),
        pa.field("host", pa.string(), False),
        pa.field("round", pa.int32(), False),
        pa.field("time", pa.timestamp("ms", "UTC"), False),
        pa.field("state", pa.string(), False),  # done, waiting (asked again later) or dropped
        pa.field("reason", pa.string(), False),  # fetched, redirect, status 404, robots.txt, …
        pa.field("detail", pa.string()),
        pa.field("status", pa.int16()),  # null: nothing was asked
        pa.field("bytes", pa.int64()),  # of the body, as sent
        pa.field("seconds", pa.float32()),
        pa.field("leads", pa.string()),  # where a redirect leads
        pa.field("warc", pa.string()),  # file of warc/
        pa.field("offset", pa.int64()),
        pa.field("length", pa.int64()),
    ]
)

HOSTS = pa.schema(
    [
        pa.field("host", pa.string(), False),
        pa.field("robots", pa.binary()),  # the body of its robots.txt
        pa.field("status", pa.string(), False),  # fetched, none or unreachable
        pa.field("at", pa.int64(), False),  # when it was asked, seconds since 1970
        pa.field("ai_txt", pa.binary()),
        pa.field("tdm", pa.binary()),
        pa.field("lost", pa.string()),
        pa.field("fetched", pa.int64(), False),  # pages, in all rounds
        pa.field("since", pa.float64(), False),  # when it was let be, seconds since 1970
        pa.field("rest", pa.float64(), False),  # seconds from then on in which it is not asked
        pa.field("ill", pa.int16(), False),  # faults in a row
    ]
)


CAME = OUTCOMES.append(pa.field("part", pa.int8(), False))
"""What the frontier takes of the log, each with the part that its URL belongs to."""


def fetches_of(lines: Sequence[Mapping[str, Any]], number: int, archive: Archive) -> pa.Table:
    """The log of a round."""

    def value(line: Mapping[str, Any], name: str) -> Any:
        if name == "round":
            return number
        if name == "time":
            return int(1000 * line["time"])
        if name == "warc":
            return archive.path(line["file"]).name if "file" in line else None
        return line.get(name)

    arrays = [pa.array([value(line, f.name) for line in lines], f.type) for f in FETCHES]
    return pa.table(arrays, FETCHES)


def outcomes_of(lines: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.int64], pa.Table]:
    """What the frontier takes of the log, and the part that each URL belongs to."""
    renamed = {"next_fetch": "next"}
    arrays = [
        pa.array([line[renamed.get(f.name, f.name)] for line in lines], f.type) for f in OUTCOMES
    ]
    at = np.array([hash_of(shape(line["url"])) % PARTS for line in lines], np.int64)
    return at, pa.table([*arrays, pa.array(at, pa.int8())], CAME)


def said_of(run: Run, table: str, names: set[str]) -> dict[str, Said]:
    """What is known of some hosts."""
    wanted = pa.array(sorted(names), pa.string())
    known = {}
    for number in range(len(run.table(table).parts)):
        rows = run.open_part(table, number).read()
        for each in rows.filter(pc.is_in(rows["host"], wanted)).to_pylist():
            name = each.pop("host")
            known[name] = Said(**each)
    return known


def hosts_of(run: Run, table: str, hosts: Sequence[Host], mine: Callable[[str], bool]) -> pa.Table:
    """What is known of all hosts of a fetcher: those of this round anew, the others as before."""
    new = {host.name: host.said for host in hosts}
    kept = []
    for number in range(len(run.table(table).parts)):
        rows = run.open_part(table, number).read().cast(HOSTS)
        ours = [name not in new and mine(name) for name in rows["host"].to_pylist()]
        kept.append(rows.filter(pa.array(ours, pa.bool_())))
    rows = [{"host": name, **vars(said)} for name, said in new.items()]
    return pa.concat_tables([*kept, pa.Table.from_pylist(rows, HOSTS)]).sort_by("host")
