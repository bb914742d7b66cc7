"""Caps: of one host no more than some documents stay, the best, wherever their parts are."""

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import corpora
from tests.helpers.command import here
from tests.helpers.corpora import Rows, told

PARTS = 4


def ran(folder: Path, rows: Rows, cap: str, more: str = "") -> dict[int, Any]:
    """Each document with its reason, by its own id; its rows lie in some parts."""
    rest = f"[measure]\nquality = {{}}\n{more}\n[cap]\n{cap}"
    found = told(corpora.ran(folder, rows, rest, PARTS), "quality/words").to_pylist()
    return {int(row["source_key"]): row for row in found}


def document(number: int, host: str | None, words: int) -> dict[str, Any]:
    text = " ".join(random.Random(number).choices("abcdefghij", k=words))
    return {"id": number, "text": text, "url": host and f"https://{host}/{number}"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Hosts of 1 to 40 documents, many with as many words; some documents without a host."""
    draw = random.Random(3)
    hosts = [f"h{i}.example.org" for i in range(1, 41) for _ in range(i)] + [None] * 30
    draw.shuffle(hosts)
    return [document(i, host, 5 + draw.randrange(6)) for i, host in enumerate(hosts)]


def host(row: dict[str, Any]) -> str | None:
    return row["url"].split("/")[2] if row["url"] else None


@pytest.mark.parametrize("keep", ["", "words desc", "words, url desc"])
def test_the_best_of_each_host_stay(rows: list[dict[str, Any]], keep: str, tmp_path: Path) -> None:
    found = ran(tmp_path, rows, f'documents = 7\nkeep = "{keep}"')
    groups = defaultdict(list)
    for row in found.values():
        groups[host(row)].append(row)
    assert {row["reason"] for row in groups.pop(None)} == {None}
    assert len(groups) == 40
    for group in groups.values():
        group.sort(key=lambda row: row["id"])
        if keep == "words desc":
            group.sort(key=lambda row: -row["words"])
        elif keep:
            group.sort(key=lambda row: row["url"], reverse=True)
            group.sort(key=lambda row: row["words"])
        reasons = [row["reason"] for row in group]
        assert reasons == [None] * min(7, len(group)) + ["over the cap"] * (len(group) - 7)


def test_what_is_dropped_before_takes_no_place(tmp_path: Path) -> None:
    rows = [document(i, "example.org", 30) for i in range(6)]
    rows += [{**rows[0], "id": 6 + i, "url": f"https://example.org/{i}/x"} for i in range(3)]
    rows += [document(i, "example.org", 9) for i in range(9, 15)]
    found = ran(tmp_path, rows, "documents = 6", '[rules]\nshort = "words < 10"\n[dedup]')
    reasons = [found[i]["reason"] for i in range(15)]
    assert sorted(reasons, key=str) == [None] * 6 + ["duplicate"] * 3 + ["short"] * 6


def test_a_held_out_document_over_the_cap_is_near_nothing(tmp_path: Path) -> None:
    """One that is gone from train cannot drop what is held out."""
    near = [document(i, "one.org", 300) for i in range(8)]
    rows = [{**n, "id": 2 * i, "url": f"https://s{i}.org/"} for i, n in enumerate(near)]
    rows += [{**n, "id": 2 * i + 1, "url": f"https://t{i}.org/"} for i, n in enumerate(near)]
    for row in rows[8:]:
        row["text"] += " k l m"
    splits = "[publish]\nsplits = { train = 0.5, test = 0.5 }"
    free = ran(tmp_path, rows, 'documents = 1\nper = "media_type"', splits)  # which none has
    assert {row["reason"] for row in free.values()} == {None, "near train"}
    held = next(row for row in free.values() if row["reason"] == "near train")
    pair = {int(held["source_key"]), int(held["source_key"]) ^ 1}
    order = "asc" if int(held["source_key"]) == min(pair, key=str) else "desc"
    only = f"[rules]\nothers = \"source_key not in ('{min(pair)}', '{max(pair)}')\"\n{splits}"
    cap = f'documents = 1\nper = "lines"\nkeep = "source_key {order}"'  # all have one line
    capped = ran(tmp_path, rows, cap, only)
    reasons = {key: capped[key]["reason"] for key in pair}
    assert reasons.pop(int(held["source_key"])) is None
    assert [*reasons.values()] == ["over the cap"]


def test_another_cap_scans_nothing(tmp_path: Path) -> None:
    rows = [document(i, "example.org", 20) for i in range(9)]
    for cap in (3, 5):
        found = ran(tmp_path, rows, f"documents = {cap}")
        assert [row["reason"] for row in found.values()].count(None) == cap
    said = here("run", "a.toml", "--run", "runs/a", cwd=tmp_path).stdout
    assert "begins" not in said
    (tmp_path / "a.toml").write_text((tmp_path / "a.toml").read_text().replace("= 5", "= 4"))
    said = here("run", "a.toml", "--run", "runs/a", cwd=tmp_path).stdout
    assert "scan" not in said.split("documents in")[0] and "cap" in said
