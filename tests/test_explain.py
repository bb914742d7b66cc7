"""What `explain` and an opened run say of the sample."""

import json
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from pipelines.commands import explain
from pipelines.errors import RecipeError, RunError
from pipelines.opened import Opened
from tests.helpers.archives import http, record
from tests.helpers.command import PLANTED, here, karez


def planted(kind: str) -> str:
    return next(str(p["url"]) for p in PLANTED if p["kind"] == kind)


def test_a_dropped_document_shows_the_rule_and_its_values(sample: Path) -> None:
    opened = Opened(sample)
    asked = "SELECT id FROM documents WHERE reason = 'unsure' ORDER BY id"
    (id_,), *_ = opened.sql(asked).fetchall()
    (address,) = explain.find(opened, id_[:8])
    value = explain.explained(opened, address)
    assert value["decision"]["reason"] == "unsure"
    (rule,) = [r for r in value["rules"] if r["rule"] == "unsure"]
    assert rule["drops"] is True
    assert rule["values"]["language_score"] < 0.5
    assert next(r["rule"] for r in value["rules"] if r["drops"]) == "unsure"


def test_edits_are_shown_with_what_they_took(sample: Path) -> None:
    done = karez("explain", sample, planted("repeated lines"), "--json")
    value = json.loads(done.stdout)
    assert {e["reason"] for e in value["edits"]} == {"repeated_lines"}
    raw, cut = value["document"]["text"], "".join(e["cut"] for e in value["edits"])
    assert len(value["edited_text"]) == len(raw) - len(cut)
    shown = karez("explain", sample, planted("repeated lines")).stdout
    assert f"edits: repeated_lines {len(value['edits'])}" in shown


def shown(value: dict[str, object], width: int) -> str:
    out = StringIO()
    explain.show(value, Console(file=out, width=width))
    return out.getvalue()


def test_a_narrow_terminal_cuts_nothing_off(sample: Path) -> None:
    value = explain.explained(Opened(sample), (0, 0))
    wide, narrow = (sorted("".join(shown(value, width).split())) for width in (9999, 40))
    assert value["rules"] and wide == narrow


def test_languages_are_shown_as_people_write(sample: Path) -> None:
    value = explain.explained(Opened(sample), (0, 0))
    some = [{"language": "en", "share": 0.98}, {"language": "fr", "share": 0.02}]
    value["columns"]["language"] = {"language": "en", "languages": some}
    assert "language   language en  languages en 0.98, fr 0.02\n" in shown(value, 80)


def test_a_page_that_was_fetched_twice_is_explained_twice(sample: Path) -> None:
    values = json.loads(karez("explain", sample, planted("captured twice"), "--json").stdout)
    assert len(values) == 2
    assert {v["decision"]["reason"] for v in values} == {None, "duplicate"}


def test_a_dead_letter_is_named_as_one(sample: Path) -> None:
    done = karez("explain", sample, planted("broken chunks"))
    assert done.returncode == 1
    assert "a dead letter, broken chunks" in done.stderr


@pytest.mark.parametrize("key", ["nothing", "", "05f6"])
def test_what_is_not_there(sample: Path, key: str) -> None:
    opened = Opened(sample)
    with pytest.raises(RunError, match="no document of that id") as error:
        explain.find(opened, key)
    assert explain.find(opened, str(error.value).rpartition("its first is ")[2])[0] == (0, 0)


