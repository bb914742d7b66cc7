import errno
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import BusyError, DamagedError, RecipeError
from pipelines.readers import Document
from pipelines.runs import Part, Run, Table, parts
from pipelines.runs.folders import Folder, fingerprint
from pipelines.runs.sealed import Sealed
from pipelines.schema import drawn, id_bytes
from pipelines.steps.output import Output

PART = {"name": "a", "rows": 1, "size": 2, "sha256": "s"}
IDS = pa.array(["000102030405060708090a0b0c0d0e0f", "ffffffffffffffffffffffffffffffff"])


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with pytest.raises(KeyboardInterrupt), folder.create("a/b") as out:
        out.write(b"half")
        raise KeyboardInterrupt
    assert list((tmp_path / "a").iterdir()) == []


def test_a_part_whose_end_has_no_room_is_gone_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: pq.ParquetWriter) -> None:
        file.is_open = False
        raise OSError(errno.ENOSPC, "full")

    run, rows = Run(tmp_path), pa.record_batch({"a": [1]})
    monkeypatch.setattr(pq.ParquetWriter, "close", full)
    writer = parts.Writer(run, "documents", "a.parquet", rows.schema)
    with pytest.raises(OSError, match="full"), writer:
        writer.write(rows)
    with pytest.raises(OSError, match="full"), Output(run, 0) as out:
        out.take("a.txt", Document("text", 0, 4))
        out.close()
    assert list((tmp_path / "documents").iterdir()) == []


