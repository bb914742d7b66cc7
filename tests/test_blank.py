"""Records blanked in the WARC files of a run: nothing of them is left, and nothing else moves."""

import gzip
import hashlib
import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from pipelines.errors import DamagedError
from pipelines.forget import blank
from pipelines.readers import frames, packed
from pipelines.runs import Part, Run, Table, refusals
from pipelines.runs.refusals import Refusals, targets
from pipelines.runs.tables import WARC
from tests.helpers.archives import member, metadata, name, request, response, revisit

GONE, STAYS = "http://gone.example.org/page", "http://stays.example.org/page"


def refused(*names: str) -> Refusals:
    return Refusals(b"salt").with_([t for each in names for t in targets(each)])


def made(folder: Path, *files: Sequence[bytes]) -> Run:
    """A run that holds nothing but WARC files."""
    run, parts = Run(folder), []
    for number, members in enumerate(files):
        body, file = b"".join(members), f"{number:05d}.warc.gz"
        run.folder.write(f"warc/{file}", body)
        parts.append(Part(file, len(members), len(body), hashlib.sha256(body).hexdigest()))
    run.manifest.tables[WARC] = Table("made", tuple(parts))
    run.save()
    return run


def forgotten(run: Run, *names: str) -> list[bytes]:
    """The files after some names were forgotten."""
    for index, found in blank.search(run, refused(*names)).items():
        part = blank.rewritten(run, index, found)
        body = run.folder.read(f"warc/{part.name}")
        assert part.sha256 == hashlib.sha256(body).hexdigest() and part.size == len(body)
        assert part.rows == run.table("warc").parts[index].rows
    return [run.folder.read(f"warc/{part.name}") for part in run.table("warc").parts]


def ids(body: bytes, blanks: bool = False) -> list[str]:
    """Ids of the records that are blank, or of the others."""
    found = blank.records(packed.File(io.BytesIO(body)), "x")
    return [f"<{r.get('warc-record-id')}>" for r in found if r.is_blank == blanks]


def test_a_blank_is_as_long_and_the_others_stay_where_they_are(tmp_path: Path) -> None:
    members = [
        response(1, STAYS, "before " * 99),
        response(2, GONE, "quixotryl " * 999),
        response(3, STAYS, "after"),
    ]
    (body,) = forgotten(made(tmp_path, members), GONE)
    assert len(body) == sum(map(len, members))
    assert body.startswith(members[0]) and body.endswith(members[2])
    plain = gzip.decompress(body)
    assert b"quixotryl" not in plain and b"gone" not in plain + body
    assert (ids(body), ids(body, blanks=True)) == ([name(1), name(3)], [name(2)])


@pytest.mark.parametrize(
    ("refused", "gone"),
    [
        (GONE, {2, 3, 4, 5, 6}),
        ("gone.example.org", {2, 3, 4, 5, 6, 7}),
        ("*.example.org", {1, 2, 3, 4, 5, 6, 7, 8}),
        ("http://other.test/", set()),
    ],
)
def test_what_refers_to_it_goes_too_wherever_it_stands(
    refused: str, gone: set[int], tmp_path: Path
) -> None:
    first = [metadata(6, 3, "seen before"), request(3, "http://moved.test/", 2)]
    second = [
        member(9, "warcinfo", {}, b"software: karez\r\n"),
        response(1, STAYS, "text"),
        response(2, GONE, "text"),
        metadata(4, 2, "outlink: http://secret.test/"),
        revisit(5, "http://copy.test/", 77, GONE),
        response(7, "http://gone.example.org/other", "moved", "404 Not Found"),
        response(8, "http://www.gone.example.org/", "text"),
    ]
    bodies = forgotten(made(tmp_path, first, second), refused)
    every = {each for body in bodies for each in ids(body, blanks=True)}
    assert every == {name(number) for number in gone}
    left = {each for body in bodies for each in ids(body)}
    assert left == {name(number) for number in range(1, 10)} - every


def test_what_was_cut_off_between_two_files_is_finished(tmp_path: Path) -> None:
    run = made(tmp_path, [response(1, GONE, "text")], [metadata(2, 1, "about it")])
    found = blank.search(run, refused(GONE))
    blank.rewritten(run, 0, found[0])
    again = blank.search(run, refused(GONE))
    assert again[0] == [] and len(again[1]) == 1
    body = run.folder.read("warc/00000.warc.gz")
    assert blank.rewritten(run, 0, []).sha256 == hashlib.sha256(body).hexdigest()


def test_what_is_blank_is_not_blanked_again(tmp_path: Path) -> None:
    run = made(tmp_path, [response(1, GONE, "text"), response(2, STAYS, "text")])
    (first,) = forgotten(run, GONE)
    assert forgotten(run, GONE) == [first]
    assert not any(blank.search(run, refused(GONE)).values())


def test_archive_tools_read_it(tmp_path: Path) -> None:
    members = [response(1, STAYS, "one"), response(2, GONE, "two"), response(3, STAYS, "3")]
    (body,) = forgotten(made(tmp_path, members), GONE)
    path = tmp_path / "warc/00000.warc.gz"
    with path.open("rb") as file:
        heads = [(r.rec_type, r.rec_headers) for r in ArchiveIterator(file)]
    found = [(kind, each.get_header("WARC-Target-URI")) for kind, each in heads]
    assert found == [("response", STAYS), ("metadata", None), ("response", STAYS)]
    for command in (["gzip", "-t"], [sys.executable, "-m", "warcio.cli", "check"]):
        subprocess.run([*command, str(path)], capture_output=True, check=True)
    read = list(frames.frames(packed.File(io.BytesIO(body))))
    assert [type(each) for each in read] == [frames.Frame] * 3
    assert sum(each.length for each in read if isinstance(each, frames.Frame)) == len(body)


@given(
    st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), min_size=1, max_size=5),
    st.integers(0, 9),
)
def test_any_records(pages: list[tuple[bool, bytes]], level: int) -> None:
    members = [
        member(number, "response", {"WARC-Target-URI": GONE if gone else STAYS}, block, level)
        for number, (gone, block) in enumerate(pages)
    ]
    at = 0
    found = list(blank.records(packed.File(io.BytesIO(b"".join(members))), "x"))
    assert len(found) == len(members)
    for record, packed_ in zip(found, members, strict=True):
        assert (record.start, record.end) == (at, at + len(packed_))
        made = blank.blank(record)
        assert len(made) == len(packed_)
        assert name(found.index(record)).encode() in gzip.decompress(made)
        assert b"example" not in gzip.decompress(made)
        at = record.end


@pytest.mark.parametrize(
    "body",
    [
        b"plain text",
        response(1, GONE, "text")[:-9],
        response(1, GONE, "text")[:60] + b"?" + response(1, GONE, "text")[61:],
        gzip.compress(2 * gzip.decompress(response(1, GONE, "text"))),
        gzip.compress(b"no header at all"),
        gzip.compress(b""),
    ],
    ids=["not packed", "cut", "flipped", "two in a member", "no header", "empty"],
)
def test_a_file_that_nobody_can_look_through_is_an_error(body: bytes, tmp_path: Path) -> None:
    run = made(tmp_path, [response(2, STAYS, "text"), body])
    with pytest.raises(DamagedError, match=r"00000.warc.gz: .* at byte \d+; restore"):
        blank.search(run, refused(GONE))


def test_none_of_it_is_read_where_nothing_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path, [response(1, GONE, "text")])
    assert blank.search(run, refusals.read(run.folder)) == {}
