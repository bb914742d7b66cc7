"""How good chosen blocks are: by snippets that a text must or must not have, by words of gold."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from labels import WORD, spaced
from numpy.typing import NDArray

from filters.html.mainblocks import blocks
from filters.html.maintext import chosen
from filters.html.tags import words
from filters.html.text import text


def by_snippets(found: str, row: dict[str, Any]) -> NDArray[np.int64]:
    """Snippets found and missed of those wanted, and found of those not wanted."""
    flat = spaced(found)
    right = sum(spaced(s) in flat for s in row["with"])
    wrong = sum(spaced(s) in flat for s in row["without"])
    return np.array([right, len(row["with"]) - right, wrong])


def by_words(found: str, gold: str) -> float:
    """F1 of the words of a text as a multiset."""
    one, two = Counter(WORD.findall(found.lower())), Counter(WORD.findall(gold.lower()))
    both, all_ = (one & two).total(), one.total() + two.total()
    return 2 * both / all_ if all_ else 1.0


def report(
    title: str, pages: Sequence[Any], at: NDArray[np.int64], chances: NDArray[np.float32]
) -> list[str]:
    """The scores of what would be chosen, a line each; also printed."""
    sums, means, plain = np.zeros(3, np.int64), defaultdict[str, list[float]](list), words({})
    for page, (a, b) in zip(pages, pairwise(at), strict=True):
        read = blocks(page.data, plain)
        found = text(read, chosen(read, chances[a:b], "balanced"))[0].tobytes().decode()
        if page.row["gold"] is None:
            sums += by_snippets(found, page.row)
            continue
        origin = page.row["origin"].split("/")[0]
        score = by_words(found, page.row["gold"])
        means[origin].append(score)
        means[f"{origin}, {page.row['type']}"].append(score)
    lines = list[str]()
    right, missed, wrong = sums.tolist()
    if right:
        rates = right / (right + wrong), right / (right + missed)
        f1 = 2 * right / (2 * right + missed + wrong)
        lines.append(f"{title}: snippets P {rates[0]:.4f}, R {rates[1]:.4f}, F1 {f1:.4f}")
    for kind, values in sorted(means.items()):
        lines.append(f"{title}: {kind}: F1 {np.mean(values):.4f} of {len(values):,} pages")
    print(*lines, sep="\n", flush=True)
    return lines
