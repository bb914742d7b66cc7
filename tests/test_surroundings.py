"""What surrounds a run: recipes, folders, disks, memory, terminals; one line that helps."""

import errno
import json
import os
import re
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
from tests.helpers.begun import SLOW, begin, family, ran, said, wait_for
from tests.helpers.command import ROOT, files, here, well
from tests.helpers.corpora import GOOD

pytestmark = pytest.mark.slow

RECIPE = 'name = "bad"\n[[source]]\nkind = "jsonl"\npaths = ["good.jsonl"]\n'


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
    letters = pq.read_table(place / "runs/in/dead/ingest").to_pylist()
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
    (place / "page.html").write_text(
        f"<html><body><p>{'A page to be read. ' * 20}</p></body></html>"
    )
    extract = RECIPE.replace("jsonl", "html", 1).replace("good.jsonl", "page.html")
    (place / "page.toml").write_text(extract + 'extract = "memory:page"\n')
    line = refused("page.toml", cwd=place, code=1, env={"MOST": "0"})
    assert line.startswith("karez: ingest: memory is short; run again with fewer --workers")
    (place / "recipe.toml").write_text(RECIPE + '[measure]\n"memory:Rows" = {}\n')
    line = refused("recipe.toml", "--run", "rows", cwd=place, code=1, env={"MOST": "0"})
    assert line.startswith("karez: scan: memory is short")
    well("run", "recipe.toml", "--run", "rows", cwd=place, by=said, env={"MOST": "2"})
    measured = pq.read_table(place / "rows/columns/documents/memory.Rows")
    assert measured["rows"].to_pylist() == [1] * 9  # it was measured row by row
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
