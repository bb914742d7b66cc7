"""The hostile web: each URL ends as a row with a reason, in time; a crawl of it ends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawling import Rows, crawl, frontier, reasons, recipe
from tests.hostile import Web, served
from tests.hostile_sites import HOSTILE, SIZE

pytestmark = pytest.mark.server

TIMEOUT = 1.5  # seconds for an answer


@pytest.fixture(scope="module")
def ocean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Rows, Path, float]]:
    """All hostile sites in one crawl, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("ocean") / "run"
    with served({name: each.site for name, each in HOSTILE.items()}) as web:
        began = time.monotonic()
        start = [web.url(name, "/x") for name in HOSTILE]
        rows = crawl(folder, recipe(*start, timeout=TIMEOUT, size=SIZE))
        yield web, rows, folder, time.monotonic() - began


@pytest.mark.parametrize("name", HOSTILE)
def test_each_page_ends_with_its_reason(ocean: tuple[Web, Rows, Path, float], name: str) -> None:
    web, rows, _, _ = ocean
    found = reasons(rows)
    for path, reason in HOSTILE[name].ends.items():
        assert found[web.url(name, path)][-1] == reason


def test_each_ends_in_time_and_the_crawl_too(ocean: tuple[Web, Rows, Path, float]) -> None:
    _, rows, folder, seconds = ocean
    assert max(row["seconds"] or 0 for row in rows) < TIMEOUT + 1
    assert seconds < 60
    assert {state for _, _, state, *_ in frontier(folder).values()} == {"done", "dropped"}