def test_what_is_read_and_not_measured_is_explained_without_rules(tmp_path: Path) -> None:
    rows = ['{"id": "a", "text": "some words"}', "no row"]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    assert here("run", "a.jsonl", "--run", "run", cwd=tmp_path).returncode == 1
    done = here("explain", "run", "a", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert (value["rules"], value["document"]["text"]) == ([], "some words")
    assert "not decided yet" in here("explain", "run", "a", cwd=tmp_path).stdout


@pytest.mark.parametrize("command", ["run", "plan", "recipe"])
def test_a_run_folder_is_no_input(tmp_path: Path, command: str) -> None:
    for name in ("manifest.json", "recipe.toml", "a.txt"):
        (tmp_path / name).touch()
    done = karez(command, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "recipe.toml" in done.stderr and "Traceback" not in done.stderr


def test_a_run_is_asked_in_sql(sample: Path) -> None:
    opened = Opened(sample)
    reasons = dict(opened.sql("SELECT reason, count(*) FROM documents GROUP BY reason").fetchall())
    assert sum(reasons.values()) == opened.run.table("documents").rows
    ((longest,),) = opened.sql("SELECT max(strlen(text)) FROM documents").fetchall()
    assert longest > 10_000
    assert opened.sql("SELECT * FROM documents LIMIT 1").columns == list(opened.homes)
    assert opened.sql("SELECT count(*) FROM dead").fetchall() == [(opened.dead().num_rows,)]


def test_documents_come_with_columns_and_decisions(sample: Path) -> None:
    table = Opened(sample).arrow(["url", "words", "kept"])
    assert table.schema.types == [pa.string(), pa.int32(), pa.bool_()]
    assert "text" not in Opened(sample).arrow().column_names
    with pytest.raises(RecipeError, match="unknown column 'wrds'; did you mean words"):
        Opened(sample).arrow(["wrds"])


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    done = karez("explain", tmp_path, "x")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "has no documents" in done.stderr


def test_the_page_shows_what_was_cut_and_why(tmp_path: Path) -> None:
    prose = "The water comes down from the hills in a tunnel that people dug by hand. " * 6
    page = f"<title>T</title><nav><a href=/>Home &amp; more</a></nav><h1>Ä</h1><p>{prose}"
    page += f"<img src=i.png alt=Hill><p>{prose}<div id=comments>A reader's word."
    (tmp_path / "a.html").write_text(page, encoding="latin-1")
    (tmp_path / "b.warc").write_bytes(
        record("https://a.org/", http(page.encode("latin-1"), "text/html"))
    )
    sources = "".join(
        f'[[source]]\nkind = "{kind}"\npaths = ["{name}"]\nextract = "karez"\n'
        for kind, name in (("html", "a.html"), ("warc", "b.warc"))
    )
    (tmp_path / "a.toml").write_text(f'name = "a"\n{sources}')
    done = here("run", "a.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for key in ("a.html", "https://a.org/"):
        value = json.loads(here("explain", "runs/a", key, "--page", "--json", cwd=tmp_path).stdout)
        kept = [block["text"] for block in value["blocks"] if block["kept"]]
        assert "\n".join(kept) == value["document"]["text"]
        home = value["blocks"][0]
        assert page.encode()[home["start"] : home["end"]] == b"Home &amp; more"
        assert home["text"] == "Home & more" and not home["kept"] and 0 <= home["chance"] < 0.5
        assert all(block["chance"] > home["chance"] for block in value["blocks"] if block["kept"])
        written = [block["text"] for block in value["blocks"] if block["comment"]]
        assert written == ["A reader's word."] and not set(written) & set(kept)
        shown = here("explain", "runs/a", key, "--page", cwd=tmp_path).stdout
        images = [(image["url"], image["alt"]) for image in value["images"]]
        assert images == [("https://a.org/i.png", "Hill")] * (key != "a.html")  # it has no address
        assert f"page: {len(value['blocks'])} blocks, {len(kept)} kept" in shown
        assert f"- {home['chance']:.2f}  Home & more" in shown
    (tmp_path / "a.html").write_text(page + "more")
    done = here("explain", "runs/a", "a.html", "--page", cwd=tmp_path)
    assert done.returncode == 1 and "holds another page at 0 now" in done.stderr
    (tmp_path / "a.html").unlink()
    done = here("explain", "runs/a", "a.html", "--page", cwd=tmp_path)
    assert done.returncode == 1 and "no longer there" in done.stderr


def test_a_document_that_is_no_page_of_ours_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some words.")
    done = here("run", "a.txt", "--run", "run", cwd=tmp_path)
    done = here("explain", "run", "a.txt", "--page", cwd=tmp_path)
    assert done.returncode == 1 and "no file of pages" in done.stderr
