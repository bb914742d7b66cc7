"""What is bad in what a run reads: a dead letter, and nothing else is lost."""

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.helpers import command
from tests.helpers.archives import http, record
from tests.helpers.begun import said
from tests.helpers.command import SAMPLE, here, shards, well
from tests.helpers.corpora import GOOD

pytestmark = pytest.mark.slow


def response(url: str, body: bytes, *headers: str) -> bytes:
    """A WARC record of a page."""
    return record(url, http(body, "text/html", *headers))


def packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


PAGE = b"<html><body><p>" + b"A page that is good enough to be read. " * 9 + b"</p></body></html>"
DEEP = '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"
BOMB = gzip.compress(b'{"text": "' + b"0" * 100_000_000 + b'"}\n', compresslevel=9, mtime=0)
BAD: dict[str, bytes] = {
    "good.jsonl": GOOD.encode(),
    "empty.jsonl": b"",
    "nothing.jsonl.gz": b"",
    "lines.jsonl": b"\n".join(
        [
            b'{"text": "", "id": "empty document"}',
            b'{"id": "no text"}',
            b'{"text": 3}',
            b'{"text": ["a", "b"]}',
            b'{"text": "nul \\u0000 byte", "id": "nul"}',
            b'{"text": "raw \x00 nul"}',
            b'{"text": "lone \\ud800 surrogate"}',
            b'{"text": "not \xff\xfe UTF-8"}',
            b"[1, 2]",
            DEEP.encode(),
            b'{"text": "esc \\u001b[31m \\u009b31m red", "id": "esc", "url": "x\\u001b]0;owned"}',
            b'{"text": "the last line has no newline", "id": "last"}',
        ]
    ),
    "truncated.jsonl.gz": packed(GOOD)[:-12],
    "flipped.jsonl.gz": packed(GOOD) + flipped(packed(GOOD), len(packed(GOOD)) // 2) + packed(GOOD),
    "bomb.jsonl.gz": BOMB,
    "bytes.html": b"<p>" + bytes(range(256)) * 4,
    "nested.html": b"<div>" * 200_000,
    "pages.warc": b"".join(
        [
            response("http://x.org/good", PAGE),
            response("http://x.org/chunks", b"900\r\n" + PAGE, "Transfer-Encoding: chunked"),
            response(
                "http://x.org/bomb", gzip.compress(bytes(100_000_000)), "Content-Encoding: gzip"
            ),
            response("http://x.org/after", PAGE),
            response("http://x.org/length", PAGE).replace(b"Length: 4", b"Length: 3", 1),
            response("http://x.org/last", PAGE),
        ]
    ),
    "one/twin.jsonl": b'{"text": "first of one name", "id": "one"}\n',
    "two/twin.jsonl": b'{"text": "second of one name", "id": "two"}\n',
    "new\nline \x1b[31m ' \" [1] * é.jsonl": b'{"text": "an odd name", "id": "odd"}\n',
    "deep/" + "d" * 200 + "/" + "e" * 200 + "/" + "f" * 200 + ".jsonl": b'{"text": "long path"}\n',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it in one folder, with links that lead round in circles and to nowhere."""
    folder = tmp_path_factory.mktemp("bad") / "in [1]"
    for name, content in BAD.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    big = json.dumps({"text": "a" * 100_000_000, "id": "big"})
    (folder / "big.jsonl").write_text(big + "\n" + GOOD.replace("good", "well"))
    shutil.copy(SAMPLE / "cut.warc.gz", folder)
    raw = os.fsencode(folder) + b"/caf\xe9.jsonl"
    Path(os.fsdecode(raw)).write_bytes(b'{"text": "a name that is no UTF-8", "id": "latin"}\n')
    (folder / "one/loop").symlink_to(folder)
    (folder / "self.jsonl").symlink_to("self.jsonl")
    (folder / "nowhere.jsonl").symlink_to("/nowhere/at/all.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "what.\x1b[31mis this").write_bytes(b"?")
    return folder


Bad = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def bad(folder: Path) -> Bad:
    """What a run over the folder said, and its run folder."""
    done = said("run", folder.name, "--run", "run", cwd=folder.parent)
    return done, folder.parent / "run"


def tables(run: Path, name: str) -> list[dict[str, Any]]:
    return list(pq.read_table(run / name).to_pylist())


def test_too_much_that_cannot_be_read_fails_the_run(bad: Bad) -> None:
    done, run = bad
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "could not be read, the limit is 5.0%" in line
    assert str(run / "dead/ingest") in line
    assert "\x1b" not in done.stdout + done.stderr


DEAD = {
    "lines.jsonl": [
        *("no text", "text is a number", "text is a list"),
        *(*["not JSON"] * 3, "not an object", "not JSON"),
    ],
    "truncated.jsonl.gz": ["cut off"],
    "flipped.jsonl.gz": ["damaged"],
    "bomb.jsonl.gz": ["too large"],
    "big.jsonl": ["too large"],
    "nested.html": [],  # our extractor does not mind depth
    "cut.warc.gz": ["cut off"],
    "self.jsonl": ["cannot be opened"],
    "nowhere.jsonl": ["cannot be opened"],
}


@pytest.mark.parametrize("name", DEAD)
def test_what_cannot_be_read_is_a_dead_letter(name: str, bad: Bad) -> None:
    letters = [row for row in tables(bad[1], "dead/ingest") if row["source"] == name]
    assert [letter["reason"] for letter in letters] == DEAD[name]


def test_pages_that_cannot_be_read_are_dead_letters(bad: Bad) -> None:
    letters = [row for row in tables(bad[1], "dead/ingest") if row["source"] == "pages.warc"]
    assert [row["detail"].split()[0] for row in letters][:2] == [
        "http://x.org/chunks",
        "http://x.org/bomb",
    ]
    keys = {row["source_key"] for row in tables(bad[1], "documents")}
    assert {"http://x.org/good", "http://x.org/after", "http://x.org/last"} <= keys


def test_nothing_else_is_lost(bad: Bad) -> None:
    documents = tables(bad[1], "documents")
    keys = [row["source_key"] for row in documents]
    assert {"empty document", "nul", "esc", "last", "one", "two", "odd", "latin"} <= set(keys)
    assert keys.count("good 1") == 3  # its own file's, before a cut, and before a flipped bit
    assert keys.count("well 1") == 1  # behind the document of 100 MB
    named = {row["source"] for row in documents}
    assert {"caf\\xe9.jsonl", "one/twin.jsonl", "two/twin.jsonl"} <= named
    assert "long path" in [row["text"] for row in documents]
    assert not [row for row in documents if "loop" in row["source"]]


def test_the_run_goes_on_once_the_limit_is_raised(bad: Bad, folder: Path) -> None:
    _, run = bad
    recipe = (run / "recipe.toml").read_text().replace('dead = "5 %"', 'dead = "100 %"')
    (folder.parent / "raised.toml").write_text(recipe.replace('base = ".."', 'base = "."'))
    done = here("run", "raised.toml", "--run", "run", "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["documents"] == told["kept"] + sum(told["dropped"].values())
    assert shards(run)
    for key, env in [("esc", {}), ("latin", {"PYTHONIOENCODING": "ascii", "COLUMNS": "20"})]:
        shown = well("explain", run, key, cwd=folder.parent, by=said, env=env)
        assert not set(shown) & {"\x1b", "\x9b", "\x07", "\x00"}
    command.refused("explain", run, "no such", cwd=folder.parent, code=1)
