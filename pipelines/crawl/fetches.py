"""What became of a URL in a crawl, for a person who asks."""

import pyarrow.compute as pc

from filters.urls import canonical
from pipelines.crawl.tables import FETCHES_, URLS
from pipelines.runs import Run


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
        rows = run.open_part(URLS, number).read(["url", "state", "reason"])
        for row in rows.filter(pc.equal(rows["url"], url)).to_pylist():
            return f"{key}: no document; {row['reason'] or 'not fetched yet'}, {row['state']}"
    return None
