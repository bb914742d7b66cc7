"""The likeliest label for a text's vector: by Huffman's tree, or among all of them.

Source: fastText 0.9, for how it builds its tree and rounds its probabilities.
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Positions
from filters.fastfile import SOFTMAX, Floats, Numbers
from filters.kernels import helper, signed

SMALL = 1e-5  # added to a probability before fastText takes its logarithm
FLAT, STEPS = 8.0, 512  # fastText's sigmoid is a table of so many steps from -8 to 8


def tree(counts: Numbers) -> NDArray[np.int32]:
    """Huffman's tree over the labels, built as fastText does.

    Returns:
        shape (labels - 1, 2): both children of each inner node; the first is number `labels`.
    """
    size = len(counts)
    weight = [*counts.tolist(), *[10**15] * (size - 1)]
    children = np.empty((max(size - 1, 0), 2), np.int32)
    leaf, node = size - 1, size
    for inner in range(size - 1):
        for side in range(2):
            if leaf >= 0 and weight[leaf] < weight[node]:
                children[inner, side], leaf = leaf, leaf - 1
            else:
                children[inner, side], node = node, node + 1
        weight[size + inner] = sum(weight[child] for child in children[inner])
    return children


@helper
def _sigmoid(value: np.float32) -> float:
    if abs(value) > FLAT:
        return 1.0 if value > 0 else 0.0
    step = int((value + FLAT) * STEPS / (2 * FLAT))
    return 1 / (1 + np.exp(FLAT - step * 2 * FLAT / STEPS))


@helper
def _dot(outputs: Floats, row: int, hidden: Floats) -> np.float32:
    """Four sums, so that none waits for the one before."""
    one = two = three = four = np.float32(0)
    i = 0
    while i + 4 <= len(hidden):
        one += outputs[row, i] * hidden[i]
        two += outputs[row, i + 1] * hidden[i + 1]
        three += outputs[row, i + 2] * hidden[i + 2]
        four += outputs[row, i + 3] * hidden[i + 3]
        i += 4
    while i < len(hidden):
        one += outputs[row, i] * hidden[i]
        i += 1
    return (one + two) + (three + four)


@helper
def in_tree(
    outputs: Floats,
    children: Positions,
    hidden: Floats,
    nodes: Positions,
    chances: NDArray[np.float64],
) -> tuple[int, float]:
    """The likeliest leaf, and its probability; branches that are less likely are not walked."""
    leaves = len(children) // 2 + 1
    best, found = SMALL, -1
    nodes[0], chances[0] = 2 * leaves - 2, 1
    count = 1
    while count:
        count -= 1
        node, chance = signed(nodes[count]), chances[count]
        if chance <= best:
            continue
        if node < leaves:
            best, found = chance, node
            continue
        inner = node - leaves
        right = 1 / (1 + np.exp(-_dot(outputs, inner, hidden)))
        for side in range(2) if right > 0.5 else range(1, -1, -1):  # the likelier last: it is next
            nodes[count] = children[2 * inner + side]
            chances[count] = chance * ((right if side else 1 - right) + SMALL)
            count += 1
    return found, best


@helper
def in_list(outputs: Floats, hidden: Floats, loss: int) -> tuple[int, float]:
    """The likeliest label, and its probability."""
    best, found = _dot(outputs, 0, hidden), 0
    for label in range(1, len(outputs)):
        value = _dot(outputs, label, hidden)
        if value > best:
            best, found = value, label
    if loss != SOFTMAX:
        return found, _sigmoid(best) + SMALL
    total = 0.0
    for label in range(len(outputs)):
        total += np.exp(_dot(outputs, label, hidden) - best)
    return found, 1 / total + SMALL
