"""Boosted trees as flat arrays, and a kernel that asks them about every row of a table.

The two children of a node stand side by side, so a step is an addition and no branch; a leaf leads
to itself.  Four trees are walked at a time, so that their loads overlap.  A row about which the
first trees are sure is not shown to the others.
"""

from typing import NamedTuple

import numpy as np

from filters.buffers import Out, Positions, Table
from filters.html.markup import Floats
from filters.kernels import helper, kernel

FEATURE, CHILD = 0, 1
FEW, EACH, SURE = 40, 20, 2.5  # trees that all rows are shown, after how many more to ask, log odds


class Forest(NamedTuple):
    """Trees.

    Attributes:
        roots: shape (trees,), a multiple of four.
        nodes: shape (nodes, 2), the feature that a node asks for and its first child, which is
            followed by the second; a leaf is its own child.
        limits: shape (nodes,), above which a feature leads to the second child; infinite: a leaf.
        values: shape (nodes,), what a leaf adds.
    """

    roots: Positions
    nodes: Positions
    limits: Floats
    values: Floats


@helper
def _step(node: int, row: Floats, nodes: Positions, limits: Floats) -> int:
    """The child that a row leads to."""
    return int(nodes[node, CHILD]) + int(row[nodes[node, FEATURE]] > limits[node])


@kernel
def chances(
    rows: Table[np.float32],
    asked: Floats,
    roots: Positions,
    nodes: Table[np.int32],
    limits: Floats,
    values: Floats,
    out: Out[Floats],
) -> None:
    """The probability of each row that is asked about, by the trees of a `Forest`.

    Args:
        rows: shape (n, features); no NaN.
        asked: shape (n,); where it is 0, the answer is 0.
        roots: and the others, see `Forest`.
        nodes: see there.
        limits: see there.
        values: see there.
        out: shape (n,); the answer, in [0, 1].
    """
    for i in range(len(rows)):
        out[i] = 0
        if asked[i] == 0:
            continue
        row, total = rows[i], 0.0
        for tree in range(0, len(roots), 4):
            if tree >= FEW and tree % EACH == 0 and abs(total) > SURE:
                break
            a, b, c, d = roots[tree], roots[tree + 1], roots[tree + 2], roots[tree + 3]
            while True:
                e, f = _step(a, row, nodes, limits), _step(b, row, nodes, limits)
                g, h = _step(c, row, nodes, limits), _step(d, row, nodes, limits)
                if a == e and b == f and c == g and d == h:
                    break
                a, b, c, d = e, f, g, h
            total += (values[a] + values[b]) + (values[c] + values[d])
        out[i] = np.float32(1 / (1 + np.exp(-total)))
