"""Entries of lists in texts, against a slow twin over strings; and the files they come from."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.listed import Listed
from tests.helpers import corpora
from tests.helpers.command import here as karez
from tests.helpers.command import table
from tests.helpers.measuring import batch
from tests.test_overlap import Row, said


def measured(entries: tuple[str, ...], *texts: bytes | str | None) -> list[Row]:
    return list(Listed(files=entries).measure(batch(*texts)).to_pylist())


def twin(entries: tuple[str, ...], text: bytes) -> Row:
    """At each word try the longest entry first."""
    wanted = sorted((said(entry)[0] for entry in entries), key=len, reverse=True)
    found, i, count, covered = said(text)[0], 0, 0, 0
    while i < len(found):
        size = next((len(w) for w in wanted if w and found[i : i + len(w)] == w), 0)
        count, covered, i = count + bool(size), covered + size, i + max(1, size)
    return {"listed": count, "listed_share": covered / len(found) if found else None}


WORD = st.sampled_from(
    ["a", "A", "b", "ß", "É", "e\u0301", "don't", "don’t", "漢", "字", "שלום", "👩"]
)
GAP = st.sampled_from([" ", "-", "\r\n", "\u3000", ", ", ""])
TEXT = st.lists(st.tuples(WORD, GAP).map("".join), max_size=12).map("".join)
ENTRIES = st.lists(TEXT | st.just("a b"), max_size=4).map(tuple)


@given(ENTRIES, st.lists(TEXT.map(str.encode) | st.binary(max_size=20), max_size=4))
def test_the_twin_agrees(entries: tuple[str, ...], texts: list[bytes]) -> None:
    assert measured(entries, *texts) == [twin(entries, text) for text in texts]


def test_the_longest_entry_counts_and_case_does_not() -> None:
    entries = ("new york", "new york city", "York")
    text = "New York City is no york; NEW YORK is, and new isn't."
    nothing = {"listed": 0, "listed_share": None}
    found = measured(entries, text, "", None)
    assert found == [{"listed": 3, "listed_share": 6 / 12}, nothing, nothing]


def test_columns_have_the_name_of_the_list() -> None:
    lists = Listed("worse", ("two", "three four"))
    (row,) = lists.measure(batch("one two three four")).to_pylist()
    assert row == {"worse": 2, "worse_share": 0.75}


def recipe(folder: Path, files: str, name: str = "listed", column: str = "") -> Path:
    texts = ["A damn fine day, and a hell of a night.", "Nothing here but words."]
    rows = [{"text": text, "id": str(i)} for i, text in enumerate(texts)]
    measure = f'[measure]\n{name} = {{ is = "listed", files = {files} }}'
    return corpora.recipe(
        folder, rows, f'{measure}\n[rules]\nbad = "{column or f"{name}_share"} > 0.1"'
    )


def test_lists_are_read_from_files_and_decide(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes("\ufeffdamn  # mild\r\n# worse:\r\nhell of a\r\n".encode())
    for name in ("listed", "toxic"):
        done = karez("run", recipe(tmp_path, '["*.txt"]', name), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        columns = table(tmp_path / "runs/a", f"columns/documents/{name}").to_pylist()
        assert columns == [{name: 2, f"{name}_share": 0.4}, {name: 0, f"{name}_share": 0.0}]
        decided = table(tmp_path / "runs/a", "decisions/documents")["reason"].to_pylist()
        assert decided == ["bad", None]


def test_other_entries_are_measured_anew_and_comments_are_not(tmp_path: Path) -> None:
    path = recipe(tmp_path, '["w.txt"]')
    for text, did in (("damn", True), ("damn # mild", False), ("hell", True), ("hell", False)):
        (tmp_path / "w.txt").write_text(text)
        done = karez("run", path, cwd=tmp_path)
        assert ("documents to columns begins" in " ".join(done.stdout.split())) == did
    (tmp_path / "w.txt").unlink()  # what is done can still be asked about
    assert json.loads(karez("explain", "runs/a", "0", "--json", cwd=tmp_path).stdout)["columns"]


@pytest.mark.parametrize(
    ("files", "body", "why"),
    [
        ('["w.txt"]', "na\xefve".encode("latin-1"), "w.txt: no UTF-8, from byte 2 on"),
        ('["w.txt"]', b"damn".decode().encode("utf-16"), "w.txt: no UTF-8, from byte 0 on"),
        ('["w.txt"]', b"", "w.txt: holds no entry"),
        ('["w.txt"]', b"# nothing\n\n", "w.txt: holds no entry"),
        ('["w.txt"]', b"damn\n***\n", "w.txt, line 2: '***' holds no word"),
        ('["other.txt"]', b"damn", "other.txt: no such file"),
        ("[]", b"damn", "names no file"),
        ('"w.txt"', b"damn", "want a list of files"),
    ],
)
def test_a_wrong_list_is_told_in_one_line(
    files: str, body: bytes, why: str, tmp_path: Path
) -> None:
    (tmp_path / "w.txt").write_bytes(body)
    done = karez("run", recipe(tmp_path, files, column="length"), cwd=tmp_path)
    assert done.returncode == 2 and why in done.stderr and "listed: " in done.stderr
    assert len(done.stderr.splitlines()) == 1
