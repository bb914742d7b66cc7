"""What the world and its users do to a run: a message, an exit code or a dead letter."""

import errno
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.errors import RunError
from pipelines.runs import Run
from tests.helpers import command, needs
from tests.helpers.archives import http, record
from tests.helpers.begun import SLOW, begin, family, ran, said, wait_for
from tests.helpers.command import ROOT, SAMPLE, files, here, shards, well

pytestmark = pytest.mark.slow

RECIPE = 'name = "bad"\n[[source]]\nkind = "jsonl"\npaths = ["good.jsonl"]\n'
GOOD = "".join(
    json.dumps({"text": f"{'good words ' * 9}{n}", "id": f"good {n}"}) + "\n" for n in range(9)
)


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


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with good rows and a recipe over them."""
    (tmp_path / "good.jsonl").write_text(GOOD)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def refused(*arguments: str | Path, code: int = 2, **options: Any) -> str:
    """The one line that a run says which is refused."""
    return command.refused("run", *arguments, code=code, by=said, **options).rstrip("\n")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("words <", "no rule|syntax|Parser"),
        ("wrods < 3", "did you mean words"),
        ("words < (SELECT count(*) FROM 'good.jsonl')", "rule"),
        ("text = read_text('good.jsonl')", "rule"),
        ("words + 1", "no truth value"),
    ],
)
def test_a_rule_that_is_wrong_is_refused_before_anything_is_read(
    rule: str, message: str, place: Path
) -> None:
    (place / "wrong.toml").write_text(RECIPE + f"[rules]\nx = {json.dumps(rule)}\n")
    line = command.refused("run", "wrong.toml", "--run", "run", cwd=place)
    assert re.search(message, line) and "[rules] x" in line
    assert not (place / "run").exists()


def test_what_is_said_wrongly_is_refused_and_nothing_is_made(place: Path) -> None:
    (place / "typo.toml").write_text(RECIPE + "[publsh]\n")
    (place / "gone.toml").write_text(RECIPE.replace("good.jsonl", "gone.jsonl"))
    (place / "up.toml").write_text(RECIPE.replace('"bad"', '".."'))
    (place / "data.xyz").write_text("?")
    (place / "none").mkdir()
    (place / "file").write_text("")
    before = files(place)
    for arguments, message in {
        ("typo.toml",): "did you mean publish",
        ("gone.toml",): "gone.jsonl: no such file",
        ("up.toml",): "name '..'",
        ("nothing here",): "no such file or folder",
        ("data.xyz",): "cannot tell what it is",
        ("none",): "holds no file that can be read",
        ("recipe.toml", "--only", "nonsense"): "no such step",
        ("recipe.toml", "--from", "none"): "no run folder",
        ("recipe.toml", "--run", "file"): "is a file",
        ("recipe.toml", "--workers", "0"): "0 is not in the range",
        ("a" * 300 + ".jsonl",): "File name too long",
    }.items():
        done = here("run", *arguments, cwd=place)
        assert message in done.stderr and done.returncode in (1, 2), (arguments, done.stderr)
        assert files(place) == before, arguments
    assert not (place / "runs").exists()


def test_an_empty_corpus_says_so(place: Path) -> None:
    (place / "good.jsonl").write_text("\n")
    assert "nothing to read: no document" in refused("recipe.toml", cwd=place, code=1)
    command.refused("explain", "runs/bad", "x", cwd=place, code=1)


def test_a_rule_that_fails_on_some_row_is_named(place: Path) -> None:
    rule = '[rules]\nodd = "cast(source_key as int) > 3"\n'
    (place / "recipe.toml").write_text(RECIPE + rule)
    line = refused("recipe.toml", "--workers", "2", cwd=place, code=1)
    assert "[rules]" in line and "good" in line
    (place / "recipe.toml").write_text(RECIPE + rule.replace("cast", "try_cast"))
    done = said("run", "recipe.toml", cwd=place)
    assert (done.returncode, "odd: no value" in done.stdout) == (0, True)
    assert "Nothing was kept" in done.stdout


def slow(place: Path, code: str = SLOW) -> None:
    """Have the recipe ask for a measure that takes its time."""
    (place / "slow.py").write_text(code)
    (place / "recipe.toml").write_text(RECIPE + '[measure]\n"slow:Slow" = {}\n')


def test_a_measure_that_fails_counts_while_it_is_wanted(place: Path) -> None:
    slow(place, SLOW.replace("time.sleep(", "raise ValueError("))
    assert 'dead = "100 %"' in refused("recipe.toml", cwd=place, code=1)
    (place / "recipe.toml").write_text(RECIPE)
    well("run", "recipe.toml", cwd=place)


def test_a_manifest_that_is_none_of_ours(place: Path) -> None:
    (place / "run").mkdir()
    for content, message in {
        "{": "is no JSON",
        "[]": "is no manifest of a run",
        '{"name": "an extension"}': "is no manifest of a run",
        '{"format": 1}': "is damaged",
        '{"format": 2}': "format 2, this version reads 1",
        "\xff": "is no JSON",
    }.items():
        (place / "run/manifest.json").write_text(content, "latin-1")
        with pytest.raises(RunError, match=message):
            Run(place / "run")
    refused("recipe.toml", "--run", "run", cwd=place, code=1)
    assert [p.name for p in (place / "run").iterdir()] == ["manifest.json"]


def test_a_folder_with_files_of_its_own_is_no_run_folder(place: Path) -> None:
    (place / "own/documents").mkdir(parents=True)
    (place / "own/documents/thesis.txt").write_text("years of work")
    before = files(place)
    assert "holds documents" in refused("recipe.toml", "--run", "own", cwd=place)
    assert "holds good.jsonl" in refused("good.jsonl", "--run", ".", cwd=place)
    assert files(place) == before


def test_what_a_run_made_is_not_read_by_the_next(place: Path) -> None:
    for _ in range(2):
        done = here("run", ".", "--json", cwd=place)
        assert (done.returncode, json.loads(done.stdout)["documents"]) == (0, 9), done.stderr
        (place / "recipe.toml").unlink(missing_ok=True)


def test_the_second_command_is_told_who_holds_the_folder(place: Path) -> None:
    slow(place)
    with begin("run", "recipe.toml", cwd=place, env={"SLOW": "60"}) as begun:
        assert wait_for(lambda: any((place / "runs/bad/work/scan").glob("*/plan.json")), begun)
        assert f"process {begun.pid} on " in refused("recipe.toml", cwd=place, code=1)


INTERRUPTED = "karez: interrupted; run it again and it goes on from here\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_ended_says_so_and_leaves_nothing_behind(
    number: signal.Signals, place: Path, tmp_path: Path
) -> None:
    slow(place)
    (tmp_path / "tmp").mkdir()
    env = {"SLOW": "60", "TMPDIR": str(tmp_path / "tmp")}
    with begin("run", "recipe.toml", "--workers", "2", cwd=place, env=env) as begun:
        assert wait_for(lambda: any((place / "runs/bad/work/scan").glob("*/plan.json")), begun)
        running = family(begun.pid)
        begun.send_signal(number)
        _, err = begun.communicate(timeout=30)
        assert (begun.returncode, err) == (1, INTERRUPTED)
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in running))
    assert files(tmp_path / "tmp") == {} and not [*(place / "runs/bad").rglob(".*")]


def powerless() -> list[str]:
    """What to write before a command so that permissions hold for it: root passes by them."""
    if os.geteuid() != 0:
        return []
    setpriv = needs.program("setpriv", "util-linux")
    return [setpriv, "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]


def test_what_may_not_be_read_or_written(place: Path) -> None:
    prefix, env = powerless(), {"HOME": "/dev/null"}
    (place / "in/secret").mkdir(parents=True)
    for name in ("in/a.jsonl", "in/secret/b.jsonl", "in/shut.jsonl"):
        (place / name).write_text(GOOD.replace("good", name))
    (place / "in/secret").chmod(0)
    (place / "in/shut.jsonl").chmod(0)
    done = said("run", "in", cwd=place, env=env, prefix=prefix)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    letters = tables(place / "runs/in", "dead/ingest")
    assert [(r["source"], r["reason"], r["detail"]) for r in letters] == [
        ("secret", "cannot be opened", "Permission denied"),
        ("shut.jsonl", "cannot be opened", "Permission denied"),
    ]
    place.chmod(0o555)  # where the run folder would be made
    line = refused("recipe.toml", "--run", "run", cwd=place, code=1, env=env, prefix=prefix)
    assert line == f"karez: {place / 'run'}: {os.strerror(errno.EACCES)}"
    place.chmod(0o755)
    (place / "in/secret").chmod(0o755)


def grow(path: Path) -> None:
    """Have a file hold 360 kB of rows that do not pack well."""
    rows = [{"text": os.urandom(3000).hex(), "id": n} for n in range(60)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_full_disk_and_one_that_is_read_only(place: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    grow(place / "good.jsonl")
    mount = ["mount", "-t", "tmpfs", "-o", "size=250k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        needs.missing(f"only root can mount a small disk: sudo {sys.executable} -m pytest -k disk")
    try:
        line = refused("recipe.toml", "--run", disk / "run", cwd=place, code=1)
        assert os.strerror(errno.ENOSPC) in line
        subprocess.run(["mount", "-o", "remount,size=20M", str(disk)], check=True)
        well("run", "recipe.toml", "--run", disk / "run", cwd=place)
        assert not [name for name in files(disk / "run") if "/." in name or "work" in name]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        line = refused("recipe.toml", "--run", disk / "run", cwd=place, code=1)
        assert os.strerror(errno.EROFS) in line
        well("explain", disk / "run", "3", cwd=place)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


FULL = ("bash", "-c", '"$@" >/dev/full', "-")
FEW = ("bash", "-c", 'ulimit -v 1000000; exec "$@"', "-")  # in blocks of 1,024 bytes


def test_files_that_may_not_grow_and_a_terminal_that_takes_nothing(place: Path) -> None:
    grow(place / "good.jsonl")
    small = ("bash", "-c", 'ulimit -f 100; exec "$@"', "-")  # blocks of 1,024 bytes
    line = refused("recipe.toml", "--run", "run", cwd=place, code=1, prefix=small)
    assert os.strerror(errno.EFBIG) in line
    for run in ("run", "other"):
        well("run", "recipe.toml", "--run", run, cwd=place)
    assert files(place / "run/dataset") == files(place / "other/dataset")
    line = refused("recipe.toml", cwd=place, code=1, prefix=FULL)
    assert line == f"karez: the system says: {os.strerror(errno.ENOSPC)}"


@pytest.mark.parametrize(
    ("words", "prefix", "says"),
    [
        (("--help",), FULL, os.strerror(errno.ENOSPC)),
        (("explain", "run", "a"), FEW, "allows 1.0 GB of addresses (ulimit -v), 3.5 GB are needed"),
        (("plan", "recipe.toml"), FEW, "raise it, or limit memory by a control group"),
    ],
)
def test_what_would_end_without_a_word_is_said(
    words: tuple[str, ...], prefix: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    assert says in command.refused(*words, cwd=tmp_path, code=1, by=said, prefix=prefix)


MEMORY = """\
import os
import pyarrow as pa

