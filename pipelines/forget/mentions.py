"""Tables that name what is forgotten without standing beside the documents, and images.

Dead letters and pairs are emptied, for they are counted; of what dedup was checked by and of what a
crawl knows the rows go.
"""

import posixpath
from collections import Counter
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.crawl.tables import FETCHES_, HOSTS_, URLS
from pipelines.forget.emptied import Emptied, blanked
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
            _changed(of, table, mask, lambda rows, gone: blanked(rows, gone.to_numpy(False)))
    return matched


def checked(of: Emptied, ids: pa.Array) -> None:
    """Pairs that dedup was checked by go, if one of them is of these documents."""

    def mask(rows: pa.Table) -> pa.Array:
        return pc.or_(*(pc.is_in(rows[name], ids) for name in ("probe", "other")))

    if truth.TABLE in of.old.manifest.tables:
        _changed(of, truth.TABLE, mask, lambda rows, gone: rows.filter(pc.invert(gone)))


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

    if PAIRS_TABLE in of.old.manifest.tables:
        _changed(of, PAIRS_TABLE, mask, lambda rows, gone: blanked(rows, gone.to_numpy(False)))
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

    def named(rows: pa.Table, table: str) -> pa.Array:
        return _refused(rows, FRONTIER[table], known, matched)

    for table in filter(of.old.manifest.tables.__contains__, FRONTIER):

        def mask(rows: pa.Table, table: str = table) -> pa.Array:
            return pc.or_(named(rows, table), _refused(rows, LEADS, known, matched))

        def without(rows: pa.Table, _: pa.Array, table: str = table) -> pa.Table:
            return _leading(rows.filter(pc.invert(named(rows, table))), known)

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


def _leading(rows: pa.Table, known: Refusals) -> pa.Table:
    """The rows, which lead to nothing that is refused."""
    if LEADS not in rows.column_names:
        return rows
    nowhere = pa.scalar(None, pa.string())
    leads = pc.if_else(_refused(rows, LEADS, known, set()), nowhere, rows[LEADS])
    at = rows.schema.get_field_index(LEADS)
    return rows.set_column(at, rows.schema.field(LEADS), leads)


def _changed(
    of: Emptied,
    table: str,
    which: Callable[[pa.Table], pa.Array],
    do: Callable[[pa.Table, pa.Array], pa.Table],
) -> None:
    """Change the parts of a table in which some rows are meant."""
    for index, part in enumerate(of.old.table(table).parts):
        rows = of.old.open_part(table, index).read()
        gone = which(rows)
        gone = gone.combine_chunks() if isinstance(gone, pa.ChunkedArray) else gone
        count = pc.sum(gone).as_py() or 0
        of.counts[table.partition("/")[0]] += count
        if count and not of.dry:
            new = do(rows, gone)
            with parts.Writer(of.run, table, of.name(part.name), new.schema) as writer:
                writer.write(new)
            of.put(table, index, writer.part)
