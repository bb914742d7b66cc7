"""Boilerplate of a host: lines and blocks of many of its documents, and of no other host's."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters.boilerplate import Units, units
from filters.unicode import SPACES
from tests.helpers import corpora
from tests.helpers.command import files, here
from tests.helpers.measuring import batch, lines_of, words_of
from tests.test_passages import counts, rows

LINE = st.sampled_from(
    ["a b", "a b c", " a b c\t", "漢字x", "e\u0301 👩\u200d🚀 שלום", "", "", "\r", "\u3000", "x"]
)
PAGE = st.lists(LINE, max_size=9).map("\n".join) | st.text(max_size=9)


def plain(line: str) -> str:
    return line.strip(SPACES)


def slow_units(text: str, least: int) -> list[tuple[tuple[str, ...], int, int]]:
    """(What it holds, first line, last line) of lines and blocks."""
    lines = [plain(line) for line in text.split("\n")]
    found: list[tuple[tuple[str, ...], int, int]] = []
    begun = 0
    for i, line in enumerate([*lines, ""]):
        if line and len(words_of(line)) >= least:
            found.append(((line,), i, i))
        if not line:
            block = lines[begun:i]
            if len(block) > 1 and len(words_of("\n".join(block))) >= least:
                found.append((tuple(block), begun, i - 1))
            begun = i + 1
    return sorted(found, key=lambda unit: unit[1:])


def fast_units(texts: list[bytes], least: int) -> Units:
    made = batch(*texts)
    return units(made["text"], made["words"], least)


@given(st.lists(PAGE, max_size=5), st.integers(1, 3))
@settings(max_examples=300)
@example(["a b c\n\nx\nx", "x\nx\n\na\nb"], 3)
def test_the_twin_agrees(texts: list[str], least: int) -> None:
    found = fast_units([text.encode() for text in texts], least)
    slow = [(row, *unit) for row, text in enumerate(texts) for unit in slow_units(text, least)]
    order = sorted(
        range(len(found.rows)), key=lambda i: (found.rows[i], found.first[i], found.last[i])
    )
    places = [(found.rows[i], found.first[i], found.last[i]) for i in order]
    assert places == [(row, first, last) for row, _, first, last in slow]
    by_key: dict[int, set[tuple[str, ...]]] = {}
    for i, (_, held, *_) in zip(order, slow, strict=True):
        by_key.setdefault(int(found.keys[i]), set()).add(held)
    assert all(len(each) == 1 for each in by_key.values())
    assert len(by_key) == len({held for _, held, *_ in slow})


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 3))
def test_any_bytes_will_do(texts: list[bytes], least: int) -> None:
    found = fast_units(texts, least)
    assert all(0 <= row < len(texts) for row in found.rows)
    for row, first, last in zip(found.rows, found.first, found.last, strict=True):
        assert 0 <= first <= last <= texts[row].count(b"\n")


PARTS = 3


def ran(folder: Path, pages: list[dict[str, Any]], options: str = "{}", more: str = "") -> Any:
    """The documents of a run over files of some pages, each a part."""
    run = corpora.ran(folder, pages, f"[edits]\nboilerplate = {options}\n{more}", PARTS)
    return sorted(rows(run), key=lambda row: int(row["source_key"]))


def prose(seed: int | str) -> str:
    return " ".join(random.Random(seed).choices("abcdefghij", k=12))


def page(number: int, host: str | None, *around: str) -> dict[str, Any]:
    url = host and f"https://{host}/{number}"
    return {"id": number, "url": url, "text": "\n".join([*around, prose(number), prose(-number)])}


MENU = "Home\nAbout us\nContact\n"
FOOT = "All rights reserved by us"


def test_what_ten_documents_of_a_host_have_is_cut_and_of_another_host_stays(tmp_path: Path) -> None:
    pages = [page(i, "a.org", MENU, FOOT, "Two words") for i in range(10)]
    pages += [page(i, "b.org", MENU, FOOT) for i in range(10, 19)]
    pages += [page(i, f"{i}.a.org", FOOT) for i in range(20, 40)]
    pages += [page(i, None, FOOT) for i in range(40, 60)]
    found = ran(tmp_path, pages)
    for row in found:
        raw, left = row["text"], row["left"]
        if row["source_key"] in map(str, range(10)):
            kept = [plain(x) for x in lines_of(left) if plain(x)]
            number = int(row["source_key"])
            assert kept == ["Two words", prose(number), prose(-number)]
            assert {edit["reason"] for edit in row["edits"]} == {"boilerplate"}
        else:
            assert left == raw
    told = counts(tmp_path / "runs/a", "passages")
    changed = (told["changed"], told["edits: boilerplate"])
    assert changed == (10, 40)  # a menu of three lines, and a foot
    assert counts(tmp_path / "runs/a", "hosts")["lines and blocks"] == 2


def test_a_menu_goes_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    pages = [page(i, "a.org", MENU if i < 12 else MENU.replace("Home", "Away")) for i in range(16)]
    found = ran(tmp_path, pages)
    assert ["Contact" in row["left"] for row in found] == [False] * 12 + [True] * 4


def test_a_line_that_a_document_repeats_counts_once(tmp_path: Path) -> None:
    pages = [page(i, "a.org", *[FOOT, "", FOOT, "x"] * 5) for i in range(9)]
    found = ran(tmp_path, pages)
    assert all(row["left"] == row["text"] for row in found)
    pages.append(page(9, "a.org", FOOT))
    assert not any(FOOT in row["left"] for row in ran(tmp_path, pages))


def test_what_is_dropped_does_not_count(tmp_path: Path) -> None:
    """Copies of one page do not make its lines boilerplate."""
    pages = [{**page(0, "a.org"), "id": i, "url": f"https://a.org/{i}"} for i in range(20)]
    found = ran(tmp_path, pages, more="[dedup]")
    kept = [row for row in found if row["reason"] is None]
    assert len(kept) == 1 and kept[0]["left"] == kept[0]["text"]


def test_options_decide(tmp_path: Path) -> None:
    pages = [page(i, "a.org", FOOT, "Two words") for i in range(4)]
    assert all(FOOT in row["left"] for row in ran(tmp_path, pages, "{ documents = 5 }"))
    assert not any(FOOT in row["left"] for row in ran(tmp_path, pages, "{ documents = 4 }"))
    found = ran(tmp_path, pages, "{ documents = 4, words = 2 }")
    assert not any("Two words" in row["left"] for row in found)


def test_what_is_left_is_measured_and_judged_anew(tmp_path: Path) -> None:
    pages = [page(i, "a.org", FOOT) for i in range(10)]
    pages += [
        {"id": 10 + i, "url": f"https://a.org/{i}x", "text": f"{FOOT}\n{i}"} for i in range(3)
    ]
    found = ran(tmp_path, pages, more='[rules]\nshort = "words < 3"')
    assert [row["reason"] for row in found] == [None] * 10 + ["short"] * 3
    assert [row["words"] for row in found] == [24] * 10 + [1] * 3


def test_without_the_edit_nothing_of_it_is_left(tmp_path: Path) -> None:
    pages = [page(i, "a.org", FOOT) for i in range(10)]
    ran(tmp_path, pages)
    assert files(tmp_path / "runs/a/again")
    text = (tmp_path / "a.toml").read_text().replace("boilerplate = {}", "")
    (tmp_path / "a.toml").write_text(text)
    assert here("run", "a.toml", cwd=tmp_path).returncode == 0
    assert not files(tmp_path / "runs/a/again")
    assert all(row["left"] == row["text"] for row in rows(tmp_path / "runs/a"))
    steps = json.loads((tmp_path / "runs/a/manifest.json").read_text())["steps"]
    assert not {"hosts", "passages", "again"} & set(steps)


def test_other_edits_across_documents_stand_beside_it(tmp_path: Path) -> None:
    long = " ".join(f"w{i}" for i in range(9))
    pages = [page(i, "a.org", FOOT, *[long] * (i in (3, 7))) for i in range(10)]
    found = ran(tmp_path, pages, "{}\nrepeated_paragraphs = {}")
    reasons = Counter(edit["reason"] for row in found for edit in row["edits"])
    assert reasons == {"boilerplate": 10, "repeated_paragraphs": 1}
