"""Tables that name what is forgotten without standing beside the documents, and images.

Dead letters and pairs are emptied, for they are counted; of what dedup was checked by and of what a
crawl knows the rows go.
"""

import posixpath
from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.crawl.tables import FETCHES_, HOSTS_, URLS
from pipelines.forget.emptied import Emptied, blanked, put
from pipelines.runs import parts
from pipelines.runs.refusals import Refusals, Target
from pipelines.runs.tables import LETTERS, PAIRS_TABLE
from pipelines.steps.dedup import truth

IMAGES = "images"
FRONTIER = {URLS: "url", HOSTS_: "host", FETCHES_: "url"}
"""Tables of a crawl, with the column that names what a row is about."""

LEADS = "leads"  # column of where a redirect leads


def letters(of: Emptied, known: Refusals, ids: pa.Array) -> set[Target]:
    """Dead letters of these documents, or that name what is refused, say no more than why.

    Returns:
        the refusals of what they named.
    """
    matched = set[Target]()

    def mask(rows: pa.Table) -> pa.Array:
        names = zip(rows["source"].to_pylist(), rows["detail"].to_pylist(), strict=True)
        found = [known.among(*pair) for pair in names]
        matched.update(target for each in found for target in each)
        told = pc.or_(pc.not_equal(rows["source"], ""), pc.not_equal(rows["detail"], ""))
        mine = pc.or_(
            pa.array(map(bool, found), pa.bool_()), pc.fill_null(pc.is_in(rows["id"], ids), False)
        )
        return pc.and_(mine, told)

    for table in of.old.manifest.tables:
        if table.startswith(LETTERS):
            _changed(of, table, mask, blanked)
    return matched


def checked(of: Emptied, ids: pa.Array) -> None:
    """Pairs that dedup was checked by go, if one of them is of these documents."""

    def mask(rows: pa.Table) -> pa.Array:
        return pc.or_(*(pc.is_in(rows[name], ids) for name in ("probe", "other")))

    _changed(of, truth.TABLE, mask, lambda rows, gone: rows.filter(pa.array(~gone)))


def pairs(of: Emptied, known: Refusals, ids: pa.Array) -> tuple[set[Target], Counter[str]]:
    """Empty pairs of these documents, and of refused images; files that no pair names go.

    Returns:
        the refusals of what they named; the files that the images were read from, and how many.
    """
    matched, found, kept = set[Target](), Counter[str](), set[str]()

    def mask(rows: pa.Table) -> pa.Array:
        refused = _refused(rows, "image_url", known, matched)
        mine = pc.or_(refused, pc.is_in(rows["document"], ids))
        mine = pc.and_(mine, pc.not_equal(rows["image"], ""))
        found.update(rows["source"].filter(mine).to_pylist())
        kept.update(rows["image"].filter(pc.invert(mine)).to_pylist())
        return mine

    _changed(of, PAIRS_TABLE, mask, blanked)
    for name in of.run.folder.list(IMAGES) if of.counts.total() and not of.dry else ():
        if posixpath.basename(name).partition(".")[0] not in kept:
            of.run.folder.delete(name)
    return matched, found


def frontier(of: Emptied, known: Refusals) -> set[Target]:
    """What a crawl knows of refused URLs and hosts goes; so does where others lead to them.

    Returns:
        the refusals of what it knew.
    """
    matched = set[Target]()
    for table, about in FRONTIER.items():

        def mask(rows: pa.Table, name: str = about) -> pa.Array:
            return pc.or_(*(_refused(rows, each, known, matched) for each in (name, LEADS)))

        def without(rows: pa.Table, _: NDArray[np.bool_], name: str = about) -> pa.Table:
            left = rows.filter(pc.invert(_refused(rows, name, known, matched)))
            nowhere = _refused(left, LEADS, known, matched)
            return put(left, LEADS, nowhere, None) if LEADS in left.column_names else left

        _changed(of, table, mask, without)
    return matched


def _refused(rows: pa.Table, name: str, known: Refusals, matched: set[Target]) -> pa.Array:
    """Which rows name in this column what is refused; the refusals are added to `matched`."""
    if name not in rows.column_names:
        return pa.array([False] * len(rows), pa.bool_())
    refused = [known.refused(each, None) for each in rows[name].to_pylist()]
    mask = pa.array(refused, pa.bool_())
    for each in rows[name].filter(mask).to_pylist():
        matched |= known.matching(each, None)
    return mask


def _changed(
    of: Emptied,
    table: str,
    which: Callable[[pa.Table], pa.Array],
    do: Callable[[pa.Table, NDArray[np.bool_]], pa.Table],
) -> None:
    """Change the parts of a table, if it is there, in which some rows are meant."""
    sealed = of.old.manifest.tables.get(table)
    for index, part in enumerate(sealed.parts if sealed else ()):
        rows = of.old.open_part(table, index).read()
        gone = np.asarray(which(rows), np.bool_)
        count = int(gone.sum())
        of.counts[table.partition("/")[0]] += count
        if count and not of.dry:
            new = do(rows, gone)
            with parts.Writer(of.run, table, of.name(part.name), new.schema) as writer:
                writer.write(new)
            of.put(table, index, writer.part)