MOST = int(os.environ.get("MOST", "9"))


def page(text):
    if not MOST:
        raise MemoryError
    return text


class Rows:
    needs = ("text",)
    columns = pa.schema([("rows", pa.int32())])

    def measure(self, batch):
        if batch.num_rows > MOST:
            raise pa.lib.ArrowMemoryError("malloc failed")
        return pa.record_batch([pa.array([1] * batch.num_rows, pa.int32())], schema=self.columns)
"""
"""An extractor and a measure that have memory for so many texts together."""


def test_where_memory_is_short_nothing_is_lost(place: Path) -> None:
    (place / "memory.py").write_text(MEMORY)
    (place / "page.html").write_bytes(PAGE)
    extract = RECIPE.replace("jsonl", "html", 1).replace("good.jsonl", "page.html")
    (place / "page.toml").write_text(extract + 'extract = "memory:page"\n')
    line = refused("page.toml", cwd=place, code=1, env={"MOST": "0"})
    assert line.startswith("karez: ingest: memory is short; run again with fewer --workers")
    (place / "recipe.toml").write_text(RECIPE + '[measure]\n"memory:Rows" = {}\n')
    line = refused("recipe.toml", "--run", "rows", cwd=place, code=1, env={"MOST": "0"})
    assert line.startswith("karez: scan: memory is short")
    well("run", "recipe.toml", "--run", "rows", cwd=place, by=said, env={"MOST": "2"})
    measured = tables(place / "rows", "columns/documents/memory.Rows")
    assert [row["rows"] for row in measured] == [1] * 9  # it was measured row by row
    well("run", "page.toml", cwd=place, by=said)


def test_terminals_that_show_little(place: Path) -> None:
    env = {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "40", "LC_ALL": "C", "PYTHONUTF8": "0"}
    told = well("run", "recipe.toml", cwd=place, by=said, env={**env, "PYTHONCOERCECLOCALE": "0"})
    assert max(map(len, told.splitlines())) <= max(40, len(str(place)) + 10)
    line = f"{sys.executable} -m pipelines run recipe.toml --run other | head -1"
    piped = ran("bash", "-c", line, cwd=place)
    assert (piped.returncode, piped.stdout.count("\n"), piped.stderr) == (0, 1, "")


def test_a_run_folder_that_was_moved(place: Path) -> None:
    well("run", "recipe.toml", cwd=place)
    (place / "far/away").mkdir(parents=True)
    (place / "runs/bad").rename(place / "far/away/moved")
    again = ("run", "recipe.toml", "--run", "far/away/moved")
    assert command.did(*again, cwd=place) == []
    os.utime(place / "good.jsonl", (4e9, 4e9))  # in the year 2096
    assert command.did(*again, cwd=place) != []


def test_a_user_without_a_home_and_a_recipe_with_a_mark(place: Path) -> None:
    (place / "recipe.toml").write_text("\ufeff" + RECIPE.replace("\n", "\r\n"))
    assert "did you mean" in refused("recipe.toml", "--only", "rule", cwd=place)
    if os.geteuid() != 0:
        needs.missing(f"only root can be nobody: sudo {sys.executable} -m pytest -k home")
    code = "from filters import kernels; import os; os.environ.pop('HOME', 0); "
    code += "os.setresuid(54321, 0, 0); print(kernels.folder())"
    done = ran(sys.executable, "-c", code, cwd=ROOT, env={"TMPDIR": str(place)})
    assert str(place) in done.stdout, done.stderr


def test_beam_is_asked_for_what_it_does_not_have(place: Path) -> None:
    done = said("run", "recipe.toml", "--", "--runner=Nonsense", cwd=place)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "Nonsense" in done.stderr
