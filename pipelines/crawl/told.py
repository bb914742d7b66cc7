"""What a crawl came to, from what its step counted."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipelines.runs.tables import marked

MARK = "url: "  # of counts: what follows is what became of URLs
GOOD = ("fetched", "image", "same", "not modified", "redirect", "sitemap")
"""Reasons that are no fault."""


def reasons(steps: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """URLs by what became of them, each as often as it was taken on; none without a crawl."""
    counts = steps.get("crawl", {}).get("counts", {})
    return Counter(marked(counts, MARK))


def faults(steps: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """Those that brought nothing, for a reason that is a fault or a refusal."""
    return Counter({k: n for k, n in reasons(steps).items() if k not in GOOD})
