"""Rows whose texts are pages: taken as they are, and said so, or their main text alone."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.readers import Dead, Document, Documents, Item, by_kind, pagerows
from pipelines.recipe import Source
from tests.helpers.command import karez, table
from tests.helpers.reading import each

SENTENCE = "What is said here is said at some length, so that it is the main text of a page. "
PAGE = (
    "<html lang='en'><head><title>A title</title></head><body><nav><a href='/'>Home</a></nav>"
    f"<article><h1>A title</h1>{f'<p>{SENTENCE * 4}</p>' * 5}</article></body></html>"
)


def row(text: str = PAGE, **fields: object) -> dict[str, object]:
    return {"text": text, "id": "mine", "date": "2024-05-01", **fields}


def lines(*some: dict[str, object]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in some).encode()


def parquet(*some: dict[str, object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(some)), out)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "body"), [("jsonl", lines(row())), ("parquet", parquet(row()))])
def test_the_main_text_takes_the_place_of_the_page(kind: str, body: bytes) -> None:
    source = Source(kind, ("x",), extract="karez")
    found = pagerows.extracted(by_kind(kind)(io.BytesIO(body), "x", source), source.extract)
    (document,) = each(found)
    assert isinstance(document, Document)
    assert SENTENCE.strip() in document.text
    assert not {"<", "Home"} & set(document.text.split())
    assert (document.source_key, document.head.title) == ("mine", "A title")
    assert json.loads(document.metadata or "") == {"date": "2024-05-01"}


def broken(html: str) -> str:
    raise LookupError("no main text")


def test_a_page_that_cannot_be_extracted_is_a_dead_letter_and_others_pass() -> None:
    items: list[Item] = [Document("x", 7, 9, "mine"), Dead(3, "not JSON", "")]
    fault, other = pagerows.extracted(items, "tests.test_pagerows:broken")
    assert fault == Dead(7, "not extracted", "mine LookupError: no main text")
    assert other == items[1]


def test_only_pages_are_extracted_unless_a_recipe_says_so() -> None:
    for kind in ("warc", "html"):
        assert Source(kind, ("x",)).extract == "karez"
    for kind in pagerows.KINDS:
        assert Source(kind, ("x",)).extract == ""
    for kind in ("text", "wet"):
        with pytest.raises(ValueError, match="extract is of pages"):
            Source(kind, ("x",), extract="karez")


def test_a_run_says_that_texts_are_pages_and_a_recipe_may_extract_them(tmp_path: Path) -> None:
    body = lines(*(row(PAGE.replace("What", f"What {n}"), id=f"mine {n}") for n in range(9)))
    (tmp_path / "dump.jsonl").write_bytes(body)
    first = karez("run", tmp_path / "dump.jsonl", "--run", tmp_path / "run")
    assert first.returncode == 0, first.stderr
    assert "9 texts look like HTML" in first.stdout
    assert "beside their paths takes the main text" in " ".join(first.stdout.split())
    recipe = tmp_path / "run/recipe.toml"
    text = recipe.read_text().replace('kind = "jsonl"', 'kind = "jsonl"\nextract = "karez"')
    kept = "[rules]\nold = \"metadata ->> 'date' < '2024-06'\"\n"
    recipe.write_text(text.replace("[rules]", kept, 1))
    again = karez("run", recipe, "--run", tmp_path / "run")
    assert again.returncode == 0, again.stderr
    assert "look like HTML" not in again.stdout
    assert "<" not in "".join(table(tmp_path / "run", "documents")["text"].to_pylist())
    assert "-9 old" in " ".join(again.stdout.split())


def test_what_begins_as_no_page_is_not_counted() -> None:
    texts = [PAGE, "  \n<DIV class=a>x", "<p>", "a < b", "<3", "<pre", "<html5>", ""]
    some = [Document(text, 0, 0) for text in texts]
    assert pagerows.likely(Documents.of(some)) == 3
    assert pagerows.likely(Documents.of([Document(PAGE, 0, 0, media_type="text/html")])) == 0
