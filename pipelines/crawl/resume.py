"""What a task that was cut off had found: its links, read again from what it had kept."""

import io
from collections.abc import Mapping
from typing import Any

from fastwarc import ArchiveIterator

from pipelines.crawl.archive import Archive
from pipelines.crawl.client import Answer
from pipelines.crawl.fetch import Round
from pipelines.crawl.hosts import Host
from pipelines.crawl.outcome import Outcome, Row
from pipelines.crawl.pages import body_of


def found_again(archive: Archive, round_: Round, hosts: Mapping[str, Host]) -> None:
    """Give a round the links of what its log tells of, and its hosts their pages."""
    for line in archive.logged:
        row = Row(*(line[name] for name in Row._fields))
        host = hosts[row.host]
        host.said.fetched += line["new"]
        for url, kind, depth in line.get("found", ()):
            round_.find((url, kind, depth))
        if line["leads"]:
            round_.led(row, line["leads"])
        elif line["reason"] == "fetched":
            answer = _answer(archive, line)
            body = body_of(answer, round_.crawl.size)
            if not isinstance(body, Outcome):
                round_.follow(host, row, answer, body, line["digest"])


def _answer(archive: Archive, line: Mapping[str, Any]) -> Answer:
    """An answer, as its record holds it."""
    with archive.path(line["file"]).open("rb") as file:
        file.seek(line["offset"])
        record = next(ArchiveIterator(io.BytesIO(file.read(line["length"])), parse_http=False))
        head, _, body = record.reader.read().partition(b"\r\n\r\n")
    return Answer(None, "", line["status"], head.split(b"\r\n"), body)
