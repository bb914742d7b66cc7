"""LightGBM's trees as the flat arrays of `filters.html.forest`."""

from typing import Any

import numpy as np

from filters.html.forest import Forest

Node = dict[str, Any]


def below(limit: float) -> np.float32:
    """The largest float32 that is not above: what it parts of float32 numbers, the limit parts."""
    near = np.float32(limit)
    return np.nextafter(near, np.float32(-np.inf)) if float(near) > limit else near


def forest(booster: Any) -> Forest:
    """The trees of a booster, with empty ones up to a multiple of four."""
    nodes, limits, values, roots = list[list[int]](), list[float](), list[float](), list[int]()

    def room() -> int:
        nodes.append([0, len(nodes)])
        limits.append(np.inf)
        values.append(0.0)
        return len(nodes) - 1

    def fill(at: int, tree: Node) -> None:
        if "leaf_value" in tree:
            values[at] = tree["leaf_value"]
            return
        if tree["decision_type"] != "<=":
            raise ValueError(f"a decision by {tree['decision_type']}")
        first, _ = room(), room()
        nodes[at] = [tree["split_feature"], first]
        limits[at] = float(below(tree["threshold"]))
        fill(first, tree["left_child"])
        fill(first + 1, tree["right_child"])

    for tree in booster.dump_model()["tree_info"]:
        roots.append(room())
        fill(roots[-1], tree["tree_structure"])
    while len(roots) % 4:
        roots.append(room())
    return Forest(
        np.array(roots, np.int32),
        np.array(nodes, np.int32),
        np.array(limits, np.float32),
        np.array(values, np.float32),
    )
