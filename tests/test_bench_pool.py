"""The pool is as large as was written down, and nothing of what is held out is in it."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.bench import pool, pool_files, pool_sources, selection_languages, selection_noise
from tests.bench.pool_sources import Document, sized


def documents(kind: str, megabytes: float) -> list[Document]:
    text = "word " * 4000
    count = int(megabytes * 1e6 / len(text))
    return [Document(f"{kind} {n // 2}", f"https://{kind}.example/{n}", text) for n in range(count)]


def test_a_sixth_of_the_pool_is_of_the_target() -> None:
    assert sum(pool.TARGET.values()) == pytest.approx(sum(pool.MIX.values()) / 6, rel=0.05)


@pytest.mark.parametrize("kind", ["docs, kernel", "news", "spam"])
def test_a_source_is_in_one_set_and_each_set_is_as_large_as_was_asked(kind: str) -> None:
    made = pool.parted(kind, documents(kind, 2 * pool.MIX[kind]))
    sources = {name: {one.source for _, one in rows} for name, rows in made.items()}
    for name, mine in sources.items():
        assert all(mine.isdisjoint(other) for also, other in sources.items() if also != name)
        size = sum(len(one.text.encode()) for _, one in made[name])
        want = pool.wanted(kind)[name]
        assert abs(size - want) <= 40_000 if want else not made[name]
    assert bool(made["target-heldout"]) == (kind in pool.TARGET)
    assert bool(made["general-heldout"]) == (kind not in pool.REST)


def test_rows_stand_in_an_order_that_is_no_source_s() -> None:
    rows = [("news", one) for one in documents("news", 0.5)]
    made, again = pool.table(rows), pool.table(rows[::-1])
    assert made == again and made["url"].to_pylist() != [one.url for _, one in rows]
    assert len(set(made["id"].to_pylist())) == len(rows)


def test_documents_too_short_or_too_long_are_left_out() -> None:
    texts = [" " * 300, "x" * 199, "x" * 200, "x" * 400_000, "x" * 400_001]
    kept = sized(Document("s", "u", text) for text in texts)
    assert [len(one.text) for one in kept] == [200, 400_000]


def test_an_archive_that_is_another_than_was_pinned_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pins = tmp_path / "pins.json"
    monkeypatch.setattr(pool_files, "PINS", pins)
    path = pool_files.cache() / "archives/thing/thing.whl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"what was fetched")
    right = hashlib.sha256(b"what was fetched").hexdigest()
    pins.write_text(json.dumps({"thing": {"pypi": "thing==1", "sha256": right}}))
    assert pool_files.fetched("thing") == path
    path.write_bytes(b"something else")
    with pytest.raises(SystemExit, match=f"pinned is {right}"):
        pool_files.fetched("thing")


def test_shuffled_words_are_those_of_the_document(tmp_path: Path) -> None:
    rows = [("news", one) for one in documents("news", 0.1)]
    texts = [" ".join(f"w{n * 31 % 97}" for n in range(200)) for _ in rows]
    rows = [(kind, one._replace(text=text)) for (kind, one), text in zip(rows, texts, strict=True)]
    for name in ("general-heldout", "target-heldout"):
        (tmp_path / name).mkdir()
        pq.write_table(pool.table(rows), tmp_path / name / "part-00000.parquet")
    made = list(selection_noise.shuffled(tmp_path))
    assert len(made) == 2 * len(rows)
    assert all(sorted(one.text.split()) == sorted(texts[0].split()) for one in made)
    assert texts[0].split() not in [one.text.split() for one in made]


def test_what_nobody_translated_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, text in (("C", "Open the file"), ("de", "Die Datei \u00f6ffnen &amp; lesen")):
        folder = tmp_path / f"gnome-user-docs/usr/share/help/{language}/help"
        folder.mkdir(parents=True)
        page = f"<page><title>{'T' * 300}</title><p>{text} <em>now</em></p></page>"
        (folder / "one.page").write_text(page)
    monkeypatch.setattr(pool_sources, "unpacked", lambda name: tmp_path / name)
    monkeypatch.setattr(selection_languages, "LANGUAGES", "C de")
    monkeypatch.setattr(selection_languages, "LEAST", 10)
    made = {row["language"]: row["text"] for row in selection_languages.rows()}
    assert made == {"en": f"{'T' * 300}\nOpen the file now", "de": "Die Datei öffnen & lesen now"}
