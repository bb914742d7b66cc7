"""The labels of texts by their vectors: the likeliest, or all with their probabilities.

Source: fastText 0.9, for how it builds its tree and rounds its probabilities.
"""

import numpy as np
from numpy.typing import NDArray

from filters.buffers import Out, Positions, Table
from filters.fasttext.file import SOFTMAX, TREE, Floats, Numbers
from filters.kernels import helper, kernel, signed

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
def _in_tree(
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
def _in_list(outputs: Floats, hidden: Floats, loss: int) -> tuple[int, float]:
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


@helper
def values_of(outputs: Floats, hidden: Floats, loss: int, chances: NDArray[np.float64]) -> None:
    """The probability of every label, of a softmax or of each alone."""
    most, total = -np.inf, 0.0
    for label in range(len(outputs)):
        chances[label] = _dot(outputs, label, hidden)
        most = max(most, chances[label])
    for label in range(len(outputs)):
        if loss == SOFTMAX:
            chances[label] = np.exp(chances[label] - most)
            total += chances[label]
        else:
            chances[label] = 1 / (1 + np.exp(-chances[label]))
    if loss == SOFTMAX:
        for label in range(len(outputs)):
            chances[label] /= total


@kernel
def best(
    hidden: Table[np.float32],
    totals: Positions,
    outputs: Table[np.float32],
    children: Positions,
    loss: int,
    labels: Out[Positions],
    scores: Out[Floats],
) -> None:
    """The likeliest label of each text, and its probability; -1 and 0 where `totals` is 0.

    Args:
        hidden: shape (n, dimensions), the texts' vectors.
        totals: shape (n,), of how many vectors each is the mean.
        outputs: shape (labels, dimensions), or of a tree (its inner nodes, dimensions).
        children: of the tree, flat; see `tree`.
        loss: see `filters.fasttext.file`.
        labels: shape (n,), is filled.
        scores: shape (n,), is filled.
    """
    nodes, chances = np.empty(len(children) + 2, np.int32), np.empty(len(children) + 2)
    for text in range(len(totals)):
        labels[text], scores[text] = -1, 0
        if totals[text] > 0:
            if loss == TREE:
                found, most = _in_tree(outputs, children, hidden[text], nodes, chances)
            else:
                found, most = _in_list(outputs, hidden[text], loss)
            labels[text], scores[text] = found, min(most, 1)


@kernel
def every(
    hidden: Table[np.float32],
    totals: Positions,
    outputs: Table[np.float32],
    children: Positions,
    loss: int,
    out: Out[Table[np.float32]],
) -> None:
    """Fill the probability of every label, where there is a vector; see `best`."""
    size = out.shape[1]
    chances = np.empty(2 * size)
    for text in range(len(totals)):
        if totals[text] == 0:
            continue
        if loss == TREE:
            chances[2 * size - 2] = 1
            for node in range(2 * size - 2, size - 1, -1):  # a child's number is below its parent's
                inner = node - size
                right = 1 / (1 + np.exp(-_dot(outputs, inner, hidden[text])))
                chances[children[2 * inner]] = chances[node] * (1 - right)
                chances[children[2 * inner + 1]] = chances[node] * right
        else:
            values_of(outputs, hidden[text], loss, chances)
        for label in range(size):
            out[text, label] = chances[label]
