"""WebDataset shards of text: samples from members, whatever their names, whole or damaged."""

import gzip
import io
import tarfile
from collections.abc import Callable, Sequence

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers import Dead, Document, Skipped
from tests.helpers.reading import damaged, dead, documents, is_in_order, peak, read, texts

END = 1024  # bytes of zeros


def tar(
    *members: tuple[str, bytes | str], form: int = tarfile.PAX_FORMAT, end: bool = True
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for name, content in members:
            body = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(body)
            file.addfile(info, io.BytesIO(body))
        size = file.offset
    return out.getvalue()[: size + END if end else size]


def numbered(count: int) -> list[tuple[str, str]]:
    return [
        member
        for i in range(count)
        for member in ((f"{i:05}.json", f'{{"n": {i}}}'), (f"{i:05}.txt", f"text {i} " * 60))
    ]


def test_a_sample_becomes_a_document_with_all_its_fields() -> None:
    body = tar(
        ("a/1.jpg", b"\xff" * 700),
        ("a/1.json", '{"url": "http://a.org/", "id": 7, "score": 0.5}'),
        ("a/1.txt", "höhe"),
        ("b/1.txt", "zwei"),
    )
    assert read("webdataset", body) == [
        Skipped("jpg"),
        Document("höhe", 0, 3077, "7", "http://a.org/", metadata='{"score":0.5}'),
        Document("zwei", 3584, 516, "b/1"),
    ]


def test_the_text_has_the_extension_that_the_source_names_or_is_a_field() -> None:
    body = tar(("1.en.md", "english"), ("1.TXT", "other"), ("2.json", '{"en.md": "field"}'))
    items = read("webdataset", body, text="en.md")
    assert texts(items) == ["english", "field"]
    assert Skipped("txt") in items
    assert texts(read("webdataset", body)) == ["other"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("x.json", "{}")], "no text"),
        ([("x.jpg", "")], "no text"),
        ([("x.json", '{"text": 5}')], "text is a number"),
        ([("x.txt", ""), ("x.json", "[1]")], "not an object"),
        ([("x.txt", ""), ("x.json", "{")], "not JSON"),
        ([("x.txt", ""), ("x.json", "[" * 100_000)], "not JSON"),
        ([("x.txt", b"x" * 17_000_000)], "too large"),
        ([("x.txt", b"x" * 33_000_000)], "too large"),
        ([("x.txt", ""), ("x.json", b" " * 17_000_000)], "too large"),
    ],
)
def test_a_bad_sample_is_a_dead_letter_and_its_neighbours_live(
    members: list[tuple[str, bytes | str]], reason: str
) -> None:
    items = read("webdataset", tar(("a.txt", "before"), *members, ("z.txt", "after")))
    assert texts(items) == ["before", "after"]
    (letter,) = dead(items)
    assert (letter.offset, letter.reason, letter.unread) == (1024, reason, 0)
    assert letter.detail.startswith("x: ")


def test_two_texts_of_one_name_are_two_samples() -> None:
    items = read("webdataset", tar(("a.txt", "one"), ("a.txt", "two"), ("b/a.txt", "three")))
    assert [(i.text, i.source_key) for i in documents(items)] == [
        ("one", "a"),
        ("two", "a"),
        ("three", "b/a"),
    ]


