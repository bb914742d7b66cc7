"""What is forgotten is nowhere in a run, nothing else is changed, and it does not come back."""

import gzip
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from pipelines.readers import warc
from pipelines.runs import Part, Run, Table, refusals
from tests.helpers.archives import http, member, metadata, request, response
from tests.helpers.command import did, files, here, leftovers, refused, shards, well
from tests.helpers.making import PROSE

pytestmark = pytest.mark.slow


HOST, RARE = "gone.example.org", "quixotryl"
GONE = f"http://{HOST}/page"
WORDS = PROSE.split()


def text(number: int, words: int = 90) -> str:
    """Prose of its own, by a number."""
    turns = (number * 7 + i * i for i in range(words))
    return " ".join(WORDS[n % len(WORDS)] + f"{number}" * (i % 3 == 0) for i, n in enumerate(turns))


PAGES = {
    GONE: f"{RARE} stands here alone. {text(0)} {text(50)}",
    f"http://{HOST}/other": f"Another {RARE} of it. {text(1)} {text(50)}",
    f"http://www.{HOST}/page": f"Not that host. {text(2)} {text(50)}",
    "http://copy.test/page": f"Copied: {text(0)} {text(50)}",
    **{f"http://s{n}.test/{n}": f"Page {n}. {text(n)} {text(50)}" for n in range(3, 30)},
}
"""All of them repeat a passage; one is like the first."""

RECIPE = """\
name = "a"
seed = 1
limit = { dead = "90 %" }
[[source]]
kind = "warc"
paths = ["pages.warc.gz"]
[[source]]
kind = "jsonl"
paths = ["rows.jsonl"]
[edits]
repeated_passages = { words = 30 }
[rules]
short = "words < 5"
broken = "own > 0 and false"
[measure]
"faulty:Own" = {}
[dedup]
[publish]
splits = { train = 0.8, test = 0.2 }
shard = "10 kB"
"""
FAULTY = """\
from dataclasses import dataclass
import pyarrow as pa

@dataclass(frozen=True)
class Own:
    needs = ("text",)
    columns = pa.schema([("own", pa.int32())])

    def measure(self, batch):
        for text in batch["text"].to_pylist():
            if "Another" in text:
                raise ValueError(text)
        return pa.record_batch([pa.array([1] * len(batch), pa.int32())], schema=self.columns)
"""


