"""What `explain` and an opened run say of the sample."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import explain
from pipelines.errors import RecipeError, RunError
from pipelines.opened import Opened
from tests.command import PLANTED, karez


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
    with pytest.raises(RunError, match="no document of that id"):
        explain.find(Opened(sample), key)


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