NAMES = ["../../etc/passwd", "/etc/passwd", "x" * 400, "ü/日本", "a b\n[c]#", "-x", "d" * 99 + "/e"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_names_however_long_and_wherever_they_lead(name: str, form: int) -> None:
    body = tar((f"{name}.json", "{}"), (f"{name}.txt", "text"), ("z.txt", "after"), form=form)
    items = documents(read("webdataset", body))
    assert [(i.text, i.source_key) for i in items] == [("text", name), ("after", "z")]
    assert items[0].offset == 0


def forged(at: int, field: bytes) -> bytes:
    """A shard of one member, with another field in its header."""
    body = bytearray(tar(("x.txt", "text"), form=tarfile.USTAR_FORMAT))
    body[at : at + len(field)] = field
    body[148:156] = b"%06o\0 " % (sum(body[:148]) + 8 * 32 + sum(body[156:512]))
    return bytes(body)


def test_a_name_that_is_no_utf8_is_written_out() -> None:
    (item,) = documents(read("webdataset", forged(0, b"\xff")))
    assert item.source_key == "\\xff"


def test_folders_links_and_hidden_files_are_no_samples() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, kind in (
            ("d.txt", tarfile.DIRTYPE),
            ("s.txt", tarfile.SYMTYPE),
            ("h.txt", tarfile.LNKTYPE),
            ("p.txt", tarfile.FIFOTYPE),
            ("._a.txt", tarfile.REGTYPE),
            ("README", tarfile.REGTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = 700 * (kind == tarfile.LNKTYPE)  # stated, but nothing follows
            file.addfile(info)
    items = read("webdataset", out.getvalue() + tar(("a.txt", "another file follows")))
    assert items[:-1] == [Skipped("no sample")] * 6
    assert texts(items) == ["another file follows"]


PACKINGS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, zstandard.compress]


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_cut_loses_what_followed_it_and_nothing_before(pack: Callable[[bytes], bytes]) -> None:
    whole = pack(tar(*numbered(40)))
    good = documents(read("webdataset", whole))
    assert len(good) == 40
    for cut in range(5, len(whole) - END - 512, len(whole) // 150):
        items = read("webdataset", whole[:cut])
        found = documents(items)
        assert [*found] == good[: len(found)]
        (letter,) = dead(items)
        assert letter.reason == "cut off"
        start = found[-1].offset + found[-1].length if found else 0
        assert start <= letter.offset <= start + 1024
        if pack is not bytes:
            assert letter.unread == 0
        else:
            assert len(found) in (cut // 2048, cut // 2048 - 1)
            assert letter.unread == max(0, cut - letter.offset)


def test_a_flipped_bit_in_a_packed_shard_is_said() -> None:
    members = [gzip.compress(tar(*numbered(n)), mtime=0) for n in (5, 20)]
    body = bytearray(b"".join(members))
    body[len(members[0]) + len(members[1]) // 2] ^= 16
    items = read("webdataset", bytes(body))
    assert texts(items)[:5] == texts(read("webdataset", members[0]))
    assert [d.reason for d in dead(items)] == ["damaged"]
    assert 0 < dead(items)[0].unread <= len(members[1])


def test_a_file_without_its_end_gives_all_and_says_so() -> None:
    whole = tar(*numbered(3), end=False)
    items = read("webdataset", whole)
    assert len(texts(items)) == 3
    assert dead(items) == [Dead(len(whole), "cut off", "without its end: members may be missing")]


def test_garbage_in_a_shard_is_one_dead_letter() -> None:
    for pack in PACKINGS:
        items = read(
            "webdataset", pack(tar(*numbered(3)) + b"garbage " * 100 + tar(("x.txt", "x")))
        )
        assert len(texts(items)) == 3
        (letter,) = dead(items)
        assert (letter.reason, letter.offset) == ("damaged", len(tar(*numbered(3))))


def test_what_is_no_tar_file_is_one_dead_letter() -> None:
    for body in (b"", b"x", b"x" * 600, gzip.compress(b"x" * 600)):
        assert len(read("webdataset", body)) == len(dead(read("webdataset", body))) == 1


@pytest.mark.parametrize("size", [b"7" * 11 + b"\0", b"\x80" + b"\x7f" * 11, b"\xff" * 12])
def test_a_size_that_lies_does_not_fill_the_memory(size: bytes) -> None:
    items, most = peak(lambda: read("webdataset", forged(124, size)))
    assert len(items) == len(dead(items)) == 1
    assert most < 1_000_000


@settings(max_examples=200)
@given(st.sampled_from(PACKINGS), st.sampled_from([tarfile.GNU_FORMAT, 2]), st.data())
def test_no_bytes_raise(pack: Callable[[bytes], bytes], form: int, data: st.DataObject) -> None:
    names: Sequence[str] = data.draw(st.lists(st.sampled_from(NAMES), max_size=4))
    members = [(f"{n}.{e}", "{}") for n in names for e in ("json", "txt")]
    assert is_in_order(read("webdataset", damaged(pack(tar(*members, form=form)), data)))