def archive() -> bytes:
    broken = http(b"9\r\nab", "text/html", "Transfer-Encoding: chunked")
    fields = {"WARC-Target-URI": f"http://{HOST}/broken", "Content-Type": "application/http"}
    members = [member(900, "response", fields, broken)]
    for number, (url, body) in enumerate(PAGES.items()):
        page = f"<html><title>{body[:20]}</title><p>{body}</p></html>"
        members += [response(number, url, page), request(300 + number, url, number)]
        members.append(metadata(600 + number, number, f"about: {body[:9]}"))
    return b"".join(members)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with sources, a recipe, and the run of it, whose WARC files are those it read."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "pages.warc.gz").write_bytes(archive())
    rows = [
        {"text": f"Row {n} {text(n + 60)}", "id": f"key {n}", "note": "of a row"} for n in range(9)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "faulty.py").write_text(FAULTY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        well("run", "recipe.toml", cwd=folder)
        crawled(folder / "runs/a", folder / "pages.warc.gz")
        yield folder


def crawled(run: str | Path, *archives: Path) -> None:
    """Have a run hold WARC files of its own, as a crawl leaves them."""
    opened, parts = Run(run), []
    for path in archives:
        body = path.read_bytes()
        opened.folder.write(f"warc/{path.name}", body)
        digest = hashlib.sha256(body).hexdigest()
        count = gzip.decompress(body).count(b"WARC/1.1\r\n")
        parts.append(Part(path.name, count, len(body), digest))
    opened.manifest.tables["warc"] = Table("crawled", tuple(parts))
    opened.save()


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to be changed."""
    monkeypatch.setattr(secrets, "token_bytes", lambda size: b"s" * size)
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made"


def forget(folder: Path, *arguments: str | Path, run: str = "runs/a") -> str:
    return well("forget", run, *arguments, cwd=folder)


def unable(folder: Path, *arguments: str | Path, run: str = "runs/a") -> str:
    return refused("forget", run, *arguments, cwd=folder, code=1)


def again(folder: Path, *arguments: str | Path, recipe: str = "recipe.toml") -> list[str]:
    """The steps that running the recipe does."""
    return did("run", recipe, *arguments, cwd=folder)


def shown(path: Path) -> bytes:
    """A file, and what it holds when it is unpacked."""
    body = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        body += repr((table.schema.metadata, table.to_pylist())).encode()
    elif path.suffix == ".arrow":
        body += repr(pa.ipc.open_stream(body).read_all().to_pylist()).encode()
    elif path.suffix == ".gz":
        body += gzip.decompress(body)
    return body + str(path).encode()


def naming(run: Path, *words: str) -> list[str]:
    """The files of a run in which one of the words stands."""
    found = [p for p in sorted(run.rglob("*")) if p.is_file()]
    return [str(p.relative_to(run)) for p in found if any(w.encode() in shown(p) for w in words)]


def tables(run: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but those of WARC files."""
    sealed = json.loads((run / "manifest.json").read_text())["tables"]
    return {
        name: [
            row
            for part in table["parts"]
            if part["name"].endswith(".parquet")
            for row in pq.read_table(Path(table["at"] or run) / name / part["name"]).to_pylist()
        ]
        for name, table in sealed.items()
    }


def sealed_as_they_are(run: Path) -> bool:
    """Whether every file that the manifest names has the size and checksum that it says."""
    value = json.loads((run / "manifest.json").read_text())
    return all(
        hashlib.sha256((run / name / part["name"]).read_bytes()).hexdigest() == part["sha256"]
        and (run / name / part["name"]).stat().st_size == part["size"]
        for name, table in value["tables"].items()
        for part in table["parts"]
    )


def test_the_run_holds_it_in_every_place_before(made: Path) -> None:
    tops = {name.partition("/")[0] for name in naming(made / "runs/a", RARE, HOST)}
    assert tops == {"warc", "documents", "columns", "dead", "dataset"}
    assert any(row["source"] == "pages.warc.gz" for row in tables(made / "runs/a")["documents"])
    assert {"again/documents/edits", "check/pairs"} <= tables(made / "runs/a").keys()


def test_nothing_of_it_is_left_and_all_else_is(folder: Path) -> None:
    run = folder / "runs/a"
    (run / "report.html").write_text(f"<p>{RARE}")
    (run / "dataset/report").mkdir()
    (run / "dataset/report/index.html").write_text(f"<p>{RARE}")
    (run / "dataset/data/documents/train-00007-of-00009.arrow").write_bytes(RARE.encode())
    before = tables(run)
    ids = {r["id"] for r in before["documents"] if (r["url"] or "").startswith(f"http://{HOST}/")}
    assert len(ids) == 2
    said = forget(folder, HOST, "--reason", "asked by mail")
    assert "2  documents" in said and "7  WARC records" in said
    assert naming(run, RARE, f"http://{HOST}", "Another") == []
    after = tables(run)
    assert before.keys() == after.keys()
    rows = [n for n, row in enumerate(before["documents"]) if row["id"] in ids]
    for name in before:
        if name.startswith(("documents", "columns/", "decisions/")):
            assert len(before[name]) == len(after[name])
            for n, (one, two) in enumerate(zip(before[name], after[name], strict=True)):
                assert one == two or n in rows, name
    decided = [r["reason"] for r in after["decisions/documents"] if r["id"] in ids]
    assert decided == ["forgotten"] * 2
    for name, row in ((t, rows[0]) for t in after if t.startswith("columns/")):
        if name != "columns/documents/split":
            values = {v for k, v in after[name][row].items() if k != "reason"}
            assert values in ({None}, set(), {False}), name
    emptied = after["documents"][rows[0]]
    kept = {name for name, value in emptied.items() if value not in (None, "")}
    assert kept == {"id", "offset", "length"}
    assert not any({pair["probe"], pair["other"]} & ids for pair in after["check/pairs"])
    assert sealed_as_they_are(run) and leftovers(run) == {refusals.FILE}
    assert (folder / "pages.warc.gz").read_bytes() == archive()


def test_rows_that_were_measured_again_go_too(folder: Path) -> None:
    run = folder / "runs/a"
    before = tables(run)
    changed = {row["row"] for row in before["again/documents/edits"]}
    url = before["documents"][min(changed)]["url"]
    forget(folder, url)
    after = tables(run)
    assert {row["row"] for row in after["again/documents/edits"]} == changed - {min(changed)}
    for name in (n for n in before if n.startswith("again/")):
        assert after[name] == [row for row in before[name] if row["row"] != min(changed)]
    assert here("explain", run, "http://s9.test/9", cwd=folder).returncode == 0
    assert here("view", run, cwd=folder).returncode == 0


def test_the_dataset_says_what_it_holds(folder: Path) -> None:
    run = folder / "runs/a"
    before = load(run)
    gone = [row["id"] for row in before if row["url"] and row["url"].split("/")[2] == HOST]
    assert gone
    forget(folder, HOST)
    assert load(run) == [row for row in before if row["id"] not in gone]
    manifest = json.loads((run / "dataset/manifest.json").read_text())
    assert manifest["documents"] == len(before) - len(gone)
    assert manifest["tokens"] == sum(row["tokens"] for row in load(run))
    for shard in manifest["shards"]:
        body = (run / "dataset" / shard["path"]).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (shard["bytes"], shard["sha256"])
        assert pa.ipc.open_stream(body).read_all().num_rows == shard["rows"]
    card = (run / "dataset/README.md").read_text()
    assert "| -2 | `forgotten` |" in card and f"| {manifest['documents']} | kept |" in card


def load(run: Path) -> list[dict[str, Any]]:
    """All rows as a trainer reads them."""
    cache = run.parent / f"cache-{len(list(run.parent.iterdir()))}"
    data = load_dataset(str(run / "dataset"), cache_dir=str(cache))
    return [row for split in sorted(data) for row in data[split]]


def test_what_is_counted_is_what_a_run_would_count(folder: Path) -> None:
    """Deciding anew counts the same, so nothing was added or taken twice."""
    run = folder / "runs/a"
    forget(folder, HOST)
    steps = json.loads((run / "manifest.json").read_text())["steps"]
    shutil.rmtree(run / "decisions")
    shutil.rmtree(run / "columns/documents/rules")
    published = [row for path in shards(run) for row in read_shard(path)]
    shutil.rmtree(run / "dataset")
    assert again(folder) == ["rules", "decide", "publish"]
    assert [row for path in shards(run) for row in read_shard(path)] == published
    anew = json.loads((run / "manifest.json").read_text())["steps"]
    for name in ("rules", "decide", "publish"):
        ours, theirs = (
            {k: n for k, n in s[name]["counts"].items() if n and k != "bytes"}
            for s in (steps, anew)
        )
        assert ours == theirs, name


def read_shard(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.ipc.open_stream(path.read_bytes()).read_all().to_pylist()
    return rows


def test_offsets_of_the_others_hold(folder: Path) -> None:
    run = folder / "runs/a"
    rows = [r for r in tables(run)["documents"] if r["source"] == "pages.warc.gz"]
    forget(folder, GONE)
    with (run / "warc/pages.warc.gz").open("rb") as file:
        for row in rows:
            found = warc.page_at(file, row["offset"], row["length"])
            assert (found is None) == (row["url"] == GONE)
            assert found is None or row["text"][:30].encode() in found[0]


def test_the_next_run_does_nothing_and_later_ones_do_not_bring_it_back(folder: Path) -> None:
    run = folder / "runs/a"
    forget(folder, HOST, "key 3")
    dataset = files(run / "dataset")
    assert again(folder) == [] and files(run / "dataset") == dataset
    looser = RECIPE.replace("words = 30", "words = 20")
    for line in ('short = "words < 5"\n', 'broken = "own > 0 and false"\n', "[dedup]\n"):
        looser = looser.replace(line, "")
    (folder / "recipe.toml").write_text(looser)
    assert "rules" in again(folder)
    assert naming(run, RARE, f"http://{HOST}", "key 3", text(63)) == []
    decided = [r["reason"] for r in tables(run)["decisions/documents"]]
    assert decided.count("forgotten") == 3 and sum(r is None for r in decided) > 20
    with (folder / "rows.jsonl").open("a") as file:
        file.write(json.dumps({"text": text(99), "id": "new"}) + "\n")
    assert again(folder)[0] == "ingest"
    assert naming(run, RARE, f"http://{HOST}", "key 3", text(63)) == []
    ingested = json.loads((run / "manifest.json").read_text())["steps"]["ingest"]["counts"]
    assert ingested["skipped: forgotten"] == 3
    assert len(tables(run)["documents"]) == len(PAGES) + 9 + 1 - 3


def test_a_run_that_took_its_documents_from_another(folder: Path) -> None:
    (folder / "b.toml").write_text(RECIPE.replace('name = "a"', 'name = "b"'))
    again(folder, "--from", "runs/a", recipe="b.toml")
    said = unable(folder, HOST, run="runs/b")
    assert f"karez forget {folder / 'runs/a'} {HOST}" in said and "--from" in said
    assert naming(folder / "runs/b", RARE)
    forget(folder, HOST)
    assert again(folder, "--from", "runs/a", recipe="b.toml")
    assert naming(folder / "runs/b", RARE, f"http://{HOST}") == []
    decided = [r["reason"] for r in tables(folder / "runs/b")["decisions/documents"]]
    assert decided.count("forgotten") == 2


class Killed(BaseException):
    """Nobody catches it."""


def killed(run: Run) -> None:
    raise Killed


def test_cut_off_at_any_moment_it_is_finished_by_the_same_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, whole = folder / "runs/a", folder / "whole"
    shutil.copytree(run, whole)
    calls = moments(folder, "whole", monkeypatch)
    tops = [path.partition("/")[0] for path in calls]
    assert {"warc", "documents", "dataset", "forgotten", "manifest.json"} <= set(tops)
    late = tops.index("manifest.json")
    for moment in sorted({*range(0, len(calls), 4), tops.index("dataset") + 1, late, late + 1}):
        cut = folder / f"cut-{moment}"
        shutil.copytree(run, cut)
        with pytest.raises(Killed):
            moments(folder, cut.name, monkeypatch, moment)
        sealed = json.loads((cut / "manifest.json").read_text())["tables"]
        named = {f"{t}/{part['name']}" for t, table in sealed.items() for part in table["parts"]}
        assert named <= files(cut).keys(), moment
        for top in ("warc", "documents", "dataset", "forgotten"):
            (cut / top).mkdir(exist_ok=True)
            (cut / top / ".x.0.part").write_text(RARE)  # half a file, as a kill leaves it
        forget(folder, HOST, run=cut.name)
        assert same(files(cut), files(whole)), moment
    assert naming(whole, RARE, f"http://{HOST}") == []


def moments(
    folder: Path, run: str, monkeypatch: pytest.MonkeyPatch, killed_at: int | None = None
) -> list[str]:
    """The files to which forgetting gives a name, or which it deletes; it may end before that."""
    calls, replace = list[str](), Path.replace

    def watched(call: Any) -> Any:
        def counted(path: Path, *arguments: Any, **options: Any) -> Any:
            if killed_at is not None and len(calls) >= killed_at:
                raise Killed  # at every later call too: nothing is tidied up
            target = Path(*arguments) if call is replace else path
            calls.append(str(target.relative_to(folder / run)))
            return call(path, *arguments, **options)

        return counted

    with monkeypatch.context() as patch:
        for call in (replace, Path.unlink):
            patch.setattr(Path, call.__name__, watched(call))
        forget(folder, HOST, run=run)
    return calls


def same(one: dict[str, bytes], other: dict[str, bytes]) -> bool:
    """Files alike, but for the date of the refusal."""
    return {**one, refusals.FILE: b""} == {**other, refusals.FILE: b""}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gone.example.or", f"did you mean {HOST}?"),
        (f"{GONE}s", f"did you mean {GONE}?"),
        ("key 33", "did you mean key 3?"),
        ("*.nowhere.test", "nothing of it is here; refused from now on"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(name: str, near: str, folder: Path) -> None:
    before = files(folder / "runs/a")
    done = here("forget", "runs/a", name, cwd=folder)
    assert done.returncode == 1 and done.stderr.startswith("karez: nothing was found")
    assert f"{name}: nothing of it is here" in done.stdout and near in done.stdout
    after = files(folder / "runs/a")
    assert {n for n in before if before[n] != after[n]} <= {"manifest.json"}
    forget(folder, name)  # it is refused already, so there is nothing to be told
    said = forget(folder, name, "key 4", "no such key", "--json")
    assert list(json.loads(said)["not_found"]) == ["no such key"]


def test_a_file_is_known_by_its_path_unless_another_has_its_key(tmp_path: Path) -> None:
    for number, name in enumerate(("one/a.txt", "one/b.txt", "two/b.txt", "two/of/c.txt")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text(number))
    recipe = 'name = "a"\n[[source]]\nkind = "text"\npaths = ["one", "./two"]\n'
    (tmp_path / "recipe.toml").write_text(recipe)
    again(tmp_path)
    told = json.loads(forget(tmp_path, "./one/a.txt", tmp_path / "two/of/c.txt", "--json"))
    assert (told["removed"]["documents"], told["not_found"]) == (2, {})
    assert (
        forget(tmp_path, "./one/a.txt")
        == "runs/a: all of it was forgotten before, and stays refused\n"
    )
    done = here("forget", "runs/a", "./two/b.txt", "./elsewhere", cwd=tmp_path)
    assert done.returncode == 1 and "; did you mean b.txt?" in done.stdout
    assert "; a source key of this run is such as b.txt" in done.stdout


def test_a_file_that_stands_elsewhere_is_not_called_forgotten(folder: Path) -> None:
    part = next((folder / "runs/a/documents").iterdir())
    part.rename(folder / "elsewhere.parquet")
    part.symlink_to(folder / "elsewhere.parquet")
    before = files(folder / "runs/a")
    assert f"{part}: is a link, and what it leads to would stay" in unable(folder, HOST)
    assert {**files(folder / "runs/a"), "lock": b""} == {**before, "lock": b""}


def test_names_in_a_file_and_figures_for_programs(folder: Path) -> None:
    (folder / "list.txt").write_text(f"{GONE}\n\n  key 3 \n")
    dry = json.loads(forget(folder, "key 4", "--file", "list.txt", "--json", "--dry-run"))
    wet = json.loads(forget(folder, "key 4", "--file", "list.txt", "--json"))
    removed = wet["removed"]
    assert removed["documents"] == removed["decisions"] == 3 and removed["records"] == 3
    assert {k: n for k, n in removed.items() if dry["removed"][k]} == {
        k: n for k, n in dry["removed"].items() if n
    }
    yours = {str(folder / "pages.warc.gz"): 1, str(folder / "rows.jsonl"): 2}
    assert wet["sources"] == dry["sources"] == yours
    assert wet["similar"] == ["http://copy.test/page"] == dry["similar"]
    assert (wet["models"], wet["unknown"], wet["not_found"]) == ([], [], {})


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    before = files(folder / "runs/a")
    said = forget(folder, HOST, "--dry-run")
    assert "would be removed from runs/a" in said and "2  documents" in said
    assert files(folder / "runs/a") == before
    done = here("forget", "runs/a", "x.y", "--dry-run", cwd=folder)
    assert "nothing of it is here" in done.stdout


def test_what_is_wrong_is_said_in_one_line(folder: Path) -> None:
    for arguments, said in (
        (["runs/a"], "name what is to be forgotten"),
        (["runs/a", " "], "names nothing"),
        (["runs", HOST], "is no run folder"),
        (["runs/a", "--file", "no.txt"], "no.txt: cannot be read"),
    ):
        line = refused("forget", *arguments, cwd=folder)
        assert said in line and line.startswith("karez: ")
    shard = shards(folder / "runs/a")[0]
    shard.write_bytes(shard.read_bytes()[:-8])  # its end mark: it reads as a whole one
    assert "dataset is missing or cut; run it again" in unable(folder, HOST)
    shard.unlink()
    assert again(folder) == ["publish"]
    (folder / "runs/a/warc/pages.warc.gz").write_bytes(archive()[:-9])
    assert "restore the file from a copy" in unable(folder, HOST)
    next((folder / "runs/a/columns/documents/quality").iterdir()).unlink()
    assert "quality is missing or cut; run it again" in unable(folder, HOST)
    assert not (folder / "runs/a/forgotten").exists()
    assert "scan" in again(folder)


def test_a_run_of_an_earlier_version_is_to_be_run_again_first(folder: Path) -> None:
    run = Run(folder / "runs/a")
    part = run.table("documents").parts[0]
    path = folder / "runs/a/documents" / part.name
    pq.write_table(pq.read_table(path).drop_columns(["title"]), path)
    now = replace(part, size=path.stat().st_size)
    documents = replace(run.table("documents"), parts=(now, *run.table("documents").parts[1:]))
    run.manifest.tables["documents"] = documents
    run.save()
    assert "run its recipe again first" in unable(folder, HOST)
    assert not (folder / "runs/a/forgotten").exists()


def test_tables_that_are_not_known_are_named(folder: Path) -> None:
    run = Run(folder / "runs/a")
    run.manifest.tables["columns/pairs/clip"] = Table("x", ())
    run.save()
    assert "columns/pairs/clip: not looked at" in forget(folder, HOST)


def test_models_that_learned_from_it_are_named(folder: Path) -> None:
    samples = [{"text": each} for each in [*map(text, range(100, 120)), PAGES[GONE]]]
    (folder / "sample.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
    learns = '[measure]\nodd = { is = "perplexity", sample = ["sample.jsonl"] }\n'
    recipe = RECIPE.replace("[measure]\n", learns).replace("words < 5", "odd < 0")
    (folder / "recipe.toml").write_text(recipe)
    again(folder)
    assert "models/odd: learned from it" in forget(folder, HOST)
    assert "models/odd" not in forget(folder, "key 3")


def test_earlier_runs_that_forgot_are_compared_with(folder: Path) -> None:
    forget(folder, HOST)
    recipe = RECIPE.replace('name = "a"', 'name = "b"')
    against = recipe.replace("[dedup]", '[dedup]\nagainst = ["runs/a"]')
    (folder / "b.toml").write_text(against)
    assert "dedup" in again(folder, recipe="b.toml")
    row = well("explain", "runs/b", f"http://{HOST}/other", "--json", cwd=folder)
    assert json.loads(row)["decision"]["kept"]


def test_a_run_goes_not_on_where_forgetting_was_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Run, "save", killed)
        forget(folder, HOST)
    shard = shards(folder / "runs/a")[0]
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-8])
    assert "is damaged; delete it" in unable(folder)
    shard.write_bytes(whole)
    line = refused("run", "recipe.toml", cwd=folder, code=1)
    assert f"karez forget {folder / 'runs/a'} finishes it" in line
    forget(folder)
    assert naming(folder / "runs/a", RARE, f"http://{HOST}") == [] and again(folder) == []