def test_a_sink_knows_what_went_through_it(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with folder.create("a") as out:
        out.write(b"ab")
        out.write(memoryview(b"c"))
    assert (out.size, folder.read("a")) == (3, b"abc")
    assert out.sha256.startswith("ba7816bf")  # FIPS 180-2, appendix B.1


def test_what_the_manifest_does_not_name_is_swept(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for name in ("documents/a", "documents/b", "documents/.b.1.part", "columns/c"):
        run.folder.write(name, b"x")
    run.manifest.tables["documents"] = Table("f", (Part("a", 1, 1, "s"),))
    run.sweep(["documents"])
    assert run.folder.list() == ["columns/c", "documents/a"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of somebody's, with files that have the names of ours."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", ".b.part", "README.md", "part-00000.parquet"):
        (photos / name).write_text("precious")
    return photos


@pytest.mark.parametrize(
    "link", ["documents", "columns/documents/quality", "dataset", "work", "images", "prove", "lock"]
)
def test_a_folder_that_leads_elsewhere_is_refused(link: str, photos: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.save()
    at = tmp_path / "run" / link
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(photos / "a.jpg" if link == "lock" else photos)
    with pytest.raises(RecipeError, match=rf"{link}: is a link to .*photos"), run.lock():
        pass
    assert {p.read_text() for p in photos.iterdir()} == {"precious"}


def test_a_path_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="must be UTF-8"):
        Run(tmp_path / "caf\udce9")


def test_what_links_lead_to_is_not_deleted(photos: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    for name in ("documents/trip", "dataset/trip", "work"):
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).symlink_to(photos)
    (tmp_path / "run/documents/a").symlink_to(photos / "a.jpg")
    assert run.folder.list("documents") == ["documents/a", "documents/trip"]
    run.sweep(["documents"])
    assert run.folder.list("documents") == []
    run.tidy()
    assert run.folder.list() == ["dataset/trip"]
    assert len([p for p in photos.iterdir() if p.read_text() == "precious"]) == 4


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.manifest.tables["documents"] = Table("f", (Part("a", 1, 2, "s"),))
    run.manifest.steps["ingest"] = {"counts": {"documents": 1}}
    run.save()
    assert Run(tmp_path).manifest == run.manifest


FORGED: dict[str, Any] = {
    "leads out": {"parts": [PART | {"name": "../../evil"}]},
    "leads elsewhere": {"parts": [PART | {"name": "/etc/passwd"}]},
    "is the folder": {"parts": [PART | {"name": "."}]},
    "nul": {"parts": [PART | {"name": "a\0"}]},
    "no name": {"parts": [PART | {"name": 3}]},
    "below nothing": {"parts": [PART | {"size": -1}]},
    "no number": {"parts": [PART | {"rows": "1"}]},
    "no hash": {"parts": [PART | {"sha256": None}]},
    "twice": {"parts": [PART, PART]},
    "no parts": {"parts": None},
    "no fingerprint": {"fingerprint": 1},
    "nowhere": {"at": 1},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_manifest_is_refused(forged: dict[str, Any], tmp_path: Path) -> None:
    good = {"fingerprint": "f", "parts": [PART], "at": None}
    about = {"format": 1, "steps": {}, "facts": {}}
    Folder(str(tmp_path)).write_json("manifest.json", about | {"tables": {"documents": good}})
    assert Run(tmp_path).table("documents").rows == 1
    for tables in ({"documents": good | forged}, {"../documents": good}, {"/documents": good}):
        Folder(str(tmp_path)).write_json("manifest.json", about | {"tables": tables})
        with pytest.raises(DamagedError, match=r"manifest.json: is damaged"):
            Run(tmp_path)


@pytest.mark.parametrize("step", [None, {}, {"counts": None}, {"counts": {"kept": "1"}}])
def test_a_manifest_that_counts_what_is_no_number_is_refused(step: Any, tmp_path: Path) -> None:
    about = {"format": 1, "tables": {}, "steps": {"decide": step}, "facts": {}}
    Folder(str(tmp_path)).write_json("manifest.json", about)
    with pytest.raises(DamagedError, match=r"manifest.json: is damaged"):
        Run(tmp_path)


def test_a_part_that_was_cut_is_noticed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.folder.write("documents/a", b"xy")
    run.manifest.tables["documents"] = Table("f", (Part("a", 1, 3, "s"),))
    with pytest.raises(DamagedError, match="2 bytes, 3 were sealed"):
        run.open_part("documents", 0)


def test_a_part_that_was_damaged_is_noticed(tmp_path: Path) -> None:
    run, rows = Run(tmp_path), pa.record_batch({"n": [os.urandom(99) for _ in range(999)]})
    with parts.Writer(run, "documents", "a.parquet", rows.schema) as writer:
        writer.write(rows)
    run.manifest.tables["documents"] = Table("f", (writer.part,))
    assert run.open_part("documents", 0).read().num_rows == 999
    path = tmp_path / "documents/a.parquet"
    whole = path.read_bytes()
    reads: list[Callable[[pq.ParquetFile], object]] = [
        lambda file: file.read(),
        lambda file: file.read_row_group(0),
        lambda file: [*file.iter_batches()],
    ]
    for at in (len(whole) // 2, len(whole) - 9):  # a page, and the footer
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        for read in reads:
            with pytest.raises(DamagedError, match=r"a.parquet: is damaged .*run the recipe again"):
                read(run.open_part("documents", 0))


@pytest.mark.parametrize(
    ("asked", "raised"), [(26_000_000_000, DamagedError), (2_000_000_000, MemoryError)]
)
def test_a_file_that_asks_for_more_than_any_is_damaged(
    asked: int, raised: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object) -> None:
        raise pa.ArrowMemoryError(f"malloc of size {asked} failed")

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    sealed = Sealed(pa.OSFile(str(path)), "a.parquet", pre_buffer=False)
    monkeypatch.setattr(pq.ParquetFile, "read", read)
    with pytest.raises(raised, match=r"^a.parquet: is damaged|^malloc"):
        sealed.read()


def test_json_that_was_cut_is_noticed(tmp_path: Path) -> None:
    Folder(str(tmp_path)).write("a.json", b'{"half')
    with pytest.raises(DamagedError, match=r"a.json: is no JSON"):
        Folder(str(tmp_path)).read_json("a.json")


def test_a_table_is_stale_under_another_fingerprint(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.manifest.tables["documents"] = Table("f", ())
    assert run.stale({"documents": "f"}) == []
    assert run.stale({"documents": "g", "dead/ingest": "g"}) == ["documents", "dead/ingest"]


def _hold(path: str, ready: object, go: object) -> None:
    with Run(path).lock():
        ready.set()  # type: ignore[attr-defined]
        go.wait()  # type: ignore[attr-defined]


def test_the_second_command_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path), ready, go))
    other.start()
    assert ready.wait(30)
    with pytest.raises(BusyError, match=f"process {other.pid} on "), Run(tmp_path).lock():
        pass
    other.kill()  # the lock goes with the process, however it ends
    other.join()
    with Run(tmp_path).lock():
        assert f"process {os.getpid()}" in (tmp_path / "lock").read_text()


def test_a_fingerprint_keeps_the_order_of_rules() -> None:
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) == "2696610e7875"


def test_ids_as_bytes() -> None:
    assert id_bytes(IDS).tolist() == [list(range(16)), [255] * 16]
    assert id_bytes(IDS[1:]).tolist() == [[255] * 16]


def splitmix(x: int) -> int:
    """SplitMix64's step, slowly: integers modulo 2**64."""
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_a_draw_is_the_same_on_every_machine(seed: int) -> None:
    slowly = [splitmix(int(i[:16], 16) ^ splitmix(seed)) for i in IDS.to_pylist()]
    assert drawn(IDS, seed).tolist() == slowly
