"""Lines of the log as tables: what was fetched, what is known of hosts, what the frontier takes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.crawl.archive import Archive
from pipelines.crawl.frontier import OUTCOMES, PARTS
from pipelines.crawl.hosts import Host, Said
from pipelines.crawl.scope import shape
from pipelines.crawl.tables import HOSTS_
from pipelines.runs import Run
from pipelines.schema import hashed

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
    columns = {name: [line.get(name) for line in lines] for name in FETCHES.names}
    columns["round"] = [number] * len(lines)
    columns["time"] = [int(1000 * line["time"]) for line in lines]
    columns["warc"] = [archive.path(e["file"]).name if "file" in e else None for e in lines]
    return pa.table(columns, FETCHES)


def outcomes_of(lines: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.int64], pa.Table]:
    """What the frontier takes of the log, and the part that each URL belongs to."""
    renamed = {"next_fetch": "next"}
    arrays = [
        pa.array([line[renamed.get(f.name, f.name)] for line in lines], f.type) for f in OUTCOMES
    ]
    shapes = pa.array([shape(line["url"]) for line in lines], pa.string())
    at = (hashed(shapes) % np.uint64(PARTS)).astype(np.int64)
    return at, pa.table([*arrays, pa.array(at, pa.int8())], CAME)


def fetcher_of(hosts: pa.ChunkedArray, fetchers: int) -> pa.Array:
    """The number of whoever fetches from each host."""
    codes = hosts.combine_chunks().dictionary_encode()
    return pa.array(hashed(codes.dictionary) % np.uint64(fetchers)).take(codes.indices)


def said_of(run: Run, names: Iterable[str]) -> dict[str, Said]:
    """What is known of some hosts."""
    wanted = pa.array([*names], pa.string())
    known = {}
    for number in range(len(run.table(HOSTS_).parts)):
        rows = run.open_part(HOSTS_, number).read()
        for each in rows.filter(pc.is_in(rows["host"], wanted)).to_pylist():
            name = each.pop("host")
            known[name] = Said(**each)
    return known


def hosts_of(run: Run, hosts: Sequence[Host], fetcher: int, fetchers: int) -> pa.Table:
    """What is known of all hosts of a fetcher: those of this round anew, the others as before."""
    made = [{"host": host.name, **vars(host.said)} for host in hosts]
    new = pa.Table.from_pylist(made, HOSTS)
    kept = []
    for number in range(len(run.table(HOSTS_).parts)):
        rows = run.open_part(HOSTS_, number).read().cast(HOSTS)
        rows = rows.filter(pc.invert(pc.is_in(rows["host"], new["host"])))
        kept.append(rows.filter(pc.equal(fetcher_of(rows["host"], fetchers), fetcher)))
    return pa.concat_tables([*kept, new]).sort_by("host")
