"""What the first probabilities of a page's blocks say of each: around it, before and behind it."""

import numpy as np

from filters.buffers import Out, Positions, Table
from filters.html.blocks import CHARS, OWNER
from filters.html.markup import LEVEL, PARENT, Floats
from filters.html.sums import E_LAST, per
from filters.kernels import helper, kernel, part
from filters.kernels import signed as number

MAIN, WHOLE, TOP = range(3)
MASSES = 3
"""Of an element and all in it: characters times probability, characters, highest probability."""

AROUND = ("mean", "top", "share")
REGION = ("inside", "levels", "mean", "share")
NEAR = (-3, -2, -1, 1, 2, 3)
NAMES = (
    *("p", *(f"p {way:+}" for way in NEAR), "p window"),
    *(f"p around {up} {name}" for up in range(4) for name in AROUND),
    *(f"p {region} {name}" for region in ("most", "main") for name in REGION),
    *("p before", "p behind", "p page", "p sum", "p top", "p run", "p run chars"),
)
SECOND = len(NAMES)
WINDOW = 5  # blocks on either side


@helper
def _masses(elements: Positions, blocks: Positions, p: Floats, masses: Floats) -> None:
    """Sums of all elements, from blocks to their owners and from there outwards."""
    masses[:, :] = np.float32(0)
    for i in range(len(blocks)):
        owner, chars = blocks[i, OWNER], np.float32(blocks[i, CHARS])
        masses[owner, MAIN] += p[i] * chars
        masses[owner, WHOLE] += chars
        masses[owner, TOP] = max(masses[owner, TOP], p[i])
    for element in range(len(masses) - 1, 0, -1):
        parent = elements[element, PARENT]
        masses[parent, MAIN] += masses[element, MAIN]
        masses[parent, WHOLE] += masses[element, WHOLE]
        masses[parent, TOP] = max(masses[parent, TOP], masses[element, TOP])


@part
def _within(masses: Floats, share: float) -> int:
    """The innermost element that holds so much of the main text."""
    element = len(masses) - 1
    while element > 0 and masses[element, MAIN] < share * masses[0, MAIN]:
        element -= 1
    return element


@helper
def _near(blocks: Positions, p: Floats, i: int, row: Floats, at: int) -> int:
    """A block's probability and those nearby."""
    row[at] = p[i]
    at += 1
    for way in NEAR:
        row[at] = p[i + way] if 0 <= i + way < len(p) else np.float32(-1)
        at += 1
    main = whole = np.float32(0)
    for j in range(max(i - WINDOW, 0), min(i + WINDOW + 1, len(p))):
        if j != i:
            main += p[j] * np.float32(blocks[j, CHARS])
            whole += np.float32(blocks[j, CHARS])
    row[at] = per(main, whole)
    return at + 1


@helper
def _outwards(elements: Positions, masses: Floats, element: int, row: Floats, at: int) -> int:
    """The elements around a block."""
    for _ in range(4):
        row[at] = per(masses[element, MAIN], masses[element, WHOLE])
        row[at + 1] = masses[element, TOP]
        row[at + 2] = per(masses[element, MAIN], masses[0, MAIN])
        element = max(elements[element, PARENT], 0)
        at += len(AROUND)
    return at


@part
def _region(
    elements: Positions,
    sums: Positions,
    masses: Floats,
    element: int,
    region: int,
    row: Floats,
    at: int,
) -> int:
    """How a block stands to a part of the page."""
    row[at] = region <= element <= sums[region, E_LAST]
    row[at + 1] = elements[element, LEVEL] - elements[region, LEVEL]
    row[at + 2] = per(masses[region, MAIN], masses[region, WHOLE])
    row[at + 3] = per(masses[region, WHOLE], masses[0, WHOLE])
    return at + len(REGION)


@helper
def _run(blocks: Positions, p: Floats, i: int) -> tuple[int, int]:
    """The run of likely, or of unlikely blocks that begins there: where it ends, its characters."""
    likely, chars = p[i] >= 0.5, 0
    while i < len(p) and (p[i] >= 0.5) == likely:
        chars += number(blocks[i, CHARS])
        i += 1
    return i, chars


@kernel
def regions(
    elements: Table[np.int32],
    sums: Table[np.int32],
    blocks: Table[np.int32],
    p: Floats,
    masses: Out[Table[np.float32]],
    rows: Out[Table[np.float32]],
) -> None:
    """Fill the last `SECOND` columns of the rows.

    Args:
        elements: shape (elements, 8), see `filters.html.markup.Page`.
        sums: shape (elements, SUMS), see `filters.html.sums`.
        blocks: shape (blocks, COLUMNS), see `filters.html.blocks`.
        p: shape (blocks,), the first probabilities.
        masses: shape (elements, MASSES); overwritten.
        rows: shape (blocks, features + SECOND).
    """
    _masses(elements, blocks, p, masses)
    parts = (_within(masses, 0.85), _within(masses, 0.6))
    end = chars = 0
    begin, before = 0, np.float32(0)
    for i in range(len(blocks)):
        if i == end:
            begin = i
            end, chars = _run(blocks, p, i)
        row, element = rows[i], blocks[i, OWNER]
        to = _near(blocks, p, i, row, rows.shape[1] - SECOND)
        to = _outwards(elements, masses, element, row, to)
        for region in parts:
            to = _region(elements, sums, masses, element, region, row, to)
        row[to] = per(before, masses[0, MAIN])
        before += p[i] * np.float32(blocks[i, CHARS])
        row[to + 1] = per(masses[0, MAIN] - before, masses[0, MAIN])
        row[to + 2] = per(masses[0, MAIN], masses[0, WHOLE])
        row[to + 3], row[to + 4] = masses[0, MAIN], masses[0, TOP]
        sign = 1 if p[i] >= 0.5 else -1
        row[to + 5], row[to + 6] = sign * (end - begin), sign * chars
