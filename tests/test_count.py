"""Measures that go by the whole corpus: its parts are counted, and added up."""

import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers import corpora
from tests.helpers.command import here
from tests.helpers.corpora import begun

OWN = '''
from dataclasses import dataclass, field
from collections.abc import Iterable
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def letters(texts):
    """How often each byte stands in some texts."""
    each = np.frombuffer("".join(texts).encode(), np.uint8)
    return np.bincount(each, minlength=256).astype(np.int64)


@dataclass(frozen=True)
class Letters:
    """The share of a text's language in all bytes, and how common its first letter is."""

    version = 1
    needs = ("text", "words", "language")
    sample: Iterable[str] = field(default=(), metadata={"files": "sample", "optional": True})

    @property
    def columns(self):
        return pa.schema([("common", pa.int64()), ("words_here", pa.int64())])

    def count(self, batch):
        assert batch.schema.names.count("language") == 1 and len(batch["words"]) == len(batch)
        return letters(batch["text"].to_pylist())

    def given(self):
        return letters(list(self.sample)) if self.sample else None

    def fitted(self, counts):
        if counts.sum() < 20:
            raise ValueError("hardly a letter")
        return Fitted(self, counts)

    def measure(self, batch):
        raise ValueError("not counted yet")


class Fitted:
    version = 1
    needs = Letters.needs

    def __init__(self, asked, counts):
        self.columns, self.counts = asked.columns, counts

    def measure(self, batch):
        texts = batch["text"].to_pylist()
        if "fail" in texts:
            raise ValueError("fails")
        common = [int(self.counts[ord(t[0])]) for t in texts]
        words = pc.list_value_length(batch["words"]).cast("int64")
        return pa.record_batch([pa.array(common), words], schema=self.columns)
'''
DRAW = random.Random(7)
LENGTHS = [DRAW.randrange(1, 80) for _ in range(90)]
TEXTS = ["".join(DRAW.choices("abcdefgh  ", k=length)).strip() or "a" for length in LENGTHS]


def run(folder: Path, texts: list[str], more: str = "", parts: int = 3, measure: str = "") -> str:
    """What the run said, if it failed."""
    measures = f'quality = {{}}\nletters = {{ is = "own_letters:Letters"{measure} }}'
    rest = f'[limit]\ndead = "50 %"\n[measure]\n{measures}\n{more}'
    rows = [{"id": i, "text": text} for i, text in enumerate(texts)]
    corpora.recipe(folder, rows, rest, parts)
    done = here("run", "a.toml", cwd=folder)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr
    return done.stderr


def columns(folder: Path) -> dict[str, int]:
    """By its text, what was measured of each document."""
    texts = pq.read_table(folder / "runs/a/documents")["text"].to_pylist()
    table = pq.read_table(folder / "runs/a/columns/documents/letters")
    return dict(zip(texts, table["common"].to_pylist(), strict=True))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_letters.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "own_letters", raising=False)


@pytest.mark.parametrize("parts", [1, 4])
def test_it_measures_by_the_sums_of_all_parts(parts: int, tmp_path: Path) -> None:
    assert run(tmp_path, TEXTS, parts=parts) == ""
    every = Counter("".join(TEXTS))
    assert columns(tmp_path) == {text: every[text[0]] for text in TEXTS}


def test_what_it_is_given_is_added_once(tmp_path: Path) -> None:
    (tmp_path / "target.txt").write_text("aaaaa bbbbb")
    assert run(tmp_path, TEXTS, measure=', sample = ["target.txt"]') == ""
    every = Counter("".join(TEXTS) + "aaaaabbbbb")
    assert columns(tmp_path) == {text: every[text[0]] for text in TEXTS}


def test_it_counts_what_edits_left(tmp_path: Path) -> None:
    texts = [f"{text}\n{text}" for text in TEXTS]
    assert run(tmp_path, texts, "[edits]\nrepeated_lines = { words = 1 }") == ""
    once = Counter("".join(TEXTS))
    twice = Counter("".join(texts))
    found = columns(tmp_path)
    assert all(once[t[0]] <= found[f"{t}\n{t}"] < twice[t[0]] for t in TEXTS)


def test_rules_may_name_its_columns(tmp_path: Path) -> None:
    assert run(tmp_path, TEXTS, '[rules]\nrare = "common < 350"') == ""
    every = Counter("".join(TEXTS))
    reasons = pq.read_table(tmp_path / "runs/a/decisions/documents")["reason"].to_pylist()
    texts = pq.read_table(tmp_path / "runs/a/documents")["text"].to_pylist()
    assert [r == "rare" for r in reasons] == [every[t[0]] < 350 for t in texts]
    assert {"rare", None} == set(reasons)


def test_what_it_fails_on_is_a_dead_letter(tmp_path: Path) -> None:
    assert run(tmp_path, [*TEXTS, "fail"]) == ""
    found = columns(tmp_path)
    assert found["fail"] is None and all(found[text] is not None for text in TEXTS)
    dead = pq.read_table(tmp_path / "runs/a/dead/letters").to_pylist()
    assert [(d["reason"], d["detail"]) for d in dead] == [("not measured", "ValueError: fails")]


def test_what_says_nothing_is_said(tmp_path: Path) -> None:
    said = run(tmp_path, ["a"])
    assert "[measure] letters: hardly a letter" in said


def test_only_what_is_stale_is_counted(tmp_path: Path) -> None:
    assert run(tmp_path, TEXTS) == ""
    recipe = tmp_path / "a.toml"
    recipe.write_text(recipe.read_text() + '\n[rules]\nrare = "common < 300"')
    done = here("run", "a.toml", cwd=tmp_path)
    assert begun(done.stdout) == ["rules", "decide", "publish"]
    (tmp_path / "target.txt").write_text("zzz")
    recipe.write_text(recipe.read_text().replace('Letters"', 'Letters", sample = ["target.txt"]'))
    done = here("run", "a.toml", cwd=tmp_path)
    steps = begun(done.stdout)
    assert steps[:3] == ["fit", "count", "score"] and "scan" not in steps
